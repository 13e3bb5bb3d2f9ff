"""Scenario (h) measures the time to join a room and get its latest messages."""

from bench.load_generator import LoadGenerator
from bench.plan import Arrival, Group, Step, Traffic, quantile
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

RATE, HISTORY = 1_000.0, 10


def _measure(server: Server, context: Context) -> Figures:
    early = Group("early", rooms=1, people=10, publishers=1)
    late = Group("late", rooms=1, people=500 if context.quick else 4_000, with_name=False)
    with RunningServer(server) as running, LoadGenerator(running.port) as generator:
        generator.add_group(early)
        generator.run(Step((Traffic(early.name, 50.0),), warm_up=0.0, seconds=1.0))
        generator.add_group(late, only="connect")
        before = running.cpu()
        outcome = generator.run(Step(arrival=Arrival(late, rate=RATE, only="join", history=HISTORY)))
        cpu = running.cpu() - before
    p50, p99 = quantile(outcome.join_times, 0.5), quantile(outcome.join_times, 0.99)
    context.print_line(
        f"    {server.name} {outcome.arrived:,} late: p50 {p50:.2f} p99 {p99:.2f} ms; CPU server {cpu:.2f} s"
    )
    return {"p50": p50, "p99": p99} if not outcome.failed else {}


SCENARIO = Scenario(
    "h",
    "late joiners",
    f"{RATE:,.0f} joins a second to a room with history, each timed until the {HISTORY} latest messages arrive",
    {"p50": Figure("p50", "ms", digits=2), "p99": Figure("p99", "ms", digits=2)},
    _measure,
    for_peers=False,
    in_quick=False,
)
