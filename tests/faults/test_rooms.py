"""Rooms fail at a post, and their clock is set back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatter.room.supervisor import MAX_FAILURES
from tests.faults.conftest import SMALL_MEMORY
from tests.faults.consistency import check_consistency, places
from tests.faults.crowd import PAGE_SIZE, Crowd
from tests.support.database import forbid, refusing
from tests.support.fragile_room import FAIL_AFTER, FAIL_BEFORE, POISON, SET_BACK
from tests.support.member import Member
from tests.support.server import Server
from tests.support.talker import Talker

FAULT_INJECTION = "tests.faults.fault_injection:authorize"
"""Names a module that this process must not import: it would change its rooms too."""


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server with fragile rooms."""
    with Server(database, database_url=database_url, authorize=FAULT_INJECTION, **SMALL_MEMORY) as started:
        yield started


def times_joined(crowd: Crowd, room: str) -> set[int]:
    return {member.times_joined for member in (*crowd.readers, *crowd.writers) if member.room == room}


@pytest.mark.parametrize("text", [FAIL_BEFORE, FAIL_AFTER], ids=["before", "after"])
def test_a_room_that_fails_at_a_message_says_it_once_and_nobody_has_to_rejoin(server: Server, text: str) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        for _ in range(MAX_FAILURES - 1):
            crowd.wait_for_more(50)
            crowd.post(text)
        crowd.wait_for_more(100)
        check_consistency(crowd, server.database_url)
        assert times_joined(crowd, "lobby") == times_joined(crowd, "garden") == {1}
    assert server.log.count("room lobby is rebuilt") == MAX_FAILURES - 1


def test_a_room_that_fails_too_often_makes_clients_rejoin_and_they_miss_nothing(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        for _ in range(3):
            crowd.wait_for_more(5)
            for _ in range(MAX_FAILURES):  # at once: what is too often is a matter of seconds
                crowd.post(FAIL_BEFORE)
        crowd.wait_for_more(100)
        check_consistency(crowd, server.database_url)
        assert 1 not in times_joined(crowd, "lobby")
        assert times_joined(crowd, "garden") == {1}


def test_a_message_at_which_a_room_fails_twice_is_quarantined_and_others_are_saved(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        crowd.wait_for_more(50)
        poison = crowd.post(POISON)
        crowd.wait_until(lambda: poison in crowd.writers[0].refused)
        crowd.wait_for_more(100)
        check_consistency(crowd, server.database_url)
        assert crowd.writers[0].refused == {poison: "quarantined"}
        assert times_joined(crowd, "lobby") == times_joined(crowd, "garden") == {1}
    assert "which is quarantined" in server.log
    assert poison in server.log


def test_a_message_that_is_refused_after_its_room_failed_is_void_for_everybody(server: Server) -> None:
    forbid(server.database_url, "never this")
    with Member(server.port, "lobby") as ann, Member(server.port, "lobby", "bo") as bo:
        ann.post_and_wait("before")
        with refusing(server.database_url):
            refused = ann.post("never this")
            ann.post("never this", id="nobody waits for this", ack="room")
            rest = [ann.post(f"number {number}") for number in range(2 * SMALL_MEMORY["ring_size"])]
            bo.wait_for_posts(1 + 2 + len(rest))
            ann.post(FAIL_AFTER)
            bo.wait_for_posts(1)
        assert ann.wait_for_answer(refused)["response"] == {"reason": "not_saved"}
        assert [bo.wait_for("message_voided")["seq"] for _ in range(2)] == [2, 3]
        assert [ann.wait_for_answer(ref)["status"] for ref in rest] == ["ok"] * len(rest)
    assert server.log.count("room lobby is rebuilt") == 1


def test_a_clock_that_is_set_back_does_not_change_order_history_or_recovery(server: Server) -> None:
    with Crowd(server.port) as crowd:
        crowd.wait_for_more(50)
        for _ in range(2):
            crowd.post(SET_BACK)
            for _ in range(5):
                crowd.wait_for_more(20)
                crowd.cut()
        server.kill()
        server.start()  # with the right time
        crowd.wait_for_more(50)
        check_consistency(crowd, server.database_url)
    with Talker(server.port) as ann:
        ann.join("lobby")
        history = read_backward(ann)
        assert read_forward(ann) == history
    assert [(posted["seq"], posted["id"]) for posted in history] == places(server.database_url, "lobby")
    hours = [posted["inserted_at"][:13] for posted in history]
    assert hours != sorted(hours)


def read_backward(reader: Talker) -> list[Any]:
    """Returns all messages, read from the newest page to the oldest."""
    page = reader.ask("lobby", "history", limit=PAGE_SIZE)["response"]
    messages: list[Any] = page["messages"]
    while page["more"]:
        page = reader.ask("lobby", "history", limit=PAGE_SIZE, before=messages[0]["seq"])["response"]
        messages = page["messages"] + messages
    return messages


def read_forward(reader: Talker) -> list[Any]:
    """Returns all messages, read from the oldest page to the newest."""
    page = reader.ask("lobby", "history", limit=PAGE_SIZE, after=0)["response"]
    messages: list[Any] = page["messages"]
    while page["more"]:
        page = reader.ask("lobby", "history", limit=PAGE_SIZE, after=messages[-1]["seq"])["response"]
        messages += page["messages"]
    return messages
