"""(i) What a delivery costs the server as a room grows, and as rooms become more."""

from bench.load_generator import most_connections
from bench.plan import Group, Step, Talk
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server

SIZES = (10, 100, 1_000, 10_000)
ROOMS = (10, 100, 1_000, 10_000)
DELIVERIES = 20_000.0
"""A second, at every size of the room."""
MESSAGES = 2_000.0
"""A second, at every number of rooms."""
IN_EACH = 5
"""People in a room and rooms of a person: 10,000 rooms with 10,000 connections."""


def _measure(server: Server, context: Context) -> Figures:
    figures = {}
    for size in SIZES:
        group = Group("one", rooms=1, people=size, publishers=min(size, 10), shown=False)
        figures[f"size_{size}"] = _cost(server, context, group, DELIVERIES / size)
    for rooms in ROOMS:
        blocks = rooms // IN_EACH
        if rooms <= most_connections():
            group = Group("many", rooms=blocks, people=IN_EACH, publishers=blocks, topics=IN_EACH, shown=False)
            figures[f"rooms_{rooms}"] = _cost(server, context, group, MESSAGES)
    return figures


def _cost(server: Server, context: Context, group: Group, rate: float) -> float:
    with ServerSession(server, group) as session:
        outcome = session.run(Step((Talk(group.name, rate),), warm_up=1.0, seconds=4.0))
        context.tell(server, f"{group.rooms * group.topics} rooms of {group.people}", outcome, session.cpu)
    return session.cost(outcome)


SCENARIO = Scenario(
    "i",
    "growth",
    f"Server CPU for a delivery: one room at {DELIVERIES:,.0f} a second, rooms of {IN_EACH} at {MESSAGES:,.0f} msg/s",
    {f"size_{size}": Figure(f"a room of {size:,}", "µs", digits=2) for size in SIZES}
    | {f"rooms_{rooms}": Figure(f"{rooms:,} rooms of {IN_EACH}", "µs", digits=2) for rooms in ROOMS},
    _measure,
    in_quick=False,
)
