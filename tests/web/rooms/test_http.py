"""The HTTP endpoints of rooms: making, listing and describing them, links, and the audit log."""

import contextlib
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.database import query
from tests.support.phoenix_client import request
from tests.support.server import Server, run_to_its_end, wait_until
from tests.support.talker import Talker
from tests.web.accounts.conftest import Browser, bearer, command
from tests.web.rooms.conftest import People, Person


@pytest.fixture
def ann(people: People) -> Person:
    return people()


@pytest.fixture
def bo(people: People) -> Person:
    return people()


# ---------------------------------------------------------------- making rooms


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


def test_a_direct_room_that_is_there_is_opened_however_many_rooms_its_people_are_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Server(tmp_path_factory.mktemp("one") / "chatter.db", sign_up="open", max_rooms_per_account=1) as server:
        people = People(server)
        ann, bo, cy = people(), people(), people()
        made = ann.asks("POST", "/api/direct", {"handle": bo.handle})
        assert made.status == 200
        assert bo.asks("POST", "/api/direct", {"handle": ann.handle}).json == made.json
        assert ann.asks("POST", "/api/direct", {"handle": cy.handle}).json == {"reason": "full", "limit": 1}
        command(server, "account", "suspend", bo.handle)
        assert ann.asks("POST", "/api/direct", {"handle": bo.handle}).json == made.json
        people.hang_up()


def test_who_is_in_too_many_rooms_makes_and_enters_no_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("few") / "chatter.db"
    with Server(database, sign_up="open", max_rooms_per_account=2) as server:
        people = People(server)
        ann, bo = people(), people()
        rooms = [ann.makes_room(members=[bo.handle]) for _ in range(2)]
        full = {"reason": "full", "limit": 2}
        assert ann.asks("POST", "/api/rooms", {"kind": "private", "title": "x"}).json == full
        assert ann.asks("POST", "/api/direct", {"handle": bo.handle}).json == full
        assert ann.asks("POST", "/api/direct", {"handle": ann.handle}).json == full
        cy = people()
        third = cy.makes_room()
        cy.joins(third)
        assert cy.says(third, "invite", handles=[bo.handle]) == full
        code = cy.says(third, "make_link")["code"]
        assert ann.asks("POST", "/api/join", {"code": code}).json == full
        ann.joins("public")
        assert ann.says("public", "join_room") == full
        ann.joins(rooms[0])
        assert ann.tries(rooms[0], "remove_member", handle=bo.handle) == "ok"
        assert cy.tries(third, "invite", handles=[bo.handle]) == "ok"
        people.hang_up()


@pytest.mark.alone
def test_nobody_is_in_more_rooms_than_they_may_who_come_into_many_at_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Server(tmp_path_factory.mktemp("few") / "chatter.db", sign_up="open", max_rooms_per_account=2) as server:
        people = People(server)
        ann, bo, cy = people(), people(), people()
        with ThreadPoolExecutor() as pool:
            made = list(pool.map(lambda _: ann.asks("POST", "/api/rooms", {"kind": "group"}).status, range(4)))
        assert sorted(made) == [201, 201, 409, 409]
        rooms = [cy.makes_room() for _ in range(2)]
        for room in rooms:
            cy.joins(room)
        assert bo.makes_room()
        with contextlib.closing(sqlite3.connect(server.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # what the database has may be behind
            refs = cy.talker.push_many([(room, "invite", {"handles": [bo.handle]}) for room in rooms])
            refused = cy.talker.receive_until(lambda frame: frame.event == "phx_reply")[-1]
            other.execute("ROLLBACK")
        assert refused.ref in refs
        assert refused.payload["response"] == {"reason": "full", "limit": 2}
        people.hang_up()


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


def test_members_come_in_pages(ann: Person, people: People) -> None:
    others = [people(old=False) for _ in range(3)]
    room = ann.makes_room(members=[other.handle for other in others])
    first = ann.asks("GET", f"/api/rooms/{room}/members?limit=3").json
    assert ([member["id"] for member in first["members"]], first["more"]) == (
        [ann.id, *(other.id for other in others[:2])],
        True,
    )
    rest = ann.asks("GET", f"/api/rooms/{room}/members?after={first['members'][-1]['id']}").json
    assert ([member["handle"] for member in rest["members"]], rest["more"]) == ([others[2].handle], False)
    assert first["members"][0] | {"joined_seq": 0} == {
        "id": ann.id,
        "handle": ann.handle,
        "name": ann.handle,
        "role": "owner",
        "joined_seq": 0,
    }
    assert ann.asks("GET", f"/api/rooms/{room}/members?limit=0").json["field"] == "limit"


def test_the_banned_come_in_the_same_pages(ann: Person, bo: Person, people: People) -> None:
    others = [people(old=False) for _ in range(4)]
    room = ann.makes_room(members=[bo.handle, *(other.handle for other in others)])
    ann.joins(room)
    for other in others[:3]:
        assert ann.tries(room, "remove_member", handle=other.handle, ban=True) == "ok"
    pages: list[Any] = []
    after: int | None = 0
    while after is not None:
        pages.append(ann.asks("GET", f"/api/rooms/{room}/members?limit=2&after={after}").json)
        after = pages[-1].get("next")
    members = [[each["id"] for each in page["members"]] for page in pages]
    banned = [[each["id"] for each in page.get("banned", ())] for page in pages]
    assert members == [[ann.id, bo.id], [], [others[3].id]]
    assert banned == [[], [others[0].id, others[1].id], [others[2].id]]
    assert [page["more"] for page in pages] == [True, True, False]


def test_an_admin_who_must_look_into_a_room_joins_it_visibly(admin: Person, ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    assert admin.asks("GET", f"/api/rooms/{room}").status == 404
    assert bo.asks("POST", f"/api/rooms/{room}/members").status == 404
    assert admin.asks("POST", f"/api/rooms/{room}/members").status == 204
    heard = ann.hears("room_event", kind="member", change="joined")
    assert heard["members"][0]["handle"] == "root"
    assert admin.asks("GET", f"/api/rooms/{room}").status == 200
    assert admin.asks("POST", "/api/rooms/p--" + 26 * "a" + "/members").status == 404


def test_a_token_acts_as_an_admin_only_if_it_is_for_that(server: Server, admin: Person, ann: Person) -> None:
    room = ann.makes_room()
    for scopes, status in ((("read", "post"), 404), (("read", "post", "moderate"), 404), (("post", "admin"), 204)):
        token = admin.browser.token(*scopes)
        assert Browser(server).ask("POST", f"/api/rooms/{room}/members", None, bearer(token)).status == status


# ---------------------------------------------------------------- links


def test_a_link_opens_a_room_to_so_many_people(server: Server, ann: Person, people: People) -> None:
    room = ann.makes_room("Tea")
    ann.joins(room)
    made = ann.says(room, "make_link", uses=2, days=1)
    assert made["url"] == f"/join/{made['code']}"
    look = Browser(server).ask("GET", f"/api/join/{made['code']}")
    assert (look.status, look.json) == (200, {"room": {"title": "Tea", "people": 1}, "server": True})
    assert ann.asks("GET", f"/api{made['url']}").json["room"]["slug"] == room
    bo, cy, di = people(), people(), people()
    assert "slug" not in bo.asks("GET", f"/api/join/{made['code']}").json["room"]
    for person in (bo, bo, cy):
        answer = person.asks("POST", "/api/join", {"code": made["code"].upper()})
        assert (answer.status, answer.json) == (200, {"slug": room})
    assert bo.joins(room)["room"]["role"] == "member"
    spent = di.asks("POST", "/api/join", {"code": made["code"]})
    assert (spent.status, spent.json) == (404, {"reason": "not_found"})


def test_who_shows_a_code_many_times_at_once_takes_one_use(ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    code = ann.says(room, "make_link", uses=9)["code"]
    with ThreadPoolExecutor() as pool:
        statuses = list(pool.map(lambda _: bo.asks("POST", "/api/join", {"code": code}).status, range(6)))
    assert statuses == [200] * 6
    [link] = ann.asks("GET", f"/api/rooms/{room}/links").json["links"]
    assert link["uses_left"] == 8


def test_a_link_that_is_spent_as_somebody_shows_it_is_answered_as_a_wrong_one(ann: Person, people: People) -> None:
    room = ann.makes_room()
    ann.joins(room)
    code = ann.says(room, "make_link")["code"]
    crowd = [people(old=False) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda each: each.asks("POST", "/api/join", {"code": code}), crowd))
    assert sorted(answer.status for answer in answers) == [200, 404, 404, 404]
    refused = [answer.json for answer in answers if answer.status == 404]
    assert refused == [{"reason": "not_found"}] * 3


@pytest.mark.parametrize("kind", ["private", "public"])
def test_who_may_not_come_uses_no_link_up(ann: Person, bo: Person, people: People, kind: str) -> None:
    room = ann.makes_room(f"No {kind}", kind)
    ann.joins(room)
    assert ann.tries(room, "remove_member", handle=bo.handle, ban=True) == "ok"
    code = ann.says(room, "make_link")["code"]
    answer = bo.asks("POST", "/api/join", {"code": code})
    assert (answer.status, answer.json) == (403, {"reason": "banned"})
    assert people().asks("POST", "/api/join", {"code": code}).json == {"slug": room}


def test_a_link_makes_an_account_that_is_in_the_room(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("invited") / "chatter.db"
    with Server(database, sign_up="open") as server:
        people = People(server)
        ann = people()
        room = ann.makes_room("Tea")
        ann.joins(room)
        code = ann.says(room, "make_link")["code"]
        people.hang_up()
        server.stop()
        server._options["sign_up"] = "invite"
        server.start()
        browser = Browser(server)
        answer = browser.ask(
            "POST", "/api/accounts", {"handle": "invited", "password": "correct horse battery", "invite": code}
        )
        assert (answer.status, answer.json["room"]) == (201, room)
        invited = Person(server, browser)
        assert invited.joins(room)["room"]["members"] == 2
        invited.hangs_up()


@pytest.mark.parametrize("reason", ["archived", "full"])
def test_a_link_to_a_room_that_takes_nobody_makes_no_account_and_is_not_used_up(
    tmp_path_factory: pytest.TempPathFactory, reason: str
) -> None:
    database = tmp_path_factory.mktemp("invited") / "chatter.db"
    with Server(database, sign_up="open", max_room_members=2) as server:
        people = People(server)
        ann, bo = people(), people()
        room = ann.makes_room("Tea", members=[bo.handle] if reason == "full" else [])
        ann.joins(room)
        code = ann.says(room, "make_link", uses=1)["code"]
        if reason == "archived":
            ann.says(room, "set_room", archived=True)
        asked = {"handle": "invited", "password": "correct horse battery", "invite": code}
        browser = Browser(server)
        refused = browser.ask("POST", "/api/accounts", asked)
        assert (refused.status, refused.json) == (409, {"reason": reason})
        assert browser.ask("GET", "/api/me").json["kind"] == "guest"
        if reason == "archived":
            ann.says(room, "set_room", archived=False)
        else:
            ann.says(room, "remove_member", handle=bo.handle)
        answer = browser.ask("POST", "/api/accounts", asked)
        assert (answer.status, answer.json["room"]) == (201, room)
        people.hang_up()


def test_links_are_listed_and_ended_by_those_who_may_make_them(ann: Person, bo: Person, people: People) -> None:
    room = ann.makes_room(members=[bo.handle], settings={"invite": "moderators"})
    ann.joins(room)
    bo.joins(room)
    assert bo.tries(room, "make_link") == "forbidden"
    code = ann.says(room, "make_link", uses=None, days=None)["code"]
    links = ann.asks("GET", f"/api/rooms/{room}/links").json["links"]
    assert [(link["by"], link["uses_left"], link["expires_at"]) for link in links] == [(ann.id, None, None)]
    assert bo.asks("GET", f"/api/rooms/{room}/links").json == {"reason": "forbidden"}
    path = f"/api/rooms/{room}/links/{links[0]['id']}"
    assert bo.asks("DELETE", path).status == 403
    assert ann.asks("DELETE", path).status == 204
    assert ann.asks("DELETE", path).json["reason"] == "not_found"
    assert people().asks("POST", "/api/join", {"code": code}).json == {"reason": "not_found"}


@pytest.mark.parametrize("kind", ["private", "public"])
def test_links_of_others_are_seen_and_ended_by_who_moderates_the_room(
    ann: Person, bo: Person, people: People, kind: str
) -> None:
    room, cy = ann.makes_room(f"Links {kind}", kind, members=[bo.handle]), people()
    path = f"/api/rooms/{room}/links"
    for person in (ann, bo):
        person.joins(room)
        person.says(room, "make_link")
    [of_bo, of_ann] = sorted(ann.asks("GET", path).json["links"], key=lambda link: -int(link["by"]))
    assert (of_ann["by"], of_bo["by"]) == (ann.id, bo.id)
    assert bo.asks("GET", path).json == {"links": [of_bo]}
    assert cy.asks("GET", path).json.get("links") == ([] if kind == "public" else None)
    for person in (bo, cy):
        answer = person.asks("DELETE", f"{path}/{of_ann['id']}")
        assert (answer.status, answer.json["reason"]) == (404, "not_found")
    assert bo.asks("DELETE", f"{path}/{of_bo['id']}").status == 204
    assert ann.asks("GET", path).json == {"links": [of_ann]}


def test_the_links_of_somebody_who_was_removed_are_void(ann: Person, bo: Person, people: People) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    bo.joins(room)
    code = bo.says(room, "make_link", uses=5)["code"]
    assert ann.tries(room, "remove_member", handle=bo.handle) == "ok"
    for person in (bo, people()):
        assert person.asks("POST", "/api/join", {"code": code}).json == {"reason": "not_found"}


def test_an_invite_of_the_server_leads_to_no_room_of_others(ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    answer = bo.asks("POST", "/api/invites", {"room": room})
    assert (answer.status, answer.json) == (404, {"reason": "not_found"})
    assert ann.asks("POST", "/api/invites", {"room": room}).status == 201


@pytest.mark.parametrize("why_not", ["rule", "muted", "banned"])
def test_who_may_make_no_links_to_a_public_room_makes_no_invites_to_it(ann: Person, bo: Person, why_not: str) -> None:
    rules = {"invite": "moderators"} if why_not == "rule" else {}
    room = ann.makes_room(f"By {why_not}", "public", members=[bo.handle], settings=rules)
    ann.joins(room)
    if why_not == "muted":
        assert ann.tries(room, "mute_member", handle=bo.handle, minutes=5) == "ok"
    if why_not == "banned":
        assert ann.tries(room, "remove_member", handle=bo.handle, ban=True) == "ok"
    refused = bo.asks("POST", "/api/invites", {"room": room})
    assert (refused.status, refused.json) == (403, {"reason": "forbidden"})
    for person, other in ((ann, room), (bo, f"nobodys-{bo.handle}")):
        assert person.asks("POST", "/api/invites", {"room": other}).status == 201


def test_new_people_make_no_links_and_others_so_many(server: Server, people: People) -> None:
    new = people(old=False)
    room = new.makes_room()
    new.joins(room)
    assert new.tries(room, "make_link") == "forbidden"
    ann = people()
    room = ann.makes_room()
    ann.joins(room)
    assert [ann.tries(room, "make_link") for _ in range(21)] == ["ok"] * 20 + ["full"]


def test_wrong_codes_are_alike_and_only_so_many_are_tried(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("codes") / "chatter.db"
    with Server(database, sign_up="open") as server:
        people = People(server)
        ann = people()
        room = ann.makes_room()
        ann.joins(room)
        code = ann.says(room, "make_link")["code"]
        answers = [Browser(server).ask("GET", f"/api/join/wrong{number}") for number in range(20)]
        assert {(answer.status, answer.body) for answer in answers} == {(404, b'{"reason": "not_found"}')}
        one_more = Browser(server).ask("GET", f"/api/join/{code}")
        assert (one_more.status, one_more.json) == (404, {"reason": "not_found"})
        people.hang_up()


def test_the_page_of_a_link_says_nothing_and_its_code_is_not_logged(server: Server, ann: Person) -> None:
    room = ann.makes_room("Tea")
    ann.joins(room)
    code = ann.says(room, "make_link")["code"]
    pages = {request(server.port, "GET", f"/join/{each}").body for each in (code, "wrong")}
    assert len(pages) == 1
    request(server.port, "POST", f"/join/{code}")
    request(server.port, "GET", f"/api/join/{code}", {"Host": "evil.example"})
    assert "/join/…" in server.log
    assert code not in server.log


# ---------------------------------------------------------------- the audit log


def test_admins_read_who_did_what_to_whom(server: Server, admin: Person, ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    assert ann.tries(room, "remove_member", handle=bo.handle, reason="too much tea") == "ok"
    answer = admin.asks("GET", "/api/audit?limit=1")
    deed = answer.json["audit"][0]
    assert answer.json["more"] is True
    assert (deed["actor"]["handle"], deed["target"]["handle"], deed["room"]) == (ann.handle, bo.handle, room)
    assert deed["reason"] == "too much tea"
    assert ann.tries(room, "set_room", title="Hush", settings={"slow_mode": 9}) == "ok"
    settled = admin.asks("GET", "/api/audit?limit=1").json["audit"][0]
    assert settled["after"] == {"rules": {"slow_mode": 9}}
    older = admin.asks("GET", f"/api/audit?limit=500&before={deed['id']}").json["audit"]
    assert all(each["id"] < deed["id"] for each in older)
    assert ann.asks("GET", "/api/audit").status == 403
    assert Browser(server).ask("GET", "/api/audit").status == 401


def test_the_command_prints_the_audit_log(server: Server, ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    assert ann.tries(room, "remove_member", handle=bo.handle, reason="too\tmuch") == "ok"
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    ended = run_to_its_end("audit", "--limit=1", *options)
    assert (ended.exit_code, ended.stderr) == (0, "")
    at, actor, _, target, where, reason, _ = ended.stdout.rstrip("\n").split("\t")
    assert (actor, target, where, reason) == (f"@{ann.handle}", f"@{bo.handle}", room, "too much")
    assert at == query(server.database_url, "SELECT at FROM audit ORDER BY id DESC LIMIT 1")[0][0]
    assert run_to_its_end("audit", "--limit=0", *options).exit_code == 2


def test_making_rooms_and_joining_by_codes_have_rates_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("rates") / "chatter.db"
    with Server(database, sign_up="open", rate_limits="on", founding_rate="0.01/2", code_rate="0.01/2") as server:
        ann = Person(server)
        made = [ann.asks("POST", "/api/rooms", {"kind": "private", "title": "x"}) for _ in range(3)]
        assert [answer.status for answer in made] == [201, 201, 429]
        assert made[2].json["reason"] == "rate_limited"
        assert int(made[2].headers["retry-after"]) > 10
        codes = [ann.asks("POST", "/api/join", {"code": "x"}).status for _ in range(3)]
        assert codes == [404, 404, 429]


def test_a_server_without_accounts_has_only_the_list(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("none") / "chatter.db"
    with Server(database, accounts="off") as server:
        assert request(server.port, "GET", "/api/rooms").json == {"rooms": []}
        for method, path in (("POST", "/api/rooms"), ("GET", "/api/rooms/x"), ("POST", "/api/join")):
            assert request(server.port, method, path).status == 404


@pytest.mark.alone  # it locks a SQLite file
def test_a_link_ends_with_the_removal_of_who_made_it_before_that_is_committed(
    server: Server, ann: Person, bo: Person, people: People
) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    bo.joins(room)
    code = bo.says(room, "make_link")["code"]
    cy = people()
    assert cy.asks("GET", f"/api/join/{code}").status == 200
    with contextlib.closing(sqlite3.connect(server.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ann.talker.push(room, "remove_member", handle=bo.handle)
        bo.hears("room_event", change="removed")
        assert cy.asks("GET", f"/api/join/{code}").json == {"reason": "not_found"}
        assert cy.asks("POST", "/api/join", {"code": code}).json == {"reason": "not_found"}
        other.execute("ROLLBACK")
    assert ann.hears("phx_reply")["status"] == "ok"


@pytest.mark.alone  # it locks a SQLite file
def test_what_waits_for_a_link_of_somebody_who_is_out_by_then_is_answered_as_to_a_stranger(
    server: Server, ann: Person, bo: Person
) -> None:
    room = ann.makes_room(members=[bo.handle])
    bo.joins(room)
    with (
        Talker(server.port, headers=bo.browser.headers) as phone,
        contextlib.closing(sqlite3.connect(server.database, isolation_level=None)) as other,
    ):
        phone.join(room)
        other.execute("BEGIN IMMEDIATE")  # no link is made meanwhile
        asked: list[tuple[str, str, dict[str, object]]] = [(room, "make_link", {}), (room, "typing", {})]
        asking, typing, leaving = bo.talker.push_many([*asked, (room, "phx_leave", {})])
        bo.talker.heartbeat()
        phone.push(room, "leave_room")
        heard = bo.talker.receive_until(lambda frame: frame.ref == leaving)
        other.execute("ROLLBACK")
    *_, closed, first, second, last = heard
    assert closed.event == "phx_close"
    stranger = {"status": "error", "response": {"reason": "unmatched topic"}}
    assert [(each.ref, each.payload) for each in (first, second)] == [(asking, stranger), (typing, stranger)]
    assert last.payload == {"status": "ok", "response": {}}
