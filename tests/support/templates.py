"""Databases that have their tables already: each is a copy of one that was migrated."""

import secrets
import tempfile
from functools import cache
from pathlib import Path

import peewee

from schema.database import connect, migrate

IDENTITY = "SELECT value FROM identity"

NO_WAL = b"\1\1"
"""Two bytes of a SQLite file's header, for one that has no log beside it: memory has none."""


def copy_sqlite(file: Path) -> str:
    """Makes a SQLite file with the tables and an identity of its own, and returns its URL."""
    content, identity = _sqlite_template()
    file.touch(0o600)  # as the program makes it
    file.write_bytes(content.replace(identity.encode(), new_identity().encode()))
    return f"sqlite:///{file}"


def fill_in_memory(database: peewee.SqliteDatabase) -> None:
    """Gives an empty SQLite database in memory the tables."""
    content, _ = _sqlite_template()
    database.connection().deserialize(content[:18] + NO_WAL + content[20:])


def new_identity() -> str:
    """Returns an identity that no other database has."""
    return secrets.token_hex(16)


def migrate_empty(url: str) -> str:
    """Gives an empty database its tables, and returns its identity. Models stay bound to the database of the test."""
    database = connect(url)
    with database.connection_context():
        migrate(database)
        return str(database.execute_sql(IDENTITY).fetchone()[0])


@cache
def _sqlite_template() -> tuple[bytes, str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        file.touch()
        identity = migrate_empty(f"sqlite:///{file}")
        return file.read_bytes(), identity
