"""Rooms fail in the middle of their work, and their clock is set back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatter.room.supervisor import MAX_FAILURES
from tests.faults.conftest import FORGETFUL
from tests.faults.consistency import check_consistency, places
from tests.faults.crowd import PAGE, Crowd
from tests.support.fragile_room import FAIL_AFTER, FAIL_BEFORE, POISON, SET_BACK
from tests.support.server import Server
from tests.support.talker import Talker

FAULT_INJECTION = "tests.faults.fault_injection:everybody"
"""Named and not imported, as it changes the process that imports it."""


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """A server into whose rooms faults can be injected."""
    with Server(database, database_url=database_url, authorize=FAULT_INJECTION, **FORGETFUL) as started:
        yield started


def times_joined(crowd: Crowd, room: str) -> set[int]:
    return {member.times_joined for member in (*crowd.readers, *crowd.writers) if member.room == room}


@pytest.mark.parametrize("text", [FAIL_BEFORE, FAIL_AFTER], ids=["before", "after"])
def test_a_room_that_fails_at_a_message_says_it_once_and_nobody_has_to_come_back(server: Server, text: str) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        for _ in range(MAX_FAILURES - 1):
            crowd.until_more(50)
            crowd.say(text)
        crowd.until_more(100)
        check_consistency(crowd, server.database_url)
        assert times_joined(crowd, "lobby") == times_joined(crowd, "garden") == {1}
    assert server.log.count("room lobby is rebuilt") == MAX_FAILURES - 1


def test_a_room_that_fails_again_and_again_sends_everybody_away_and_they_miss_nothing(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        for _ in range(3 * MAX_FAILURES):
            crowd.until_more(5)
            crowd.say(FAIL_BEFORE)
        crowd.until_more(100)
        check_consistency(crowd, server.database_url)
        assert 1 not in times_joined(crowd, "lobby")
        assert times_joined(crowd, "garden") == {1}


def test_a_message_that_kills_its_room_twice_is_put_aside_and_costs_nothing_else(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        crowd.until_more(50)
        poison = crowd.say(POISON)
        crowd.until(lambda: poison in crowd.writers[0].refused)
        crowd.until_more(100)
        check_consistency(crowd, server.database_url)
        assert crowd.writers[0].refused == {poison: "quarantined"}
        assert times_joined(crowd, "lobby") == times_joined(crowd, "garden") == {1}
    assert "which is quarantined" in server.log
    assert poison in server.log


def test_a_clock_that_is_set_back_an_hour_changes_neither_order_nor_history_nor_who_misses_what(
    server: Server,
) -> None:
    with Crowd(server.port) as crowd:
        crowd.until_more(50)
        for _ in range(2):
            crowd.say(SET_BACK)
            for _ in range(5):
                crowd.until_more(20)
                crowd.cut()
        server.kill()
        server.start()  # with the right time
        crowd.until_more(50)
        check_consistency(crowd, server.database_url)
    with Talker(server.port) as ann:
        ann.join("lobby")
        history = back_from_the_end(ann)
        assert on_from_the_beginning(ann) == history
    assert [(posted["seq"], posted["id"]) for posted in history] == places(server.database_url, "lobby")
    hours = [posted["inserted_at"][:13] for posted in history]
    assert hours != sorted(hours)


def back_from_the_end(reader: Talker) -> list[Any]:
    """All that was said, as one reads it who scrolls up."""
    page = reader.ask("lobby", "history", limit=PAGE)["response"]
    messages: list[Any] = page["messages"]
    while page["more"]:
        page = reader.ask("lobby", "history", limit=PAGE, before=messages[0]["seq"])["response"]
        messages = page["messages"] + messages
    return messages


def on_from_the_beginning(reader: Talker) -> list[Any]:
    """The same, as one reads it who missed everything."""
    page = reader.ask("lobby", "history", limit=PAGE, after=0)["response"]
    messages: list[Any] = page["messages"]
    while page["more"]:
        page = reader.ask("lobby", "history", limit=PAGE, after=messages[-1]["seq"])["response"]
        messages += page["messages"]
    return messages
