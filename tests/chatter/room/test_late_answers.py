"""Answers of the database from before a commit, which come once the memory has no room for what was committed."""

from typing import Any

import pytest

from chatter.messages import (
    Delete,
    Edit,
    Edited,
    LoadMissed,
    LoadPage,
    LoadTarget,
    LookedUp,
    LookUp,
    MissedLoaded,
    Page,
    PageLoaded,
    Pin,
    Position,
    Posted,
    ReadHistory,
    Refused,
    Saved,
    Sync,
    TargetLoaded,
    View,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import EPOCH, NOON_ISO, RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join

SAID = Posted(1, "hello", "ann", "hello", NOON_ISO, nth=1)
EDITED = Edited(2, "e", "ann", 1, NOON_ISO, 1, "hello!", 1)


@pytest.fixture
def ann() -> Listener:
    """Makes a client that has said the first message."""
    ann = Listener(view=View.LOG)
    ann.note_said(1)
    return ann


@pytest.fixture
def room(stage: Stage, ann: Listener) -> RoomOnStage:
    """Starts a room that ann is in, with two of its eight entries in memory, which has room for no more."""
    room = RoomOnStage(stage, RoomSettings(ring_size=2, id_memory_size=2), recent=[posted(7), posted(8)])
    room.tell(join(ann))
    return room


def delete_and_go_on(room: RoomOnStage, ann: Listener) -> None:
    """Has the first message deleted, and commits that and all that follows."""
    room.tell(Delete(ann, b"1", "d", 1), TargetLoaded(1, SAID))
    room.tell(*(post(ann, str(number)) for number in range(5)), Saved(14))


def last_asked(room: RoomOnStage, kind: type[Any]) -> Any:
    return next(told for told in reversed(room.to_history) if isinstance(told, kind))


def answers(listener: Listener) -> list[Any]:
    return [each[1] for each in listener.heard if isinstance(each, tuple)]


def texts(entries: Any) -> list[tuple[int, str]]:
    return [(each.seq, each.message) for each in entries if isinstance(each, Posted | Edited)]


def test_an_operation_is_judged_by_the_message_as_it_is_now(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=2), recent=[])
    room.tell(join(ann), post(ann, "hello"), Saved(1), Delete(ann, b"1", "d", 1))
    room.tell(*(post(ann, str(number)) for number in range(5)), Saved(1))
    room.tell(Edit(ann, b"1", "e", 1, "again"), Pin(ann, b"1", "p", "ann", 1, is_pinned=True))
    assert isinstance(room.to_history[-1], LoadTarget)
    room.tell(Saved(7), TargetLoaded(1, SAID))
    assert [each for each in answers(ann) if isinstance(each, Refused)] == [Refused("gone"), Refused("gone")]


@pytest.mark.parametrize("view", View)
def test_a_page_shows_no_text_that_was_deleted_while_it_was_read(room: RoomOnStage, ann: Listener, view: View) -> None:
    reader = Listener(view=view)
    room.tell(request := ReadHistory(reader, b"1", 3, 2))
    assert last_asked(room, LoadPage).request is request
    delete_and_go_on(room, ann)
    room.tell(PageLoaded(request, Page((SAID,), more=False, as_of=8)))
    (page,) = answers(reader)
    assert texts(page.messages)[0] == (1, "")


def test_a_join_is_sent_no_text_that_was_deleted_while_it_was_read(room: RoomOnStage, ann: Listener) -> None:
    bo = Listener(view=View.LOG)
    room.tell(join(bo, position=Position(0, EPOCH)))
    delete_and_go_on(room, ann)
    room.tell(MissedLoaded(last_asked(room, LoadMissed).request, 0, (SAID, EDITED), rows=8))
    assert texts(bo.heard)[:2] == [(1, ""), (2, "")]


@pytest.mark.parametrize("view", [View.LOG, View.PLACES])
def test_a_sync_is_sent_no_text_that_was_deleted_while_it_was_read(
    room: RoomOnStage, ann: Listener, view: View
) -> None:
    bo = Listener(view=view)
    room.tell(join(bo), Sync(bo, b"1", Position(0, EPOCH)))
    bo.clear()
    delete_and_go_on(room, ann)
    bo.clear()
    room.tell(MissedLoaded(last_asked(room, LoadMissed).request, 0, (SAID, EDITED), rows=8))
    assert texts(bo.heard)[0] == (1, "")


def test_nobody_replies_to_what_was_deleted_while_it_was_read(room: RoomOnStage, ann: Listener) -> None:
    bo = Listener(view=View.LOG)
    room.tell(join(bo), post(bo, "I agree", reply_to=1))
    request = last_asked(room, LookUp).request
    delete_and_go_on(room, ann)
    room.tell(LookedUp(request, None, (SAID,)))
    assert answers(bo) == [Refused("gone")]


def test_a_repeat_is_told_from_what_was_said_while_it_was_looked_for(room: RoomOnStage, ann: Listener) -> None:
    bo = Listener(view=View.LOG)
    room.tell(join(bo), post(bo, "hello", id="once", repeat=True))
    request = last_asked(room, LookUp).request
    room.tell(post(ann, "hello", id="once"), *(post(ann, str(number)) for number in range(5)), Saved(14))
    room.tell(LookedUp(request, None))
    assert [(each.seq, each.duplicate) for each in answers(bo)] == [(9, True)]


def test_once_it_is_answered_the_memory_is_as_small_as_before(room: RoomOnStage, ann: Listener) -> None:
    room.tell(request := ReadHistory(ann, b"1", 3, 2))
    delete_and_go_on(room, ann)
    room.tell(ReadHistory(ann, b"2", 12, 2))
    assert last_asked(room, LoadPage).request is request  # what is asked for is kept for the first answer
    room.tell(PageLoaded(request, Page((SAID,), more=False, as_of=8)), again := ReadHistory(ann, b"3", 12, 2))
    assert last_asked(room, LoadPage).request is again


def test_who_asks_before_its_join_is_granted_is_answered(room: RoomOnStage) -> None:
    bo = Listener()
    room.tell(join(bo, position=Position(1, EPOCH)), post(bo, "early"))
    missed = MissedLoaded(last_asked(room, LoadMissed).request, 8, tuple(posted(seq) for seq in range(2, 9)))
    room.tell(Saved(9), missed)
    assert [answer.seq for answer in answers(bo)] == [9]
    assert [seq for seq, _ in texts(bo.heard)] == list(range(2, 10))
