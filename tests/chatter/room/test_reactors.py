"""Who has reacted to a message is asked: all of them, and whether the asker is among them."""

from typing import Any

import pytest

from chatter.charter import Author
from chatter.messages import (
    Delete,
    Edit,
    ListReactors,
    LoadFailed,
    LoadTarget,
    NotPlaced,
    NotSaved,
    Placed,
    Posted,
    PostState,
    Propose,
    React,
    Reacted,
    ReactionCount,
    ReactorsListed,
    Refused,
    Saved,
    TargetLoaded,
    View,
)
from chatter.room.context import RoomSettings
from chatter.room.operations import MAX_WAITING_READERS
from chatter.room.refusals import OVERLOADED
from chatter.room.targets import MOST
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.test_room import poison
from tests.support.shared_log import LaneModel, NodeModel
from tests.support.stage import Listener, Stage, join

THUMB, HEART = "👍", "❤"
CROWD = [f"p{number}" for number in range(12)]


def listing(sender: Listener, name: str = "ann", target: int = 1, key: str = THUMB) -> ListReactors:
    return ListReactors(sender, b"l", target, key, name, sender.author)


def listed(listener: Listener) -> list[Any]:
    return [answer for ref, answer in (each for each in listener.heard if isinstance(each, tuple)) if ref == b"l"]


def reacts(sender: Listener, name: str, target: int = 1, *, is_added: bool = True) -> React:
    return React(sender, b"r", name, target, THUMB, is_added)


@pytest.fixture
def old(stage: Stage, ann: Listener) -> RoomOnStage:
    """Starts a room whose memory has the last of its hundred messages."""
    room = RoomOnStage(stage, RoomSettings(ring_size=10), recent=[posted(seq) for seq in range(91, 101)])
    room.tell(join(ann))
    return room


def reacted_to(seq: int, count: int = 2) -> Posted:
    """Returns an old message with reactions, as the database has it."""
    state = PostState(changed=90, reactions=(ReactionCount(THUMB, count, ("bo",)),))
    return Posted(seq, str(seq), "ann", "hello", NOON_ISO, nth=seq, state=state)


def test_all_who_have_reacted_are_named_in_their_order_saved_or_not(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"))
    for name in [*CROWD, "ann"]:
        room.tell(reacts(ann, name))
    room.tell(reacts(ann, "p3", is_added=False))
    room.tell(listing(ann), listing(ann, "eve"), listing(ann, ""), listing(ann, key=HEART))
    names = (*CROWD[:3], *CROWD[4:], "ann")
    assert listed(ann) == [
        ReactorsListed(12, names, mine=True),
        ReactorsListed(12, names, mine=False),
        ReactorsListed(12, names, mine=False),
        ReactorsListed(0, (), mine=False),
    ]


def test_beyond_a_limit_the_first_are_named_and_the_last_know_of_themselves(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_listed_reactors=11), recent=[])
    room.tell(join(ann), post(ann, "hello"))
    for name in CROWD:
        room.tell(reacts(ann, name))
    room.tell(listing(ann, "p11"))
    assert listed(ann) == [ReactorsListed(12, tuple(CROWD[:11]), mine=True, more=True)]


def test_an_account_is_known_under_any_name_and_is_no_guest_of_its_name(room: RoomOnStage, ann: Listener) -> None:
    bo = Listener(view=View.LOG)
    bo.author = Author(7, "bo")
    room.tell(join(ann), join(bo), post(ann, "hello"), React(bo, b"r", "Bo", 1, THUMB, True, bo.author))
    room.tell(listing(bo, "another"), listing(ann, "bo"), listing(ann, "@bo"))
    assert listed(bo) == [ReactorsListed(1, ("@bo",), mine=True)]
    assert [each.mine for each in listed(ann)] == [False, False]


def test_a_reaction_that_cannot_be_saved_is_not_listed_any_more(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"), Saved(1), reacts(ann, "bo"))
    room.tell(NotSaved(Posted(2, "void-2", "", "", NOON_ISO, void=True, nth=1), None), listing(ann, "bo"))
    room.tell(TargetLoaded(1, posted(1), []))
    assert listed(ann) == [ReactorsListed(0, (), mine=False)]


def test_the_database_is_asked_once_for_an_old_message_and_the_room_does_not_wait(
    old: RoomOnStage, ann: Listener
) -> None:
    asked = len(old.to_history)
    old.tell(listing(ann, target=5), listing(ann, "bo", target=5), post(ann, "meanwhile"))
    assert old.to_history[asked:] == [LoadTarget(old.ref, "lobby", 5, ann, with_reactions=True)]
    assert (listed(ann), [entry.seq for save in old.saves for entry in save.entries]) == ([], [101])
    old.tell(TargetLoaded(5, reacted_to(5), [(THUMB, "bo", 90), (THUMB, "cy", 90)]))
    expected = ReactorsListed(2, ("bo", "cy"), mine=False)
    assert listed(ann) == [expected, ReactorsListed(2, ("bo", "cy"), mine=True)]
    old.tell(listing(ann, target=5))
    assert listed(ann)[2:] == [expected]
    assert len(old.to_history) == asked + 1


def test_what_the_database_has_is_brought_up_to_what_is_not_saved(old: RoomOnStage, ann: Listener) -> None:
    rows = [(THUMB, "bo", 90), (THUMB, "cy", 90)]
    old.tell(reacts(ann, "ann", 5), TargetLoaded(5, reacted_to(5), rows), reacts(ann, "bo", 5, is_added=False))
    for target in range(6, 7 + MOST):  # others take its place in memory
        old.tell(listing(ann, target=target), TargetLoaded(target, reacted_to(target), rows))
    ann.clear()
    old.tell(listing(ann, target=5), TargetLoaded(5, reacted_to(5), rows))
    assert listed(ann) == [ReactorsListed(2, ("cy", "ann"), mine=True)]


def test_a_reader_of_all_that_was_said_does_not_fill_the_memory(stage: Stage, ann: Listener) -> None:
    rows = [(THUMB, "bo", 90)]
    older = RoomOnStage(stage, RoomSettings(ring_size=1), recent=[posted(1_000)])
    older.tell(join(ann))
    for target in range(1, 2 * MOST):
        older.tell(listing(ann, target=target), TargetLoaded(target, reacted_to(target), rows))
    asked = len(older.to_history)
    older.tell(listing(ann, target=1), listing(ann, target=2 * MOST - 1))
    assert older.to_history[asked:] == [LoadTarget(older.ref, "lobby", 1, ann, with_reactions=True)]


def test_what_is_no_message_or_a_deleted_one_has_no_reactions(old: RoomOnStage, ann: Listener) -> None:
    deleted = PostState(changed=9, message="", deleted_at=NOON_ISO, deleted_by="ann")
    gone = Posted(6, "6", "ann", "", NOON_ISO, nth=6, state=deleted)
    ann.note_said(95)
    old.tell(listing(ann, target=5), TargetLoaded(5, None), listing(ann, target=6), TargetLoaded(6, gone, []))
    old.tell(listing(ann, target=200), Delete(ann, b"d", "d", 95), listing(ann, target=95))
    assert listed(ann) == [Refused("not_found"), Refused("gone"), Refused("not_found"), Refused("gone")]


def test_who_cannot_be_answered_is_to_ask_again(old: RoomOnStage, ann: Listener) -> None:
    old.tell(listing(ann, target=5), TargetLoaded(5, None, failed=True))
    assert listed(ann) == [OVERLOADED]


def test_a_crowd_that_reads_leaves_room_for_who_reacts(old: RoomOnStage, ann: Listener) -> None:
    old.tell(*(listing(ann, target=5) for _ in range(MAX_WAITING_READERS + 1)), reacts(ann, "ann", 5))
    assert listed(ann) == [OVERLOADED]
    old.tell(TargetLoaded(5, reacted_to(5), [(THUMB, "bo", 90)]))
    assert len(listed(ann)) == 1 + MAX_WAITING_READERS
    assert [entry.added for save in old.saves for entry in save.entries if isinstance(entry, Reacted)] == [("ann",)]


def test_a_question_behind_an_edit_asks_the_database_itself(old: RoomOnStage, ann: Listener) -> None:
    ann.note_said(5)
    old.tell(Edit(ann, b"e", "e", 5, "new"), listing(ann, target=5), TargetLoaded(5, reacted_to(5)))
    assert old.to_history[-1] == LoadTarget(old.ref, "lobby", 5, ann, with_reactions=True)
    old.tell(TargetLoaded(5, reacted_to(5), [(THUMB, "bo", 90)]))
    assert listed(ann) == [ReactorsListed(1, ("bo",), mine=False)]


def test_a_room_that_is_rebuilt_answers_what_its_predecessor_was_asked(old: RoomOnStage, ann: Listener) -> None:
    old.tell(listing(ann, target=5), poison())
    handover = next(each[2] for each in old.to_supervisor if each[0] == "on_crashed")
    handover.mail.remove(handover.failed_message)
    successor = RoomOnStage(old.stage, recent=[posted(seq) for seq in range(91, 101)], handover=handover)
    successor.tell(TargetLoaded(5, reacted_to(5)))  # what the predecessor had asked for
    successor.tell(TargetLoaded(5, reacted_to(5), [(THUMB, "ann", 90)]))
    assert listed(ann) == [ReactorsListed(1, ("ann",), mine=True)]


def test_where_the_past_cannot_be_loaded_too_many_are_refused(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage)
    room.tell(join(ann), *(listing(ann) for _ in range(1_001)))
    assert OVERLOADED in listed(ann)
    room.tell(LoadFailed())
    assert len(listed(ann)) < 5


def test_on_several_nodes_what_the_log_does_not_have_yet_is_not_listed(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(1)], shared_log=NodeModel(LaneModel(), stage))
    room.tell(join(ann), reacts(ann, "ann"))
    save = stage.run(room.ref.ask(Propose(), block=False))
    room.tell(listing(ann))
    assert listed(ann) == []
    room.tell(NotPlaced())
    assert listed(ann) == [ReactorsListed(0, (), mine=False)]
    save = stage.run(room.ref.ask(Propose(), block=False))
    room.tell(Placed(save.entries[-1].seq), listing(ann))
    assert listed(ann)[1:] == [ReactorsListed(1, ("ann",), mine=True)]
