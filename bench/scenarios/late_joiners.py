"""(h) People who join a room with a past."""

from bench.load_generator import LoadGenerator
from bench.plan import Arrival, Group, Step, Talk, quantile
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

RATE, GREETING = 1_000.0, 10


def _measure(server: Server, context: Context) -> Figures:
    early = Group("early", rooms=1, people=10, publishers=1)
    late = Group("late", rooms=1, people=500 if context.quick else 4_000, shown=False)
    with RunningServer(server) as running, LoadGenerator(running.port) as generator:
        generator.add_group(early)
        generator.run(Step((Talk(early.name, 50.0),), warm_up=0.0, seconds=1.0))
        generator.add_group(late, only="connect")
        before = running.cpu()
        outcome = generator.run(Step(arrival=Arrival(late, rate=RATE, only="join", greeting=GREETING)))
        cpu = running.cpu() - before
    p50, p99 = quantile(outcome.joins, 0.5), quantile(outcome.joins, 0.99)
    context.note(f"    {server.name} {outcome.arrived:,} late: p50 {p50:.2f} p99 {p99:.2f} ms; CPU server {cpu:.2f} s")
    return {"p50": p50, "p99": p99} if not outcome.failed else {}


SCENARIO = Scenario(
    "h",
    "late joiners",
    f"{RATE:,.0f} joins a second to a room with a past, each until its {GREETING} latest messages are there",
    {"p50": Figure("p50", "ms", digits=2), "p99": Figure("p99", "ms", digits=2)},
    _measure,
    for_peers=False,
    in_quick=False,
)
