"""Makes a database with its tables for each test: SQLite, then PostgreSQL."""

from collections.abc import Iterator

import pytest

from schema import Database, open_database
from schema.database import migrate


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    migrate(opened)
    yield opened
    opened.close()
