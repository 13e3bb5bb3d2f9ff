"""What cannot be saved is taken back, and reactions are recounted; operations are refused while too much waits."""

import pytest

from chatter.messages import (
    Acknowledged,
    Entry,
    Loaded,
    LoadTarget,
    NotSaved,
    Posted,
    PostState,
    Reacted,
    ReactionCount,
    ReactionsDue,
    Refused,
    Saved,
    TargetLoaded,
)
from chatter.room.context import RoomSettings
from chatter.room.refusals import OVERLOADED
from tests.chatter.conftest import EPOCH, NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.operations.conftest import THUMB, answers, edit, message_of, pin, react
from tests.chatter.room.test_room import poison
from tests.support.stage import Listener, Stage, join

VOID = Posted(2, "void-2", "", "", NOON_ISO, void=True, nth=1)


def test_operations_are_refused_before_messages_are(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    for _ in range(500):
        room.backlog.count(1)
    room.tell(pin(ann), post(ann, "still said"))
    assert answers(ann) == [OVERLOADED]
    assert room.saves[-1].entries[0].seq == 2


def test_an_edit_that_cannot_be_saved_is_taken_back(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "never"), pin(members), NotSaved(VOID, None), Saved(3))
    assert answers(ann) == [Refused("not_saved")]
    shown = message_of(room, members)
    assert (shown.message, shown.state) == ("hello", PostState(changed=3, pinned_at=NOON_ISO, pinned_by="ann"))


def test_a_pin_of_a_message_that_cannot_be_saved_takes_no_place(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_pins=1), recent=[])
    room.tell(
        join(ann),
        post(ann, "never"),
        post(ann, "fine"),
        pin(ann, 1),
        NotSaved(Posted(1, "void-1", "", "", NOON_ISO, void=True), None),
        Saved(3),
    )
    ann.clear()
    room.tell(pin(ann, 2, "q"), Saved(4))
    assert answers(ann) == [Acknowledged("q", 4, NOON_ISO)]


def test_reactions_are_counted_anew_where_one_could_not_be_saved(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    for name in ("bo", "cy"):
        room.tell(react(members, name))
    room.tell(NotSaved(VOID, None), Saved(3))
    assert room.to_history[-1] == LoadTarget(room.ref, "lobby", 1, "lobby", with_reactions=True)
    room.tell(TargetLoaded(1, posted(1), [(THUMB, "cy", 3)]))
    (entry,) = room.saves[-1].entries
    assert isinstance(entry, Reacted)
    assert (entry.added, entry.removed, entry.reactions) == ((), (), (ReactionCount(THUMB, 1, ("cy",)),))


@pytest.fixture
def miscounted(room: RoomOnStage, members: Listener) -> RoomOnStage:
    """Has two people react, of whom the first cannot be saved; the database is asked who has reacted."""
    for name in ("bo", "cy"):
        room.tell(react(members, name))
    room.tell(NotSaved(VOID, None), Saved(3))
    return room


WHO_HAS_REACTED = [(THUMB, "cy", 3)]


def is_counted_anew(room: RoomOnStage) -> bool:
    entries = [entry for save in room.saves[2:] for entry in save.entries if isinstance(entry, Reacted)]
    return [entry.reactions for entry in entries][-1:] == [(ReactionCount(THUMB, 1, ("cy",)),)]


def test_reactions_are_counted_anew_once_the_database_answers_again(miscounted: RoomOnStage) -> None:
    asked = miscounted.to_history[-1]
    miscounted.tell(TargetLoaded(1, None, failed=True))
    assert not is_counted_anew(miscounted)
    miscounted.tell(ReactionsDue())
    assert miscounted.to_history[-2:] == [asked, asked]
    miscounted.tell(TargetLoaded(1, posted(1), WHO_HAS_REACTED))
    assert is_counted_anew(miscounted)


def test_reactions_are_counted_anew_also_where_the_database_was_asked_about_something_else(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(react(members, "bo"))
    room.tell(react(members, "cy"), edit(ann, 1, "again", "e", repeat=True))
    assert room.to_history[-1] == LoadTarget(room.ref, "lobby", 1, ann, id="e")
    room.tell(NotSaved(VOID, None), Saved(3))
    room.tell(TargetLoaded(1, posted(1)))
    assert room.to_history[-1] == LoadTarget(room.ref, "lobby", 1, "lobby", with_reactions=True)
    room.tell(TargetLoaded(1, posted(1), WHO_HAS_REACTED))
    assert is_counted_anew(room)


def test_a_room_that_fails_leaves_what_is_to_be_counted_anew_to_its_successor(
    stage: Stage, miscounted: RoomOnStage
) -> None:
    counts = (ReactionCount(THUMB, 2, ("bo", "cy")),)
    past: list[Entry] = [posted(1), VOID, Reacted(3, "r", "cy", 1, NOON_ISO, 1, THUMB, ("cy",), (), counts)]
    miscounted.tell(poison())
    handover = miscounted.to_supervisor[-1][2]
    del handover.mail[0]
    successor = RoomOnStage(stage, handover=handover, is_rebuilt=True)
    state = PostState(changed=3, reactions=counts)
    successor.tell(Loaded(past, ((EPOCH, 3),), [2], states={1: state}))
    assert successor.to_history == [LoadTarget(successor.ref, "lobby", 1, "lobby", with_reactions=True)]
