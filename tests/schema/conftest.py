"""Makes a database with its tables for each test: SQLite, then PostgreSQL."""

from collections.abc import Iterator

import pytest

from schema import Database, open_database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()
