"""Links open a room to those who show their codes, until they end; invites of the server may lead to a room, too."""

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.phoenix_client import request
from tests.support.server import Server
from tests.support.talker import Talker
from tests.web.accounts.conftest import Browser
from tests.web.rooms.conftest import People, Person


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
