"""Coming back to a real server: after an absence, a restart, a crash."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.database import refusing
from tests.support.member import Member
from tests.support.server import Server


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """One with a short memory, so that the database has to be asked."""
    with Server(database, ring_size=5, greeting_size=3, max_recovery_page=10, max_recovery_gap=50) as running:
        yield running


def test_one_who_was_away_gets_what_was_said_meanwhile_before_anything_newer(server: Server) -> None:
    with Member(server.port, "lobby", "bo") as bo:
        with Member(server.port, "lobby") as ann:
            position = {"since": 0, "epoch": ann.joined["epoch"]}
        for number in range(1, 9):
            bo.says(f"number {number}")
        with Member(server.port, "lobby", **position) as ann:
            assert (ann.joined["seq"], ann.joined["missed"], ann.joined["more"]) == (8, 8, False)
            bo.says("number 9")
            assert ann.hears_said(9) == [(number, f"number {number}") for number in range(1, 10)]


def test_a_long_absence_is_made_up_for_in_pages(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 36):
            ann.say(f"number {number}")
        ann.hears_said(35)
        epoch = ann.joined["epoch"]
        with Member(server.port, "lobby", since=2, epoch=epoch) as bo:
            assert bo.joined == {"epoch": epoch, "seq": 35, "base": 35, "recovered": True, "missed": 33, "more": True}
            heard = [seq for seq, _ in bo.hears_said(10)]
            more = True
            while more:
                page = bo.ask("history", after=heard[-1], limit=10)["response"]
                heard += [said["seq"] for said in page["messages"]]
                more = page["more"]
            assert heard == list(range(3, 36))


def test_one_who_missed_too_much_is_told_to_start_over(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 61):
            ann.say(f"number {number}")
        ann.hears_said(60)
        with Member(server.port, "lobby", since=5, epoch=ann.joined["epoch"]) as bo:
            assert bo.joined["recovered"] is False
            assert [seq for seq, _ in bo.hears_said(3)] == [58, 59, 60]


def test_a_gap_is_filled_without_joining_again(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 13):
            ann.says(f"number {number}")
        ann.hears_said(12)
        answer = ann.ask("sync", since=4, epoch=ann.joined["epoch"])
        assert answer["response"] == {**ann.joined, "seq": 12, "base": 12, "missed": 8}
        assert [seq for seq, _ in ann.hears_said(8)] == list(range(5, 13))


def test_each_start_is_an_epoch_and_a_clean_one_voids_nothing(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        before = ann.joined["epoch"]
        ann.says("one")
    server.stop()
    server.start()
    with Member(server.port, "lobby", since=1, epoch=before) as ann:
        assert ann.joined["epoch"] > before
        assert (ann.joined["base"], ann.joined["missed"], ann.joined["recovered"]) == (1, 0, True)


def test_what_was_heard_and_never_committed_is_void_after_a_crash(server: Server, database: Path) -> None:
    """Twice in a row, with something else said under the same numbers in between."""
    with Member(server.port, "lobby") as ann:
        epoch = ann.joined["epoch"]
        ann.says("kept")
        with refusing(server.database_url):
            ann.say("a ghost")
            ann.say("another ghost")
            assert ann.hears_said(3)[1:] == [(2, "a ghost"), (3, "another ghost")]
            server.kill()
    server.start()
    with Member(server.port, "lobby", "bo") as bo:
        bo.says("a real one")
        with refusing(server.database_url):
            bo.say("a third ghost")
            assert bo.hears_said(3)[-1] == (3, "a third ghost")
            server.kill()
    server.start()
    with Member(server.port, "lobby", since=3, epoch=epoch) as ann:
        assert (ann.joined["seq"], ann.joined["base"], ann.joined["missed"]) == (2, 1, 1)
        assert ann.hears_said(1) == [(2, "a real one")]
        assert ann.says("a ghost", repeat=True)["response"]["seq"] == 3
    with Member(server.port, "lobby", since=3, epoch=epoch + 1) as bo:
        assert (bo.joined["base"], bo.joined["missed"]) == (2, 1)
        assert bo.hears_said(1) == [(3, "a ghost")]


def test_a_repeat_after_a_restart_is_said_once_however_old_it_is(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        first = ann.says("long ago")["response"]
        for number in range(20):
            ann.says(f"number {number}")
    server.stop()
    server.start()
    with Member(server.port, "lobby") as ann, Member(server.port, "lobby", "bo") as bo:
        bo.hears_said(3)
        assert ann.says("long ago", repeat=True)["response"] == {**first, "duplicate": True}
        assert ann.says("something else", id="long ago", repeat=True)["response"] == {"reason": "id_taken"}
        ann.says("new")
        assert bo.hears_said(1) == [(22, "new")]


def test_a_repeat_that_says_nothing_of_it_is_saved_once_all_the_same(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        first = ann.says("long ago")["response"]
        for number in range(10):
            ann.says(f"number {number}")
    server.stop()
    server.start()
    with Member(server.port, "lobby") as ann:
        assert ann.says("long ago")["response"] == {**first, "duplicate": True}
        assert ann.hears("message_voided") == {"seq": 12}
        assert ann.says("new")["response"]["seq"] == 13
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT seq, message FROM message WHERE seq IN (1, 12, 13) ORDER BY seq").fetchall()
    assert rows == [(1, "long ago"), (12, ""), (13, "new")]


def test_past_the_high_water_mark_posts_are_refused_before_they_are_heard(database: Path) -> None:
    with (
        Server(database, max_unsaved_messages=3) as server,
        Member(server.port, "lobby") as ann,
        Member(server.port, "lobby", "bo") as bo,
    ):
        with refusing(server.database_url):
            waiting = [ann.say(f"number {number}") for number in range(1, 4)]
            refused = ann.says("number 4")
            assert refused["response"]["reason"] == "overloaded"
            assert refused["response"]["retry_after_ms"] > 0
            assert bo.hears_said(3) == [(number, f"number {number}") for number in range(1, 4)]
        assert [ann.answer(ref)["response"]["seq"] for ref in waiting] == [1, 2, 3]
        assert ann.says("number 4")["response"]["seq"] == 4


def test_a_post_may_ask_to_be_answered_before_it_is_committed(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        with refusing(server.database_url):
            assert ann.says("hello", ack="room")["response"]["seq"] == 1
        assert ann.says("hello", ack="tape")["response"]["field"] == "ack"


def test_a_restart_does_not_look_as_if_everybody_had_left(database: Path) -> None:
    with Server(database, presence_grace=3_600) as server:
        with Member(server.port, "lobby", "bo", is_shown=True) as bo:
            assert bo.hears("presence_state").keys() == {"bo"}
            server.stop()
        server.start()
        with Member(server.port, "lobby", "cy", is_shown=True) as cy:
            assert cy.hears("presence_state").keys() == {"bo", "cy"}
            assert cy.hears("presence_diff")["leaves"] == {}


def test_one_who_does_not_come_back_after_a_restart_leaves_in_the_end(database: Path) -> None:
    with Server(database, presence_grace=0.5) as server:
        with Member(server.port, "lobby", "bo", is_shown=True) as bo:
            assert bo.hears("presence_state").keys() == {"bo"}
            server.stop()
        server.start()
        with Member(server.port, "lobby", "cy", is_shown=True) as cy:
            here = set(cy.hears("presence_state"))
            while "bo" in here:
                here -= cy.hears("presence_diff")["leaves"].keys()
