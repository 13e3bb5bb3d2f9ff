"""Opens the database, SQLite or PostgreSQL by its URL, and migrates its tables."""

import importlib.util
import re
from pathlib import Path
from typing import Any, TypeAlias

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

from schema.base import database as proxy

Database: TypeAlias = peewee.Database

MIGRATIONS = Path(__file__).parent / "migrations"

SQLITE_PRAGMAS = {
    "journal_mode": "wal",  # readers and the writer do not block each other
}

SQLITE_LOCK_TIMEOUT = 1.0
"""Seconds that SQLite waits for another program's lock before it fails; a commit is tried again after that."""


class DatabaseUnusable(Exception):
    """The database cannot be opened or must not be used. The message is one line for a person."""


def open_database(url: str, sqlite_synchronous: str = "full") -> Database:
    """Connects to the database at `url`, binds all models to it, and returns it.

    `url` is `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user:password@host:port/name`.
    A SQLite file and its folder are created. With `sqlite_synchronous` "full" what is committed survives power loss,
    at a cost that group commits share; with "normal" only the end of the program. Raises `DatabaseUnusable`.
    """
    try:
        database = connect(url, sqlite_synchronous=sqlite_synchronous)
        database.connect()
    except (peewee.PeeweeException, OSError, RuntimeError, ValueError, ImportError) as error:
        raise DatabaseUnusable(f"cannot open the database {_without_password(url)}: {_one_line(error)}") from error
    proxy.initialize(database)
    return database


def migrate(database: Database) -> list[str]:
    """Applies the migrations that `database` has not seen, oldest first, and returns their names.

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


def sqlite_path(url: str) -> Path | None:
    """Returns the file that a SQLite `url` names; None for another database. Raises `ValueError`."""
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        return None
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path:
        raise ValueError("expected sqlite:///relative/path or sqlite:////absolute/path")
    if path.startswith(":memory:"):
        raise ValueError("a database in memory cannot be shared by the threads that read and write")
    return Path(path)


def connect(url: str, *, sqlite_synchronous: str = "full", **options: Any) -> Database:
    """Returns the database at `url`, not connected yet; `options` are Peewee's. Raises `ValueError`, `ImportError`."""
    path = sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        pragmas = {**SQLITE_PRAGMAS, "synchronous": sqlite_synchronous}
        return peewee.SqliteDatabase(str(path), pragmas=pragmas, timeout=SQLITE_LOCK_TIMEOUT, **options)
    scheme, _, _ = url.partition("://")
    if scheme not in ("postgresql", "postgres"):
        raise ValueError(f"expected sqlite:///… or postgresql://…, got {scheme or 'nothing'}://")
    _require_psycopg()
    database: Database = db_url.connect(url, unquote_user=True, unquote_password=True, prefer_psycopg3=True, **options)
    return database


def _require_psycopg() -> None:
    if importlib.util.find_spec("psycopg") is None:
        raise ImportError("PostgreSQL needs the package psycopg: pip install 'chatter[postgresql]'")


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", url)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
