"""What may be said in a room that is somebody's: mutes, slow mode, archived rooms, and what moderators delete."""

import pytest
from msgspec.structs import replace

from chatter.charter import Member, RoomRules
from chatter.clock import SECOND
from chatter.messages import Acknowledged, Deleted, Describe, Edit, Pin, Refused, Relay, Saved, ShowTyping
from tests.chatter.conftest import NOON, NOON_ISO, RoomOnStage
from tests.chatter.room.government.conftest import BO, CY, entries, said
from tests.support.governed import PRIVATE, Person, changes_in, charter
from tests.support.stage import Stage, join


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
