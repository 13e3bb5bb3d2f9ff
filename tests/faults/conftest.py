"""Starts servers and a PostgreSQL for tests that break them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.crowd import PAGE_SIZE
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server

SMALL_MEMORY: dict[str, Any] = {
    "ring_size": 20,
    "id_memory_size": 20,
    "max_recovery_page": PAGE_SIZE,
}
"""Settings of a server whose rooms keep little in memory.

They often read missed messages and earlier ids from the database.
"""


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server that keeps little in memory, on SQLite or PostgreSQL."""
    with Server(database, database_url=database_url, **SMALL_MEMORY) as started:
        yield started


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    """Starts a PostgreSQL that tests may stop and kill."""
    with PostgreSQL() as cluster:
        yield cluster
