"""(d) Thousands connect and join at once, while others talk."""

from bench.plan import Arrival, Group, Step, Talk
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server

BYSTANDERS = Group("bystanders", rooms=20, people=5, publishers=20, place="aside")
THEIR_RATE = 200.0


def _measure(server: Server, context: Context) -> Figures:
    people = 2_000 if context.quick else 8_000
    into_many = _storm(server, context, people, 100, "rooms")
    return into_many if context.quick else {**into_many, **_storm(server, context, people, 1, "room")}


def _storm(server: Server, context: Context, people: int, rooms: int, prefix: str) -> Figures:
    crowd = Group("crowd", rooms=rooms, people=people // rooms, shown=False)
    step = Step(
        (Talk(BYSTANDERS.name, THEIR_RATE),),
        Arrival(crowd, delay=1.0),
        warm_up=1.0,
        seconds=2.0 if context.quick else 10.0,
        give_up_at=60.0,
    )
    with ServerSession(server, BYSTANDERS) as session:
        outcome = session.run(step)
        context.tell(server, f"{people:,} people come into {rooms} rooms", outcome, session.cpu)
    if outcome.failed or outcome.gone:
        return {}
    seconds = (outcome.last_at - outcome.first_at) / 1e9
    return {f"{prefix}_rate": people / seconds, f"{prefix}_p99": outcome.latency(0.99, BYSTANDERS.name)}


SCENARIO = Scenario(
    "d",
    "storm",
    "8,000 people connect and join at once (2,000 in the quick run), 500 under way at any time, while 100 others talk",
    {
        "rooms_rate": Figure("connected and joined, in 100 rooms", "1/s", "higher", 0),
        "rooms_p99": Figure("p99 of those who talk meanwhile", "ms"),
        "room_rate": Figure("connected and joined, in one room", "1/s", "higher", 0),
        "room_p99": Figure("p99 of those who talk meanwhile", "ms"),
    },
    _measure,
)
