"""People answer, edit, delete, react and pin while servers, rooms and databases fail."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import SMALL_MEMORY
from tests.faults.crowd import TIRELESS, Crowd
from tests.faults.log_consistency import check_log
from tests.faults.test_rooms import FAULT_INJECTION
from tests.support.database import forbid, refusing
from tests.support.fragile_room import FAIL_AFTER, FAIL_BEFORE
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server

EDITORS: dict[str, Any] = {"writers": 0, "editors": 4, "readers": 2, "log_readers": 3}


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server with fragile rooms that keep little in memory."""
    with Server(database, database_url=database_url, authorize=FAULT_INJECTION, **SMALL_MEMORY) as started:
        yield started


@pytest.fixture
def roomy_server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server whose rooms still have a message in memory once the database is away, however long that takes."""
    options: dict[str, Any] = {**SMALL_MEMORY, "ring_size": 5_000}
    with Server(database, database_url=database_url, authorize=FAULT_INJECTION, **options) as started:
        yield started


def test_a_server_that_is_killed_repeatedly_loses_no_acknowledged_operation(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"], **EDITORS) as crowd:
        for _ in range(4):
            crowd.wait_for_more(60, "done")
            server.kill()
            server.start()
        crowd.wait_for_more(60, "done")
        check_log(crowd, server)


def test_operations_that_a_killed_server_did_not_save_are_taken_back(roomy_server: Server) -> None:
    with Crowd(roomy_server.port, **EDITORS, **TIRELESS) as crowd:
        crowd.wait_for_more(60, "done")
        for _ in range(2):
            with refusing(roomy_server.database_url):
                crowd.wait_for_more(40, "heard")
                roomy_server.kill()
            roomy_server.start()
            crowd.wait_for_more(40, "done")
        check_log(crowd, roomy_server)


def test_rooms_that_fail_at_an_operation_do_it_once(server: Server) -> None:
    with Crowd(server.port, **EDITORS) as crowd:
        crowd.wait_for_more(60, "done")
        for text in (FAIL_BEFORE, FAIL_AFTER):
            seq = crowd.editors[0].acknowledged[_said(crowd)]
            failing = crowd.operate("edit_message", seq=seq, message=text)
            crowd.wait_until(partial(_is_answered, crowd, failing))
            assert failing in crowd.editors[0].done, crowd.editors[0].refused
            crowd.wait_for_more(40, "done")
        check_log(crowd, server)
    assert server.log.count("room lobby is rebuilt") == 2


def test_an_edit_that_the_database_never_takes_is_taken_back_by_everybody(roomy_server: Server) -> None:
    forbid(roomy_server.database_url, "poison")
    with Crowd(roomy_server.port, **EDITORS) as crowd:
        crowd.wait_for_more(30, "done")
        seq = crowd.editors[0].acknowledged[_said(crowd)]
        with refusing(roomy_server.database_url):
            poison = crowd.operate("edit_message", seq=seq, message="poison")
            crowd.wait_until(lambda: all(_shows(reader, "poison") for reader in crowd.log_readers))
            crowd.cut([crowd.log_readers[0]])  # it has heard what becomes void
        crowd.wait_until(lambda: poison in crowd.editors[0].refused)
        crowd.wait_for_more(30, "done")
        assert crowd.editors[0].refused[poison] == "not_saved"
        (file,) = roomy_server.database.parent.glob("*.dead-letters.jsonl")
        file.unlink()  # it is a fault by itself
        check_log(crowd, roomy_server)


@pytest.mark.postgresql
def test_a_postgresql_that_is_killed_repeatedly_loses_no_operation(database: Path, cluster: PostgreSQL) -> None:
    url = cluster.create_database()
    with Server(database, database_url=url, **SMALL_MEMORY) as server, Crowd(server.port, **EDITORS) as crowd:
        for _ in range(3):
            crowd.wait_for_more(50, "done")
            cluster.kill()
            cluster.start()
        crowd.wait_for_more(50, "done")
        check_log(crowd, server)


def _shows(reader: Any, text: str) -> bool:
    return any(row["message"] == text for row in list(reader.client.rows.values()))


def _said(crowd: Crowd) -> str:
    """Has the first editor say something, and returns the id of that once it is acknowledged."""
    id = crowd.post("something")
    crowd.wait_until(lambda: id in crowd.editors[0].acknowledged)
    return id


def _is_answered(crowd: Crowd, operation: str) -> bool:
    return operation not in crowd.editors[0].outbox
