"""The table of rights, cell by cell: each person asks the room for each thing, and it is done or refused."""

from collections.abc import Callable
from typing import Any

import pytest

from chatter.charter import Charter, RoomKind, RoomRules, RulesPatch
from chatter.messages import Pin, Posted, Refused
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.support.governed import SLUGS, Person, charter
from tests.support.stage import Stage, join

PEOPLE: dict[str, Callable[[], Person]] = {
    "guest": lambda: Person(90, "guest", is_guest=True),
    "outside": lambda: Person(1, "out"),
    "member": lambda: Person(2, "member"),
    "moderator": lambda: Person(3, "moderator"),
    "owner": lambda: Person(4, "owner"),
    "server_moderator": lambda: Person(5, "smod", "moderator"),
    "admin": lambda: Person(6, "admin", "admin"),
    "member_moderator": lambda: Person(7, "insmod", "moderator"),  # of the server, and a member of the room
    "member_admin": lambda: Person(8, "inadmin", "admin"),
}

BO = Person(20, "bo")  # a member to whom things are done
CY = Person(21, "cy")  # somebody with an account, outside

DEEDS: dict[str, Callable[[Person], Any]] = {
    "post": lambda who: who.posts("hello"),
    "delete": lambda who: who.deletes(1),
    "pin": lambda who: Pin(who, b"1", None, who.as_by.name, 1, is_pinned=True, author=who.author),
    "invite": lambda who: who.does("added", CY),
    "remove": lambda who: who.does("removed", BO),
    "ban": lambda who: who.does("banned", BO),
    "mute": lambda who: who.does("muted", BO, until="2026-05-05T12:00:00.000000Z"),
    "topic": lambda who: who.sets(topic="flowers"),
    "title": lambda who: who.sets(title="Garden"),
    "rules": lambda who: who.sets(rules=RulesPatch(slow_mode=30)),
    "archive": lambda who: who.sets(archived=True),
    "role": lambda who: who.does("role", BO, role="moderator"),
}
NOT_FOR_GUESTS = {"invite", "remove", "ban", "mute", "topic", "title", "rules", "archive", "role"}  # the edge says so

OF_MEMBERS = "post invite"
OF_MODERATORS = f"{OF_MEMBERS} delete pin remove ban mute topic"
OF_OWNERS = f"{OF_MODERATORS} title rules archive role"
OF_SERVER_MODERATORS = f"{OF_MODERATORS} title rules archive"

TABLE: dict[RoomKind, dict[str, str]] = {
    "public": {
        "guest": "post",
        "outside": OF_MEMBERS,
        "member": OF_MEMBERS,
        "moderator": OF_MODERATORS,
        "owner": OF_OWNERS,
        "server_moderator": OF_SERVER_MODERATORS,
        "admin": OF_OWNERS,
        "member_moderator": OF_SERVER_MODERATORS,
        "member_admin": OF_OWNERS,
    },
    "private": {
        "guest": "",
        "outside": "",
        "member": OF_MEMBERS,
        "moderator": OF_MODERATORS,
        "owner": OF_OWNERS,
        "server_moderator": "",
        "admin": "",
        "member_moderator": OF_MEMBERS,
        "member_admin": f"{OF_MEMBERS} topic title rules archive role",
    },
    "group": {
        "guest": "",
        "outside": "",
        "member": "post pin invite title",
        "server_moderator": "",
        "admin": "",
        "member_moderator": "post pin invite title",
        "member_admin": "post pin invite title",
    },
    "direct": {
        "guest": "",
        "outside": "",
        "member": "post pin",
        "server_moderator": "",
        "admin": "",
        "member_admin": "post pin",
    },
}
CELLS = [
    (kind, person, deed)
    for kind, rows in TABLE.items()
    for person in rows
    for deed in DEEDS
    if not (person == "guest" and deed in NOT_FOR_GUESTS)
]


def settled(kind: RoomKind, people: dict[str, list[Person]], rules: RoomRules | None = None) -> Charter:
    owners, moderators, members = (people.get(f"{role}s", []) for role in ("owner", "moderator", "member"))
    return charter(kind, owners=owners, moderators=moderators, members=members, rules=rules)


def room_with(stage: Stage, kind: RoomKind, who: str, person: Person) -> RoomOnStage:
    """Starts a room with a message of bo's, in which the person is what its name in the table says."""
    roles: dict[str, list[Person]] = {"owners": [Person(30, "first")], "moderators": [], "members": [BO]}
    if kind in ("group", "direct"):
        roles = {"members": [BO]}
    if who in ("moderator", "owner"):
        roles[f"{who}s"].append(person)
    elif who.startswith("member"):
        roles["members"].append(person)
    said = [Posted(1, "1", "Bo", "hi", NOON_ISO, nth=1, author=BO.author)]
    return RoomOnStage(stage, recent=said, charter=settled(kind, roles), slug=SLUGS[kind])


@pytest.mark.parametrize(("kind", "who", "deed"), CELLS)
def test_a_room_does_what_the_table_grants_and_refuses_the_rest(
    stage: Stage, kind: RoomKind, who: str, deed: str
) -> None:
    person = PEOPLE[who]()
    room = room_with(stage, kind, who, person)
    room.tell(join(person), DEEDS[deed](person))
    refused = [answer for answer in person.answers if isinstance(answer, Refused)]
    assert (not refused) == (deed in TABLE[kind][who].split())
    assert (len(room.saves) == 0) == bool(refused)


@pytest.mark.parametrize("kind", ["private", "group", "direct"])
@pytest.mark.parametrize("who", ["guest", "outside", "server_moderator", "admin"])
def test_a_stranger_does_not_get_into_a_room_that_is_not_public(stage: Stage, kind: RoomKind, who: str) -> None:
    person = PEOPLE[who]()
    room = room_with(stage, kind, who, person)
    room.tell(join(person))
    assert person.heard == [Refused("unmatched topic")]
    assert person.rooms_opened == 0


def test_nobody_makes_a_private_room_by_joining_it(stage: Stage) -> None:
    ann = Person(1, "ann")
    RoomOnStage(stage, recent=[], slug=SLUGS["private"]).tell(join(ann), ann.posts("hello"))
    assert ann.heard[0] == Refused("unmatched topic")


@pytest.mark.parametrize(
    ("by", "target", "is_done"),
    [
        ("moderator", "moderator", False),
        ("moderator", "owner", False),
        ("owner", "owner", False),
        ("owner", "moderator", True),
        ("server_moderator", "owner", False),
        ("server_moderator", "moderator", True),
        ("admin", "owner", True),
        ("moderator", "server_moderator", False),
        ("owner", "admin", False),
    ],
)
def test_nobody_acts_on_an_equal_or_a_stronger_one(stage: Stage, by: str, target: str, is_done: bool) -> None:
    who, other = PEOPLE[by](), Person(40, "other", PEOPLE[target]().server_role)
    roles: dict[str, list[Person]] = {"owners": [Person(30, "first")], "moderators": [], "members": []}
    for each, role in ((who, by), (other, target)):
        roles.get(f"{role}s", roles["members"]).append(each)
    room = RoomOnStage(stage, recent=[], charter=settled("public", roles))
    room.tell(join(who), who.does("removed", other))
    assert (Refused("forbidden") not in who.answers) is is_done


@pytest.mark.parametrize(
    ("rules", "deed", "granted"),
    [
        (RoomRules(post="moderators"), "post", {"moderator", "owner", "server_moderator", "admin"}),
        (RoomRules(invite="moderators"), "invite", {"moderator", "owner", "server_moderator", "admin"}),
        (RoomRules(pins="members"), "pin", {"guest", "outside", "member", "moderator", "owner", "admin"}),
        (RoomRules(guests=False), "post", {"outside", "member", "moderator", "owner", "server_moderator", "admin"}),
    ],
)
@pytest.mark.parametrize("who", PEOPLE)
def test_the_rules_of_a_room_grant_and_take_powers(
    stage: Stage, rules: RoomRules, deed: str, granted: set[str], who: str
) -> None:
    granted = granted | {"member_moderator", "member_admin"} | ({"server_moderator"} if deed == "pin" else set())
    person = PEOPLE[who]()
    roles: dict[str, list[Person]] = {"owners": [Person(30, "first")], "moderators": [], "members": [BO]}
    roles.get(f"{who}s", []).append(person) if who != "member" else roles["members"].append(person)
    said = [Posted(1, "1", "Bo", "hi", NOON_ISO, nth=1, author=BO.author)]
    room = RoomOnStage(stage, recent=said, charter=settled("public", roles, rules))
    if person.author is None and deed in NOT_FOR_GUESTS:
        return
    room.tell(join(person), DEEDS[deed](person))
    refused = [answer for answer in person.answers if isinstance(answer, Refused)]
    assert (not refused) == (who in granted)


def test_without_an_owner_everybody_pins_as_in_a_plain_room(stage: Stage) -> None:
    ann = Person(2, "ann")
    said = [Posted(1, "1", "Bo", "hi", NOON_ISO, nth=1, author=BO.author)]
    room = RoomOnStage(stage, recent=said, charter=charter("public", members=[BO]))
    room.tell(join(ann), DEEDS["pin"](ann))
    assert len(room.saves) == 1
