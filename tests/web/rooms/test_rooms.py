"""Rooms are made over HTTP, and listed and described to those who may know of them."""

import re
import threading

import pytest

from tests.support.server import Server, wait_until
from tests.web.accounts.conftest import Browser, bearer
from tests.web.rooms.conftest import People, Person


def test_a_public_room_is_made_under_a_name_once(ann: Person, bo: Person) -> None:
    made = {"kind": "public", "title": "Tea & Cakes", "topic": "t", "settings": {"slow_mode": 3}}
    answer = ann.asks("POST", "/api/rooms", {**made, "slug": f"tea-{ann.handle}"})
    assert (answer.status, answer.json) == (
        201,
        {"slug": f"tea-{ann.handle}", "title": "Tea & Cakes", "kind": "public"},
    )
    again = bo.asks("POST", "/api/rooms", {**made, "slug": f"tea-{ann.handle}"})
    assert (again.status, again.json) == (409, {"reason": "slug_taken"})
    assert ann.joins(f"tea-{ann.handle}")["room"]["role"] == "owner"
    assert bo.joins(f"tea-{ann.handle}")["room"]["settings"]["slow_mode"] == 3


def test_a_room_in_which_somebody_spoke_is_nobodys_to_take(ann: Person, bo: Person) -> None:
    room = f"spoken-{ann.handle}"
    bo.joins(room)
    assert bo.tries(room, "new_message", message="hello") == "ok"
    assert ann.asks("POST", "/api/rooms", {"kind": "public", "title": "x", "slug": room}).json == {
        "reason": "slug_taken"
    }


def test_a_public_room_without_a_name_is_called_by_its_title(ann: Person) -> None:
    answer = ann.asks("POST", "/api/rooms", {"kind": "public", "title": f"Thé  für {ann.handle}!"})
    assert answer.json["slug"] == f"the-fur-{ann.handle}"


def test_a_group_is_of_equals_and_needs_no_title(ann: Person, bo: Person) -> None:
    answer = ann.asks("POST", "/api/rooms", {"kind": "group", "members": [bo.handle]})
    assert answer.status == 201
    room = answer.json["slug"]
    assert re.fullmatch("g--[a-z2-7]{26}", room)
    assert {ann.joins(room)["room"]["role"], bo.joins(room)["room"]["role"]} == {"member"}


def test_two_who_open_a_direct_room_at_once_get_one(ann: Person, bo: Person) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(
            target=lambda one, other: answers.append(one.asks("POST", "/api/direct", {"handle": other}).json["slug"]),
            args=pair,
        )
        for pair in ((ann, bo.handle), (bo, f"@{ann.handle}"), (ann, bo.handle))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3
    assert len(set(answers)) == 1
    assert re.fullmatch("d--[a-z2-7]{26}", answers[0])
    assert {ann.joins(answers[0])["room"]["members"], bo.joins(answers[0])["room"]["members"]} == {2}


def test_a_direct_room_with_oneself_is_for_notes(ann: Person) -> None:
    room = ann.asks("POST", "/api/direct", {"handle": ann.handle}).json["slug"]
    assert ann.joins(room)["room"]["members"] == 1


def test_nobody_is_taken_into_a_room_who_is_not_there(ann: Person) -> None:
    missing = {"reason": "not_found", "handles": ["nobody-at-all"]}
    for path, body in (
        ("/api/direct", {"handle": "nobody-at-all"}),
        ("/api/rooms", {"kind": "private", "title": "x", "members": ["nobody-at-all"]}),
    ):
        answer = ann.asks("POST", path, body)
        assert (answer.status, answer.json) == (404, missing)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "direct", "title": "x"}, "kind"),
        ({"kind": "private"}, "title"),
        ({"kind": "private", "title": "x" * 81}, "title"),
        ({"kind": "private", "title": "x", "topic": "y" * 251}, "topic"),
        ({"kind": "private", "title": "x", "settings": {"color": 1}}, "settings"),
        ({"kind": "private", "title": "x", "members": "bo"}, "members"),
        ({"kind": "private", "title": "x", "members": ["x"] * 21}, "members"),
        ({"kind": "private", "title": "x", "color": 1}, "color"),
        ({"kind": "public", "title": "x", "slug": "Not A Slug"}, "slug"),
        ({"kind": "public", "title": "x", "slug": "p--" + "a" * 26}, "slug"),
        ({"kind": "public", "title": "!"}, "slug"),
    ],
)
def test_it_is_said_what_is_wrong_with_a_new_room(ann: Person, body: dict[str, object], field: str) -> None:
    answer = ann.asks("POST", "/api/rooms", body)
    assert (answer.status, answer.json["reason"], answer.json["field"]) == (400, "invalid", field)


def test_guests_and_tokens_to_read_make_no_rooms(server: Server, ann: Person) -> None:
    body = {"kind": "private", "title": "x"}
    assert Browser(server).ask("POST", "/api/rooms", body).json == {"reason": "sign_in"}
    token = ann.browser.token("read")
    answer = Browser(server).ask("POST", "/api/rooms", body, bearer(token))
    assert (answer.status, answer.json) == (403, {"reason": "forbidden"})


def test_who_may_make_public_rooms_is_a_setting(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("creation") / "chatter.db"
    with Server(database, sign_up="open") as server:
        people = People(server)
        ann = people()
        ann.joins("old")
        ann.says("old", "new_message", message="hello")
        people.hang_up()
        for setting, may in (("members", True), ("admins", False)):
            server.stop()
            server._options["room_creation"] = setting
            server.start()
            guest = Browser(server)
            assert guest.ask("GET", "/api/rooms").json["rooms"][0]["name"] == "old"
            assert ann.tries_to_join("old") == "ok"
            assert ann.tries_to_join(f"new-{setting}") == ("ok" if may else "unmatched topic")
            answer = ann.asks("POST", "/api/rooms", {"kind": "public", "title": "x", "slug": f"made-{setting}"})
            assert answer.status == (201 if may else 403)
            assert ann.asks("POST", "/api/rooms", {"kind": "private", "title": "x"}).status == 201
            people.hang_up()
        people.hang_up()


# ---------------------------------------------------------------- what is known of them


def listed(person: Person | Browser) -> dict[str, dict[str, object]]:
    answer = (person.asks if isinstance(person, Person) else person.ask)("GET", "/api/rooms")
    assert answer.status == 200
    return {room["name"]: room for room in answer.json["rooms"]}


def test_each_sees_the_rooms_that_are_theirs_and_the_public_ones(server: Server, ann: Person, bo: Person) -> None:
    public, private = f"all-{ann.handle}", ann.makes_room("Secret")
    ann.joins(public)
    ann.joins(private)
    assert ann.tries(public, "new_message", message="hello") == "ok"
    assert ann.tries(private, "new_message", message="hello") == "ok"
    wait_until(lambda: public in listed(bo))
    mine = listed(ann)[private]
    assert (mine["kind"], mine["title"], mine["nth"], mine["people"]) == ("private", "Secret", 1, 1)
    for other in (bo, Browser(server), ann, bo):
        assert (private in listed(other)) == (other is ann)


def test_a_room_that_is_not_listed_is_in_no_list_whoever_is_there(server: Server, ann: Person, bo: Person) -> None:
    room, shown = f"quiet-{ann.handle}", f"shown-{ann.handle}"
    ann.makes_room("Quiet", "public", slug=room, settings={"listed": False})
    bo.joins(room, name="bo")
    bo.joins(shown, name="bo")
    wait_until(lambda: shown in listed(Browser(server)))
    assert room not in listed(bo)
    assert room not in listed(Browser(server))


def test_guests_do_not_see_rooms_that_are_not_for_them(server: Server, ann: Person, bo: Person) -> None:
    room, shown = f"members-{ann.handle}", f"later-{ann.handle}"
    ann.makes_room("Members", "public", slug=room, settings={"guests": False})
    ann.makes_room("Later", "public", slug=shown)
    wait_until(lambda: shown in listed(Browser(server)))
    assert room in listed(bo)
    assert room not in listed(Browser(server))


def test_a_room_says_what_it_is_and_what_one_may_there(ann: Person, bo: Person) -> None:
    room = ann.makes_room("Tea", members=[bo.handle])
    mine, others = (who.asks("GET", f"/api/rooms/{room}").json for who in (ann, bo))
    assert (mine["slug"], mine["kind"], mine["title"], mine["role"], mine["members"]) == (
        room,
        "private",
        "Tea",
        "owner",
        2,
    )
    assert set(mine["powers"]) > set(others["powers"])
    assert others["role"] == "member"


def test_a_plain_room_is_its_name(server: Server, ann: Person) -> None:
    assert Browser(server).ask("GET", "/api/rooms/plain-room").status == 404
    ann.joins("plain-room")
    assert ann.tries("plain-room", "new_message", message="hello") == "ok"
    answer = Browser(server).ask("GET", "/api/rooms/plain-room").json
    assert (answer["slug"], answer["kind"], answer["title"]) == ("plain-room", "public", "")
