"""Members come, go and get roles; a room that is somebody's keeps an owner, also where accounts go."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatter.charter import Author, RoomRole, RulesPatch
from chatter.messages import Acknowledged, MemberChange, MembersChanged, Recovery, RefreshNames, Refused
from chatter.room.amendments import amended
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.chatter.room.government.conftest import ANN, BO, CY, entries
from tests.support.governed import GROUP, PRIVATE, Person, changes_in, charter
from tests.support.stage import Stage, join


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
