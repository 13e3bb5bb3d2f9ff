"""A room is founded once, with no more people than it may have; a plain one is somebody's once somebody joins it."""

from collections.abc import Sequence

import pytest

from chatter.charter import RulesPatch
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Describe,
    Entry,
    LookedUp,
    MembersChanged,
    Posted,
    Recovery,
    Refused,
    RoomChanged,
    Saved,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.chatter.room.government.conftest import ANN, BO, CY, Index, entries, founds
from tests.support.governed import DIRECT, GROUP, PRIVATE, Person, changes_in, charter
from tests.support.stage import Stage, join


def test_a_room_is_founded_with_its_owner_and_members(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE)
    room.tell(founds(ann, "private", bo, title="Garden", rules=RulesPatch(slow_mode=5, read_only=False)))
    of_room, owner, others = entries(room)
    assert isinstance(of_room, RoomChanged)
    assert (of_room.seq, of_room.id, of_room.kind, of_room.title) == (1, "f", "private", "Garden")
    assert of_room.rules == RulesPatch(slow_mode=5)  # only what differs
    assert isinstance(owner, MembersChanged)
    assert isinstance(others, MembersChanged)
    assert (owner.change, owner.role, [each.who for each in owner.members]) == ("joined", "owner", [ann.author])
    assert (others.change, others.role, [each.who for each in others.members]) == ("added", "member", [bo.author])
    assert ann.answers == []
    room.tell(Saved(3))
    assert ann.answers == [Acknowledged("f", 1, NOON_ISO)]
    bo.clear()
    room.tell(join(bo))
    recovery = bo.heard[0]
    assert isinstance(recovery, Recovery)
    assert recovery.room is not None
    assert (recovery.room.kind, recovery.room.title, recovery.room.role) == ("private", "Garden", "member")
    assert (recovery.room.members, recovery.room.joined_seq, recovery.room.settings.slow_mode) == (2, 3, 5)


def test_a_direct_room_that_two_open_at_once_is_founded_once(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=DIRECT)
    room.tell(founds(ann, "direct", bo, id="a"), founds(bo, "direct", ann, id="b"))
    assert [type(entry) for entry in entries(room)] == [RoomChanged, MembersChanged, MembersChanged]
    room.tell(Saved(3))
    assert ann.answers == [Acknowledged("a", 1, NOON_ISO)]
    assert bo.answers == [AlreadySo(3)]


def test_notes_to_oneself_are_a_direct_room_of_one(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=DIRECT)
    room.tell(founds(ann, "direct", ann), join(ann), ann.posts("milk"))
    assert ann.texts == ["milk"]


@pytest.mark.parametrize(
    ("slug", "kind", "past"),
    [
        ("lobby", "public", [Posted(1, "1", "bo", "hi", NOON_ISO, nth=1)]),
        ("lobby", "private", []),
        (PRIVATE, "public", []),
        (PRIVATE, "group", []),
    ],
)
def test_a_room_is_not_founded_over_another_or_under_a_name_of_another_kind(
    stage: Stage, ann: Person, slug: str, kind: str, past: Sequence[Entry]
) -> None:
    room = RoomOnStage(stage, recent=past, slug=slug)
    room.tell(founds(ann, kind))
    assert ann.answers == [Refused("forbidden")]


def test_a_room_of_equals_is_not_founded_as_one_where_nothing_is_ever_said(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=GROUP)
    room.tell(founds(ann, "group", rules=RulesPatch(read_only=True)))
    assert ann.answers == [Refused("forbidden")]
    room.tell(founds(ann, "group", rules=RulesPatch(history="since_join")), join(ann), ann.posts("hello"))
    assert ann.texts == ["hello"]


def test_the_past_of_a_public_room_cannot_be_hidden(stage: Stage, ann: Person) -> None:
    hidden = RulesPatch(history="since_join")
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann]))
    room.tell(ann.sets(rules=hidden))
    other = RoomOnStage(stage, recent=[])
    other.tell(founds(ann, "public", rules=hidden))
    assert ann.answers == [Refused("forbidden")] * 2


def test_a_room_has_no_more_people_than_it_may(stage: Stage, ann: Person, bo: Person) -> None:
    crowd = [Person(number, f"p{number}") for number in range(10, 30)]
    room = RoomOnStage(stage, recent=[], slug=GROUP)
    room.tell(founds(ann, "group", *crowd))
    assert ann.answers == [Refused("full", limit=20)]
    room.tell(founds(ann, "group", *crowd[:19], id="g"), ann.does("added", bo))
    assert ann.answers[1] == Refused("full", limit=20)


def test_nobody_comes_who_is_in_too_many_rooms_by_now(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    index, settings, full = Index({BO: 1, CY: 2}), RoomSettings(max_rooms_per_account=2), Refused("full", limit=2)
    room = RoomOnStage(stage, settings, recent=[], slug=PRIVATE, memberships=index)
    room.tell(founds(ann, "private", cy), founds(cy), founds(ann, "private", bo))
    room.tell(ann.does("added", bo, cy), cy.does("joined", is_invited=True))
    assert [each for each in (*ann.answers, *cy.answers) if isinstance(each, Refused)] == [full, full, full, full]
    assert len(entries(room)) == 3


def test_nobody_is_added_to_a_direct_room_or_leaves_it(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=DIRECT, charter=charter("direct", members=[ann]))
    room.tell(ann.does("added", bo), ann.does("left"), ann.sets(title="us"), ann.sets(archived=True))
    assert ann.answers == [Refused("forbidden")] * 4


def test_joining_a_plain_room_makes_its_first_member_and_posting_does_not(
    stage: Stage, ann: Person, bo: Person
) -> None:
    index = Index()
    room = RoomOnStage(stage, recent=[Posted(1, "1", "x", "hi", NOON_ISO, nth=1)], memberships=index)
    room.tell(join(ann), ann.posts("hello", "1"), Saved(2))
    assert [type(entry) for entry in entries(room)] == [Posted]
    assert index.told == []
    room.tell(ann.does("joined", id="j"), bo.posts("me too", "1"), ann.posts("again", "2"))
    assert [type(entry) for entry in entries(room)] == [Posted, MembersChanged, MembersChanged, Posted, Posted]
    assert index.told == [
        ("joined", 3, [ANN]),
        ("joined", 4, [ANN, BO]),
        ("said", 5),
        ("said", 6),
    ]
    assert [posted.nth for posted in entries(room) if isinstance(posted, Posted)] == [2, 3, 4]


def test_a_room_that_is_not_there_is_not_changed(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[])
    room.tell(ann.does("joined"), ann.sets(title="Garden"), Describe(ann, b"2", ann.as_by))
    assert ann.answers == [Refused("not_found")] * 3


def test_who_is_in_an_empty_public_room_may_become_its_member(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[])
    room.tell(join(ann), ann.does("joined"))
    assert [each.change for each in changes_in(ann)] == ["joined"]


def test_a_plain_room_of_which_something_was_asked_stays_plain(stage: Stage, ann: Person, bo: Person) -> None:
    index = Index()
    room = RoomOnStage(stage, recent=[Posted(1, "1", "x", "hi", NOON_ISO, nth=1)], memberships=index)
    room.tell(join(bo), Describe(ann, b"1", None), ann.does("added", bo), ann.sets(title="Garden"), bo.posts("a", "1"))
    room.tell(Saved(2))
    assert [each.seq for each in entries(room)] == [2]
    assert index.told == []
    room.tell(ann.does("removed", bo, id="r", repeat=True))  # history is asked, and so it may become another
    room.tell(LookedUp(room.to_history[-1].request, None))
    assert ann.answers[-1] == Refused("forbidden")
