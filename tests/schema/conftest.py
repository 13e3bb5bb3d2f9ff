"""A database with its tables, made for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schema import Database, open_database
from schema.database import migrate


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/chatter.db")
    migrate(opened)
    yield opened
    opened.close()
