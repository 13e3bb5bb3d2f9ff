"""Backups of SQLite and their restore: what a busy server, a full disk and a kill in between leave behind."""

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from chatter.storage.backup import back_up
from schema import Epoch, open_database
from schema.database import migrate


class Place:
    """A migrated database in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.file = folder / "chatter.db"
        self.url = f"sqlite:///{self.file}"
        database = open_database(self.url)
        migrate(database)
        self.epoch = Epoch.begin()
        database.close()

    def run(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute(statement)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def commit_until(done: threading.Event, file: Path, deadline: float) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as connection:
        connection.execute("PRAGMA synchronous = off")
        while not done.is_set() and time.monotonic() < deadline:
            connection.execute("UPDATE epoch SET commits = commits + 1")


def test_a_backup_ends_while_the_server_commits(place: Place, tmp_path: Path) -> None:
    place.run("CREATE TABLE large AS SELECT zeroblob(20000000) AS bytes")
    done, deadline = threading.Event(), time.monotonic() + 15
    writer = threading.Thread(target=commit_until, args=(done, place.file, deadline))
    writer.start()
    try:
        back_up(place.url, "", tmp_path / "backup")
    finally:
        done.set()
        writer.join()
    assert time.monotonic() < deadline
