"""Scenario (d) measures thousands of joins at once, while others talk."""

from bench.plan import Arrival, Group, Step, Traffic
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server

BACKGROUND = Group("background", rooms=20, people=5, publishers=20, room_prefix="other")
BACKGROUND_RATE = 200.0


def _measure(server: Server, context: Context) -> Figures:
    people = 2_000 if context.quick else 8_000
    figures = _storm(server, context, people, 100, "rooms")
    return figures if context.quick else {**figures, **_storm(server, context, people, 1, "room")}


def _storm(server: Server, context: Context, people: int, rooms: int, prefix: str) -> Figures:
    crowd = Group("crowd", rooms=rooms, people=people // rooms, with_name=False)
    step = Step(
        (Traffic(BACKGROUND.name, BACKGROUND_RATE),),
        Arrival(crowd, delay=1.0),
        warm_up=1.0,
        seconds=2.0 if context.quick else 10.0,
        abort_latency=60.0,
    )
    with ServerSession(server, BACKGROUND) as session:
        outcome = session.run(step)
        context.report_step(server, f"{people:,} people join {rooms} rooms", outcome, session.server_cpu)
    if outcome.failed or outcome.disconnected:
        return {}
    seconds = (outcome.last_joined_at - outcome.first_started_at) / 1e9
    return {f"{prefix}_rate": people / seconds, f"{prefix}_p99": outcome.latency(0.99, BACKGROUND.name)}


SCENARIO = Scenario(
    "d",
    "connection storm",
    "8,000 people connect and join at once (2,000 in the quick run), 500 concurrently, while 100 others talk",
    {
        "rooms_rate": Figure("people connected and joined, in 100 rooms", "1/s", "higher", 0),
        "rooms_p99": Figure("p99 of the others' messages", "ms"),
        "room_rate": Figure("people connected and joined, in one room", "1/s", "higher", 0),
        "room_p99": Figure("p99 of the others' messages", "ms"),
    },
    _measure,
)
