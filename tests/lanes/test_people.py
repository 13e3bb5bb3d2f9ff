"""Who is where, told from node to node: what is lost on the way is asked for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chatter.cluster.errors import NoAnswer
from chatter.lanes.people import KEPT, MAX_CHANGES, People
from chatter.messages import Meta, PeopleMoved
from tests.lanes.nodes import until
from tests.support.virtual_time import run

HEARTBEAT = 0.5


class Net:
    """Net carries what nodes tell and ask. What `is_lost` says true of does not arrive."""

    def __init__(self) -> None:
        self.nodes: dict[str, People] = {}
        self.moved: dict[str, dict[str, dict[str, str]]] = {}  # by node and room: names by `phx_ref`
        self.is_lost: Callable[[str], bool] = lambda _kind: False
        self.questions = 0
        self.answer_time = 0.01

    def add(self, name: str) -> People:
        """Adds a node."""
        rooms = self.moved[name] = {}

        def on_moved(slug: str, moved: PeopleMoved) -> None:
            room = rooms.setdefault(slug, {})
            room.update((meta.phx_ref, label) for label, meta in moved.came)
            for phx_ref in moved.left:
                room.pop(phx_ref, None)

        async def ask(to: str, body: bytes) -> bytes:
            await asyncio.sleep(0.01)
            self.questions += 1
            if self.is_lost("question") or to not in self.nodes:
                raise NoAnswer(to)
            answer = self.nodes[to].answer(body)
            await asyncio.sleep(self.answer_time)
            return answer

        def tell(body: bytes) -> None:
            if self.is_lost("told"):
                return
            for other, people in self.nodes.items():
                if other != name:
                    asyncio.get_running_loop().call_later(0.01, people.hear, name, body)

        self.nodes[name] = people = People(tell=tell, ask=ask, on_moved=on_moved)
        return people

    async def beat(self) -> None:
        """Has the nodes hear heartbeats."""
        while True:
            for name, node in self.nodes.items():
                for other, people in self.nodes.items():
                    if other != name and not self.is_lost("beat"):
                        people.hear_beat(name, node.number)
            await asyncio.sleep(HEARTBEAT)

    def shown(self, name: str, slug: str) -> set[str]:
        """Who is in a room elsewhere, as that room was told, and as one that begins is."""
        told = set(self.moved[name].get(slug, {}).values())
        assert told == {label for label, _ in self.nodes[name].elsewhere(slug)}
        return told


def come(people: People, slug: str, *names: str) -> None:
    for name in names:
        people.change(slug, name, Meta(f"ref-{name}", 1), is_here=True)


def go(people: People, slug: str, *names: str) -> None:
    for name in names:
        people.change(slug, name, Meta(f"ref-{name}", 1), is_here=False)


def play(scenario: Callable[[Net, People, People], Any]) -> None:
    """Runs a scenario on two nodes."""

    async def on_loop() -> None:
        net = Net()
        east, west = net.add("east"), net.add("west")
        beating = asyncio.create_task(net.beat())
        await scenario(net, east, west)
        beating.cancel()

    run(on_loop())


def test_who_comes_and_goes_is_shown() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        come(east, "lobby", "ann", "bo")
        await until(lambda: net.shown("west", "lobby") == {"ann", "bo"})
        go(east, "lobby", "ann")
        come(west, "lobby", "cy")
        await until(lambda: net.shown("west", "lobby") == {"bo"} and net.shown("east", "lobby") == {"cy"})
        east.forget("lobby")
        await until(lambda: not net.shown("west", "lobby"))

    play(scenario)


def test_somebody_who_comes_and_goes_at_once_is_gone() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        come(east, "lobby", "ann", "bo")
        go(east, "lobby", "ann")
        await until(lambda: net.shown("west", "lobby") == {"bo"})

    play(scenario)


@pytest.mark.parametrize("later", [True, False], ids=["and a later one is heard", "and nothing comes after it"])
def test_what_was_lost_is_asked_for(later: bool) -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        come(east, "lobby", "ann")
        await until(lambda: net.shown("west", "lobby") == {"ann"})
        net.is_lost = lambda kind: kind == "told"
        come(east, "lobby", "bo")
        go(east, "lobby", "ann")
        await asyncio.sleep(0)
        net.is_lost = lambda _kind: False
        if later:
            come(east, "lobby", "cy")
        begun = asyncio.get_running_loop().time()
        await until(lambda: net.shown("west", "lobby") == ({"bo", "cy"} if later else {"bo"}))
        assert asyncio.get_running_loop().time() - begun < 2

    play(scenario)


def test_what_is_told_while_the_whole_is_asked_for_is_not_lost() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        names = {f"person {number}" for number in range(3 * MAX_CHANGES)}
        come(east, "lobby", *sorted(names))
        await asyncio.sleep(0)
        net.moved["west"].clear()
        west.keep_only([])
        for number in range(40):
            come(east, "den", f"late {number}")
            await asyncio.sleep(0.005)
        late = {f"late {number}" for number in range(40)}
        await until(lambda: net.shown("west", "den") == late and net.shown("west", "lobby") == names)

    play(scenario)


def test_parts_of_two_wholes_make_no_list() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        names = [f"person {number:04}" for number in range(2 * MAX_CHANGES)]
        come(east, "lobby", *names)
        net.is_lost = lambda kind: kind == "told"
        net.answer_time = KEPT + 1
        await until(lambda: net.questions == 2)  # each node has asked the other for the first part
        go(east, "lobby", *names[:MAX_CHANGES])
        await asyncio.sleep(KEPT)
        net.answer_time = 0.01
        await asyncio.sleep(KEPT)
        assert net.shown("west", "lobby") == {*names[MAX_CHANGES:]}

    play(scenario)


def test_the_people_of_a_node_that_is_gone_go_and_come_back_with_it() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        come(east, "lobby", "ann")
        await until(lambda: net.shown("west", "lobby") == {"ann"})
        net.is_lost = lambda _kind: True
        west.keep_only([])
        assert net.shown("west", "lobby") == set()
        go(east, "lobby", "ann")
        come(east, "lobby", "bo")
        await asyncio.sleep(5)
        net.is_lost = lambda _kind: False
        await until(lambda: net.shown("west", "lobby") == {"bo"})

    play(scenario)


def test_nobody_asks_while_nothing_is_lost() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        await until(lambda: net.questions == 2)  # at the first heartbeat
        for number in range(100):
            come(east, "lobby", f"{number}")
            await asyncio.sleep(0.05)
        await until(lambda: len(net.shown("west", "lobby")) == 100)
        assert net.questions == 2

    play(scenario)


def test_a_node_of_which_no_heartbeat_was_heard_shows_nobody() -> None:
    async def scenario(net: Net, east: People, west: People) -> None:
        net.is_lost = lambda kind: kind == "beat"
        west.keep_only([])
        come(east, "lobby", "ann")
        await asyncio.sleep(5)
        assert net.shown("west", "lobby") == set()
        net.is_lost = lambda _kind: False
        await until(lambda: net.shown("west", "lobby") == {"ann"})

    play(scenario)
