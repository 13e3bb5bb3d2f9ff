"""What was said."""

import functools
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import peewee

from schema.base import Model, database
from schema.room import Room

MessageRow: TypeAlias = tuple[int, str, str, str, str]
"""`seq, id, name, message, inserted_at`"""


class Message(Model):
    """One message. `seq` is contiguous in its room; rows are written once and never changed."""

    room = peewee.CharField(64)
    seq = peewee.BigIntegerField()
    id = peewee.TextField()
    name = peewee.TextField()
    message = peewee.TextField()
    inserted_at = peewee.CharField(27)  # ISO 8601 in UTC, as it was said: sorts as it reads

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq")

    @classmethod
    def save_all(cls, messages: Iterable[tuple[str, Sequence[MessageRow]]]) -> None:
        """Commit messages of any number of rooms, `(room, rows)` each, in one transaction: all of them or none.

        The insert is compiled once and run by the driver for a whole batch: 4 µs of CPU for a row in batches of 100,
        against 29 µs for `insert_many`, which builds SQL for every row. CPU spent here is latency for everyone.
        """
        rows = [(room, *row) for room, rows in messages for row in rows]
        first_time = [row[0] for row in rows if row[1] == 1]
        with database.atomic():
            Room.remember(first_time)
            database.cursor().executemany(cls._insert_statement(database.obj.param), rows)

    @classmethod
    def latest(cls, room: str, limit: int) -> list[MessageRow]:
        """The newest `limit` messages of `room`, oldest first."""
        return cls._newest(cls.room == room, limit)

    @classmethod
    def before(cls, room: str, seq: int, limit: int) -> list[MessageRow]:
        """Up to `limit` messages of `room` older than `seq`, oldest first."""
        return cls._newest((cls.room == room) & (cls.seq < seq), limit)

    @classmethod
    def _newest(cls, which: peewee.Expression, limit: int) -> list[MessageRow]:
        query = (
            cls.select(cls.seq, cls.id, cls.name, cls.message, cls.inserted_at)
            .where(which)
            .order_by(cls.seq.desc())
            .limit(limit)
        )
        rows: list[MessageRow] = list(query.tuples())  # type: ignore[arg-type]  # its stubs forget tuples()
        return rows[::-1]

    @classmethod
    @functools.cache  # one entry for each kind of database: they differ in the placeholder
    def _insert_statement(cls, _placeholder: str) -> str:
        fields = [cls.room, cls.seq, cls.id, cls.name, cls.message, cls.inserted_at]
        statement, _ = cls.insert_many([[""] * len(fields)], fields=fields).sql()
        return str(statement)
