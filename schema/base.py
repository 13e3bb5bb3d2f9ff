"""What all models share: the database, which `open_database` sets, and how rows are read."""

from typing import Any

import peewee

database: peewee.DatabaseProxy = peewee.DatabaseProxy()


class Model(peewee.Model):
    """A table of Chatter."""

    class Meta:
        database = database


def tuples(query: Any) -> list[Any]:  # Peewee's stubs know no `tuples()` that can be iterated over
    """Reads the rows of `query` as tuples."""
    return list(query.tuples())


def writing_transaction() -> Any:
    """Begins a transaction that is going to write. SQLite then waits for another writer before the first read."""
    return database.atomic("IMMEDIATE") if isinstance(database.obj, peewee.SqliteDatabase) else database.atomic()
