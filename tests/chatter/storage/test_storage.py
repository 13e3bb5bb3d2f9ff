"""The start on a database that fails: one line says what came first."""

from pathlib import Path

import pytest

from chatter.storage.storage import FilesBeside, Storage
from schema import DatabaseUnusable
from tests.support.database import query
from tests.support.templates import copy_sqlite


@pytest.fixture
def url(tmp_path: Path) -> str:
    return copy_sqlite(tmp_path / "chatter.db")


def test_a_start_names_the_error_that_a_failed_rollback_hides(url: str) -> None:
    fails = "BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END"  # as SQLite itself ends a transaction then
    query(url, f"CREATE TRIGGER full BEFORE INSERT ON epoch {fails}")
    with pytest.raises(DatabaseUnusable, match=r"^cannot write to the database: the disk is full$"):
        Storage.open(url)


def test_a_start_does_not_blame_the_database_for_a_file_beside_it(url: str) -> None:
    (identity,) = query(url, "SELECT value FROM identity")[0]
    FilesBeside(url, "", identity).spool.mkdir()
    with pytest.raises(DatabaseUnusable, match=r"^cannot use the files beside the database: .* Is a directory"):
        Storage.open(url)
