"""Reads a server's database from outside, locks it, makes it refuse messages."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.support.server import PATIENCE


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Returns the rows that `statement` gives."""
    if url.startswith("sqlite"):
        with contextlib.closing(_sqlite(url)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url, autocommit=True, connect_timeout=int(PATIENCE)) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def refusing(url: str) -> Iterator[None]:
    """Makes all writes fail meanwhile.

    SQLite is locked; PostgreSQL closes all connections and admits none.
    """
    if url.startswith("sqlite"):
        with contextlib.closing(_sqlite(url)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    cluster, _, name = url.rpartition("/")
    query(f"{cluster}/postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    query(
        f"{cluster}/postgres",
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    yield
    query(f"{cluster}/postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """Makes all reads and writes of a SQLite file fail, by an exclusive lock."""
    with contextlib.closing(_sqlite(url)) as connection:
        connection.execute("PRAGMA locking_mode = exclusive")
        connection.execute("BEGIN EXCLUSIVE")
        yield


def forbid(url: str, *texts: str) -> None:
    """Makes the database refuse messages with these texts from now on."""
    among = "IN (" + ", ".join(f"'{text}'" for text in texts) + ")"
    if url.startswith("sqlite"):
        never = f"WHEN NEW.message {among} BEGIN SELECT RAISE(ABORT, 'never_this'); END"
        query(url, f"CREATE TRIGGER never_this BEFORE INSERT ON entry {never}")
    else:
        query(url, f"ALTER TABLE entry ADD CONSTRAINT never_this CHECK (message NOT {among})")


def allow(url: str) -> None:
    """Ends what `forbid` began."""
    if url.startswith("sqlite"):
        query(url, "DROP TRIGGER never_this")
    else:
        query(url, "ALTER TABLE entry DROP CONSTRAINT never_this")


def skip(url: str, text: str) -> None:
    """Makes the database skip messages with this text without an error."""
    if url.startswith("sqlite"):
        never = f"WHEN NEW.message = '{text}' BEGIN SELECT RAISE(IGNORE); END"
        query(url, f"CREATE TRIGGER never_this BEFORE INSERT ON entry {never}")
    else:
        forbid_by_trigger(url, text, "RETURN NULL")


def forbid_by_trigger(
    url: str, text: str, error: str = "RAISE EXCEPTION 'never this'", *, deferred: bool = False
) -> None:
    """Makes PostgreSQL refuse messages with this text by a function that fails, at the insert or at the commit."""
    function = f"BEGIN IF NEW.message = '{text}' THEN {error}; END IF; RETURN NEW; END"
    query(url, f"CREATE FUNCTION never_this() RETURNS trigger LANGUAGE plpgsql AS $$ {function} $$")
    when, options = ("AFTER", "DEFERRABLE INITIALLY DEFERRED") if deferred else ("BEFORE", "")
    kind = "CONSTRAINT TRIGGER" if deferred else "TRIGGER"
    of_each = "FOR EACH ROW EXECUTE FUNCTION never_this()"
    query(url, f"CREATE {kind} never_this {when} INSERT ON entry {options} {of_each}")


def _sqlite(url: str) -> sqlite3.Connection:
    return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=PATIENCE, isolation_level=None)
