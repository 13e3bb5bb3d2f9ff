"""What was said."""

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import peewee

from schema.base import Model, database
from schema.room import Room

MessageRow: TypeAlias = tuple[int, str, str, str, str]
"""`seq, id, name, message, inserted_at`"""


MOST_ROWS = 128
"""Rows in one statement, of which SQLite bears 4,000."""


class RowRefused(Exception):
    """The database can never take one of these rows, however often it is tried: a constraint, or its encoding."""


class Message(Model):
    """One message, or a void place. `seq` is contiguous in its room; rows are written once and never changed.

    Where a message could not be taken its place is kept by a row without a name and a text, so that no gap is left.
    """

    room = peewee.CharField(64)
    seq = peewee.BigIntegerField()
    epoch = peewee.IntegerField()  # never falls as seq rises
    id = peewee.TextField()  # unique for a room and a name: what is sent twice is taken once
    name = peewee.TextField()
    message = peewee.TextField()
    inserted_at = peewee.CharField(27)  # ISO 8601 in UTC, as it was said: sorts as it reads

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq")
        indexes = ((("room", "name", "id"), True),)

    @classmethod
    def save_all(cls, messages: Iterable[tuple[str, int, Sequence[MessageRow]]]) -> None:
        """Commit messages of any number of rooms, `(room, epoch, rows)` each, in one transaction: all or none.

        The inserts are compiled once, for 1, 2, 4 … rows each. Building SQL takes `insert_many` 29 µs for every row.
        The driver's `executemany` takes 4, but lets go of the interpreter for each row and has to get it back, while
        the loop does the same for each write: a room of 5 among 1,000 then heard in 1.4 to 12 ms instead of 1.2.
        Raises `RowRefused`, or what the driver raises where another try may help.
        """
        rows = [(room, epoch, *row) for room, epoch, rows in messages for row in rows]
        first_time = [row[0] for row in rows if row[2] == 1]
        try:
            with database.atomic():
                Room.remember(first_time)
                cls._insert(rows)
        except Exception as error:
            if _is_final(error):
                raise RowRefused(" ".join(str(error).split())) from error
            raise

    @classmethod
    def void(cls, room: str, epoch: int, seq: int, inserted_at: str) -> MessageRow:
        """Commit an empty row in the place of a message that cannot be taken, and return it."""
        row = (seq, f"void-{seq}", "", "", inserted_at)
        cls.save_all([(room, epoch, [row])])
        return row

    @classmethod
    def latest(cls, room: str, limit: int) -> list[MessageRow]:
        """The newest `limit` messages of `room`, oldest first."""
        return cls._rows(cls.room == room, cls.seq.desc(), limit)[::-1]

    @classmethod
    def before(cls, room: str, seq: int, limit: int) -> list[MessageRow]:
        """Up to `limit` messages of `room` older than `seq`, oldest first."""
        return cls._rows((cls.room == room) & (cls.seq < seq), cls.seq.desc(), limit)[::-1]

    @classmethod
    def after(cls, room: str, seq: int, limit: int) -> list[MessageRow]:
        """Up to `limit` messages of `room` newer than `seq`, oldest first."""
        return cls._rows((cls.room == room) & (cls.seq > seq), cls.seq.asc(), limit)

    @classmethod
    def at(cls, room: str, seq: int) -> MessageRow | None:
        """The message in that place."""
        return next(iter(cls._rows((cls.room == room) & (cls.seq == seq), cls.seq.asc(), 1)), None)

    @classmethod
    def named(cls, room: str, name: str, id: str) -> MessageRow | None:
        """The message to which `name` gave this `id`."""
        wanted = (cls.room == room) & (cls.name == name) & (cls.id == id)
        return next(iter(cls._rows(wanted, cls.seq.asc(), 1)), None)

    @classmethod
    def latest_of_rooms(cls, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` rooms with the time of their last message, the latest first."""
        last = cls.select(cls.inserted_at).where(cls.room == Room.slug).order_by(cls.seq.desc()).limit(1)
        query = Room.select(Room.slug, last.alias("last")).order_by(peewee.SQL("last").desc()).limit(limit)
        rows: list[tuple[str, str]] = list(query.tuples())  # type: ignore[arg-type]  # its stubs forget tuples()
        return rows

    @classmethod
    def voids(cls, room: str) -> list[int]:
        """The void places of `room`: by the index on names, as they have none."""
        query = cls.select(cls.seq).where((cls.room == room) & (cls.name == "")).order_by(cls.seq)
        rows: list[tuple[int]] = list(query.tuples())  # type: ignore[arg-type]  # its stubs forget tuples()
        return [seq for (seq,) in rows]

    @classmethod
    def ends_of_epochs(cls, room: str, above: int) -> list[tuple[int, int]]:
        """`(epoch, its last seq)` for the messages of `room` newer than `above`, oldest first."""
        query = (
            cls.select(cls.epoch, peewee.fn.MAX(cls.seq))
            .where((cls.room == room) & (cls.seq > above))
            .group_by(cls.epoch)
            .order_by(cls.epoch)
        )
        ends: list[tuple[int, int]] = list(query.tuples())  # type: ignore[arg-type]  # its stubs forget tuples()
        return ends

    @classmethod
    def _rows(cls, which: peewee.Expression, order: Any, limit: int) -> list[MessageRow]:
        query = cls.select(cls.seq, cls.id, cls.name, cls.message, cls.inserted_at).where(which)
        rows: list[MessageRow] = list(query.order_by(order).limit(limit).tuples())  # type: ignore[arg-type]  # as above
        return rows

    @classmethod
    def _insert(cls, rows: Sequence[tuple[str, int, int, str, str, str, str]]) -> None:
        cursor, start = database.cursor(), 0
        while start < len(rows):
            number = min(1 << (len(rows) - start).bit_length() - 1, MOST_ROWS)  # the largest power of two
            values = itertools.chain.from_iterable(rows[start : start + number])
            cursor.execute(cls._insert_statement(database.obj.param, number), tuple(values))
            start += number

    @classmethod
    @functools.cache  # a few for each kind of database: they differ in the placeholder
    def _insert_statement(cls, _placeholder: str, number: int) -> str:
        fields = [cls.room, cls.epoch, cls.seq, cls.id, cls.name, cls.message, cls.inserted_at]
        statement, _ = cls.insert_many([[""] * len(fields)] * number, fields=fields).sql()
        return str(statement)


def _is_final(error: Exception) -> bool:
    """Every driver has its own classes by the names that PEP 249 gives them, or below them."""
    names = {base.__name__ for base in type(error).__mro__}
    is_raised_by_trigger = getattr(error, "sqlstate", None) == "P0001"  # PL/pgSQL's RAISE EXCEPTION
    is_refused = is_raised_by_trigger or not names.isdisjoint({"IntegrityError", "DataError"})
    return is_refused or isinstance(error, UnicodeError | OverflowError)
