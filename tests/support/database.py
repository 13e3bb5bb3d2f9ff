"""A database as another program sees it, for tests: reading it, and keeping others from writing to it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows that `statement` gives."""
    if url.startswith("sqlite"):
        with contextlib.closing(_sqlite(url)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def refusing(url: str) -> Iterator[None]:
    """For a while nothing can be saved: SQLite is locked, PostgreSQL cuts all connections and admits none."""
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
def closed(url: str) -> Iterator[None]:
    """For a while a SQLite file can be neither written nor read: another program has it to itself."""
    with contextlib.closing(_sqlite(url)) as connection:
        connection.execute("PRAGMA locking_mode = exclusive")
        connection.execute("BEGIN EXCLUSIVE")
        yield


def forbid(url: str, text: str) -> None:
    """From now on the database takes no message with this text."""
    if url.startswith("sqlite"):
        never = f"WHEN NEW.message = '{text}' BEGIN SELECT RAISE(ABORT, 'never_this'); END"
        query(url, f"CREATE TRIGGER never_this BEFORE INSERT ON message {never}")
    else:
        query(url, f"ALTER TABLE message ADD CONSTRAINT never_this CHECK (message <> '{text}')")


def forbid_by_trigger(url: str, text: str) -> None:
    """The same in PostgreSQL, by a function that raises."""
    function = f"BEGIN IF NEW.message = '{text}' THEN RAISE EXCEPTION 'never this'; END IF; RETURN NEW; END"
    query(url, f"CREATE FUNCTION never_this() RETURNS trigger LANGUAGE plpgsql AS $$ {function} $$")
    query(url, "CREATE TRIGGER never_this BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION never_this()")


def _sqlite(url: str) -> sqlite3.Connection:
    return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
