"""Shows the operator which step brings a large database up to date, and how long it has taken."""

import contextlib
import sys
import time
from collections.abc import Iterator

import peewee

SHOWN_FROM = 100_000
"""Rows of the log from which on a step is shown."""

LOG = {"message", "entry", "reaction"}
"""The tables that grow with what is said, in any version. Others in the database may be somebody else's."""


@contextlib.contextmanager
def shown_step(database: peewee.Database, name: str) -> Iterator[None]:
    """Says that a migration begins and with how many rows, and at its end how many seconds it took."""
    rows = sum(_rows(database, table) for table in LOG & set(database.get_tables()))
    if rows < SHOWN_FROM:
        yield
        return
    _say(f"{name} begins, with {rows:,} rows")
    began = time.monotonic()
    yield
    _say(f"{name} took {time.monotonic() - began:.1f} s")


def _rows(database: peewee.Database, table: str) -> int:
    count: int = peewee.Table(table).bind(database).select().count()
    return count


def _say(line: str) -> None:
    print(f"bringing the database up to date: {line}", file=sys.stderr, flush=True)
