"""The table of rights once through sockets: who may do what in a public and in a private room."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.server import Server, wait_until
from tests.support.talker import Talker
from tests.web.accounts.conftest import command
from tests.web.rooms.conftest import People, Person

WHO = ["a guest", "an outsider", "a member", "a moderator", "an owner", "a server moderator", "an admin"]
OUTSIDE = {"a guest", "an outsider", "a server moderator", "an admin"}

ABOVE = {
    "a guest": WHO,
    "an outsider": WHO[1:],
    "a moderator": WHO[3:],
    "an owner": WHO[4:],
    "a master": ["an owner", "an admin"],
}
MAY = {
    "post": "a guest",
    "react": "a guest",
    "pin": "a moderator",
    "delete others'": "a moderator",
    "invite": "an outsider",
    "make links": "an outsider",
    "topic": "a moderator",
    "title": "an owner",
    "settings": "an owner",
    "mute": "a moderator",
    "remove": "a moderator",
    "ban": "a moderator",
    "roles": "a master",
}
"""The least in a public room who may do each. In a private room nobody outside may do anything."""

numbers = count(1)


class Place:
    """A public and a private room, and somebody of each kind."""

    def __init__(self, server: Server, admin: Person) -> None:
        self.server = server
        self.people = People(server)
        self.owner, member, moderator, outsider, server_moderator = (self.people() for _ in range(5))
        self.accounts: dict[str, Person] = {
            "an outsider": outsider,
            "a member": member,
            "a moderator": moderator,
            "an owner": self.owner,
            "a server moderator": server_moderator,
            "an admin": admin,
        }
        command(server, "account", "role", server_moderator.handle, "moderator")
        wait_until(lambda: server_moderator.asks("GET", "/api/me").json["role"] == "moderator")
        self.rooms = {
            "public": self.owner.makes_room("Public", "public", slug=f"rights-{self.owner.handle}"),
            "private": self.owner.makes_room("Private"),
        }
        for room in self.rooms.values():
            self.owner.joins(room)
            assert self.owner.tries(room, "invite", handles=[member.handle, moderator.handle]) == "ok"
            assert self.owner.tries(room, "set_role", handle=moderator.handle, role="moderator") == "ok"
        self.said = {
            kind: self.owner.says(room, "new_message", message="x")["seq"] for kind, room in self.rooms.items()
        }
        self.guest = Talker(server.port)
        self.guest.join("lobby")
        for who, person in self.accounts.items():
            for kind, room in self.rooms.items():
                if kind == "public" or who not in OUTSIDE:
                    person.joins(room)
        self.guest.join(self.rooms["public"])

    def target(self, kind: str) -> Person:
        """Returns a new member of a room."""
        person = self.people(old=False)
        assert self.owner.tries(self.rooms[kind], "invite", handles=[person.handle]) == "ok"
        return person

    def message_of_a_member(self, kind: str) -> int:
        """Returns the place of a message that a new member says, who goes offline then."""
        person, room = self.target(kind), self.rooms[kind]
        person.joins(room)
        seq: int = person.says(room, "new_message", message="y")["seq"]
        person.hangs_up()
        return seq

    def tries(self, who: str, kind: str, event: str, **payload: Any) -> str:
        room = self.rooms[kind]
        if who == "a guest":
            answer = self.guest.ask(room, event, **{"name": "guest", **payload})
            return str(answer["response"].get("reason", "ok"))
        return self.accounts[who].tries(room, event, **payload)


@pytest.fixture(scope="module")
def place(server: Server, admin: Person) -> Iterator[Place]:
    place = Place(server, admin)
    yield place
    place.people.hang_up()
    place.guest.websocket.connection.close()


def deed(place: Place, kind: str, what: str) -> tuple[str, dict[str, Any]]:
    """Returns the event and the payload of something that changes what is so."""
    match what:
        case "post":
            return "new_message", {"message": "hello"}
        case "react":
            return "react", {"seq": place.said[kind], "key": "👍"}
        case "pin":
            return "pin", {"seq": place.said[kind]}
        case "delete others'":
            return "delete_message", {"seq": place.message_of_a_member(kind)}
        case "invite":
            return "invite", {"handles": [place.people(old=False).handle]}
        case "make links":
            return "make_link", {}
        case "topic" | "title":
            return "set_room", {what: f"{what} {next(numbers)}"}
        case "settings":
            return "set_room", {"settings": {"join_notes": ["folded", "off"][next(numbers) % 2]}}
        case "mute":
            return "mute_member", {"handle": place.target(kind).handle, "minutes": 5}
        case "remove" | "ban":
            return "remove_member", {"handle": place.target(kind).handle, "ban": what == "ban"}
        case _:
            return "set_role", {"handle": place.target(kind).handle, "role": "moderator"}


@pytest.mark.parametrize("what", MAY)
@pytest.mark.parametrize("kind", ["public", "private"])
def test_each_may_do_what_the_table_says(place: Place, kind: str, what: str) -> None:
    for who in WHO:
        event, payload = deed(place, kind, what)
        got = place.tries(who, kind, event, **payload)
        if kind == "private" and who in OUTSIDE:
            assert (who, got) == (who, "unmatched topic")
        elif who in ABOVE[MAY[what]]:
            assert (who, got) == (who, "ok")
        else:
            assert (who, got) in {(who, "forbidden"), (who, "sign_in")}


@pytest.mark.parametrize("kind", ["public", "private"])
def test_nobody_acts_on_an_equal_or_stronger_one(place: Place, kind: str) -> None:
    moderator, owner = place.accounts["a moderator"], place.owner
    other = place.target(kind)
    assert place.tries("an owner", kind, "set_role", handle=other.handle, role="moderator") == "ok"
    for event, payload in (("remove_member", {}), ("mute_member", {"minutes": 5})):
        for target in (other, owner):
            got = place.tries("a moderator", kind, event, handle=target.handle, **payload)
            assert got == "forbidden"
    assert place.tries("an owner", kind, "remove_member", handle=other.handle) == "ok"
    assert moderator.tries(place.rooms[kind], "new_message", message="still here") == "ok"


@pytest.mark.parametrize("kind", ["public", "private"])
def test_what_somebody_has_said_is_deleted_only_by_stronger_ones(place: Place, kind: str) -> None:
    room, there = place.rooms[kind], [who for who in place.accounts if kind == "public" or who not in OUTSIDE]
    got = {}
    for who in there:
        seq = place.accounts[who].says(room, "new_message", message=f"said by {who}")["seq"]
        if who != "a moderator":
            got[who] = place.tries("a moderator", kind, "delete_message", seq=seq)
    may_be_deleted = {"an outsider", "a member"}
    assert got == {who: "ok" if who in may_be_deleted else "forbidden" for who in got}


def test_over_http_the_same_table_counts(place: Place) -> None:
    for kind, room in place.rooms.items():
        for who, person in place.accounts.items():
            answer = person.asks("GET", f"/api/rooms/{room}")
            if kind == "private" and who in OUTSIDE:
                assert (who, answer.status) == (who, 404)
                continue
            powers = answer.json["powers"]
            of_deeds = {"remove": "remove", "ban": "ban", "mute": "mute", "topic": "set_topic", "title": "set_title"}
            of_deeds |= {"settings": "set_rules", "roles": "set_role", "make links": "make_link", "pin": "pin"}
            assert {what: power in powers for what, power in of_deeds.items()} == {
                what: who in ABOVE[MAY[what]] for what in of_deeds
            }
