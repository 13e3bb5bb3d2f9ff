"""(f) Small rooms beside a giant one."""

from bench.plan import Group, Step, Talk
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server

RATE, GIANT_RATE = 400.0, 2.0


def _measure(server: Server, context: Context) -> Figures:
    rooms, people = (100, 2_000) if context.quick else (200, 10_000)
    small = Group("small", rooms=rooms, people=5, publishers=rooms)
    giant = Group("giant", rooms=1, people=people, publishers=1, place="giant", shown=False)
    warm_up, seconds = (0.5, 2.5) if context.quick else (1.0, 8.0)
    alone = Step((Talk(small.name, RATE),), warm_up=warm_up, seconds=seconds)
    beside = Step((Talk(small.name, RATE), Talk(giant.name, GIANT_RATE)), warm_up=warm_up, seconds=seconds)
    figures = {}
    with ServerSession(server, small, giant) as session:
        for name, step in (("alone", alone), ("beside", beside)) if not context.quick else (("beside", beside),):
            outcome = session.run(step)
            context.tell(server, f"small rooms {name}", outcome, session.cpu)
            figures[name] = outcome.latency(0.99, small.name) if outcome.is_clean else float("nan")
    return figures


SCENARIO = Scenario(
    "f",
    "giant",
    "200 rooms of 5 at 400 msg/s while a room of 10,000 gets 2 messages a second (quick: 100 rooms, 2,000 people)",
    {
        "alone": Figure("p99 in the small rooms, the giant silent", "ms", digits=2, compared=False),
        "beside": Figure("p99 in the small rooms, the giant talking", "ms"),
    },
    _measure,
)
