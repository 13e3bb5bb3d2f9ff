"""What was said: one row for each message."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from schema.base import Model, batches, database, tuples, writing_transaction
from schema.errors import in_one_line, is_refusal
from schema.fence import Fence
from schema.room import Room

LARGEST_NUMBER = 2**63 - 1

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that PostgreSQL's text and UTF-8 cannot have."""


class MessageRow(NamedTuple):
    """A message as rooms know it: the columns that are read and, with `room` and `epoch`, written.

    A new column is added here, to the model, and in a migration; queries and inserts follow from these fields.
    """

    seq: int
    id: str
    name: str
    message: str
    inserted_at: str


class RowRefused(Exception):
    """The database does not take one of these rows: a constraint, a trigger or the encoding forbids it.

    `schema/errors.py` tells these errors from those after which another try may help.
    """


def void_row(seq: int, inserted_at: str) -> MessageRow:
    """Makes the row that keeps the place of a message that cannot be saved."""
    return MessageRow(seq, id=f"void-{seq}", name="", message="", inserted_at=inserted_at)


class Message(Model):
    """One message, or a void place. `seq` is contiguous in its room; a row is written once and never changed.

    Where the database cannot take a message, a void row without name and text keeps its place, so that `seq` has no
    gap.
    """

    room = peewee.CharField(64)
    seq = peewee.BigIntegerField()
    epoch = peewee.BigIntegerField()  # never falls as seq rises
    id = peewee.TextField()  # unique for a room and a name: a message that is sent twice is saved once
    name = peewee.TextField()
    message = peewee.TextField()
    inserted_at = peewee.CharField(27)  # ISO 8601 in UTC: sorts as text

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq")
        indexes = ((("room", "name", "id"), True),)

    @classmethod
    def save_all(
        cls,
        messages: Iterable[tuple[str, int, Sequence[MessageRow]]],
        fence: Fence | None = None,
        last_message_at: Mapping[str, str] | None = None,
        *,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        """Commits `(room, epoch, rows)` of any number of rooms in one transaction: all or none.

        `fence` forbids it where the database is another server's; None is for a database that nobody else writes to.
        `last_message_at` are the rooms whose times are stored with it, by default all. `before_commit` is called when
        the database has taken all rows.

        Raises `RowRefused`, `Superseded`, `WentBack`, or what the driver raises where another try may help.
        """
        values: list[tuple[object, ...]] = []
        last: dict[str, str] = {}
        for room, epoch, rows in messages:
            last[room] = rows[-1].inserted_at
            values += [(room, epoch, *row) for row in rows]
        try:
            with writing_transaction():
                if fence is not None:
                    fence.count_commit()
                Room.touch(last if last_message_at is None else last_message_at)
                inserted = 0
                for statement, batch in batches(values, cls._insert):
                    cursor = database.cursor()
                    cursor.execute(statement, batch)
                    inserted += cursor.rowcount
                if inserted != len(values):
                    raise RowRefused("a trigger of the database skips it")
                if before_commit is not None:
                    _check_deferred_constraints()
                    before_commit()
            if fence is not None:
                fence.confirm()
        except Exception as error:
            if is_refusal(error):
                raise RowRefused(in_one_line(error)) from error
            raise

    @classmethod
    def check(cls, room: object, epoch: object, row: MessageRow) -> None:
        """Checks values from a file. Raises `ValueError` where a column cannot hold one, in any database."""
        for name, value in {"room": room, "epoch": epoch, **row._asdict()}.items():
            column = getattr(cls, name)
            if isinstance(column, peewee.IntegerField):
                if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_NUMBER:
                    raise ValueError(f"expected a whole number from 1 as {name}, got {value!a:.40}")
            elif not isinstance(value, str) or _UNSTORABLE.search(value):
                raise ValueError(f"expected a text as {name}, got {value!a:.40}")
            elif isinstance(column, peewee.CharField) and len(value) > column.max_length:
                raise ValueError(f"expected at most {column.max_length} characters as {name}, got {len(value)}")

    @classmethod
    def newest(cls, rooms: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Returns the last `seq` of each of `rooms`, and its time. They are few: each is looked up by its key."""
        found: dict[str, tuple[int, str]] = {}
        for room in rooms:
            query = cls.select(cls.seq, cls.inserted_at).where(cls.room == room).order_by(cls.seq.desc()).limit(1)
            found.update((room, (seq, at)) for seq, at in tuples(query))
        return found

    @classmethod
    def last_place(cls, room: str) -> tuple[int, int]:
        """Returns the last `seq` of `room` and its epoch; zeros where nothing was said."""
        query = cls.select(cls.seq, cls.epoch).where(cls.room == room).order_by(cls.seq.desc()).limit(1)
        return next(iter(tuples(query)), (0, 0))

    @classmethod
    def latest(cls, room: str, limit: int) -> list[MessageRow]:
        """Returns the newest `limit` messages of `room`, oldest first."""
        return cls._rows(cls.room == room, cls.seq.desc(), limit)[::-1]

    @classmethod
    def before(cls, room: str, seq: int, limit: int) -> list[MessageRow]:
        """Returns up to `limit` messages of `room` older than `seq`, oldest first."""
        return cls._rows((cls.room == room) & (cls.seq < seq), cls.seq.desc(), limit)[::-1]

    @classmethod
    def after(cls, room: str, seq: int, limit: int) -> list[MessageRow]:
        """Returns up to `limit` messages of `room` newer than `seq`, oldest first."""
        return cls._rows((cls.room == room) & (cls.seq > seq), cls.seq.asc(), limit)

    @classmethod
    def at(cls, room: str, seq: int) -> MessageRow | None:
        """Returns the message in that place."""
        return next(iter(cls._rows((cls.room == room) & (cls.seq == seq), cls.seq.asc(), 1)), None)

    @classmethod
    def by_client_id(cls, room: str, name: str, id: str) -> MessageRow | None:
        """Returns the message that `name` sent under this `id`."""
        wanted = (cls.room == room) & (cls.name == name) & (cls.id == id)
        return next(iter(cls._rows(wanted, cls.seq.asc(), 1)), None)

    @classmethod
    def senders(cls, places: Sequence[tuple[str, int, int]]) -> dict[tuple[str, int], tuple[str, str]]:
        """Returns who sent what is in `(room, first seq, last seq)`, and under which id, by room and `seq`."""
        found: dict[tuple[str, int], tuple[str, str]] = {}
        for statement, values in batches(places, _select_senders):
            found.update(((room, seq), (name, id)) for room, seq, name, id in database.execute_sql(statement, values))
        return found

    @classmethod
    def voids(cls, room: str) -> list[int]:
        """Returns the void places of `room`. They have no name, so the index on names finds them."""
        query = cls.select(cls.seq).where((cls.room == room) & (cls.name == "")).order_by(cls.seq)
        return [seq for (seq,) in tuples(query)]

    @classmethod
    def epoch_ends(cls, room: str, above: int) -> list[tuple[int, int]]:
        """Returns `(epoch, its last seq)` for the messages of `room` newer than `above`, oldest first."""
        return tuples(
            cls.select(cls.epoch, peewee.fn.MAX(cls.seq))
            .where((cls.room == room) & (cls.seq > above))
            .group_by(cls.epoch)
            .order_by(cls.epoch)
        )

    @classmethod
    def _rows(cls, which: peewee.Expression, order: Any, limit: int) -> list[MessageRow]:
        columns = [getattr(cls, field) for field in MessageRow._fields]
        return [MessageRow(*row) for row in tuples(cls.select(*columns).where(which).order_by(order).limit(limit))]

    @classmethod
    @functools.cache
    def _insert(cls, _param: str, rows: int) -> str:
        fields = [cls.room, cls.epoch, *(getattr(cls, field) for field in MessageRow._fields)]
        statement, _ = cls.insert_many([[""] * len(fields)] * rows, fields=fields).sql()
        return str(statement)


@functools.cache
def _select_senders(param: str, places: int) -> str:
    where = " OR ".join([f"(room = {param} AND seq BETWEEN {param} AND {param})"] * places)
    return f"SELECT room, seq, name, id FROM message WHERE {where}"  # noqa: S608


def _check_deferred_constraints() -> None:
    if isinstance(database.obj, peewee.PostgresqlDatabase):  # SQLite's are off
        database.execute_sql("SET CONSTRAINTS ALL IMMEDIATE")
