"""Scenario (e) measures memory per idle connection that has joined a room."""

from bench.load_generator import LoadGenerator, max_connections
from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

ROOM = 100


def _bytes_of_each(server: Server, people: int, *, with_name: bool) -> float:
    # Keeps one-time allocations out of it.
    first = Group("first", rooms=5, people=ROOM, with_name=with_name, room_prefix="first")
    crowd = Group("crowd", rooms=people // ROOM, people=ROOM, with_name=with_name)
    with RunningServer(server) as running, LoadGenerator(running.port) as generator:
        generator.add_group(first)
        before = running.rss()
        generator.add_group(crowd)
        return (running.rss() - before) / people


def _measure(server: Server, context: Context) -> Figures:
    people = min(3_000 if context.quick else 15_000, max_connections() // ROOM * ROOM)
    named, nameless = (_bytes_of_each(server, people, with_name=with_name) for with_name in (True, False))
    context.print_line(f"    {server.name} {people:,} idle: {named:.0f} B each, {nameless:.0f} B without a name")
    return {"bytes": named / 1000, "nameless": nameless / 1000}


SCENARIO = Scenario(
    "e",
    "idle connections",
    f"Memory of 15,000 people who have joined rooms of {ROOM} and are idle (3,000 in the quick run)",
    {
        "bytes": Figure("resident memory per person", "kB"),
        "nameless": Figure("the same of people without a name, of whom there is no presence", "kB"),
    },
    _measure,
)
