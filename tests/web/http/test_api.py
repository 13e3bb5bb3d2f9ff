"""What operators and the page ask over plain HTTP: is the server well, which rooms are there."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.database import locked, refusing
from tests.support.member import Member
from tests.support.phoenix_client import Response, request
from tests.support.server import Server, wait_until
from tests.support.talker import Talker

Come: TypeAlias = Callable[..., "Guest"]


class Guest:
    """A client in a room."""

    def __init__(self, server: Server, room: str, **params: str) -> None:
        self._room = room
        self._talker = Talker(server.port)
        self._talker.join(room, **params)

    def say(self, message: str) -> str:
        """Say something; returns when it was said, once it is committed."""
        answer = self._talker.ask(self._room, "new_message", name="ann", message=message)
        said_at: str = answer["response"]["inserted_at"]
        return said_at

    def leave(self) -> None:
        self._talker.ask(self._room, "phx_leave")

    def vanish(self) -> None:
        """Cut the connection."""
        self._talker.websocket.connection.close()


@pytest.fixture
def come(server: Server) -> Iterator[Come]:
    """`come("lobby", name="ann")` is a guest in that room."""
    with contextlib.ExitStack() as guests:

        def come(room: str, **params: str) -> Guest:
            guest = Guest(server, room, **params)
            guests.callback(guest.vanish)
            return guest

        yield come


def health(server: Server) -> Response:
    return request(server.port, "GET", "/healthz")


def rooms(server: Server) -> list[dict[str, Any]]:
    answer = request(server.port, "GET", "/api/rooms")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    listed: list[dict[str, Any]] = answer.json["rooms"]
    return listed


def people(server: Server) -> dict[str, int]:
    return {room["name"]: room["people"] for room in rooms(server)}


# ---------------------------------------------------------------- health


def test_a_server_that_is_well_says_so(server: Server) -> None:
    answer = health(server)
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


@contextlib.contextmanager
def ruined(url: str) -> Iterator[None]:
    """The file is no database for a while."""
    database = Path(url.removeprefix("sqlite:///"))
    good = database.read_bytes()
    database.write_bytes(b"This is no database. " * (len(good) // 20))
    yield
    database.write_bytes(good)


@pytest.mark.parametrize("broken", [ruined, locked])
def test_a_server_whose_database_does_not_answer_says_so_and_is_well_again_when_it_does(
    server: Server, broken: Callable[[str], contextlib.AbstractContextManager[None]]
) -> None:
    with broken(server.database_url):
        answer = health(server)
        assert (answer.status, answer.json["status"]) == (503, "unavailable")
        assert answer.json["reason"].startswith("the database d")
        assert request(server.port, "GET", "/api/rooms").status == 503
    wait_until(lambda: health(server).status == 200)
    assert rooms(server) == []


def test_a_server_that_cannot_save_says_so_and_is_well_again_when_it_can(server: Server) -> None:
    with Member(server.port, "lobby") as ann, refusing(server.database_url):
        ann.post("hello")
        wait_until(lambda: health(server).status == 503)
        assert health(server).json["reason"].startswith("saving is behind: 1 messages wait")
    wait_until(lambda: health(server).status == 200)


# ---------------------------------------------------------------- rooms


def test_a_server_in_which_nothing_happened_has_no_rooms(server: Server) -> None:
    assert rooms(server) == []


def test_a_room_is_listed_with_its_last_message_and_its_people(server: Server, come: Come) -> None:
    ann = come("lobby", name="ann")
    ann.say("hello")
    last = ann.say("anybody here?")
    assert rooms(server) == [{"name": "lobby", "last_message_at": last, "people": 1}]


def test_rooms_come_in_the_order_of_their_last_messages_the_latest_first(server: Server, come: Come) -> None:
    guests = {room: come(room) for room in ("a", "b", "c")}
    for room in ("a", "c", "b", "a"):
        guests[room].say("hello")
    assert [room["name"] for room in rooms(server)] == ["a", "b", "c"]


def test_a_room_in_which_nothing_was_said_is_listed_last_while_somebody_is_there(server: Server, come: Come) -> None:
    quiet = come("quiet")
    come("loud").say("hello")
    assert [(room["name"], room["last_message_at"] is None) for room in rooms(server)] == [
        ("loud", False),
        ("quiet", True),
    ]
    quiet.leave()
    wait_until(lambda: people(server) == {"loud": 1})


def test_one_who_is_there_twice_is_counted_once_and_each_without_a_name_for_himself(server: Server, come: Come) -> None:
    phone = come("lobby", name="ann")
    come("lobby", name="ann")
    come("lobby", name="bo")
    come("lobby")
    nobody = come("lobby")
    assert people(server) == {"lobby": 4}
    phone.vanish()
    nobody.vanish()
    wait_until(lambda: people(server) == {"lobby": 3})


def test_rooms_are_listed_after_a_restart_too(server: Server, come: Come) -> None:
    ann = come("lobby")
    last = ann.say("hello")
    ann.vanish()
    server.stop()
    server.start()
    assert rooms(server) == [{"name": "lobby", "last_message_at": last, "people": 0}]


def test_no_more_than_a_hundred_rooms_are_listed_those_last_spoken_in(
    server: Server, database: Path, come: Come
) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for number in range(120):
            connection.execute("insert into room values (?)", [f"room-{number:03}"])
            said = [f"room-{number:03}", 1, f"id-{number}", "ann", "hello", f"2026-01-01T00:00:00.{number:06}Z"]
            connection.execute(
                "insert into message (room, epoch, seq, id, name, message, inserted_at) values (?, 0, ?, ?, ?, ?, ?)",
                said,
            )
    come("silent")
    assert [room["name"] for room in rooms(server)] == [f"room-{number:03}" for number in range(119, 19, -1)]


@pytest.mark.parametrize("address", ["/healthz", "/api/rooms"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_there_is_nothing_to_change(server: Server, method: str, address: str) -> None:
    answer = request(server.port, method, address)
    assert (answer.status, answer.json) == (405, {"errors": {"detail": "Method Not Allowed"}})
