"""The check: it names each kind of damage in one line, on both databases, and changes nothing."""

import contextlib
import json
import sqlite3
from pathlib import Path

import peewee
import pytest

from chatter.storage.backup import BackupFailed, back_up, restore
from chatter.storage.check import check
from chatter.storage.storage import FilesBeside
from schema import DatabaseUnusable, Entry, EntryRow, Epoch, Fence, Identity, open_database
from schema.base import database as bound
from schema.database import check_integrity
from tests.support.database import locked, query
from tests.support.postgresql import PostgreSQL
from tests.support.templates import copy_sqlite

AT = "2026-05-04T12:00:00.000000Z"


class Place:
    """A database with ten messages in a room, and the files beside it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        database = open_database(url)
        fence = Fence(Epoch.begin())
        rows = [EntryRow(n, f"id-{n}", "ann", f"number {n} {'x' * 40}", AT) for n in range(1, 301)]
        Entry.save_all([("lobby", fence.epoch, rows)], fence)
        identity = Identity.read()
        database.close()
        self.epoch = fence.epoch
        self.files = FilesBeside(url, str(folder), identity)
        self.line = {"version": 2, "database": identity, "room": "lobby", "epoch": self.epoch, **rows[0]._asdict()}

    def check(self) -> list[str]:
        return check(self.url, str(self.folder))


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(copy_sqlite(tmp_path / "chatter.db"), tmp_path)


@pytest.mark.parametrize(
    ("damage", "faults"),
    [
        ("SELECT 1", []),
        ("DELETE FROM entry WHERE seq = 1", ["room lobby begins at 2"]),
        ("DELETE FROM entry WHERE seq = 5", ["room lobby lacks 1 of the places from 1 to 300"]),
        ("UPDATE entry SET epoch = epoch - 5", ["room lobby has messages of epoch {before}, which has not begun"]),
        ("DELETE FROM epoch", ["room lobby has messages of epoch {epoch}, which has not begun"]),
        ("DELETE FROM identity", ["the database has 0 identities, not 1"]),
        ("INSERT INTO identity VALUES ('zzz')", ["the database has 2 identities, not 1"]),
        ("DELETE FROM room", ["room number 1 has messages, and is not in the table of rooms"]),
        ("UPDATE room SET last_seq = 299", ["room lobby ends at 300, and is said to end at 299"]),
        ("UPDATE entry SET name = '' WHERE seq = 7", ["room lobby: the void place 7 has a text"]),
        (
            "INSERT INTO post (room, seq, changed, deleted_at) VALUES (1, 7, 9, 'now')",
            ["room lobby: the deleted message 7 has a text"],
        ),
        (
            "DROP INDEX entry_room_name_id; UPDATE entry SET id = 'id-1' WHERE seq = 3",
            [
                "the table entry lacks its unique index on room, name, id",
                "room lobby has 2 messages of ann with the id id-1",
            ],
        ),
        ("DROP INDEX room_last_message_at", ["the table room lacks its index on last_message_at"]),
    ],
)
def test_each_fault_is_one_line(place: Place, damage: str, faults: list[str]) -> None:
    for statement in damage.split("; "):
        query(place.url, statement)
    assert place.check() == [fault.format(epoch=place.epoch, before=place.epoch - 5) for fault in faults]


@pytest.mark.postgresql
def test_a_primary_key_that_is_gone_is_a_fault(postgresql: PostgreSQL, tmp_path: Path) -> None:
    place = Place(postgresql.create_database(), tmp_path)
    query(place.url, "ALTER TABLE entry DROP CONSTRAINT entry_pkey")
    assert place.check() == ["the table entry lacks its primary key (room, seq)"]


def test_a_number_that_is_text_is_a_fault(sqlite_place: Place) -> None:
    query(sqlite_place.url, "UPDATE entry SET seq = 'abc' WHERE seq = 300")
    assert "room lobby, place abc: expected seq as integer, got text" in sqlite_place.check()


def test_an_index_that_differs_from_its_table_is_a_fault(sqlite_place: Place) -> None:
    path = sqlite_place.folder / "chatter.db"
    content = path.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    pages = [content[start : start + size] for start in range(0, len(content), size)]
    index_leaf = b"\x0a"
    damaged = [page.replace(b"annid-123", b"annid-12:") if page[:1] == index_leaf else page for page in pages]
    path.write_bytes(b"".join(damaged))
    assert query(sqlite_place.url, "PRAGMA quick_check") == [("ok",)]
    assert any("the database is damaged (row" in fault for fault in sqlite_place.check())


@pytest.mark.parametrize("kind", ["spool", "first_spool", "dead_letters"])
def test_a_file_that_cannot_be_read_is_a_fault(place: Place, kind: str) -> None:
    path: Path = getattr(place.files, kind)
    path.mkdir()
    assert f"{path} cannot be read: Is a directory" in place.check()


def test_a_line_that_cannot_be_read_is_a_fault(place: Place) -> None:
    deep, later = "[" * 100_000, json.dumps({**place.line, "epoch": place.epoch + 1})
    place.files.spool.write_text(f"{deep}\n{later}\n{json.dumps(place.line)}\n")
    place.files.dead_letters.write_text(f"{deep}\n")
    of_files = [fault.partition(", line ")[2] for fault in place.check() if ", line " in fault]
    assert [fault[:20] for fault in of_files] == [
        "1: maximum recursion",
        "2: expected an epoch",
        "1 is a dead letter: ",
    ]


def test_a_check_of_a_backup_leaves_it_as_it_is(sqlite_place: Place) -> None:
    backup = sqlite_place.folder / "backup"
    back_up(sqlite_place.url, "", backup)
    before = {file.name: file.read_bytes() for file in backup.iterdir()}
    assert check(f"sqlite:///{backup}/chatter.db", "") == []
    assert {file.name: file.read_bytes() for file in backup.iterdir()} == before


def test_a_check_reads_what_is_in_the_log(sqlite_place: Place) -> None:
    with contextlib.closing(sqlite3.connect(sqlite_place.folder / "chatter.db", isolation_level=None)) as server:
        server.execute("DELETE FROM entry WHERE seq = 1")
        assert sqlite_place.check() == ["room lobby begins at 2"]


def test_a_file_that_is_no_database_is_damaged(sqlite_place: Place) -> None:
    (sqlite_place.folder / "chatter.db").write_bytes(b"no database" * 1_000)
    assert sqlite_place.check() == [
        "the database is damaged (file is not a database): restore a backup with `chatter restore`"
    ]


def test_a_database_that_is_locked_is_not_called_damaged(sqlite_place: Place) -> None:
    opened = open_database(sqlite_place.url)
    opened.close()
    assert isinstance(opened, peewee.SqliteDatabase)
    opened.timeout = 0.01
    query(sqlite_place.url, "PRAGMA journal_mode = delete")
    of_lock = "cannot read the database: database is locked"
    with locked(sqlite_place.url), pytest.raises(DatabaseUnusable, match=of_lock):
        check_integrity(opened)
    bound.close()


def test_a_copy_that_cannot_be_read_is_not_called_damaged(sqlite_place: Place) -> None:
    backup = sqlite_place.folder / "backup"
    back_up(sqlite_place.url, "", backup)
    (backup / "chatter.db").unlink()
    (backup / "chatter.db").mkdir()
    with pytest.raises(BackupFailed, match="cannot be read: disk I/O error"):
        restore(sqlite_place.url, "", backup)
