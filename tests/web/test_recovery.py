"""Recovery on a real server: after a disconnect, a restart and a crash."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.database import refusing
from tests.support.member import Member
from tests.support.server import Server, wait_until


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """Starts a server with small rings, so that recovery reads the database."""
    with Server(database, ring_size=5, greeting_size=3, max_recovery_page=10, max_recovery_gap=50) as running:
        yield running


def test_a_client_that_comes_back_gets_missed_messages_before_newer_ones(server: Server) -> None:
    with Member(server.port, "lobby", "bo") as bo:
        with Member(server.port, "lobby") as ann:
            position = {"since": 0, "epoch": ann.join_response["epoch"]}
        for number in range(1, 9):
            bo.post_and_wait(f"number {number}")
        with Member(server.port, "lobby", **position) as ann:
            assert (ann.join_response["seq"], ann.join_response["missed"], ann.join_response["more"]) == (8, 8, False)
            bo.post_and_wait("number 9")
            assert ann.wait_for_posts(9) == [(number, f"number {number}") for number in range(1, 10)]


def test_a_large_gap_is_recovered_in_pages(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 36):
            ann.post(f"number {number}")
        ann.wait_for_posts(35)
        epoch = ann.join_response["epoch"]
        with Member(server.port, "lobby", since=2, epoch=epoch) as bo:
            assert bo.join_response == {
                "epoch": epoch,
                "seq": 35,
                "base": 35,
                "recovered": True,
                "missed": 33,
                "more": True,
            }
            heard = [seq for seq, _ in bo.wait_for_posts(10)]
            more = True
            while more:
                page = bo.ask("history", after=heard[-1], limit=10)["response"]
                heard += [said["seq"] for said in page["messages"]]
                more = page["more"]
            assert heard == list(range(3, 36))


@pytest.mark.alone
def test_what_is_not_saved_yet_is_in_pages_that_reach_into_the_database(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 11):
            ann.post_and_wait(f"number {number}")
        with refusing(server.database_url):  # SQLite is still read
            ann.post("not saved")
            ann.post("not saved either")
            ann.wait_for_posts(12)
            for page in (ann.ask("history", around=10, limit=9), ann.ask("history", before=13, limit=9)):
                texts = [said["message"] for said in page["response"]["messages"]]
                assert texts[-3:] == ["number 10", "not saved", "not saved either"]


def test_a_client_that_missed_too_much_is_told_to_start_over(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 61):
            ann.post(f"number {number}")
        ann.wait_for_posts(60)
        with Member(server.port, "lobby", since=5, epoch=ann.join_response["epoch"]) as bo:
            assert bo.join_response["recovered"] is False
            assert [seq for seq, _ in bo.wait_for_posts(3)] == [58, 59, 60]


def test_sync_fills_a_gap_without_another_join(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 13):
            ann.post_and_wait(f"number {number}")
        ann.wait_for_posts(12)
        answer = ann.ask("sync", since=4, epoch=ann.join_response["epoch"])
        assert answer["response"] == {**ann.join_response, "seq": 12, "base": 12, "missed": 8}
        assert [seq for seq, _ in ann.wait_for_posts(8)] == list(range(5, 13))


def test_a_client_whose_second_joins_are_refused_or_left_undecided_is_not_left_in_the_presence(server: Server) -> None:
    with Member(server.port, "lobby", "bo") as bo:
        with Member(server.port, "lobby", is_present=True) as ann:
            for number in range(1, 41):
                bo.post(f"number {number}")
            bo.wait_for_posts(40)
            joins = [ann.push("phx_join", name="ann", since=1, epoch=ann.join_response["epoch"]) for _ in range(100)]
            answer = ann.wait_for_answer(next(reversed(joins)))
            assert answer["status"] == "ok" or answer["response"]["reason"] in ("busy", "rate_limited"), answer
            for _ in range(5):
                ann.push("phx_join", name="ann", since=1, epoch=ann.join_response["epoch"])
        bo.ask("phx_leave")
        wait_until(lambda: people_in(server, "lobby") == 0)


def people_in(server: Server, room: str) -> int:
    """Returns how many people the server counts in a room."""
    with urlopen(f"{server.url}/api/rooms") as answer:
        return sum(listed["people"] for listed in json.load(answer)["rooms"] if listed["name"] == room)


@pytest.mark.alone
def test_a_restart_begins_an_epoch_and_a_clean_stop_loses_nothing(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        before = ann.join_response["epoch"]
        ann.post_and_wait("one")
    server.stop()
    server.start()
    with Member(server.port, "lobby", since=1, epoch=before) as ann:
        assert ann.join_response["epoch"] > before
        assert (ann.join_response["base"], ann.join_response["missed"], ann.join_response["recovered"]) == (1, 0, True)


@pytest.mark.alone
def test_messages_that_were_heard_but_not_committed_are_void_after_a_crash(server: Server, database: Path) -> None:
    """Crashes twice, and posts another message with the same `seq` in between."""
    with Member(server.port, "lobby") as ann:
        epoch = ann.join_response["epoch"]
        ann.post_and_wait("kept")
        with refusing(server.database_url):
            ann.post("a ghost")
            ann.post("another ghost")
            assert ann.wait_for_posts(3)[1:] == [(2, "a ghost"), (3, "another ghost")]
            server.kill()
    server.start()
    with Member(server.port, "lobby", "bo") as bo:
        second = bo.join_response["epoch"]
        bo.post_and_wait("a real one")
        with refusing(server.database_url):
            bo.post("a third ghost")
            assert bo.wait_for_posts(3)[-1] == (3, "a third ghost")
            server.kill()
    server.start()
    with Member(server.port, "lobby", since=3, epoch=epoch) as ann:
        assert (ann.join_response["seq"], ann.join_response["base"], ann.join_response["missed"]) == (2, 1, 1)
        assert ann.wait_for_posts(1) == [(2, "a real one")]
        assert ann.post_and_wait("a ghost", repeat=True)["response"]["seq"] == 3
    with Member(server.port, "lobby", since=3, epoch=second) as bo:
        assert (bo.join_response["base"], bo.join_response["missed"]) == (2, 1)
        assert bo.wait_for_posts(1) == [(3, "a ghost")]


def test_a_repeat_of_any_age_is_said_once_after_a_restart(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        first = ann.post_and_wait("long ago")["response"]
        for number in range(20):
            ann.post_and_wait(f"number {number}")
    server.stop()
    server.start()
    with Member(server.port, "lobby") as ann, Member(server.port, "lobby", "bo") as bo:
        bo.wait_for_posts(3)
        assert ann.post_and_wait("long ago", repeat=True)["response"] == {**first, "duplicate": True}
        assert ann.post_and_wait("something else", id="long ago", repeat=True)["response"] == {"reason": "id_taken"}
        ann.post_and_wait("new")
        assert bo.wait_for_posts(1) == [(22, "new")]


@pytest.mark.alone
def test_a_repeat_without_the_repeat_field_is_saved_once(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        first = ann.post_and_wait("long ago")["response"]
        for number in range(10):
            ann.post_and_wait(f"number {number}")
    server.stop()
    server.start()
    with Member(server.port, "lobby") as ann:
        assert ann.post_and_wait("long ago")["response"] == {**first, "duplicate": True}
        assert ann.wait_for("message_voided") == {"seq": 12}
        assert ann.post_and_wait("new")["response"]["seq"] == 13
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT seq, message FROM entry WHERE seq IN (1, 12, 13) ORDER BY seq").fetchall()
    assert rows == [(1, "long ago"), (12, ""), (13, "new")]


@pytest.mark.alone
def test_posts_to_a_full_backlog_are_refused_before_they_are_heard(database: Path) -> None:
    with (
        Server(database, max_unsaved_messages=3) as server,
        Member(server.port, "lobby") as ann,
        Member(server.port, "lobby", "bo") as bo,
    ):
        with refusing(server.database_url):
            waiting = [ann.post(f"number {number}") for number in range(1, 4)]
            refused = ann.post_and_wait("number 4")
            assert refused["response"]["reason"] == "overloaded"
            assert refused["response"]["retry_after_ms"] > 0
            assert bo.wait_for_posts(3) == [(number, f"number {number}") for number in range(1, 4)]
        assert [ann.wait_for_answer(ref)["response"]["seq"] for ref in waiting] == [1, 2, 3]
        assert ann.post_and_wait("number 4")["response"]["seq"] == 4


def test_a_post_with_ack_room_is_answered_before_it_is_committed(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        with refusing(server.database_url):
            assert ann.post_and_wait("hello", ack="room")["response"]["seq"] == 1
        assert ann.post_and_wait("hello", ack="tape")["response"]["field"] == "ack"


@pytest.mark.alone
def test_people_stay_present_during_a_restart(database: Path) -> None:
    with Server(database, presence_grace=3_600) as server:
        with Member(server.port, "lobby", "bo", is_present=True) as bo:
            assert bo.wait_for("presence_state").keys() == {"bo"}
            server.stop()
        server.start()
        with Member(server.port, "lobby", "cy", is_present=True) as cy:
            assert cy.wait_for("presence_state").keys() == {"bo", "cy"}
            assert cy.wait_for("presence_diff")["leaves"] == {}


def test_people_who_do_not_come_back_after_a_restart_leave_in_the_end(database: Path) -> None:
    with Server(database, presence_grace=0.5) as server:
        with Member(server.port, "lobby", "bo", is_present=True) as bo:
            assert bo.wait_for("presence_state").keys() == {"bo"}
            server.stop()
        server.start()
        with Member(server.port, "lobby", "cy", is_present=True) as cy:
            present = set(cy.wait_for("presence_state"))
            while "bo" in present:
                present -= cy.wait_for("presence_diff")["leaves"].keys()
