"""A server to break, on a database of each kind in turn; and a PostgreSQL to break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import PostgreSQL
from tests.support.server import Server


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """A server that is ready, on SQLite or PostgreSQL."""
    with Server(database, database_url=database_url) as started:
        yield started


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    """A PostgreSQL that tests may stop and kill."""
    with PostgreSQL() as cluster:
        yield cluster
