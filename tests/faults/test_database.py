"""The database refuses all messages for a while, or one message for ever."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import SMALL_MEMORY
from tests.faults.consistency import check_consistency, places
from tests.faults.crowd import Crowd
from tests.faults.outage import check_outage
from tests.support.database import forbid, refusing
from tests.support.server import Server


@contextmanager
def disk_full(server: Server) -> Iterator[None]:
    """Fills the disk: a limit on the size of the server's files makes SQLite say so."""
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (32_768, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture
def sqlite_server(database: Path) -> Iterator[Server]:
    with Server(database, **SMALL_MEMORY) as server:
        yield server


def test_posts_are_broadcast_while_another_program_locks_sqlite_and_saved_later(sqlite_server: Server) -> None:
    check_outage(sqlite_server, refusing(sqlite_server.database_url))


def test_posts_are_broadcast_while_the_disk_is_full_and_saved_later(sqlite_server: Server) -> None:
    check_outage(sqlite_server, disk_full(sqlite_server))


def test_posts_beyond_what_may_wait_to_be_saved_are_refused_and_repeated_later(database: Path) -> None:
    with Server(database, max_unsaved_messages=40) as server, Crowd(server.port) as crowd:
        crowd.wait_for_more(50)
        with refusing(server.database_url):
            crowd.wait_until(lambda: sum(len(writer.outbox) for writer in crowd.writers) == 80)
            crowd.wait_until(
                lambda: {len(reader.history.messages) for reader in crowd.readers} == {crowd.acknowledged + 40}
            )
        crowd.wait_for_more(50)
        # A refused post is repeated, and comes after later ones that were accepted.
        check_consistency(crowd, server.database_url, in_order=False)


def test_a_message_that_the_database_never_takes_becomes_a_void_place(server: Server) -> None:
    with Crowd(server.port) as crowd:
        crowd.wait_for_more(50)
        forbid(server.database_url, "poison")
        with refusing(server.database_url):
            poison = crowd.post("poison")
            crowd.wait_until(lambda: all(poison in reader.history.messages.values() for reader in crowd.readers))
            crowd.cut(crowd.readers)  # they have heard the message that becomes void
        crowd.wait_for_more(100)
        check_consistency(crowd, server.database_url, void=1)
        assert crowd.writers[0].refused == {poison: "not_saved"}
        (void,) = [seq for seq, id in places(server.database_url, "lobby") if id is None]
    (file,) = server.database.parent.glob("*.dead-letters.jsonl")
    (letter,) = map(json.loads, file.read_text().splitlines())
    assert (letter["room"], letter["seq"], letter["id"], letter["message"]) == ("lobby", void, poison, "poison")
