"""A room that is somebody's: founded, changed, joined and left by entries of its log, each once."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chatter.charter import Author, Charter, Member, RoomRole, RoomRules, RulesPatch
from chatter.clock import SECOND
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Deleted,
    Describe,
    Edit,
    Entry,
    Found,
    LookedUp,
    LookUp,
    MemberAs,
    MemberChange,
    MembersChanged,
    Mentions,
    NotSaved,
    Pin,
    Posted,
    Recovery,
    RefreshNames,
    Refused,
    Relay,
    RoomChanged,
    RoomDescribed,
    Saved,
    ShowTyping,
    View,
)
from chatter.room.amendments import amended
from chatter.room.context import RoomSettings
from chatter.storage.pages import void_place
from tests.chatter.conftest import NOON, NOON_ISO, RoomOnStage
from tests.chatter.room.test_room import poison
from tests.support.governed import DIRECT, GROUP, PRIVATE, Person, changes_in, charter
from tests.support.stage import Stage, join

ANN, BO, CY = 1, 2, 3


class Index:
    """Index records what rooms tell memberships. It knows how many rooms the people of `counts` are in."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._counts = counts or {}

    def count_of(self, account: int) -> int | None:
        return self._counts.get(account)

    def on_members_changed(self, slug: str, entry: MembersChanged, charter: Charter) -> None:
        self.told.append((entry.change, entry.seq, sorted(charter.members)))

    def on_room_changed(self, slug: str, entry: RoomChanged, charter: Charter) -> None:
        self.told.append(("room", entry.seq, charter.title))

    def on_said(self, slug: str, posted: Posted, charter: Charter) -> None:
        self.told.append(("said", posted.seq))

    def on_changed(self, slug: str, change: Entry, charter: Charter) -> None:
        self.told.append(("changed", change.seq))

    def on_saved(self, slug: str, through: int) -> None:
        self.told.append(("saved", through))

    def on_voided(self, slug: str, seq: int, charter: Charter | None) -> None:
        self.told.append(("voided", seq, charter and sorted(charter.members)))


@pytest.fixture
def ann() -> Person:
    return Person(ANN, "ann")


@pytest.fixture
def bo() -> Person:
    return Person(BO, "bo")


@pytest.fixture
def cy() -> Person:
    return Person(CY, "cy")


def founds(person: Person, kind: Any = "private", *others: Person, id: str = "f", **options: Any) -> Found:
    members = tuple(each.as_by for each in others)
    return Found(person, b"1", id, person.as_by, kind, members=members, **options)


def entries(room: RoomOnStage) -> list[Entry]:
    return [entry for save in room.saves for entry in save.entries]


def void_of(entry: Entry) -> Posted:
    return replace(void_place(entry.seq, entry.inserted_at), nth=entry.nth)


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


@pytest.mark.parametrize("view", [View.MESSAGES, View.PLACES])
def test_who_does_not_know_the_log_is_not_told_of_the_room(stage: Stage, ann: Person, view: View) -> None:
    ann.view = view
    RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann])).tell(join(ann))
    assert ann.heard[0].room is None


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


def test_a_room_that_is_rebuilt_tells_what_its_predecessor_could_not(stage: Stage, ann: Person, bo: Person) -> None:
    index = Index()
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]), memberships=index)
    room.tell(ann.does("added", bo, id="a"), ann.posts("hello", "1"), poison())
    (_, _, handover) = next(each for each in room.to_supervisor if each[0] == "on_crashed")
    handover.mail.clear()
    index.told.clear()
    added, posted = entries(room)
    left = {"charter": charter(owners=[ann]), "handover": handover, "is_rebuilt": True, "memberships": index}
    RoomOnStage(stage, recent=[void_of(added), posted], voids=[1], slug=PRIVATE, **left)
    assert index.told == [("voided", 1, [ANN]), ("saved", 2)]
    assert Refused("not_saved") in ann.answers


def test_what_is_so_already_adds_nothing(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    room.tell(
        ann.does("added", bo),
        ann.does("removed", cy),
        ann.does("role", bo, role="member"),
        ann.does("unmuted", bo),
        ann.does("unbanned", cy),
        ann.sets(topic="", rules=RulesPatch(slow_mode=0), archived=False),
    )
    assert ann.answers == [AlreadySo(0)] * 6
    assert entries(room) == []


def test_a_request_is_carried_out_once_however_often_it_is_sent(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    remove = ann.does("removed", bo, id="r")
    room.tell(remove, ann.does("added", bo, id="a"), Saved(2))
    room.tell(remove)  # bo has come back since
    assert [entry.id for entry in entries(room)] == ["r", "a"]
    assert ann.answers[-1] == Acknowledged("r", 1, NOON_ISO, duplicate=True)
    room.tell(ann.does("removed", Person(9, "x"), id="r"), ann.sets(title="r", id="r"))
    assert ann.answers[-2:] == [Refused("id_taken")] * 2


def test_what_may_be_a_repeat_is_looked_up_and_later_requests_wait(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    repeated, later = ann.does("removed", bo, id="r", repeat=True), ann.sets(title="Garden", id="t")
    room.tell(repeated, later)
    assert room.to_history[1:] == [LookUp(room.ref, PRIVATE, repeated)]
    assert entries(room) == []
    done = MembersChanged(5, "r", "Ann", NOON_ISO, 0, "removed", (MemberAs(bo.as_by.author, "Bo"),), author=ann.author)
    room.tell(LookedUp(repeated, done))
    assert [entry.id for entry in entries(room)] == ["t"]
    room.tell(LookedUp(repeated, done), Saved(5))  # a predecessor had asked too
    assert ann.answers == [
        Acknowledged("t", 1, NOON_ISO),
        Acknowledged("r", 5, NOON_ISO, duplicate=True),
    ]


def test_requests_that_wait_for_history_are_handed_over(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    repeated, later = ann.does("removed", bo, id="r", repeat=True), ann.sets(title="Garden", id="t")
    room.tell(repeated, later, poison())
    (_, _, handover) = next(each for each in room.to_supervisor if each[0] == "on_crashed")
    assert [each for each in handover.mail if each in (repeated, later)] == [repeated, later]


# ---------------------------------------------------------------- what can never be saved


def test_what_could_not_be_saved_is_taken_back(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    index = Index()
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]), memberships=index)
    room.tell(join(ann), ann.does("added", cy, id="a"), ann.does("removed", bo, id="r"), ann.sets(title="G", id="t"))
    room.tell(join(cy), join(bo))
    assert bo.heard == [Refused("unmatched topic")]
    added, removed, titled = entries(room)
    room.tell(NotSaved(void_of(added), None))
    assert cy.heard[-1] == "closed"  # who came by it has to go
    room.tell(NotSaved(void_of(removed), None), join(bo), Saved(3))
    assert isinstance(bo.heard[-1], Recovery)  # and who went by it may come back
    assert bo.heard[-1].room is not None
    assert bo.heard[-1].room.title == "G"
    assert [each for each in index.told if each[0] == "voided"] == [
        ("voided", 1, [ANN]),
        ("voided", 2, [ANN, BO]),
    ]
    assert [each for each in ann.answers if isinstance(each, Refused)] == [Refused("not_saved")] * 2
    assert titled.id == "t"


def test_a_private_room_whose_foundation_is_void_is_nobodys_and_not_public(
    stage: Stage, ann: Person, bo: Person
) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE)
    room.tell(founds(ann))
    room.tell(*(NotSaved(void_of(entry), None) for entry in entries(room)))
    room.tell(join(bo))
    assert bo.heard == [Refused("unmatched topic")]


def test_a_private_room_that_is_rebuilt_without_its_foundation_keeps_nobody(
    stage: Stage, ann: Person, bo: Person
) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE)
    room.tell(founds(ann), join(ann), poison())
    (_, _, handover) = next(each for each in room.to_supervisor if each[0] == "on_crashed")
    ann.clear()
    handover.mail.clear()
    rebuilt = RoomOnStage(stage, recent=[], slug=PRIVATE, voids=(), handover=handover, is_rebuilt=True)
    rebuilt.tell(ann.posts("hello"), bo.posts("hello"))
    assert ann.heard[0] == "closed"
    assert ann.answers == bo.answers == [Refused("unmatched topic")]


def test_what_is_committed_is_not_taken_back_with_what_is_not(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(ann.does("added", bo, id="a"), Saved(1), ann.sets(title="G", id="t"))
    room.tell(NotSaved(void_of(entries(room)[1]), None), join(bo))
    assert (bo.heard[-1].room.role, bo.heard[-1].room.title) == ("member", "")


# ---------------------------------------------------------------- coming and going


def test_the_last_owner_hands_over_before_leaving_others(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    room.tell(join(ann), ann.does("left"), ann.does("role", role="member"))
    assert ann.answers == [Refused("forbidden")] * 2
    room.tell(ann.does("role", bo, role="owner"), ann.does("left", id="l"))
    assert [each.change for each in changes_in(ann)] == ["role", "left"]
    assert ann.heard[-2:] == [(b"1", Acknowledged("l", 2, NOON_ISO)), "closed"]


def test_not_even_an_admin_takes_a_private_room_from_its_last_owner(stage: Stage, ann: Person, bo: Person) -> None:
    admin = Person(9, "root", "admin")
    settled = charter(owners=[ann], moderators=[admin], members=[bo])
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=settled)
    room.tell(join(admin), *(admin.does(change, ann) for change in ("removed", "banned")))
    room.tell(admin.does("role", ann, role="member"))
    assert admin.answers == [Refused("forbidden")] * 3
    room.tell(admin.does("role", bo, role="owner"), admin.does("role", ann, role="member"))
    assert [each.role for each in changes_in(admin)] == ["owner", "member"]


DEEDS: list[tuple[MemberChange, RoomRole | None]] = [
    *((change, None) for change in ("joined", "added", "removed", "banned", "unbanned", "left")),
    *(("role", role) for role in ("owner", "moderator", "member")),
]
STEPS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([*DEEDS, "gone"]), st.integers(1, 6)), max_size=40)


@settings(max_examples=60)
@given(steps=STEPS)
def test_a_private_room_with_members_has_an_owner_and_no_more_people_than_it_may(
    steps: list[tuple[int, Any, int]],
) -> None:
    stage = Stage()
    people = {
        each.as_by.author.id: each for each in (Person(n, f"p{n}", "admin" if n > 4 else "member") for n in range(1, 7))
    }
    now = charter(owners=[people[1]], moderators=[people[5]], members=[people[2]])
    room = RoomOnStage(stage, RoomSettings(max_room_members=4), recent=[], slug=PRIVATE, charter=now)
    for by, deed, target in steps:
        if deed == "gone":
            room.tell(RefreshNames(Author(by, ""), ""))
        elif deed[0] in ("joined", "left"):
            room.tell(people[by].does(deed[0], is_invited=target % 2 == 0))
        else:
            room.tell(people[by].does(deed[0], people[target], role=deed[1]))
    stage.close()
    for entry in entries(room):
        assert isinstance(entry, MembersChanged)
        now = amended(now, entry)
    assert now.has_owner or not now.members
    assert len(now.members) <= 4


def test_the_only_member_may_leave(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(join(ann), ann.does("left"))
    assert ann.heard[-1] == "closed"


def test_who_comes_into_a_private_room_that_all_have_left_owns_it(stage: Stage, ann: Person) -> None:
    admin = Person(9, "root", "admin")
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(ann.does("left"), admin.does("joined"), ann.does("joined", is_invited=True), join(admin))
    [view] = [each.room for each in admin.heard if isinstance(each, Recovery)]
    assert view is not None
    assert (view.role, view.members) == ("owner", 2)


def test_an_admin_joins_a_private_room_visibly_and_others_need_a_code(stage: Stage, ann: Person, bo: Person) -> None:
    admin = Person(9, "root", "admin")
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(join(ann), bo.does("joined"), admin.does("joined"), bo.does("joined", is_invited=True))
    assert [[each.handle for each in (m.who for m in change.members)] for change in changes_in(ann)] == [
        ["root"],
        ["bo"],
    ]
    assert bo.answers == [Refused("not_found")]


def test_who_comes_with_a_role_has_it_or_keeps_a_stronger_one(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(join(ann))
    for role in ("member", "moderator", "member", "owner", "moderator"):
        room.tell(bo.does("joined", role=role, is_invited=True))
    assert [(change.change, change.role) for change in changes_in(ann)] == [
        ("joined", "member"),
        ("role", "moderator"),
        ("role", "owner"),
    ]


@pytest.mark.parametrize("opens", [True, False])
def test_a_role_opens_a_public_room_where_it_may(stage: Stage, ann: Person, *, opens: bool) -> None:
    room = RoomOnStage(stage, recent=[])
    room.tell(ann.does("joined", role="moderator", is_invited=True, opens=opens))
    assert ann.answers == ([] if opens else [Refused("not_found")])
    room.tell(join(ann))
    [view] = [each.room for each in ann.heard if isinstance(each, Recovery)]
    assert (view and view.role) == ("moderator" if opens else None)


def test_nobody_joins_a_group_by_themselves(stage: Stage, ann: Person) -> None:
    admin = Person(9, "root", "admin")
    room = RoomOnStage(stage, recent=[], slug=GROUP, charter=charter("group", members=[ann]))
    room.tell(admin.does("joined"), admin.does("joined", is_invited=True))
    assert admin.answers == [Refused("not_found")] * 2


def test_who_is_banned_comes_by_no_way(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann], members=[bo]))
    room.tell(join(bo), ann.does("banned", bo))
    assert bo.heard[-1] == "closed"
    bo.clear()
    room.tell(join(bo), bo.does("joined"), bo.does("joined", is_invited=True), bo.posts("hello"))
    assert bo.heard[0] == Refused("banned")
    assert bo.answers == [Refused("banned")] * 3
    room.tell(ann.does("added", bo), ann.does("unbanned", bo), bo.does("joined"), join(bo), bo.posts("hello"))
    assert ann.answers == [Refused("banned")]
    assert bo.texts == ["hello"]


def test_who_was_muted_is_so_too_after_leaving_and_coming_back(stage: Stage, ann: Person, bo: Person) -> None:
    until = "2026-05-04T13:00:00.000000Z"
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann], members=[bo]))
    room.tell(ann.does("muted", bo, until=until), bo.does("left"), join(bo), bo.posts("a"), bo.does("joined"))
    room.tell(bo.posts("b"))
    assert [each for each in bo.answers if isinstance(each, Refused)] == [Refused("muted", until=until)] * 2


def test_guests_go_from_a_room_that_is_not_for_them_any_more(stage: Stage, ann: Person) -> None:
    guest = Person(9, "guest", is_guest=True)
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann]))
    room.tell(join(guest, "guest"), ann.sets(rules=RulesPatch(guests=False)))
    assert guest.heard[-1] == "closed"
    guest.clear()
    room.tell(join(guest, "guest"))
    assert guest.heard == [Refused("sign_in")]


def test_an_account_that_is_gone_leaves_and_one_that_is_renamed_stays(
    stage: Stage, ann: Person, bo: Person, cy: Person
) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, cy]))
    room.tell(join(ann), join(bo), RefreshNames(Author(CY, "cyd"), "Cyd"), RefreshNames(Author(BO, ""), ""))
    assert [(each.change, each.members[0].who) for each in changes_in(ann)] == [("left", Author(BO, ""))]
    assert bo.heard[-1] == "closed"
    room.tell(ann.posts("@cyd and @cy"))
    assert ann.heard[-1].mentions.accounts == (CY,)


def test_a_room_whose_last_owner_is_gone_has_another(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], moderators=[cy], members=[bo]))
    room.tell(join(bo), RefreshNames(Author(ANN, ""), ""))
    left, heir = changes_in(bo)
    assert (left.change, left.members[0].who.id) == ("left", ANN)
    assert (heir.change, heir.role, heir.members[0].who.id) == ("role", "owner", CY)
    room.tell(RefreshNames(Author(CY, ""), ""))
    assert changes_in(bo)[-1].members[0].who.id == BO
    room.tell(RefreshNames(Author(BO, ""), ""))
    assert bo.heard[-1] == "closed"


def test_an_account_of_no_member_changes_no_room(stage: Stage, cy: Person) -> None:
    room = RoomOnStage(stage, recent=[], charter=charter("public"))
    plain = RoomOnStage(stage, recent=[])
    for each in (room, plain):
        each.tell(RefreshNames(Author(CY, ""), ""))
        assert entries(each) == []


# ---------------------------------------------------------------- the rules


def said(seq: int, by: Person, text: str = "hi") -> Posted:
    return Posted(seq, str(seq), by.as_by.name, text, NOON_ISO, nth=seq, author=by.author)


@pytest.mark.parametrize(
    ("rules", "archived_at", "muted_until", "refused"),
    [
        (RoomRules(), NOON_ISO, None, Refused("archived")),
        (RoomRules(read_only=True), None, None, Refused("read_only")),
        (RoomRules(post="moderators"), None, None, Refused("forbidden")),
        (RoomRules(), None, "2026-05-04T13:00:00Z", Refused("muted", until="2026-05-04T13:00:00Z")),
    ],
)
def test_a_room_in_which_nothing_is_said_refuses_all_speech(
    stage: Stage,
    ann: Person,
    bo: Person,
    rules: RoomRules,
    archived_at: str | None,
    muted_until: str | None,
    refused: Refused,
) -> None:
    settled = charter(owners=[ann], members=[bo], rules=rules)
    muted = Member(bo.as_by.author, "Bo", "member", 0, muted_until)
    settled = replace(settled, archived_at=archived_at, members={**settled.members, BO: muted})
    room = RoomOnStage(stage, recent=[said(1, bo)], slug=PRIVATE, charter=settled)
    room.tell(join(bo), bo.posts("a"), Edit(bo, b"1", None, 1, "b", author=bo.author))
    room.tell(ShowTyping(bo, b"1", "Bo", bo.author))
    assert bo.answers == [refused] * 3
    assert entries(room) == []


def test_a_mute_ends_by_itself(stage: Stage, ann: Person, bo: Person) -> None:
    now = [NOON]
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann], members=[bo]), clock=lambda: now[0])
    room.tell(join(bo), ann.does("muted", bo, until="2026-05-04T12:10:00.000000Z"), bo.posts("a"))
    now[0] += 600 * SECOND
    room.tell(bo.posts("b"))
    assert bo.texts == ["b"]


def test_who_is_muted_changes_nothing_and_invites_nobody(stage: Stage, ann: Person, bo: Person) -> None:
    until = "2026-05-05T12:00:00.000000Z"
    room = RoomOnStage(stage, recent=[], charter=charter(owners=[ann], members=[bo]), slug=PRIVATE)
    room.tell(join(bo), ann.does("muted", bo, until=until))
    room.tell(bo.does("added", Person(CY, "cy")), bo.does("unmuted"), bo.sets(topic="flowers"))
    assert [each for each in bo.answers if isinstance(each, Refused)] == [Refused("muted", until=until)] * 3
    room.tell(Describe(bo, b"1", bo.as_by))
    assert bo.answers[-1].powers.isdisjoint({"invite", "make_link"})
    room.tell(bo.does("left"))
    assert changes_in(bo)[-1].change == "left"


def test_a_moderator_who_is_muted_moderates_nothing_and_takes_back_own_words(
    stage: Stage, ann: Person, bo: Person, cy: Person
) -> None:
    until = "2026-05-05T12:00:00.000000Z"
    settled = charter(owners=[ann], moderators=[bo], members=[cy])
    room = RoomOnStage(stage, recent=[said(1, cy), said(2, bo)], charter=settled, slug=PRIVATE)
    room.tell(join(bo), ann.does("muted", bo, until=until))
    pins = (Pin(bo, b"1", None, "Bo", 1, is_pinned=pinned, author=bo.author) for pinned in (True, False))
    room.tell(bo.deletes(1), *pins, bo.deletes(2))
    assert bo.answers == [Refused("muted", until=until)] * 3
    assert [(entry.target, entry.moderator) for entry in entries(room) if isinstance(entry, Deleted)] == [(2, False)]


def test_in_slow_mode_bytes_count_as_something_said(stage: Stage, ann: Person, bo: Person) -> None:
    rules = RoomRules(slow_mode=30)
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann], rules=rules))
    room.tell(join(bo), Relay(bo, b"1", b"one"), Relay(bo, b"2", b"two"), bo.posts("three"))
    assert [each for each in bo.answers if isinstance(each, Refused)] == [
        Refused("slow_mode", retry_after_ms=30_000)
    ] * 2


def test_in_slow_mode_each_waits_for_a_while_but_moderators_do_not(stage: Stage, ann: Person, bo: Person) -> None:
    now = [NOON]
    room = RoomOnStage(
        stage,
        recent=[],
        charter=charter("public", owners=[ann], rules=RoomRules(slow_mode=30)),
        clock=lambda: now[0],
    )
    room.tell(join(bo), bo.posts("a"), bo.posts("b"), ann.posts("c"), ann.posts("d"))
    assert [each for each in bo.answers if isinstance(each, Refused)] == [Refused("slow_mode", retry_after_ms=30_000)]
    now[0] += 30 * SECOND
    room.tell(bo.posts("e"))
    assert bo.texts == ["a", "c", "d", "e"]


def test_in_slow_mode_an_admin_who_is_a_plain_member_of_a_private_room_waits(
    stage: Stage, ann: Person, bo: Person
) -> None:
    admin = Person(9, "root", "admin")
    rules = RoomRules(slow_mode=30)
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[admin], rules=rules))
    room.tell(join(admin), admin.posts("a"), admin.posts("b"))
    assert [each for each in admin.answers if isinstance(each, Refused)] == [
        Refused("slow_mode", retry_after_ms=30_000)
    ]
    public = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann], rules=rules))
    admin.clear()
    public.tell(join(admin), admin.posts("a"), admin.posts("b"))
    assert admin.texts == ["a", "b"]


def test_a_repeat_is_answered_whatever_the_rules_are_by_now(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann], members=[bo]))
    room.tell(join(bo), bo.posts("a", "1"), ann.sets(archived=True), Saved(2), bo.posts("a", "1"))
    assert bo.answers == [Acknowledged("1", 1, NOON_ISO), Acknowledged("1", 1, NOON_ISO, duplicate=True)]


def test_an_archived_room_is_changed_only_by_opening_it_again(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(ann.sets(archived=True, id="1"), ann.sets(archived=True), ann.sets(title="G"), ann.does("added", bo))
    room.tell(ann.sets(archived=False, title="G", id="2"), Saved(2))
    assert [each for each in ann.answers if isinstance(each, Refused)] == [Refused("archived")] * 2
    assert [entry.id for entry in entries(room)] == ["1", "2"]


def test_the_past_of_a_public_room_cannot_be_hidden(stage: Stage, ann: Person) -> None:
    hidden = RulesPatch(history="since_join")
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann]))
    room.tell(ann.sets(rules=hidden))
    other = RoomOnStage(stage, recent=[])
    other.tell(founds(ann, "public", rules=hidden))
    assert ann.answers == [Refused("forbidden")] * 2


def test_a_moderator_deletes_what_others_said_and_that_is_told(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(
        stage, recent=[said(1, bo), said(2, ann)], slug=PRIVATE, charter=charter(owners=[ann], members=[bo])
    )
    room.tell(join(ann), ann.deletes(1, reason="spam"), ann.deletes(2), bo.deletes(2))
    deleted = [each for each in ann.heard if isinstance(each, Deleted)]
    assert [(each.target, each.moderator, each.reason) for each in deleted] == [(1, True, "spam"), (2, False, None)]


def test_a_server_moderator_deletes_in_a_plain_room_and_a_member_does_not(stage: Stage, bo: Person) -> None:
    moderator = Person(9, "mod", "moderator")
    room = RoomOnStage(stage, recent=[said(1, bo), said(2, bo)])
    room.tell(join(moderator), Person(8, "x").deletes(1), moderator.deletes(2))
    assert [(each.target, each.moderator) for each in moderator.heard if isinstance(each, Deleted)] == [(2, True)]


# ---------------------------------------------------------------- mentions


def test_a_message_names_members_by_their_handles_outside_of_code(
    stage: Stage, ann: Person, bo: Person, cy: Person
) -> None:
    dots = Person(4, "d.ot")
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, dots]))
    room.tell(join(ann), ann.posts("@bo. (@D.OT), `@ann` a@bo.org @cy ```\n@ann\n``` @nobody", "1"), Saved(1))
    (posted,) = [each for each in ann.heard if isinstance(each, Posted)]
    assert posted.mentions is not None
    assert posted.mentions.accounts == (BO, 4)
    assert ann.answers == [Acknowledged("1", 1, NOON_ISO, not_here=("cy", "nobody"))]


def test_a_message_that_names_nobody_has_no_mentions(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann]))
    room.tell(join(ann), ann.posts("@nobody", "1"), ann.posts("nobody", "2"), Saved(2))
    assert [each.mentions for each in ann.heard if isinstance(each, Posted)] == [None, None]
    assert ann.answers[0] == Acknowledged("1", 1, NOON_ISO)  # only a room that is not public has who is not in it


def test_an_edit_names_others_and_never_everybody_anew(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[said(1, ann, "@bo")], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    for text in ("@ann", "@room @bo", "nobody"):
        room.tell(join(ann), Edit(ann, b"1", None, 1, text, author=ann.author))
    edits = [entry.mentions for entry in entries(room) if not isinstance(entry, RoomChanged)]  # type: ignore[union-attr]
    assert [each and (each.accounts, each.room) for each in edits] == [((ANN,), False), ((BO,), False), None]


def crowd_of(number: int) -> list[Person]:
    return [Person(100 + each, f"p{each}") for each in range(number)]


def test_a_small_room_is_called_by_anybody(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, *crowd_of(13)]))
    room.tell(join(bo), join(ann), bo.posts("@room"), bo.posts("@here"))
    of_room, here = [each.mentions or Mentions() for each in bo.heard if isinstance(each, Posted)]
    assert (of_room.room, of_room.here) == (True, False)
    assert (here.room, here.here, here.present) == (False, True, (ANN,))


def test_a_large_room_is_called_by_moderators_who_confirm_it(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, *crowd_of(14)]))
    room.tell(join(ann), ann.posts("@room"), ann.posts("@room", confirmed=True), bo.posts("@room", confirmed=True))
    assert ann.answers == [Refused("confirm", people=16)]
    assert [each.mentions and each.mentions.room for each in ann.heard if isinstance(each, Posted)] == [True, None]


# ---------------------------------------------------------------- what is told of a room


def test_a_room_is_described_to_who_may_read_it(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    settled = replace(charter(owners=[ann], members=[bo]), title="Garden", banned=frozenset({7}))
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=settled)
    room.tell(*(Describe(each, b"1", each.as_by) for each in (ann, bo, cy)), Describe(cy, b"2", None))
    (to_ann,), (to_bo,) = ann.answers, bo.answers
    assert isinstance(to_ann, RoomDescribed)
    assert isinstance(to_bo, RoomDescribed)
    assert to_ann.room is not None
    assert to_bo.room is not None
    assert (to_ann.room.title, to_ann.room.role, to_bo.room.role) == ("Garden", "owner", "member")
    assert [each.author.id for each in to_bo.members] == [ANN, BO]
    assert (to_ann.banned, to_bo.banned) == ((7,), ())
    assert "set_role" in to_ann.powers
    assert "set_role" not in to_bo.powers
    assert cy.answers == [Refused("not_found")] * 2


def test_a_plain_room_is_described_without_members(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[Posted(1, "1", "x", "hi", NOON_ISO, nth=1)])
    room.tell(Describe(ann, b"1", None))
    (described,) = ann.answers
    assert (described.room, described.members) == (None, ())
    assert "post" in described.powers
