"""Rooms of two nodes over one lane: a model of its stream, the real rooms and the real lane."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatter.cluster.frames import MAX_BODY, Frame, encode
from chatter.lanes.rooms import MAX_TURN_BYTES, PATIENCE
from chatter.lanes.turns import SAID, VOIDED, said_body, said_in, voided_body
from chatter.messages import Delete, Leave, NotSaved, Refused, Save, Voided
from chatter.room.context import RoomSettings
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.pages import void_place
from tests.lanes.nodes import Node, answers, heard, places, play, until
from tests.support.log_model import Fault, LogModel
from tests.support.memory import is_in_memory, no_collector


def save_all(node: Node, database: Any, tmp_path: Path) -> None:
    """Plays whoever writes the log to the database."""
    committer = Committer(DeadLetters(tmp_path / "dead-letters.jsonl"))
    for turn in node.turns:
        if turn.kind == SAID:
            committer.commit([Save(None, slug, 1, entries) for slug, entries in said_in(turn.body)])


def test_everybody_hears_what_is_said_on_both_nodes_in_one_order(database: Any, tmp_path: Path) -> None:
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

    play(database, scenario, tmp_path)


def test_what_was_decided_before_another_turn_was_heard_is_decided_anew(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join("lobby"), west.join("lobby")
        await until(lambda: ann.heard and bo.heard)
        faults: list[Fault] = ["late", "request lost", "request lost", "request lost", "request lost"]
        model.faults.extend(faults)  # so that it is on its way for a while
        west.post("lobby", bo, "west")
        await until(lambda: len(model.faults) < len(faults))
        east.rooms.when_decided = model.deliver_late
        east.post("lobby", ann, "east")
        await until(lambda: places(ann) and places(bo))
        assert heard(ann) == heard(bo) == [(1, "west"), (2, "east")]

    play(database, scenario, tmp_path)


@pytest.mark.parametrize("is_placed", [True, False], ids=["placed", "lost"])
def test_a_turn_whose_outcome_is_unknown_keeps_nobody_from_reading_and_is_said_once(
    database: Any, tmp_path: Path, is_placed: bool
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
        assert east.rooms.is_full  # for a moment: the node stays in service
        assert not east.rooms.is_too_far_ahead
        model.republishes = model.has_leader = True
        await until(lambda: places(ann))
        assert (heard(ann), heard(late), places(ann)) == ([(1, "hello")], [(1, "hello")], [1])
        assert len(model.frames) == 1

    play(database, scenario, tmp_path)


def test_a_full_log_refuses_and_loses_nothing(database: Any, tmp_path: Path) -> None:
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

    play(database, scenario, tmp_path)


def test_nothing_is_said_while_the_database_lacks_too_much_and_goes_on_once_it_has_it(
    database: Any, tmp_path: Path
) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        await until(lambda: ann.heard)
        for number in range(20):
            east.post("lobby", ann, f"number {number}")
            await until(lambda: len(answers(ann)) > number)  # noqa: B023
        said = len(places(ann))
        assert 0 < said < 20
        assert set(answers(ann)[said:]) == {Refused("overloaded", retry_after_ms=1_000)}
        assert east.rooms.is_too_far_ahead
        bo = west.join("lobby")
        await until(lambda: len(heard(bo)) == min(said, 10))  # reading goes on
        east.write()
        await until(lambda: east.rooms.saved_through == said)
        east.post("lobby", ann, "again")
        await until(lambda: len(places(ann)) == said + 1)

    play(database, scenario, tmp_path, max_lag_bytes=10_000)


def test_a_lane_that_has_stopped_refuses_and_appends_nothing(database: Any, tmp_path: Path) -> None:
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

    play(database, scenario, tmp_path)


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

    play(database, scenario, tmp_path)


def test_what_the_database_refuses_becomes_void_everywhere(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join("lobby"), west.join("lobby")
        east.post("lobby", ann, "never")
        await until(lambda: places(ann) and heard(bo))
        void = NotSaved(void_place(1, "2026-01-01T00:00:00.000000Z"), None)
        await west.log.append(voided_body([("lobby", void)]), west.log.head, kind=VOIDED)
        await until(lambda: Voided(1) in ann.heard and Voided(1) in bo.heard)

    play(database, scenario, tmp_path)


def test_a_guest_on_another_node_may_not_change_a_message(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join("lobby"), west.join("lobby")
        east.post("lobby", ann, "mine")
        await until(lambda: heard(bo))
        west.supervisor.ensure_room("lobby").tell(Delete(bo, b"d", None, 1))
        east.supervisor.ensure_room("lobby").tell(Delete(ann, b"d", None, 1))
        await until(lambda: len(places(ann)) == 2 and answers(bo))
        assert isinstance(answers(bo)[0], Refused)

    play(database, scenario, tmp_path)


def test_a_room_keeps_what_the_database_has_until_it_has_heard_what_is_void_of_it(
    database: Any, tmp_path: Path
) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        east.post("lobby", ann, "never")
        await until(lambda: places(ann) and west.log.head == 1)
        model.republishes = False
        void = NotSaved(void_place(1, "2026-01-01T00:00:00.000000Z"), None)
        await east.log.append(voided_body([("lobby", void)]), 1, kind=VOIDED)
        for node in (east, west):
            node.rooms.on_saved(2)
        assert east.rooms.unsaved_after(0, 10) is None
        assert [turn.seq for turn in west.rooms.unsaved_after(0, 10) or ()] == [1]
        await west.log.refresh()
        assert west.rooms.unsaved_after(0, 10) is None

    play(database, scenario, tmp_path)


def test_rooms_that_say_more_than_a_turn_takes_say_it_in_several(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        first, second = east.join("first"), east.join("second")
        await until(lambda: first.heard and second.heard)
        east.post("first", first, "x" * (MAX_TURN_BYTES - 1_000))
        east.post("second", second, "x" * (MAX_TURN_BYTES + 1_000))
        await until(lambda: places(first) == [1] and places(second) == [1])
        assert len(model.frames) == 2

    play(database, scenario, tmp_path)


def test_what_is_too_large_for_the_log_is_refused(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join("lobby")
        await until(lambda: ann.heard)
        east.post("lobby", ann, "x" * MAX_BODY)
        await until(lambda: answers(ann))
        assert answers(ann) == [Refused("overloaded", retry_after_ms=1_000)]
        east.post("lobby", ann, "small")
        await until(lambda: places(ann) == [1])
        assert heard(ann) == [(1, "small")]

    play(database, scenario, tmp_path)


def test_a_room_that_was_spoken_in_and_left_leaves_memory_on_both_nodes(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join("lobby"), west.join("lobby")
        east.post("lobby", ann, "hello")
        await until(lambda: heard(ann) and heard(bo))
        rooms = [node.supervisor.ensure_room("lobby") for node in (east, west)]
        east.write()
        for node, listener in ((east, ann), (west, bo)):
            node.supervisor.ensure_room("lobby").tell(Leave(listener))
        await until(lambda: not any(node.supervisor.find_room("lobby") for node in (east, west)))
        assert not any(map(is_in_memory, rooms))

    with no_collector():
        play(database, scenario, tmp_path, settings=RoomSettings(room_idle_timeout=0.1))
