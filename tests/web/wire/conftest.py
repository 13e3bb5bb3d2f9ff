"""Two servers for all of these tests, so each test has a room of its own."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server
from tests.web.wire.clients import HASTE, Clients, clients_of

ADMITS = "tests.web.wire.hooks:admits"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is asked about everything but time."""
    database = tmp_path_factory.mktemp("wire") / "chatter.db"
    with Server(database, authorize=ADMITS, allowed_origins="https://ok.example", poll_window=5) as running:
        yield running


@pytest.fixture(scope="session")
def hasty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose patience a test can wait out."""
    database = tmp_path_factory.mktemp("hasty") / "chatter.db"
    with Server(database, idle_timeout=HASTE, poll_window=HASTE) as running:
        yield running


@pytest.fixture
def clients(server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """The server, with nobody there yet."""
    yield from clients_of(server, request)


@pytest.fixture
def hasty_clients(hasty_server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """The hasty server, with nobody there yet."""
    yield from clients_of(hasty_server, request)
