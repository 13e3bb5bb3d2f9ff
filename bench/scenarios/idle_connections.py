"""(e) What a connection costs that has joined and says nothing."""

from bench.load_generator import LoadGenerator, most_connections
from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

ROOM = 100


def _measure(server: Server, context: Context) -> Figures:
    people = min(3_000 if context.quick else 15_000, most_connections() // ROOM * ROOM)
    first = Group("first", rooms=5, people=ROOM, place="first")  # what a server sets up once is not counted
    crowd = Group("crowd", rooms=people // ROOM, people=ROOM)
    with RunningServer(server) as running, LoadGenerator(running.port) as generator:
        generator.add_group(first)
        before = running.rss()
        generator.add_group(crowd)
        grown = running.rss() - before
    context.note(f"    {server.name} {people:,} idle: {grown / 1e6:.1f} MB")
    return {"bytes": grown / people / 1000}


SCENARIO = Scenario(
    "e",
    "idle",
    f"Memory of 15,000 people who have joined rooms of {ROOM} and say nothing (3,000 in the quick run)",
    {"bytes": Figure("resident memory for each", "kB")},
    _measure,
)
