"""Removal is exact: it is the last thing that somebody hears, and what they send after it is a stranger's."""

from typing import Any

import pytest

from chatter.charter import Charter
from chatter.messages import (
    Acknowledged,
    Edit,
    Join,
    LoadMissed,
    LoadPage,
    MembersChanged,
    MissedLoaded,
    Page,
    PageLoaded,
    Position,
    Posted,
    React,
    Recovery,
    Refused,
    Relay,
    Relayed,
    Saved,
    ShowTyping,
    StartedTyping,
    Sync,
    View,
)
from chatter.room.context import NoMemberships
from chatter.room.handover import Handover
from tests.chatter.conftest import EPOCH, NOON_ISO, RoomOnStage
from tests.support.governed import PRIVATE, Person, changes_in, charter
from tests.support.stage import Stage, join

STRANGER = Refused("unmatched topic")


@pytest.fixture
def ann() -> Person:
    return Person(1, "ann")


@pytest.fixture
def bo() -> Person:
    return Person(2, "bo")


def private(stage: Stage, ann: Person, *members: Person, **options: Any) -> RoomOnStage:
    return RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=members), **options)


@pytest.mark.parametrize("change", ["removed", "banned"])
@pytest.mark.parametrize("view", View)
def test_who_is_removed_hears_it_last_and_nothing_that_is_later_in_the_turn(
    stage: Stage, ann: Person, bo: Person, change: Any, view: View
) -> None:
    bo.view = view
    room = private(stage, ann, bo)
    room.tell(join(ann, "Ann"), join(bo, "Bo"))
    bo.clear()
    room.tell(
        ann.posts("before", "1"),
        ann.does(change, bo),
        ann.posts("after", "2"),
        Relay(ann, b"1", b"bytes"),
        ShowTyping(ann, b"1", "Ann", ann.author),
    )
    before, removed, closed = bo.heard
    assert (before.message, removed.change, closed) == ("before", change, "closed")
    assert ann.texts == ["before", "after"]
    room.tell(ann.posts("later", "3"), Saved(4))
    assert len(bo.heard) == 3


def test_what_is_in_the_mailbox_behind_a_removal_is_answered_as_to_a_stranger(
    stage: Stage, ann: Person, bo: Person
) -> None:
    room = private(stage, ann, bo)
    room.tell(join(ann), join(bo), bo.posts("hi", "1"), Saved(1))
    again = Person(2, "bo")
    bo.clear()
    room.tell(
        ann.does("removed", bo),
        bo.posts("still here", "2"),
        bo.posts("hi", "1"),  # a repeat, of which nothing is said either
        Edit(bo, b"1", None, 1, "edited", author=bo.author),
        bo.deletes(1),
        React(bo, b"1", "Bo", 1, "👍", is_added=True, author=bo.author),
        ShowTyping(bo, b"1", "Bo", bo.author),
        Relay(bo, b"1", b"bytes"),
        bo.reads(),
        Sync(bo, b"1", Position(0, EPOCH)),
        Join(again, "Bo"),
    )
    assert bo.answers == [STRANGER] * 9
    assert again.heard == [STRANGER]
    assert [type(each) for each in ann.heard].count(StartedTyping) == 0
    assert [type(each) for each in ann.heard].count(Relayed) == 0
    assert [entry.seq for save in room.saves for entry in save.entries] == [1, 2]


def test_all_connections_of_who_is_removed_end(stage: Stage, ann: Person, bo: Person) -> None:
    phone = Person(2, "bo")
    room = private(stage, ann, bo)
    room.tell(join(ann), join(bo), join(phone), ann.does("removed", bo))
    assert (bo.heard[-1], phone.heard[-1]) == ("closed", "closed")
    assert ann.heard[-1] != "closed"


def test_what_the_database_was_asked_for_before_is_not_told_after(stage: Stage, ann: Person, bo: Person) -> None:
    old = [Posted(seq, str(seq), "Ann", "secret", NOON_ISO, nth=seq) for seq in range(501, 601)]
    settled = charter(owners=[ann], members=[bo])
    room = RoomOnStage(stage, recent=old, slug=PRIVATE, charter=settled)
    late = Person(2, "bo", view=View.PLACES)
    page, sync = bo.reads(before=300), Sync(bo, b"1", Position(150, EPOCH))
    waiting = Join(late, None, position=Position(10, EPOCH))
    room.tell(join(ann), join(bo), page, sync, waiting)
    assert {type(each) for each in room.to_history} >= {LoadPage, LoadMissed}
    bo.clear()
    secret = Posted(5, "5", "Ann", "secret", NOON_ISO, nth=5)
    room.tell(
        ann.does("removed", bo),
        PageLoaded(page, Page([secret], more=False)),
        MissedLoaded(sync, 150, [secret]),
        MissedLoaded(waiting, 10, [secret]),
    )
    assert bo.answers == [STRANGER] * 2
    assert late.heard == [STRANGER]
    room.tell(ann.posts("more"))
    assert bo.texts == late.texts == []


def test_a_removal_is_exact_between_the_slices_of_a_large_room(
    stage: Stage, ann: Person, bo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatter.room.broadcaster.TIME_SLICE", -1.0)  # a slice is then 16 writes
    crowd = [Person(number, f"p{number}") for number in range(10, 110)]
    room = private(stage, ann, bo, *crowd)
    room.tell(join(ann), *map(join, crowd), join(bo))
    stage.run_until(lambda: bo.heard)
    bo.clear()
    room.ref.tell(ann.posts("before", "0"))  # is being delivered in slices when she removes him
    for number in range(20):
        room.tell(ann.posts(f"flood {number}", f"f{number}"))
        if number == 10:
            room.ref.tell(ann.does("removed", bo))
    stage.run_until(lambda: crowd[-1].texts[-1:] == ["flood 19"])
    assert bo.heard[-1] == "closed"
    removal = bo.heard[-2]
    assert isinstance(removal, MembersChanged)
    assert [each.seq for each in bo.heard[:-1]] == list(range(1, removal.seq + 1))
    assert [each.seq for each in crowd[-1].heard if not isinstance(each, Recovery | tuple)] == list(range(1, 23))


class FailsOnce(NoMemberships):
    """An index at which the room fails when somebody is removed, or when something is said, once."""

    def __init__(self, what: type[MembersChanged | Posted]) -> None:
        self._what: type[MembersChanged | Posted] | None = what

    def on_members_changed(self, slug: str, entry: MembersChanged, charter: Charter) -> None:
        self._fail(entry)

    def on_said(self, slug: str, posted: Posted, charter: Charter) -> None:
        self._fail(posted)

    def _fail(self, entry: MembersChanged | Posted) -> None:
        if type(entry) is self._what:
            self._what = None
            raise ValueError("a fault of the index")


def successor(stage: Stage, room: RoomOnStage, left: Charter) -> RoomOnStage:
    """Starts the room that takes the failed one's place; the database has what was saved until then."""
    handover: Handover = next(each[2] for each in room.to_supervisor if each[0] == "on_crashed")
    past = [entry for save in room.saves for entry in save.entries]
    return RoomOnStage(stage, recent=past, slug=PRIVATE, charter=left, handover=handover, is_rebuilt=True)


def test_a_room_that_dies_while_it_removes_somebody_has_removed_them(stage: Stage, ann: Person, bo: Person) -> None:
    room = private(stage, ann, bo, memberships=FailsOnce(MembersChanged))
    room.tell(join(ann), join(bo))
    bo.clear()
    remove = ann.does("removed", bo, id="r")
    room.tell(ann.posts("before", "1"), remove, ann.posts("behind", "2"), bo.posts("me too", "3"))
    assert [type(each) for each in bo.heard] == [Posted, MembersChanged]  # it was saved, and so it was said
    forwarded = [each[2] for each in room.to_supervisor if each[0] == "forward"]
    rebuilt = successor(stage, room, charter(owners=[ann]))
    rebuilt.tell(*forwarded)
    assert bo.heard[2] == "closed"
    assert bo.heard[3:] == [(b"1", STRANGER)]
    assert ann.texts == ["before", "behind"]
    assert [each.change for each in changes_in(ann)] == ["removed"]  # once
    rebuilt.tell(Saved(3))
    assert Acknowledged("r", 2, NOON_ISO, duplicate=True) in ann.answers


def test_a_room_that_dies_right_after_a_removal_lets_nobody_back(stage: Stage, ann: Person, bo: Person) -> None:
    room = private(stage, ann, bo, memberships=FailsOnce(Posted))
    room.tell(join(ann), join(bo))
    room.tell(ann.does("removed", bo), ann.posts("fatal", "1"))
    assert bo.heard[-1] == "closed"
    bo.clear()
    rebuilt = successor(stage, room, charter(owners=[ann]))
    rebuilt.tell(ann.posts("after"), join(bo), bo.reads())
    assert ann.texts == ["fatal", "after"]
    assert bo.texts == []
    assert bo.heard == [STRANGER, (b"1", STRANGER)]


def test_a_room_that_begins_again_knows_who_is_in_it(stage: Stage, ann: Person, bo: Person) -> None:
    room = private(stage, ann)
    room.tell(join(ann), join(bo))
    assert bo.heard == [STRANGER]
    assert isinstance(ann.heard[0], Recovery)


def test_presence_of_who_is_removed_ends(stage: Stage, ann: Person, bo: Person) -> None:
    room = private(stage, ann, bo)
    room.tell(Join(ann, "Ann"), Join(bo, "Bo"))
    ann.clear()
    room.tell(ann.does("removed", bo))
    leaves = [list(each.leaves) for each in ann.heard if hasattr(each, "leaves")]
    assert leaves == [["@bo"]]
