"""The rooms that the token of an embedding app names: the only ones there are for its person, who is let into them."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chatter.charter import new_slug
from tests.support.server import Server
from tests.support.talker import Talker
from tests.web.rooms.conftest import EMBEDDED, AppUser, People, Person

REFUSED = "refused-by-the-hook"
refs = count(1)


def authorize(room: str, params: Mapping[str, Any]) -> bool:
    """Refuses joins that say so."""
    return room != REFUSED and "refuse" not in params


@pytest.fixture
def owner(people: People) -> Person:
    return people()


@pytest.fixture
def user(server: Server) -> AppUser:
    return AppUser(server)


def reason_to_join(device: Talker, room: str, **params: object) -> str:
    """Returns why a join is refused, or ok."""
    return str(device.ask(room, "phx_join", **params)["response"].get("reason", "ok"))


def role_at_join(device: Talker, room: str) -> str | None:
    """Joins a room, and returns the role there that the answer has."""
    answer = device.ask(room, "phx_join", log=2)
    assert answer["status"] == "ok", answer
    role: str | None = answer["response"]["room"]["role"]
    return role


def asks_me(device: Talker, event: str = "phx_join", **payload: object) -> Any:
    """Asks something on the topic `me`, and returns the answer."""
    ref = f"me{next(refs)}"
    device.websocket.send(1, json.dumps([None, ref, "me", event, payload]).encode())
    return device.wait_for("phx_reply", ref)["response"]


def my_rooms(device: Talker) -> dict[str, Any]:
    return {room["slug"]: room for room in asks_me(device)["rooms"]}


def roles_in(owner: Person, room: str) -> dict[str, str]:
    """Returns the roles of those who are in a room with the owner, by name."""
    members = owner.asks("GET", f"/api/rooms/{room}/members").json["members"]
    return {each["name"]: each["role"] for each in members if each["id"] != owner.id}


# ---------------------------------------------------------------- it brings in


@pytest.mark.parametrize("role", ["member", "moderator", "owner"])
def test_a_join_makes_a_member_with_the_role_of_the_token(owner: Person, user: AppUser, role: str) -> None:
    room = owner.makes_room()
    owner.joins(room)
    with user.device({room: role}, name="Ann Lee") as ann:
        assert role_at_join(ann, room) == role
        assert owner.hears("room_event", kind="member", change="joined")["role"] == role
        assert roles_in(owner, room) == {"Ann Lee": role}
        assert my_rooms(ann)[room]["role"] == role
        handle = owner.asks("GET", f"/api/rooms/{room}/members").json["members"][-1]["handle"]
        said = owner.says(room, "new_message", message=f"hello @{handle}")
        assert "not_here" not in said
        ann.heartbeat()
    with user.device({room: role}) as later:
        listed = my_rooms(later)[room]
        assert (listed["unread"], listed["mentions"]) == (1, 1)


def test_a_member_stays_one_after_a_restart(database: Path, database_url: str) -> None:
    with Server(database, EMBEDDED, database_url=database_url, sign_up="open") as server:
        owner, user = Person(server), AppUser(server)
        room = owner.makes_room()
        for role in ("member", "moderator"):
            with user.device({room: role}) as device:
                assert role_at_join(device, room) == role
        owner.hangs_up()
        server.stop()
        server.start()
        with user.device({room: "member"}) as device:
            assert role_at_join(device, room) == "moderator"
            assert my_rooms(device)[room]["role"] == "moderator"


def test_an_app_makes_a_room_and_names_it_in_the_tokens_of_its_people(server: Server, user: AppUser) -> None:
    app = AppUser(server)
    made = app.asks(None, "POST", "/api/rooms", {"kind": "private", "title": "Order 17"})
    assert made.status == 201
    room = made.json["slug"]
    with user.device({room: "member"}) as device, app.device(None) as owner:
        assert (role_at_join(device, room), role_at_join(owner, room)) == ("member", "owner")
        assert my_rooms(device)[room]["title"] == "Order 17"


def test_what_comes_behind_a_join_keeps_its_order(owner: Person, user: AppUser) -> None:
    one, other = owner.makes_room(), owner.makes_room()
    with user.device({one: "member", other: "moderator", "lobby": "member"}) as ann:
        pushes: list[tuple[str, str, dict[str, object]]] = [
            (one, "phx_join", {}),
            (one, "new_message", {"message": "first"}),
            (other, "phx_join", {}),
            (other, "new_message", {"message": "second"}),
            ("lobby", "phx_join", {}),
            (one, "new_message", {"message": "third"}),
        ]
        wanted = ann.push_many(pushes)
        answers = [each for each in ann.receive_until(lambda each: each.ref == wanted[4]) if each.ref]
        assert [each.payload["status"] for each in answers] == ["ok"] * len(answers)
        ann.heartbeat()
    page = owner.joins(one) and owner.says(one, "history")
    assert [row["message"] for row in page["messages"]] == ["first", "third"]
    page = owner.joins(other) and owner.says(other, "history")
    assert [row["message"] for row in page["messages"]] == ["second"]


def test_a_stronger_role_stays_and_a_weaker_one_is_raised(owner: Person, user: AppUser) -> None:
    room = owner.makes_room()
    roles = []
    for role in ("member", "moderator", "member", "owner"):
        with user.device({room: role}) as device:
            roles.append(role_at_join(device, room))
    assert roles == ["member", "moderator", "moderator", "owner"]
    assert list(roles_in(owner, room).values()) == ["owner"]


def test_who_is_banned_stays_out_and_who_was_removed_comes_back(owner: Person, user: AppUser) -> None:
    room = owner.makes_room()
    owner.joins(room)
    with user.device({room: "member"}) as device:
        device.join(room)
        handle = owner.asks("GET", f"/api/rooms/{room}/members").json["members"][-1]["handle"]
        assert owner.tries(room, "remove_member", handle=handle) == "ok"
        assert [each.event for each in device.receive_until(lambda each: each.event == "phx_close")][-1] == "phx_close"
        device.join(room)
        assert owner.tries(room, "remove_member", handle=handle, ban=True) == "ok"
        assert reason_to_join(device, room) == "banned"
        assert asks_me(device)["rooms"] == []


def test_a_room_that_takes_nobody_in_says_why(owner: Person, user: AppUser, people: People) -> None:
    archived, group = owner.makes_room(), owner.makes_room(kind="group", members=[people().handle])
    owner.joins(archived)
    assert owner.tries(archived, "set_room", archived=True) == "ok"
    missing = new_slug("private")
    with user.device({archived: "member", group: "owner", missing: "owner"}) as device:
        for room, reason in ((archived, "archived"), (group, "unmatched topic"), (missing, "unmatched topic")):
            assert (room, reason_to_join(device, room)) == (room, reason)
        assert asks_me(device)["rooms"] == []


def test_an_account_comes_into_no_more_rooms_than_it_may_and_by_no_join_that_is_refused(database: Path) -> None:
    hook = f"{__name__}:authorize"
    with Server(database, EMBEDDED, sign_up="open", max_rooms_per_account=1, authorize=hook) as server:
        owner, other, user = Person(server), Person(server), AppUser(server)
        one, two = owner.makes_room(), other.makes_room()
        with user.device({one: "member", two: "member", REFUSED: "owner"}) as device:
            assert reason_to_join(device, REFUSED) == "unauthorized"
            assert reason_to_join(device, one, refuse=True) == "unauthorized"
            assert asks_me(device)["rooms"] == []
            assert [reason_to_join(device, room) for room in (one, two)] == ["ok", "full"]
            assert list(my_rooms(device)) == [one]


def test_a_public_room_lets_a_member_in_and_gives_others_their_role(owner: Person, user: AppUser) -> None:
    garden = owner.makes_room("A garden", kind="public")
    with user.device({garden: "member", "a-plain-one": "member"}) as device:
        assert role_at_join(device, garden) is None
        assert "room" not in device.ask("a-plain-one", "phx_join", log=2)["response"]
        assert asks_me(device)["rooms"] == []
    rooms = {garden: "moderator", "a-plain-one": "owner", "a-new-one": "moderator"}
    with user.device(rooms) as device:
        assert {room: role_at_join(device, room) for room in rooms} == rooms
        assert {slug: room["role"] for slug, room in my_rooms(device).items()} == rooms
        owner.joins(garden)
        assert owner.tries(garden, "set_room", archived=True) == "ok"
    with AppUser(owner.server).device({garden: "moderator"}) as late:
        assert role_at_join(late, garden) is None


def test_a_role_makes_no_public_room_where_joining_makes_none(database: Path) -> None:
    with Server(database, EMBEDDED, room_creation="admins") as server:
        user = AppUser(server)
        with user.device({"garden": "owner"}) as device:
            assert reason_to_join(device, "garden") == "unmatched topic"
        with user.device({"garden": "owner"}, role="admin") as device:
            assert role_at_join(device, "garden") == "owner"


# ---------------------------------------------------------------- it restricts


def test_there_is_nothing_but_the_rooms_of_the_token(owner: Person, user: AppUser) -> None:
    one, other = owner.makes_room(), owner.makes_room()
    owner.joins(other)
    owner.joins("square")
    for room in (other, "square"):
        owner.says(room, "new_message", message="hello")
    with user.device({one: "member", other: "member", "square": "moderator"}) as device:
        assert {reason_to_join(device, room) for room in (one, other, "square")} == {"ok"}
        assert set(my_rooms(device)) == {one, other, "square"}
    only = {one: "member"}
    with user.device(only) as device:
        assert {reason_to_join(device, room) for room in (other, "square", "lobby")} == {"unmatched topic"}
        assert (list(my_rooms(device)), asks_me(device, "rooms")["rooms"][0]["slug"]) == ([one], one)
        assert asks_me(device, "mark_read", slug=other, seq=1) == {"reason": "not_found"}
        owner.says(other, "new_message", message="unheard")
        assert owner.tries(other, "set_room", title="Unheard") == "ok"
        owner.joins(one)
        owner.says(one, "new_message", message="heard")
        heard = device.receive_until(lambda each: each.event == "activity")
        assert {each.payload["slug"] for each in heard} == {one}
        assert asks_me(device, "mark_all_read") == {"rooms": 1}
        device.join(one)
    assert {room["name"] for room in user.asks(only, "GET", "/api/rooms").json["rooms"]} == {one}
    for path in (other, "square"):
        assert user.asks(only, "GET", f"/api/rooms/{path}").status == 404
        assert user.asks(only, "POST", f"/api/rooms/{path}/members").status == 404
    with user.device({}) as device:
        assert (asks_me(device)["rooms"], reason_to_join(device, "lobby")) == ([], "unmatched topic")
    with user.device(None) as device:
        assert (set(my_rooms(device)), reason_to_join(device, "lobby")) == ({one, other, "square"}, "ok")
        assert my_rooms(device)[other]["unread"] == 1


def test_nobody_whose_token_has_rooms_makes_others_or_comes_by_a_link(owner: Person, user: AppUser) -> None:
    room = owner.makes_room()
    owner.joins(room)
    code = owner.says(room, "make_link")["code"]
    only = {"lobby": "member"}
    for path, body in (
        ("/api/rooms", {"kind": "private", "title": "x"}),
        ("/api/rooms", {"kind": "public", "title": "x", "slug": "lobby"}),
        ("/api/direct", {"handle": owner.handle}),
        ("/api/direct", {"handle": "nobody-at-all"}),
    ):
        answer = user.asks(only, "POST", path, body)
        assert (answer.status, answer.json) == (403, {"reason": "forbidden"})
    for answer in (
        user.asks(only, "POST", "/api/join", {"code": code}),
        user.asks(only, "GET", f"/api/join/{code}"),
    ):
        assert (answer.status, answer.json) == (404, {"reason": "not_found"})
    assert user.asks(None, "GET", f"/api/join/{code}").status == 200


def test_over_http_a_private_room_is_there_once_it_was_joined(owner: Person, user: AppUser) -> None:
    room = owner.makes_room("A den")
    only = {room: "moderator"}
    assert user.asks(only, "GET", f"/api/rooms/{room}").status == 404
    with user.device(only) as device:
        device.join(room)
    answer = user.asks(only, "GET", f"/api/rooms/{room}").json
    assert (answer["title"], answer["role"]) == ("A den", "moderator")


def test_an_admin_whose_token_has_rooms_looks_into_no_other(owner: Person, user: AppUser) -> None:
    one, other = owner.makes_room(), owner.makes_room()
    only = {one: "member"}
    joined = [user.asks(only, "POST", f"/api/rooms/{room}/members", role="admin") for room in (one, other)]
    assert [answer.status for answer in joined] == [204, 404]
    with user.device(only, role="admin") as device:
        assert [reason_to_join(device, room) for room in (one, other)] == ["ok", "unmatched topic"]


def test_a_newer_token_takes_rooms_away_and_gives_others(owner: Person, user: AppUser) -> None:
    one, other, third = (owner.makes_room() for _ in range(3))
    with user.device({one: "member", other: "member", "lobby": "member"}) as device:
        for room in (one, other, "lobby"):
            device.join(room)
        asks_me(device)
        token = user.token({one: "member", third: "member"})
        device.websocket.send(1, json.dumps([None, "new", "phoenix", "access_token", {"access_token": token}]).encode())
        heard = device.receive_until(lambda each: (each.event, each.topic) == ("phx_close", "chat_room:lobby"))
        assert [each.payload["status"] for each in heard if each.ref == "new"] == ["ok"]
        closed = [each.topic for each in heard if each.event == "phx_close"]
        assert closed == [f"chat_room:{other}", "chat_room:lobby"]
        [snapshot] = [each.payload for each in heard if each.event == "snapshot"]
        assert [room["slug"] for room in snapshot["rooms"]] == [one]
        assert device.ask(one, "new_message", message="still here")["status"] == "ok"
        assert [reason_to_join(device, room) for room in (third, other)] == ["ok", "unmatched topic"]
        assert {room["slug"] for room in asks_me(device, "rooms")["rooms"]} == {one, third}


@pytest.fixture(autouse=True)
def _hangs_up(people: People) -> Iterator[None]:
    yield
    people.hang_up()
