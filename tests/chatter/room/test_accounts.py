"""Accounts in a room: what one does stays its own, whatever it is called, and a guest of its name is somebody else."""

from typing import Any

import pytest

from chatter.charter import Author
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Delete,
    Deleted,
    Edit,
    Edited,
    Join,
    LoadTarget,
    LookUp,
    Meta,
    NotSaved,
    Pin,
    Pinned,
    Post,
    Posted,
    PresenceChanged,
    React,
    Reacted,
    ReactionCount,
    Refused,
    Saved,
    ShowTyping,
    StartedTyping,
    TargetLoaded,
    View,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage, posted
from tests.support.stage import Listener, Stage, join

THUMB = "👍"
ANN = Author(7, "ann")
RENAMED = Author(7, "anna")


def signed_in(author: Author = ANN, name: str = "Ann Lee", view: View = View.LOG) -> Listener:
    """Makes a connection of an account."""
    listener = Listener(view=view)
    listener.author, listener.person_name = author, name
    return listener


def said(sender: Listener, message: str, id: str = "1", **options: Any) -> Post:
    """Makes a post as the edge does: of the account, or of the guest "Ann Lee"."""
    return Post(sender, b"1", id, sender.person_name or "Ann Lee", message, author=sender.author, **options)


def react(sender: Listener, name: str = "", *, is_added: bool = True) -> React:
    return React(sender, b"1", sender.person_name or name, 1, THUMB, is_added, sender.author)


def answers(listener: Listener) -> list[Any]:
    return [each[1] for each in listener.heard if isinstance(each, tuple)]


def broadcasts(listener: Listener) -> list[Any]:
    return [each for each in listener.heard if isinstance(each, Posted | Edited | Deleted | Reacted | Pinned)]


@pytest.fixture
def guest() -> Listener:
    return Listener(view=View.LOG)


@pytest.fixture
def member(room: RoomOnStage, guest: Listener) -> Listener:
    """Has an account and a guest in the room."""
    member = signed_in()
    room.tell(join(member), join(guest))
    for each in (member, guest):
        each.clear()
    return member


# ---------------------------------------------------------------- repeats


def test_a_message_has_the_account_that_said_it(room: RoomOnStage, member: Listener, guest: Listener) -> None:
    room.tell(said(member, "hello"))
    assert broadcasts(guest) == [Posted(1, "1", "Ann Lee", "hello", NOON_ISO, nth=1, author=ANN)]
    assert room.saves[-1].entries == (broadcasts(guest)[0],)


def test_a_rename_makes_no_repeat_new(room: RoomOnStage, member: Listener) -> None:
    room.tell(said(member, "hello"), Saved(1))
    later = signed_in(RENAMED, "Anna")
    room.tell(said(later, "hello"), said(later, "other"))
    assert answers(later) == [Acknowledged("1", 1, NOON_ISO, duplicate=True), Refused("id_taken")]
    assert len(room.saves) == 1


def test_ids_of_a_guest_of_the_same_name_are_the_guests(room: RoomOnStage, member: Listener, guest: Listener) -> None:
    room.tell(said(member, "of the account"), said(guest, "of the guest"), Saved(2))
    assert [entry.owner for save in room.saves for entry in save.entries] == [7, "Ann Lee"]
    assert [type(answer) for answer in (*answers(member), *answers(guest))] == [Acknowledged, Acknowledged]


def test_an_old_repeat_is_looked_up_by_its_account(stage: Stage, member: Listener, guest: Listener) -> None:
    old = RoomOnStage(stage, recent=[posted(seq, f"{seq}") for seq in range(91, 101)])
    repeat = said(member, "hello", repeat=True)
    old.tell(join(member), repeat)
    assert old.to_history[-1] == LookUp(old.ref, "lobby", repeat)
    assert (repeat.owner, said(guest, "hello").owner) == (7, "Ann Lee")


def test_what_cannot_be_saved_is_refused_again_after_a_rename(room: RoomOnStage, member: Listener) -> None:
    room.tell(said(member, "never"), NotSaved(Posted(1, "void-1", "", "", NOON_ISO, void=True), None), Saved(1))
    later = signed_in(RENAMED, "Anna")
    room.tell(said(later, "never"))
    assert answers(later) == [Refused("not_saved")]


# ---------------------------------------------------------------- who may change what


def test_an_account_changes_its_messages_from_any_connection_and_under_any_name(
    room: RoomOnStage, member: Listener, guest: Listener
) -> None:
    later = signed_in(RENAMED, "Anna")
    room.tell(said(member, "hello"), Saved(1))
    room.tell(
        Edit(later, b"1", "e", 1, "hello!", author=RENAMED), Delete(later, b"1", "d", 1, author=RENAMED), Saved(3)
    )
    assert answers(later) == [Acknowledged("e", 2, NOON_ISO), Acknowledged("d", 3, NOON_ISO)]
    assert broadcasts(guest)[1:] == [
        Edited(2, "e", "Anna", 1, NOON_ISO, 1, "hello!", 1, author=RENAMED),
        Deleted(3, "d", "Anna", 1, NOON_ISO, 1, author=RENAMED),
    ]


@pytest.mark.parametrize("author", [None, Author(8, "ann")])
def test_nobody_else_changes_a_message_of_an_account(
    room: RoomOnStage, member: Listener, author: Author | None
) -> None:
    other = Listener(view=View.LOG)
    other.author, other.person_name = author, "Ann Lee" if author else None
    other.note_said(1)
    room.tell(said(member, "hello"), Edit(other, b"1", "e", 1, "mine", author=author))
    room.tell(Delete(other, b"1", None, 1, author=author))
    assert answers(other) == [Refused("forbidden")] * 2


def test_an_account_changes_no_message_of_a_guest_but_what_its_connection_has_said(
    room: RoomOnStage, member: Listener, guest: Listener
) -> None:
    room.tell(said(guest, "hello"), Saved(1), Edit(member, b"1", "e", 1, "mine", author=ANN))
    assert answers(member) == [Refused("forbidden")]
    guest.author, guest.person_name = ANN, "Ann Lee"  # the connection has signed in since
    room.tell(Edit(guest, b"1", "f", 1, "hello!", author=ANN), Saved(2))
    assert answers(guest)[-1] == Acknowledged("f", 2, NOON_ISO)


def test_an_old_repeat_of_an_edit_is_asked_for_by_account(stage: Stage, member: Listener) -> None:
    old = RoomOnStage(stage, recent=[posted(seq, f"{seq}") for seq in range(91, 101)])
    old.tell(join(member), Edit(member, b"1", "e", 95, "new", repeat=True, author=ANN))
    assert old.to_history[-1] == LoadTarget(old.ref, "lobby", 95, member, "e", 7)


# ---------------------------------------------------------------- reactions, pins, presence


def test_an_account_has_one_reaction_whatever_it_is_called(
    room: RoomOnStage, member: Listener, guest: Listener
) -> None:
    later = signed_in(RENAMED, "Anna")
    room.tell(said(member, "hello"), react(member), react(guest, "@ann"), react(guest, "zoe"))
    room.tell(react(later), Saved(2))
    assert answers(later) == [AlreadySo(2)]
    assert broadcasts(guest)[-1].reactions == (ReactionCount(THUMB, 3, ("@ann", "zoe", "@ann")),)
    room.tell(react(later, is_added=False), Saved(3))
    assert (broadcasts(guest)[-1].removed, broadcasts(guest)[-1].reactions[0].count) == ((RENAMED,), 2)


def test_reactions_that_were_read_are_known_by_account(stage: Stage, member: Listener) -> None:
    old = RoomOnStage(stage, RoomSettings(), recent=[posted(seq, f"{seq}") for seq in range(2, 11)])
    old.tell(join(member), react(member))
    old.tell(TargetLoaded(1, posted(1), [(THUMB, "ann", 4), (THUMB, RENAMED, 5)]), Saved(10))
    assert answers(member) == [AlreadySo(5)]


def test_a_pin_and_a_deletion_name_the_account_by_its_handle(room: RoomOnStage, member: Listener) -> None:
    room.tell(said(member, "hello"), Pin(member, b"1", "p", "Ann Lee", 1, is_pinned=True, author=ANN))
    assert broadcasts(member)[-1] == Pinned(2, "p", "Ann Lee", 1, NOON_ISO, 1, author=ANN)
    reader = Listener(view=View.LOG)
    room.tell(join(reader))
    assert broadcasts(reader)[0].state.pinned_by == "@ann"


def test_an_account_is_present_by_its_handle_beside_a_guest_of_its_name(room: RoomOnStage) -> None:
    watcher, member = Listener(), signed_in()
    watcher.sees_presence = True
    room.tell(join(watcher))
    watcher.clear()
    room.tell(Join(member, "Ann Lee"), join(Listener(), "Ann Lee"))
    (change,) = [each for each in watcher.heard if isinstance(each, PresenceChanged)]
    assert list(change.joins) == ["@ann", "Ann Lee"]
    ((of_member,), (of_guest,)) = (change.joins[key].metas for key in change.joins)
    assert (of_member.id, of_member.name, of_guest) == (7, "Ann Lee", Meta(of_guest.phx_ref, of_guest.online_at))


def test_typing_has_the_account(room: RoomOnStage, member: Listener, guest: Listener) -> None:
    room.tell(ShowTyping(member, b"1", "Ann Lee", ANN))
    assert guest.heard == [StartedTyping("Ann Lee", ANN)]
