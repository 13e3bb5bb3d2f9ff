"""What all models share: the database, which `open_database` sets, and how rows are read."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import peewee

database: peewee.DatabaseProxy = peewee.DatabaseProxy()


MOST_EXACT, MAX_ROWS = 16, 128
"""Rows up to which there is a statement for each number of them, and rows in one statement. SQLite accepts 4,000."""


class Model(peewee.Model):
    """A table of Chatter."""

    class Meta:
        database = database


def tuples(query: Any) -> list[Any]:  # Peewee's stubs know no `tuples()` that can be iterated over
    """Reads the rows of `query` as tuples.

    The query keeps none of them: it is garbage in a circle, which the collector may leave for many pages of texts.
    """
    return list(query.tuples().iterator())


def writing_transaction() -> Any:
    """Begins a transaction that is going to write. SQLite then waits for another writer before the first read."""
    return database.atomic("IMMEDIATE") if isinstance(database.obj, peewee.SqliteDatabase) else database.atomic()


# Peewee takes 29 µs a row to build an insert, so statements of 1, 2 … 16, 32, 64 and 128 rows are built once. Powers of
# two alone would be four statements for 15 rows, and saving a row would take 1.06 of the CPU. The driver's
# `executemany` takes 4 µs a row, but releases the interpreter lock for each row and has to get it back, while the loop
# does the same for each write: in one of 1,000 rooms of 5 a message then arrived in 1.4 to 12 ms, not 1.2.
def batches(
    rows: Sequence[tuple[object, ...]], statement: Callable[[str, int], str]
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yields the statements that write `rows`, with their values. `statement(param, rows)` is cached by its owner."""
    start = 0
    while start < len(rows):
        number = len(rows) - start
        if number > MOST_EXACT:
            number = min(1 << number.bit_length() - 1, MAX_ROWS)  # the largest power of two
        values = tuple(itertools.chain.from_iterable(rows[start : start + number]))
        yield statement(database.obj.param, number), values
        start += number
