"""Scenario (f) measures latency in small rooms while a large room is active."""

from bench.plan import Group, Step, Traffic
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server

RATE, LARGE_RATE = 400.0, 2.0


def _measure(server: Server, context: Context) -> Figures:
    rooms, people = (100, 2_000) if context.quick else (200, 10_000)
    small = Group("small", rooms=rooms, people=5, publishers=rooms)
    large = Group("large", rooms=1, people=people, publishers=1, room_prefix="large", with_name=False)
    warm_up, seconds = (0.5, 2.5) if context.quick else (1.0, 8.0)
    alone = Step((Traffic(small.name, RATE),), warm_up=warm_up, seconds=seconds)
    beside = Step((Traffic(small.name, RATE), Traffic(large.name, LARGE_RATE)), warm_up=warm_up, seconds=seconds)
    figures = {}
    with ServerSession(server, small, large) as session:
        for name, step in (("alone", alone), ("beside", beside)) if not context.quick else (("beside", beside),):
            outcome = session.run(step)
            context.report_step(server, f"small rooms {name}", outcome, session.server_cpu)
            figures[name] = outcome.latency(0.99, small.name) if outcome.is_clean else float("nan")
    return figures


SCENARIO = Scenario(
    "f",
    "noisy neighbour",
    "200 rooms of 5 at 400 msg/s while a room of 10,000 gets 2 messages a second (quick: 100 rooms, 2,000 people)",
    {
        "alone": Figure("p99 in the small rooms, large room silent", "ms", digits=2, is_compared=False),
        "beside": Figure("p99 in the small rooms, large room active", "ms"),
    },
    _measure,
)
