"""What messages are told to be where an entry became void, or is not saved yet."""

from typing import Any

import pytest

from chatter.messages import (
    Delete,
    Deleted,
    Edit,
    Join,
    Loaded,
    LoadMissed,
    LoadPage,
    LoadTarget,
    LookedUp,
    MissedLoaded,
    NotSaved,
    Page,
    PageLoaded,
    Pin,
    Position,
    Posted,
    PostState,
    Reacted,
    ReactionCount,
    ReadHistory,
    Refused,
    Saved,
    TargetLoaded,
    View,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import EPOCH, NOON_ISO, RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join

THUMB = "👍"


def void(seq: int, nth: int = 1) -> Posted:
    return Posted(seq, f"void-{seq}", "", "", NOON_ISO, void=True, nth=nth)


def edit(sender: Listener, target: int, message: str) -> Edit:
    return Edit(sender, b"1", message, target, message)


def delete(sender: Listener, target: int) -> Delete:
    return Delete(sender, b"1", "d", target)


@pytest.fixture
def reader() -> Listener:
    return Listener(view=View.LOG)


@pytest.fixture
def old(stage: Stage, ann: Listener, reader: Listener) -> RoomOnStage:
    """Starts a room that remembers the last ten of a hundred messages, all of which ann has said."""
    room = RoomOnStage(stage, recent=[posted(seq, f"{seq}") for seq in range(91, 101)], epochs=((EPOCH - 1, 100),))
    for seq in range(1, 101):
        ann.note_said(seq)
    room.tell(join(ann), join(reader))
    ann.clear()
    reader.clear()
    return room


def read(room: RoomOnStage, reader: Listener, **asked: Any) -> ReadHistory:
    """Asks for a page; `answer` gives it."""
    reader.clear()
    request = ReadHistory(reader, b"1", **{"before": None, "limit": 10, **asked})
    room.tell(request)
    return request


def answer(reader: Listener) -> Page:
    ((_, page),) = (each for each in reader.heard if isinstance(each, tuple))
    assert isinstance(page, Page)
    return page


def test_a_void_place_shows_no_edit_of_what_it_was(room: RoomOnStage, ann: Listener, reader: Listener) -> None:
    room.tell(join(ann), post(ann, "never"), edit(ann, 1, "nor this"), NotSaved(void(1), None), Saved(2))
    read(room, reader)
    assert answer(reader).messages == (void(1),)


def test_a_room_that_begins_shows_no_edit_of_what_a_void_place_was(stage: Stage, reader: Listener) -> None:
    room = RoomOnStage(stage)
    room.tell(Loaded([void(1)], ((EPOCH, 1),), [1], states={1: PostState(changed=2, message="edited", edits=1)}))
    read(room, reader)
    assert answer(reader).messages == (void(1),)


def test_a_deletion_that_cannot_be_saved_leaves_the_text(room: RoomOnStage, ann: Listener, reader: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"), Saved(1), delete(ann, 1))
    read(room, reader)
    assert answer(reader).messages[0].message == ""
    room.tell(NotSaved(void(2), None), Saved(2))
    read(room, reader, before=2)
    assert answer(reader).messages == (posted(1, "hello"),)


def test_what_is_recovered_from_the_database_shows_deletions_that_are_not_saved(
    old: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    old.tell(Join(bo, None, position=Position(80, EPOCH)))
    question = old.to_history[-1]
    assert isinstance(question, LoadMissed)
    old.tell(delete(ann, 95), Saved(100))
    missed = [posted(seq, f"{seq}") for seq in range(81, 101)]
    old.tell(MissedLoaded(question.request, 80, missed))
    told = {each.seq: each.message for each in bo.heard if isinstance(each, Posted)}
    assert (told[94], told[95]) == ("94", "")


def test_a_page_of_old_messages_shows_deletions_that_are_not_saved(
    stage: Stage, ann: Listener, reader: Listener
) -> None:
    settings = RoomSettings(ring_size=2)
    room = RoomOnStage(stage, settings, recent=[posted(3, "3"), posted(4, "4")])
    ann.note_said(1)
    room.tell(join(ann), delete(ann, 1))
    room.tell(TargetLoaded(1, posted(1, "1")), Saved(4))
    request = read(room, reader, before=3)
    assert isinstance(room.to_history[-1], LoadPage)
    room.tell(PageLoaded(request, Page([posted(1, "1"), posted(2, "2")], more=False, as_of=4)))
    assert [each.message for each in answer(reader).messages] == ["", "2"]


def test_an_edit_whose_message_is_deleted_is_told_without_its_text(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"), edit(ann, 1, "secret"), delete(ann, 1))
    late = Listener(view=View.LOG)
    room.tell(Join(late, None, position=Position(1, EPOCH)))
    assert [getattr(each, "message", None) for each in late.heard[1:]] == ["", None]
    assert isinstance(late.heard[-1], Deleted)


def test_the_messages_in_some_places_are_also_those_that_are_not_saved(
    old: RoomOnStage, ann: Listener, reader: Listener
) -> None:
    old.tell(post(ann, "new"))
    request = read(old, reader, seqs=(5, 101))
    old.tell(PageLoaded(request, Page([posted(5)], more=False, as_of=100)))
    assert [each.seq for each in answer(reader).messages] == [5, 101]


def test_a_page_of_changes_that_is_cut_goes_on_where_it_was_read(stage: Stage, ann: Listener, reader: Listener) -> None:
    rows = [posted(seq, f"{seq}" * 100) for seq in range(1, 11)]
    room = RoomOnStage(stage, RoomSettings(max_page_bytes=1_000), recent=rows)
    room.tell(join(ann), join(reader))
    request = read(room, reader, after=0)
    for seq in range(1, 11):
        ann.note_said(seq)
        room.tell(edit(ann, seq, f"later {seq}" * 20))
    room.tell(PageLoaded(request, Page(rows, more=False, as_of=10)))
    page = answer(reader)
    assert (page.messages[0].changed, page.more, page.next) == (11, True, page.messages[-1].seq)


def test_a_page_of_changes_goes_on_where_others_may_be_that_were_committed_meanwhile(
    old: RoomOnStage, reader: Listener
) -> None:
    request = read(old, reader, after=0, limit=2)
    touched = Posted(5, "5", "ann", "5", NOON_ISO, nth=5, state=PostState(changed=102, pinned_at=NOON_ISO))
    old.tell(PageLoaded(request, Page([posted(99), touched], more=True, as_of=100)))
    assert answer(reader).next == 100


def test_a_void_place_cannot_be_answered(old: RoomOnStage, ann: Listener) -> None:
    reply = post(ann, "reply", reply_to=5)
    old.tell(reply)
    old.tell(LookedUp(reply, None, [void(5)]))
    assert ann.heard == [(b'"1"', Refused("not_found"))]


def test_replies_count_also_where_the_first_message_is_deleted(
    room: RoomOnStage, ann: Listener, reader: Listener
) -> None:
    room.tell(join(ann), post(ann, "root"), post(ann, "reply", reply_to=1), delete(ann, 1))
    room.tell(post(ann, "another", reply_to=2))
    (said,) = room.saves[-1].entries
    assert isinstance(said, Posted)
    assert said.state == PostState(changed=4, reply_to=2, root=1, root_replies=2)
    read(room, reader, before=2)
    state = answer(reader).messages[0].state
    assert state is not None
    assert (state.replies, state.last_reply_seq) == (2, 4)


@pytest.mark.parametrize("is_rebuilt", [False, True])
def test_a_room_that_begins_counts_reactions_anew_that_came_after_a_void_entry(stage: Stage, is_rebuilt: bool) -> None:
    room = RoomOnStage(stage, is_rebuilt=is_rebuilt)
    asked = len(room.to_history)
    counts = (ReactionCount(THUMB, 2, ("bo", "cy")),)
    reacted = Reacted(3, "r", "cy", 1, NOON_ISO, 1, THUMB, ("cy",), (), counts)
    state = PostState(changed=3, reactions=counts)
    room.tell(Loaded([posted(1), void(2), reacted], ((EPOCH, 3),), [2], states={1: state}))
    assert room.to_history[asked:] == [LoadTarget(room.ref, "lobby", 1, "lobby", with_reactions=True)]


def test_a_pin_that_cannot_be_saved_is_not_counted(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_pins=1), recent=[])
    room.tell(join(ann), post(ann, "one"), post(ann, "two"), Saved(2))
    for id, is_pinned in (("p3", True), ("p4", False), ("p5", True)):
        room.tell(Pin(ann, b"1", id, "ann", 1, is_pinned))
    room.tell(NotSaved(void(3, 2), None), Saved(5))  # the first one; the last one stands
    ann.clear()
    room.tell(Pin(ann, b"1", "p6", "ann", 2, True))
    assert ann.heard == [(b"1", Refused("full", limit=1))]
