"""The starts of the server."""

import time

import peewee

from schema.base import Model, database, tuples, writing_transaction


class Epoch(Model):
    """One start of the server on this database. Each message keeps the epoch in which it was said.

    A number is given out once, whatever happens to the table: after a restore the clock is ahead of all that the lost
    rows had. The rows are all starts that led to what the database holds, in one line; those of a line that a restore
    has ended are not among them. So none is ever deleted.
    """

    number = peewee.BigIntegerField(primary_key=True)  # at least the last + 1 and the time in milliseconds
    commits = peewee.BigIntegerField(default=0)  # in this epoch; see `schema/fence.py`

    @classmethod
    def numbers(cls) -> frozenset[int]:
        """Returns the numbers of all epochs: about 85 bytes for each."""
        return frozenset(number for (number,) in tuples(cls.select(cls.number)))

    @classmethod
    def begin(cls, *, above: int = 0) -> int:
        """Adds an epoch and returns its number, which is larger than `above`.

        Waits for a commit of an earlier epoch that is under way.
        """
        with writing_transaction():
            if isinstance(database.obj, peewee.PostgresqlDatabase):
                database.execute_sql("LOCK TABLE epoch IN EXCLUSIVE MODE")  # SQLite has one writer at a time
            now = time.time_ns() // 1_000_000
            number = max(cls.newest() + 1, above + 1, now)
            cls.insert(number=number, commits=0).execute()
        return number

    @classmethod
    def newest(cls) -> int:
        """Returns the newest epoch; 0 where none has begun."""
        return int(cls.select(peewee.fn.MAX(cls.number)).scalar() or 0)
