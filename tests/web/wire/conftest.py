"""Starts two servers for all of these tests: each test has a room of its own."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server
from tests.web.rooms.conftest import People
from tests.web.wire.clients import SHORT_TIMEOUT, Clients, clients_of

AUTHORIZE = "tests.web.wire.hooks:authorize"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts the server for all tests but those of time-outs."""
    database = tmp_path_factory.mktemp("wire") / "chatter.db"
    options = {"authorize": AUTHORIZE, "allowed_origins": "https://ok.example", "poll_window": 60, "sign_up": "open"}
    with Server(database, **options) as running:  # type: ignore[arg-type]
        people = People(running)
        _fill(people)
        yield running
        people.hang_up()


def _fill(people: People) -> None:
    """Fills private rooms with people who talk: whoever knows nothing of them hears what they always did."""
    ann, bo = people(), people()
    rooms = [ann.makes_room(f"Room {number}", members=[bo.handle]) for number in range(5)]
    rooms.append(ann.asks("POST", "/api/direct", {"handle": bo.handle}).json["slug"])
    for room in rooms:
        for person in (ann, bo):
            person.joins(room, name="here")
            assert person.tries(room, "new_message", message=f"hello @{ann.handle}") == "ok"


@pytest.fixture(scope="session")
def short_timeout_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts a server whose time-outs are short enough for a test to wait for."""
    database = tmp_path_factory.mktemp("short-timeout") / "chatter.db"
    with Server(database, idle_timeout=SHORT_TIMEOUT, poll_window=SHORT_TIMEOUT) as running:
        yield running


@pytest.fixture
def clients(server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Returns the clients of the server; none is connected yet."""
    yield from clients_of(server, request)


@pytest.fixture
def short_timeout_clients(short_timeout_server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Returns the clients of the server with short time-outs; none is connected yet."""
    yield from clients_of(short_timeout_server, request)
