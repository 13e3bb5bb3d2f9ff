"""Rooms of two nodes over one lane: a model of its stream, the real rooms and the real lane."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from chatter.cluster.frames import GENESIS, Author, Frame, PlacedTurn, encode
from chatter.cluster.lane import LaneLog
from chatter.lanes.rooms import PATIENCE, LaneRooms
from chatter.lanes.turns import SAID, VOIDED, said_body, said_in, voided_body
from chatter.messages import Acknowledged, Delete, Join, NotSaved, Post, Posted, Refused, Save, Voided
from chatter.room.context import RoomSettings
from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.history import History
from chatter.storage.pages import void_place
from schema.base import database as proxy
from schema.database import migrate
from tests.support.log_model import LogModel
from tests.support.stage import Listener
from tests.support.virtual_time import run


@pytest.fixture
def database() -> Iterator[peewee.Database]:
    database = peewee.SqliteDatabase(":memory:")
    proxy.initialize(database)
    migrate(database)
    yield database
    database.close()


class Direct:
    """Direct reads at once what rooms ask history for."""

    def __init__(self, database: Any) -> None:
        self._history = History(database)

    def tell(self, message: Any) -> None:
        self._history.on_receive(message)


class Node:
    """Node is the rooms of one node, and the clients that are connected to it."""

    def __init__(self, name: str, model: LogModel, database: Any) -> None:
        self.author = Author(name, 1)
        self.turns: list[PlacedTurn] = []
        self.log = LaneLog(0, model, author=self.author, on_turn=self._on_turn)
        history = Direct(database)
        settings = RoomSettings(ring_size=5, id_memory_size=5)
        self.supervisor = Supervisor(Backlog(), history, 1, range(2), settings, log_of=lambda _slug: self.rooms)
        self.rooms = LaneRooms(
            self.log, wait_for_turn=self._no_wait, find_room=self.supervisor.find_room, history=history
        )
        model.republish_to(self.log.hear)

    async def _no_wait(self) -> None:
        pass

    def _on_turn(self, turn: PlacedTurn) -> None:
        self.turns.append(turn)
        self.rooms.on_turn(turn, is_own=(turn.by, turn.boot) == self.author)

    def join(self, slug: str) -> Listener:
        listener = Listener()
        self.supervisor.ensure_room(slug).tell(Join(listener, None))
        return listener

    def post(self, slug: str, sender: Listener, text: str, **options: Any) -> None:
        self.supervisor.ensure_room(slug).tell(Post(sender, text.encode(), text, "ann", text, **options))


Scenario = Callable[[LogModel, Node, Node], Any]


def play(database: Any, scenario: Scenario) -> None:
    """Runs a scenario on two nodes."""

    async def on_loop() -> None:
        model = LogModel()
        nodes = [Node(name, model, database) for name in ("east", "west")]
        for node in nodes:
            await node.log.open(0, GENESIS)
        await scenario(model, *nodes)
        for node in nodes:
            await node.rooms.close()
            await node.log.close()
            await node.supervisor.stop()

    run(on_loop())


async def until(condition: Callable[[], object]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition did not come true")


def heard(listener: Listener) -> list[tuple[int, str]]:
    return [(each.seq, each.message) for each in listener.heard if isinstance(each, Posted)]


def answers(listener: Listener) -> list[Any]:
    return [each[1] for each in listener.heard if isinstance(each, tuple)]


def places(listener: Listener) -> list[int]:
    return [answer.seq for answer in answers(listener) if isinstance(answer, Acknowledged)]


def save_all(node: Node, database: Any, tmp_path: Path) -> None:
    """Plays whoever writes the log to the database."""
    committer = Committer(DeadLetters(tmp_path / "dead-letters.jsonl"))
    for turn in node.turns:
        if turn.kind == SAID:
            committer.commit([Save(None, slug, 1, entries) for slug, entries in said_in(turn.body)])


def test_everybody_hears_what_is_said_on_both_nodes_in_one_order(database: Any) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        rooms = ("lobby", "other")
        here = {slug: east.join(slug) for slug in rooms}
        there = {slug: west.join(slug) for slug in rooms}
        for number in range(20):
            for slug in rooms:
                east.post(slug, here[slug], f"east {number}")
                west.post(slug, there[slug], f"west {number}")
            await asyncio.sleep(0.001)
        await until(lambda: all(len(heard(each)) == 40 for each in (*here.values(), *there.values())))
        for slug in rooms:
            assert heard(here[slug]) == heard(there[slug])
            assert [seq for seq, _ in heard(here[slug])] == list(range(1, 41))
            assert sorted(places(here[slug]) + places(there[slug])) == list(range(1, 41))
        assert east.log.counts.conflicts + west.log.counts.conflicts > 0

    play(database, scenario)


@pytest.mark.parametrize("is_placed", [True, False], ids=["placed", "lost"])
def test_a_turn_whose_outcome_is_unknown_keeps_nobody_from_reading_and_is_said_once(
    database: Any, is_placed: bool
) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        await until(lambda: ann.heard)
        model.faults.append("answer lost" if is_placed else "request lost")
        model.republishes = model.has_leader = False
        model.has_leader = is_placed
        east.post("lobby", ann, "hello")
        await asyncio.sleep(0.001)
        model.has_leader = False
        await asyncio.sleep(2 * PATIENCE)
        late = east.join("lobby")
        await until(lambda: late.heard)
        east.post("lobby", ann, "refused")
        await until(lambda: answers(ann))
        assert answers(ann) == [Refused("overloaded", retry_after_ms=1_000)]
        model.republishes = model.has_leader = True
        await until(lambda: places(ann))
        assert (heard(ann), heard(late), places(ann)) == ([(1, "hello")], [(1, "hello")], [1])
        assert len(model.frames) == 1

    play(database, scenario)


def test_a_full_log_refuses_and_loses_nothing(database: Any) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        await until(lambda: ann.heard)
        model.faults.append("full")
        east.post("lobby", ann, "waits")
        await asyncio.sleep(0.1)
        east.post("lobby", ann, "refused")
        await until(lambda: places(ann))
        assert heard(ann) == [(1, "waits")]
        assert answers(ann)[0] == Refused("overloaded", retry_after_ms=1_000)

    play(database, scenario)


def test_a_lane_that_has_stopped_refuses_and_appends_nothing(database: Any) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        await until(lambda: ann.heard)
        model.put(encode(Frame(0, 0, b"another history.", "north", 1, 1, SAID, said_body([]))))
        await until(lambda: east.log.stopped)
        for number in range(3):
            east.post("lobby", ann, f"{number}")
        await until(lambda: len(answers(ann)) == 3)
        assert set(answers(ann)) == {Refused("overloaded", retry_after_ms=1_000)}
        assert (heard(ann), len(model.frames)) == ([], 1)

    play(database, scenario)


def test_a_room_begins_with_what_the_database_has_and_what_only_the_log_has(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        for number in range(3):
            east.post("lobby", ann, f"{number}")
        await until(lambda: len(places(ann)) == 3)
        save_all(west, database, tmp_path)
        for number in range(3, 6):
            east.post("lobby", ann, f"{number}")
        await until(lambda: len(places(ann)) == 6)
        bo = west.join("lobby")
        await until(lambda: bo.heard)
        assert heard(bo) == [(number + 1, f"{number}") for number in range(6)]
        west.rooms.on_saved(model.last)
        west.post("lobby", bo, "new")
        await until(lambda: (7, "new") in heard(ann))

    play(database, scenario)


def test_what_the_database_refuses_becomes_void_everywhere(database: Any) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join("lobby"), west.join("lobby")
        east.post("lobby", ann, "never")
        await until(lambda: places(ann) and heard(bo))
        void = NotSaved(void_place(1, "2026-01-01T00:00:00.000000Z"), None)
        await west.log.append(voided_body([("lobby", void)]), west.log.head, kind=VOIDED)
        await until(lambda: Voided(1) in ann.heard and Voided(1) in bo.heard)

    play(database, scenario)


def test_a_guest_on_another_node_may_not_change_a_message(database: Any) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join("lobby"), west.join("lobby")
        east.post("lobby", ann, "mine")
        await until(lambda: heard(bo))
        west.supervisor.ensure_room("lobby").tell(Delete(bo, b"d", None, 1))
        east.supervisor.ensure_room("lobby").tell(Delete(ann, b"d", None, 1))
        await until(lambda: len(places(ann)) == 2 and answers(bo))
        assert isinstance(answers(bo)[0], Refused)

    play(database, scenario)
