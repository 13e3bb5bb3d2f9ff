"""Scenario (e) measures memory per idle connection that has joined a room."""

from bench.load_generator import LoadGenerator, max_connections
from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

ROOM = 100


def _measure(server: Server, context: Context) -> Figures:
    people = min(3_000 if context.quick else 15_000, max_connections() // ROOM * ROOM)
    first = Group("first", rooms=5, people=ROOM, room_prefix="first")  # keeps one-time allocations out of the figure
    crowd = Group("crowd", rooms=people // ROOM, people=ROOM)
    with RunningServer(server) as running, LoadGenerator(running.port) as generator:
        generator.add_group(first)
        before = running.rss()
        generator.add_group(crowd)
        grown = running.rss() - before
    context.print_line(f"    {server.name} {people:,} idle: {grown / 1e6:.1f} MB")
    return {"bytes": grown / people / 1000}


SCENARIO = Scenario(
    "e",
    "idle connections",
    f"Memory of 15,000 people who have joined rooms of {ROOM} and are idle (3,000 in the quick run)",
    {"bytes": Figure("resident memory per person", "kB")},
    _measure,
)
