"""The log of a lane becomes rows of the database: each turn once, whoever writes it, and whatever fails meanwhile."""

import functools
from pathlib import Path
from typing import Any

import peewee
import pytest

from chatter.lanes import projection
from chatter.lanes.turns import VOIDED
from chatter.messages import Voided
from schema import Entry, Lane, UntoldVoid
from tests.lanes.nodes import Node, answers, heard, places, play, until
from tests.support.log_model import LogModel
from tests.support.stage import Listener

SLUG = "lobby"


def rows() -> list[tuple[int, str]]:
    """What the database has of the room."""
    return [(row.seq, row.message) for row in Entry.latest(SLUG, 1_000)]


def position() -> int:
    return Lane.rows()[0].head


async def say(node: Node, listener: Any, count: int, *, start: int = 0) -> None:
    """Says so much, and waits for the acknowledgements."""
    for number in range(start, start + count):
        node.post(SLUG, listener, f"{node.author.name} {number}")
        await until(functools.partial(_has_answers, listener, number + 1))


def _has_answers(listener: Any, count: int) -> bool:
    return len(answers(listener)) >= count


async def say_and_restore(model: LogModel, node: Node) -> tuple[Listener, int]:
    """Says nine messages, and puts the database back to where it had three. Returns who has, and that position."""
    ann = node.join(SLUG)
    node.write()
    await say(node, ann, 3)
    await until(lambda: position() == model.last)
    before = Lane.rows()[0]
    await say(node, ann, 6, start=3)
    await until(lambda: position() == model.last)
    Entry.delete().where(Entry.seq > 3).execute()
    Lane.update(head=before.head, chain=before.chain).execute()
    return ann, before.head


def test_all_that_is_said_on_both_nodes_gets_into_the_database(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        here, there = east.join(SLUG), west.join(SLUG)
        west.write()
        await say(east, here, 5)
        await say(west, there, 5)
        await until(lambda: west.projection.saved_through == model.last)
        assert rows() == heard(here) == heard(there)
        assert len(rows()) == 10
        assert east.projection.saved_through is None

    play(database, scenario, tmp_path)


def test_what_was_said_while_nobody_wrote_is_written_by_whoever_does_then(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join(SLUG)
        east.write()
        await say(east, ann, 3)
        await until(lambda: position() == model.last)
        east.write(writes=False)
        await say(east, ann, 3, start=3)
        assert position() < model.last
        west.write()
        await until(lambda: position() == model.last)
        assert rows() == heard(ann)
        west.write(writes=False)
        east.write()
        await say(east, ann, 1, start=6)
        await until(lambda: position() == model.last)
        assert rows() == heard(ann)

    play(database, scenario, tmp_path)


def test_two_that_write_at_once_write_everything_once(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        here, there = east.join(SLUG), west.join(SLUG)
        east.write()
        west.write()
        for number in range(30):
            await say(east, here, 1, start=number)
            await say(west, there, 1, start=number)
        await until(lambda: position() == model.last)
        assert rows() == heard(here)
        assert len(rows()) == 60
        assert east.projector.projected + west.projector.projected <= model.last

    play(database, scenario, tmp_path)


def test_a_database_that_fails_is_tried_again_and_stops_nobody_from_talking(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join(SLUG)
        east.projector.failures += [peewee.OperationalError("away")] * 5
        east.write()
        await say(east, ann, 5)
        assert places(ann) == [1, 2, 3, 4, 5]
        assert position() == 0
        await until(lambda: position() == model.last)
        assert rows() == heard(ann)

    play(database, scenario, tmp_path)


def test_a_place_for_which_the_database_takes_nothing_is_void_for_everybody(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, bo = east.join(SLUG), west.join(SLUG)
        west.write()
        await until(lambda: ann.heard and bo.heard)
        east.post(SLUG, ann, "the same")
        await until(lambda: places(ann) == [1])
        await say(east, ann, 10, start=1)
        await until(lambda: position() == model.last)
        for node in (east, west):
            node.rooms.on_saved(model.last)
        east.post(SLUG, ann, "the same")  # nobody remembers it, and it does not say that it is a repeat
        await until(lambda: Voided(12) in ann.heard and Voided(12) in bo.heard)
        await until(lambda: position() == model.last)
        assert [turn.kind for turn in east.turns].count(VOIDED) == 1
        await until(lambda: west.projection.saved_through == model.last)
        assert UntoldVoid.select().count() == 0
        assert rows()[-1] == (12, "")

    play(database, scenario, tmp_path)


@pytest.mark.parametrize("is_told", [False, True], ids=["not told", "told"])
def test_who_takes_over_tells_of_void_places_that_nobody_was_told_of(
    database: Any, tmp_path: Path, is_told: bool
) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        database.execute_sql(
            "CREATE TRIGGER no BEFORE INSERT ON entry WHEN new.message = 'no' BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
        ann = east.join(SLUG)
        await say(east, ann, 2)
        east.post(SLUG, ann, "no")
        await until(lambda: places(ann) == [1, 2, 3])
        model.has_leader = is_told
        west.write()
        await until(lambda: position() == 3)
        if is_told:
            await until(lambda: Voided(3) in ann.heard)
        assert UntoldVoid.select().count() == 1
        await west.close()
        model.has_leader = True
        east.write()
        await until(lambda: Voided(3) in ann.heard)
        await until(lambda: position() == model.last and not UntoldVoid.select().count())
        await until(lambda: east.projection.saved_through == model.last)
        assert [turn.kind for turn in east.turns].count(VOIDED) == 1

    play(database, scenario, tmp_path)


def test_a_database_of_before_gets_from_the_log_what_it_lacks(database: Any, tmp_path: Path) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, _ = await say_and_restore(model, east)
        await say(east, ann, 1, start=9)
        await until(lambda: position() == model.last)
        assert rows() == heard(ann)
        assert east.projection.fault is None

    play(database, scenario, tmp_path)


def test_turns_that_neither_the_database_nor_the_log_has_are_told_and_never_skipped(
    database: Any, tmp_path: Path
) -> None:
    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann, restored_to = await say_and_restore(model, east)
        model.purge(restored_to + 3)
        await say(east, ann, 1, start=9)
        await until(lambda: east.projection.fault is not None)
        assert position() == restored_to
        assert len(rows()) == 3

    play(database, scenario, tmp_path)


def test_a_log_that_was_trimmed_of_what_another_node_wrote_meanwhile_has_no_hole(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "INTERVAL", 1.0)  # east does nothing for so long after it has written

    async def scenario(model: LogModel, east: Node, west: Node) -> None:
        ann = east.join(SLUG)
        east.write()
        await say(east, ann, 1)
        await until(lambda: east.projection.saved_through == model.last)
        await say(east, ann, 1, start=1)
        west.write()
        await until(lambda: position() == model.last)
        west.write(writes=False)
        east.rooms.on_saved(model.last)  # as west's heartbeat says
        model.purge(model.last + 1)
        assert east.projection.saved_through == model.last - 1
        await say(east, ann, 1, start=2)
        await until(lambda: position() == model.last or east.projection.fault)
        assert east.projection.fault is None
        assert rows() == heard(ann)

    play(database, scenario, tmp_path)
