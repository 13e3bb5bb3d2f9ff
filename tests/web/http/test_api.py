"""The HTTP API: `/healthz` for operators, `/api/rooms` for the page."""

import asyncio
import contextlib
import itertools
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
from web.http.api import Shared

Join: TypeAlias = Callable[..., "Guest"]


class Guest:
    """Guest is a client in one room."""

    def __init__(self, server: Server, room: str, **params: str) -> None:
        self._room = room
        self._talker = Talker(server.port)
        self._talker.join(room, **params)

    def post(self, message: str) -> str:
        """Posts a message, waits for its commit, and returns its `inserted_at`."""
        answer = self._talker.ask(self._room, "new_message", name="ann", message=message)
        inserted_at: str = answer["response"]["inserted_at"]
        return inserted_at

    def leave(self) -> None:
        self._talker.ask(self._room, "phx_leave")

    def disconnect(self) -> None:
        """Closes the connection without leaving the room."""
        self._talker.websocket.connection.close()


@pytest.fixture
def join(server: Server) -> Iterator[Join]:
    """Returns a function: `join("lobby", name="ann")` connects a guest to that room."""
    with contextlib.ExitStack() as guests:

        def join(room: str, **params: str) -> Guest:
            guest = Guest(server, room, **params)
            guests.callback(guest.disconnect)
            return guest

        yield join


def health(server: Server) -> Response:
    return request(server.port, "GET", "/healthz")


def rooms(server: Server) -> list[dict[str, Any]]:
    answer = request(server.port, "GET", "/api/rooms")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    listed: list[dict[str, Any]] = answer.json["rooms"]
    return listed


def people_by_room(server: Server) -> dict[str, int]:
    return {room["name"]: room["people"] for room in rooms(server)}


# ---------------------------------------------------------------- health


def test_a_healthy_server_answers_ok(server: Server) -> None:
    answer = health(server)
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


@contextlib.contextmanager
def overwritten(url: str) -> Iterator[None]:
    """Overwrites the database file with text meanwhile."""
    database = Path(url.removeprefix("sqlite:///"))
    good = database.read_bytes()
    database.write_bytes(b"This is no database. " * (len(good) // 20))
    yield
    database.write_bytes(good)


REASONS = ["the database does not answer, as the log says", "the database did not answer within 2 s"]
"""What everybody may know: the error itself may name the database's host and user."""


@pytest.mark.alone
@pytest.mark.parametrize("broken", [overwritten, locked])
def test_a_server_is_unhealthy_while_its_database_does_not_answer(
    database: Path, broken: Callable[[str], contextlib.AbstractContextManager[None]]
) -> None:
    with Server(database, accounts="off") as server:  # accounts keep a connection, beside which nobody gets this lock
        with broken(server.database_url):
            answer = health(server)
            assert (answer.status, answer.json["status"]) == (503, "unavailable")
            assert answer.json["reason"] in REASONS
            assert request(server.port, "GET", "/api/rooms").status == 503
        wait_until(lambda: health(server).status == 200)
        wait_until(lambda: request(server.port, "GET", "/api/rooms").json == {"rooms": []})


@pytest.mark.alone
def test_a_server_is_unhealthy_while_it_cannot_save(server: Server) -> None:
    with Member(server.port, "lobby") as ann, refusing(server.database_url):
        ann.post("hello")
        wait_until(lambda: health(server).json.get("reason", "").startswith("saving is behind: 1 messages wait"))
        assert health(server).status == 503
    wait_until(lambda: health(server).status == 200)


# ---------------------------------------------------------------- rooms


def test_a_new_server_has_no_rooms(server: Server) -> None:
    assert rooms(server) == []


def test_a_room_is_listed_with_its_last_message_and_its_people(server: Server, join: Join) -> None:
    ann = join("lobby", name="ann")
    ann.post("hello")
    last = ann.post("anybody here?")
    assert rooms(server) == [
        {"name": "lobby", "seq": 2, "nth": 2, "last_message_at": last, "people": 1, "kind": "public", "title": ""}
    ]


def test_rooms_are_listed_by_their_last_message_the_latest_first(server: Server, join: Join) -> None:
    guests = {room: join(room) for room in ("a", "b", "c")}
    for room in ("a", "c", "b", "a"):
        guests[room].post("hello")
    assert [room["name"] for room in rooms(server)] == ["a", "b", "c"]


def test_a_room_without_messages_is_listed_last_while_somebody_is_in_it(server: Server, join: Join) -> None:
    quiet = join("quiet")
    join("loud").post("hello")
    assert [(room["name"], room["seq"], room["last_message_at"] is None) for room in rooms(server)] == [
        ("loud", 1, False),
        ("quiet", 0, True),
    ]
    quiet.leave()
    wait_until(lambda: people_by_room(server) == {"loud": 1})


def test_a_name_is_counted_once_and_each_client_without_a_name_too(server: Server, join: Join) -> None:
    phone = join("lobby", name="ann")
    join("lobby", name="ann")
    join("lobby", name="bo")
    join("lobby")
    nobody = join("lobby")
    assert people_by_room(server) == {"lobby": 4}
    phone.disconnect()
    nobody.disconnect()
    wait_until(lambda: people_by_room(server) == {"lobby": 3})


def test_rooms_are_listed_after_a_restart(server: Server, join: Join) -> None:
    ann = join("lobby")
    last = ann.post("hello")
    ann.disconnect()
    server.stop()
    server.start()
    assert rooms(server) == [
        {"name": "lobby", "seq": 1, "nth": 1, "last_message_at": last, "people": 0, "kind": "public", "title": ""}
    ]


@pytest.mark.alone
def test_the_hundred_rooms_with_the_latest_messages_are_listed(server: Server, database: Path, join: Join) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for number in range(120):
            room, at = f"room-{number:03}", f"2026-01-01T00:00:00.{number:06}Z"
            found = connection.execute(
                "insert into room (slug, last_seq, last_nth, last_message_at) values (?, 1, 1, ?) returning id",
                [room, at],
            ).fetchone()
            said = [*found, 1, f"id-{number}", "ann", "hello", at]
            connection.execute(
                "insert into entry (room, epoch, kind, nth, seq, id, name, message, inserted_at)"
                " values (?, 0, 0, 1, ?, ?, ?, ?, ?)",
                said,
            )
    join("silent")
    assert [room["name"] for room in rooms(server)] == [f"room-{number:03}" for number in range(119, 19, -1)]


def test_a_page_of_a_foreign_name_that_is_pointed_here_is_told_no_rooms(server: Server) -> None:
    answer = request(server.port, "GET", "/api/rooms", headers={"Host": f"evil.example:{server.port}"})
    assert (answer.status, answer.json) == (403, {"errors": {"detail": "Forbidden"}})


@pytest.mark.parametrize(
    ("address", "method"),
    [*(("/healthz", method) for method in ("POST", "PUT", "DELETE")), ("/api/rooms", "PUT"), ("/api/rooms", "DELETE")],
)
def test_other_methods_are_not_allowed(server: Server, method: str, address: str) -> None:
    answer = request(server.port, method, address, {"Origin": server.url})
    assert (answer.status, answer.json) == (405, {"errors": {"detail": "Method Not Allowed"}})


# ---------------------------------------------------------------- shared answers


def test_all_who_ask_at_once_share_one_answer_also_if_one_hangs_up() -> None:
    reads: list[asyncio.Future[str]] = []

    def read() -> asyncio.Future[str]:
        reads.append(asyncio.get_running_loop().create_future())
        return reads[-1]

    async def play() -> list[str]:
        shared = Shared(read)
        askers = [asyncio.ensure_future(shared.get()) for _ in range(5)]
        await asyncio.sleep(0)
        askers.pop().cancel()
        reads[0].set_result("well")
        answers = await asyncio.gather(*askers)
        return [*answers, await shared.get()]

    assert asyncio.run(play()) == ["well"] * 5
    assert len(reads) == 1


def test_an_answer_is_shared_for_a_second_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> list[int]:
        numbers = itertools.count(1)

        async def read() -> int:
            return next(numbers)

        shared, answers = Shared(read), []
        for now in (100.0, 100.9, 101.0, 101.9, 105.0):
            with monkeypatch.context() as patch:
                patch.setattr(shared, "_loop", FixedClock(now))
                answers.append(await shared.get())
        return answers

    assert asyncio.run(play()) == [1, 1, 2, 2, 3]


class FixedClock:
    """Plays the loop's clock."""

    def __init__(self, now: float) -> None:
        self._now = now

    def time(self) -> float:
        return self._now
