"""A page of history around a message, on a real server with either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.member import Member
from tests.support.server import Server


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server that holds five messages of a room, so that most pages are read from the database."""
    with Server(database, database_url=database_url, ring_size=5, greeting_size=3) as running:
        yield running


def say(member: Member, first: int, last: int) -> None:
    refs = [member.post(f"number {number}") for number in range(first, last + 1)]
    member.wait_for_answer(refs[-1])


def around(reader: Member, seq: int) -> tuple[list[int], bool, bool]:
    response = reader.ask("history", around=seq, limit=4)["response"]
    return [said["seq"] for said in response["messages"]], response["more"], response["more_after"]


def test_a_page_around_a_message_is_read_from_memory_or_from_the_database(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        say(ann, 1, 35)
    for _ in ("before a restart", "after it"):
        with Member(server.port, "lobby") as ann:
            assert around(ann, 20) == ([18, 19, 20, 21], True, True)
            assert around(ann, 32) == ([30, 31, 32, 33], True, True)  # the memory begins with 31
            assert around(ann, 34) == around(ann, 99) == ([32, 33, 34, 35], True, False)
            assert around(ann, 1) == ([1, 2, 3, 4], False, True)
            assert "more_after" not in ann.ask("history", before=20, limit=4)["response"]
            assert ann.ask("history", before=20, around=20)["response"]["field"] == "around"
        server.stop()
        server.start()
