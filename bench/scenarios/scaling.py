"""Scenario (i) measures CPU per delivery by room size and by number of rooms."""

from bench.load_generator import max_connections
from bench.plan import Group, Step, Traffic
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server

SIZES = (10, 100, 1_000, 10_000)
ROOMS = (10, 100, 1_000, 10_000)
DELIVERIES_PER_SECOND = 20_000.0
"""Rate at every room size."""
MESSAGES_PER_SECOND = 2_000.0
"""Rate at every number of rooms."""
BLOCK_SIZE = 5
"""People in each room, and rooms of each person: 10,000 connections, 10,000 rooms."""


def _measure(server: Server, context: Context) -> Figures:
    figures = {}
    for size in SIZES:
        group = Group("one", rooms=1, people=size, publishers=min(size, 10), with_name=False)
        figures[f"size_{size}"] = _cpu_per_delivery(server, context, group, DELIVERIES_PER_SECOND / size)
    for rooms in ROOMS:
        blocks = rooms // BLOCK_SIZE
        if rooms <= max_connections():
            group = Group(
                "many", rooms=blocks, people=BLOCK_SIZE, publishers=blocks, topics=BLOCK_SIZE, with_name=False
            )
            figures[f"rooms_{rooms}"] = _cpu_per_delivery(server, context, group, MESSAGES_PER_SECOND)
    return figures


def _cpu_per_delivery(server: Server, context: Context, group: Group, rate: float) -> float:
    with ServerSession(server, group) as session:
        outcome = session.run(Step((Traffic(group.name, rate),), warm_up=1.0, seconds=4.0))
        context.report_step(
            server, f"{group.rooms * group.topics} rooms of {group.people}", outcome, session.server_cpu
        )
    return session.cpu_per_delivery(outcome)


SCENARIO = Scenario(
    "i",
    "scaling",
    f"Server CPU per delivery: one room at {DELIVERIES_PER_SECOND:,.0f} deliveries a second, "
    f"rooms of {BLOCK_SIZE} at {MESSAGES_PER_SECOND:,.0f} msg/s",
    {f"size_{size}": Figure(f"a room of {size:,}", "µs", digits=2) for size in SIZES}
    | {f"rooms_{rooms}": Figure(f"{rooms:,} rooms of {BLOCK_SIZE}", "µs", digits=2) for rooms in ROOMS},
    _measure,
    in_quick=False,
)
