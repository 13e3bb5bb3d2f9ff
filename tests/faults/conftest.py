"""A server to break, on a database of each kind in turn; and a PostgreSQL to break."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.crowd import PAGE
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server

PATIENT: dict[str, Any] = {"idle_timeout": 600}
"""Settings of a server that bears the crowd's silence: its readers send no heartbeats."""

FORGETFUL: dict[str, Any] = PATIENT | {"ring_size": 20, "id_memory_size": 20, "max_recovery_page": PAGE}
"""Settings of one that has to ask its database again and again: for what was missed, and for what was said."""


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """A forgetful server that is ready, on SQLite or PostgreSQL."""
    with Server(database, database_url=database_url, **FORGETFUL) as started:
        yield started


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    """A PostgreSQL that tests may stop and kill."""
    with PostgreSQL() as cluster:
        yield cluster
