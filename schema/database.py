"""Opening the database: SQLite by a path or URL, PostgreSQL by a URL; and bringing its tables up to date."""

import importlib.util
import re
from pathlib import Path
from typing import TypeAlias

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

from schema.base import database as proxy

Database: TypeAlias = peewee.Database

MIGRATIONS = Path(__file__).parent / "migrations"

SQLITE_PRAGMAS = {
    "journal_mode": "wal",  # readers and the writer do not wait for each other
    "synchronous": "full",  # committed survives power loss; the group commit pays for it
}

SQLITE_LOCK_TIMEOUT = 1.0
"""Seconds that SQLite waits for another program's lock before it says so; a commit is tried again after that."""


class DatabaseUnusable(Exception):
    """The database cannot be opened or must not be used. The message is one line for a person."""


def open_database(url: str) -> Database:
    """Connect to the database at `url`, make it that of all models, and return it.

    `url` is `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user:password@host:port/name`.
    SQLite files and their folder are created. Raises `DatabaseUnusable`.
    """
    try:
        database = _connect(url)
        database.connect()
    except (peewee.PeeweeException, OSError, RuntimeError, ValueError, ImportError) as error:
        raise DatabaseUnusable(f"cannot open the database {_without_password(url)}: {_one_line(error)}") from error
    proxy.initialize(database)
    return database


def migrate(database: Database) -> list[str]:
    """Apply the migrations that `database` has not seen, oldest first, and return their names.

    Raises `DatabaseUnusable` when the database has seen one that this program does not know, or one fails.
    """
    runner = Runner(database, str(MIGRATIONS))
    try:
        unknown = [step.name for step in runner.status() if step.path is None]
        if unknown:
            raise DatabaseUnusable(f"the database is newer than this program: it has {', '.join(unknown)}")
        return list(runner.up())
    except peewee.PeeweeException as error:
        raise DatabaseUnusable(f"cannot bring the database up to date: {_one_line(error)}") from error


def _connect(url: str) -> Database:
    scheme, _, rest = url.partition("://")
    match scheme:
        case "sqlite":
            return _sqlite(rest)
        case "postgresql" | "postgres":
            _require_psycopg()
            database: Database = db_url.connect(url, unquote_user=True, unquote_password=True, prefer_psycopg3=True)
            return database
        case _:
            raise ValueError(f"expected sqlite:///… or postgresql://…, got {scheme or 'nothing'}://")


def _sqlite(rest: str) -> Database:
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path:
        raise ValueError("expected sqlite:///relative/path or sqlite:////absolute/path")
    if path.startswith(":memory:"):
        raise ValueError("a database in memory cannot be shared by the threads that read and write")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return peewee.SqliteDatabase(path, pragmas=SQLITE_PRAGMAS, timeout=SQLITE_LOCK_TIMEOUT)


def _require_psycopg() -> None:
    if importlib.util.find_spec("psycopg") is None:
        raise ImportError("PostgreSQL needs the package psycopg: pip install 'chatter[postgresql]'")


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", url)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
