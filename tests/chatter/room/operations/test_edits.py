"""Messages are edited and deleted by who said them, and each is done once."""

import pytest

from chatter.clock import SECOND
from chatter.messages import Acknowledged, AlreadySo, Delete, Deleted, Edited, Posted, PostState, Refused, Saved, View
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON, NOON_ISO, RoomOnStage, post
from tests.chatter.room.operations.conftest import answers, edit, message_of, pin, react
from tests.support.stage import Listener, Stage, join

# ---------------------------------------------------------------- edits


def test_an_edit_is_heard_in_its_place_saved_and_acknowledged_once_committed(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    edited = Edited(2, "e", "ann", 1, NOON_ISO, 1, "hello!", 1)
    room.tell(edit(ann, 1, "hello!"))
    assert (members.heard, answers(ann)) == ([edited], [])
    assert room.saves[-1].entries == (edited,)
    room.tell(Saved(2))
    assert answers(ann) == [Acknowledged("e", 2, NOON_ISO)]
    shown = message_of(room, members)
    assert (shown.message, shown.state) == (
        "hello!",
        PostState(changed=2, message="hello!", edits=1, edited_at=NOON_ISO),
    )


def test_only_the_connection_that_said_a_message_may_change_it(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(edit(members, 1, "mine"), Delete(members, b"1", None, 1))
    assert answers(members) == [Refused("forbidden"), Refused("forbidden")]
    assert len(room.saves) == 1


@pytest.mark.parametrize("seconds", [3_599, 3_601])
def test_a_message_may_be_changed_for_an_hour(stage: Stage, ann: Listener, seconds: int) -> None:
    said = Posted(1, "hello", "ann", "hello", NOON_ISO, nth=1)
    room = RoomOnStage(stage, recent=[said], clock=lambda: NOON + seconds * SECOND)
    ann.note_said(1)
    room.tell(join(ann), edit(ann, 1, "late"), Saved(2))
    refused = Refused("too_late", limit_s=3_600.0)
    assert [answer for answer in answers(ann) if isinstance(answer, Refused)] == ([refused] if seconds > 3_600 else [])


def test_an_edit_to_the_same_text_changes_nothing(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "hello"))
    assert (answers(ann), members.heard) == ([AlreadySo(1)], [])


def test_an_edit_of_what_has_changed_meanwhile_is_a_conflict(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(pin(members), edit(ann, 1, "new", if_changed=1), edit(ann, 1, "new", if_changed=2), Saved(3))
    assert answers(ann) == [Refused("conflict", changed=2), Acknowledged("e", 3, NOON_ISO)]


def test_a_message_is_edited_so_many_times(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_edits=2), recent=[])
    room.tell(join(ann), post(ann, "0"), *(edit(ann, 1, str(number), id=f"e{number}") for number in (1, 2, 3)))
    assert answers(ann) == [Refused("full", limit=2)]


def test_an_edit_that_is_sent_twice_is_done_once(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "new"), edit(ann, 1, "new", repeat=True), edit(ann, 1, "other", repeat=True), Saved(2))
    assert answers(ann) == [
        Refused("id_taken"),
        Acknowledged("e", 2, NOON_ISO),
        Acknowledged("e", 2, NOON_ISO, duplicate=True),
    ]
    assert len(members.heard) == 1


def test_what_is_no_message_is_not_found(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "new"), edit(ann, 2, "an edit", id="f"), edit(ann, 9, "the future", id="g"))
    assert answers(ann) == [Refused("not_found"), Refused("not_found")]


# ---------------------------------------------------------------- deletions


def test_a_deleted_message_keeps_its_place_without_its_text(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(edit(ann, 1, "a secret"), pin(members), react(members, "bo"))
    members.clear()
    room.tell(Delete(ann, b"1", "d", 1, "oops"))
    assert members.heard[-1] == Deleted(5, "d", "ann", 1, NOON_ISO, 1, "oops")
    shown = message_of(room, members)
    assert (shown.name, shown.message, shown.state) == (
        "ann",
        "",
        PostState(changed=5, message="", edits=1, edited_at=NOON_ISO, deleted_at=NOON_ISO, deleted_by="ann"),
    )
    reader = Listener(view=View.LOG)
    room.tell(join(reader))
    assert [each.message for each in reader.heard if isinstance(each, Posted)] == [""]


def test_nothing_is_done_to_a_deleted_message(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(Delete(ann, b"1", "d", 1), Saved(2))
    ann.clear()
    room.tell(edit(ann, 1, "new"), Delete(ann, b"1", "d2", 1), pin(ann), react(ann, "ann"))
    room.tell(post(ann, "reply", reply_to=1))
    assert answers(ann) == [Refused("gone")] * 5
    assert len(room.saves) == 2


def test_a_deletion_that_is_sent_twice_is_done_once(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(Delete(ann, b"1", "d", 1), Saved(2), Delete(ann, b"1", "d", 1, repeat=True))
    assert answers(ann) == [Acknowledged("d", 2, NOON_ISO), Acknowledged("d", 2, NOON_ISO, duplicate=True)]


def test_a_post_that_was_deleted_is_recognised_when_it_comes_again(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(Delete(ann, b"1", "d", 1), Saved(2), post(ann, "hello", repeat=True))
    assert answers(ann)[-1] == Acknowledged("hello", 1, NOON_ISO, duplicate=True)
