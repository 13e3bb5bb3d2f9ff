"""How many rooms somebody is in, how often rooms are made and codes are tried, and a server without accounts."""

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.phoenix_client import request
from tests.support.server import Server
from tests.web.accounts.conftest import command
from tests.web.rooms.conftest import People, Person


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
