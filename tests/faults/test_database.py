"""The database refuses for a while, or refuses one message for ever."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import FORGETFUL, PATIENT
from tests.faults.consistency import check_consistency, places
from tests.faults.crowd import Crowd
from tests.faults.outage import people_go_on_talking
from tests.support.database import forbid, refusing
from tests.support.server import Server


@contextmanager
def full(server: Server) -> Iterator[None]:
    """The server's files may not grow beyond what they are: to SQLite that is a disk that takes no more."""
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (32_768, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture
def sqlite_server(database: Path) -> Iterator[Server]:
    with Server(database, **FORGETFUL) as server:
        yield server


def test_people_go_on_talking_while_another_program_has_sqlite_locked(sqlite_server: Server) -> None:
    people_go_on_talking(sqlite_server, refusing(sqlite_server.database_url))


def test_people_go_on_talking_while_the_disk_is_full(sqlite_server: Server) -> None:
    people_go_on_talking(sqlite_server, full(sqlite_server))


def test_when_too_much_waits_to_be_saved_writers_are_asked_for_patience_and_nothing_is_lost(database: Path) -> None:
    with Server(database, max_unsaved_messages=40, **PATIENT) as server, Crowd(server.port) as crowd:
        crowd.until_more(50)
        with refusing(server.database_url):
            crowd.until(lambda: sum(len(writer.outbox) for writer in crowd.writers) == 80)
            crowd.until(lambda: {len(reader.held.messages) for reader in crowd.readers} == {crowd.acknowledged + 40})
        crowd.until_more(50)
        # What is refused is behind what is taken a moment later.
        check_consistency(crowd, server.database_url, in_order=False)


def test_a_message_that_the_database_never_takes_costs_its_own_place_and_nothing_else(server: Server) -> None:
    with Crowd(server.port) as crowd:
        crowd.until_more(50)
        forbid(server.database_url, "poison")
        with refusing(server.database_url):
            poison = crowd.say("poison")
            crowd.until(lambda: all(poison in reader.held.messages.values() for reader in crowd.readers))
            crowd.cut(crowd.readers)  # who comes back has heard what will be void
        crowd.until_more(100)
        check_consistency(crowd, server.database_url, void=1)
        assert crowd.writers[0].refused == {poison: "not_saved"}
        (void,) = [seq for seq, id in places(server.database_url, "lobby") if id is None]
    (file,) = server.database.parent.glob("*.dead-letters.jsonl")
    (letter,) = map(json.loads, file.read_text().splitlines())
    assert (letter["room"], letter["seq"], letter["id"], letter["message"]) == ("lobby", void, poison, "poison")
