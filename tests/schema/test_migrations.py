"""Migrations: what has landed stays as it is, and brings old databases up to date."""

import hashlib
import sqlite3
from pathlib import Path

import peewee

from schema import Epoch, Identity, Message, Room, open_database
from schema.database import MIGRATIONS, migrate

LANDED = {
    "0001_messages.py": "3b56b62540117ad10c445916581f2b88c90ea3d6c8ee002442b9a6ba06cdd370",
    "0002_epochs_and_identity.py": "b0b98d2e50d819e8a7627a535f80e26399ad8a891f0f99fc9ab679e140ac6b30",
}
"""SHA-256 by file. A database that has seen a migration never sees it again, so a change needs a new one."""


def test_a_migration_that_has_landed_is_never_changed() -> None:
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MIGRATIONS.glob("0*.py")}
    assert files == LANDED


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chatter.db"
    first = open_database(url)
    migrate(first)
    first.close()
    with sqlite3.connect(tmp_path / "chatter.db") as connection:  # back to what the first version had made
        connection.execute("DROP TABLE identity")
        connection.execute("DROP INDEX room_last_message_at")
        connection.execute("ALTER TABLE room DROP COLUMN last_message_at")
        connection.execute("ALTER TABLE epoch DROP COLUMN commits")
        connection.execute("DELETE FROM schema_migration WHERE name LIKE '0002%'")
        connection.execute("INSERT INTO epoch (number) VALUES (7)")
        connection.execute("INSERT INTO room (slug) VALUES ('lobby'), ('silent')")
        for seq, at in ((1, "2026-05-04"), (2, "2026-05-05")):
            connection.execute("INSERT INTO message VALUES ('lobby', ?, 7, ?, 'ann', 'hi', ?)", (seq, str(seq), at))
    database = open_database(url)
    assert migrate(database) == ["0002_epochs_and_identity"]
    assert isinstance(database, peewee.SqliteDatabase)
    assert [(room.slug, room.last_message_at) for room in Room.select().order_by(Room.slug)] == [
        ("lobby", "2026-05-05"),
        ("silent", ""),
    ]
    assert Epoch.begin() > 7
    assert len(Identity.read()) == 32
    assert len(Message.latest("lobby", 10)) == 2
    database.close()
