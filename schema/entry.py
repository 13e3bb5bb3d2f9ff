"""The log of every room: one row for each message, and for each change of one or of the room itself."""

import functools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from schema import effects, purge
from schema.base import Model, batches, database, tuples, writing_transaction
from schema.errors import in_one_line, is_refusal
from schema.fence import Fence
from schema.kind import Kind
from schema.room import Room, RoomIds, RoomRow, id_of

LARGEST_NUMBER = 2**63 - 1

_LARGEST = {peewee.SmallIntegerField: 2**15 - 1, peewee.BigIntegerField: LARGEST_NUMBER}

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that PostgreSQL's text and UTF-8 cannot have."""


class EntryRow(NamedTuple):
    """An entry as rooms know it: the columns that are read and, with `room` and `epoch`, written.

    A new column is added here, to the model, and in a migration; queries and inserts follow from these fields.
    """

    seq: int
    id: str
    name: str
    message: str
    inserted_at: str
    kind: int = int(Kind.MESSAGE)
    nth: int = 0
    target: int | None = None
    data: str | None = None
    author: int | None = None

    @property
    def owner(self) -> int | str:
        """Whose the `id` is: the account's, or the guest's of that name."""
        return self.name if self.author is None else self.author


class RowRefused(Exception):
    """The database does not take one of these rows: a constraint, a trigger or the encoding forbids it.

    `schema/errors.py` tells these errors from those after which another try may help.
    """


def void_row(seq: int, inserted_at: str, nth: int = 0) -> EntryRow:
    """Makes the row that keeps the place of an entry that cannot be saved."""
    return EntryRow(seq, id=f"void-{seq}", name="", message="", inserted_at=inserted_at, nth=nth)


class Entry(Model):
    """One entry of a room's log, or a void place. `seq` is contiguous in its room.

    A row is written once. Only a deletion or a purge changes it: the text goes, or the name of who has left. What a
    message is now, where something has touched it, stands in `Post`, written in the transaction of what touched it.
    Where the database cannot take an entry, a void row without name and text keeps its place.
    """

    room = peewee.IntegerField()  # `Room.id`: the name would be a third of a row and of its indexes
    seq = peewee.BigIntegerField()
    epoch = peewee.BigIntegerField()  # never falls as seq rises
    kind = peewee.SmallIntegerField(default=Kind.MESSAGE)
    nth = peewee.BigIntegerField()  # how many messages the room had with this entry
    id = peewee.TextField()  # unique for a room and its owner: what is sent twice is saved once
    name = peewee.TextField()  # who did it, as they were called then
    author = peewee.IntegerField(null=True)  # the account that did it; None for a guest and for a void place
    target = peewee.BigIntegerField(null=True)  # the message that it is about; of a reply the first of its thread
    message = peewee.TextField()  # the text, or the new text
    data = peewee.TextField(null=True)  # JSON, what else a kind has
    inserted_at = peewee.CharField(27)  # ISO 8601 in UTC: sorts as text

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq")

    @classmethod
    def save_all(
        cls,
        entries: Iterable[tuple[str, int, Sequence[EntryRow]]],
        fence: Fence | None = None,
        ids: RoomIds | None = None,
        *,
        keeps_removed: bool = True,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        """Commits `(room, epoch, rows)` of any number of rooms in one transaction: all or none.

        With them go their effects on the messages that they are about, and the ends of their rooms. `fence` forbids it
        where the database is another server's; None is for a database that nobody else writes to. `ids` remembers the
        rooms. `keeps_removed` puts the text of a deleted message aside. `before_commit` is called when the database has
        taken all rows.

        Raises `RowRefused`, `Superseded`, `WentBack`, or what the driver raises where another try may help.
        """
        said = list(entries)
        ids = ids or RoomIds()
        is_part = database.transaction_depth() > 0  # of a larger transaction: what is refused must show before its end
        try:
            with writing_transaction():
                if fence is not None:
                    fence.count_commit()
                cls._write(said, ids, keeps_removed=keeps_removed)
                if is_part or before_commit is not None:
                    _check_deferred_constraints()
                if before_commit is not None:
                    before_commit()
            ids.confirm()
            if fence is not None:
                fence.confirm()
        except Exception as error:
            if is_refusal(error):
                raise RowRefused(in_one_line(error)) from error
            raise

    @classmethod
    def _write(cls, said: Sequence[tuple[str, int, Sequence[EntryRow]]], ids: RoomIds, *, keeps_removed: bool) -> None:
        ends: dict[str, RoomRow] = {}
        for slug, _, rows in said:
            ends[slug] = _end(slug, rows, ends.get(slug))
        numbers = ids.numbers(list(ends))
        values = [(numbers[slug], epoch, *row) for slug, epoch, rows in said for row in rows]
        inserted = 0
        cursor = database.cursor()
        for statement, batch in batches(values, cls._insert):
            cursor.execute(statement, batch)
            inserted += cursor.rowcount
        if inserted != len(values):
            raise RowRefused("a trigger of the database skips it")
        for slug, _, rows in said:
            for row in rows:
                if row.target is None and row.data is None:
                    continue  # a plain message, as nearly all are
                if row.kind == Kind.PURGE:
                    purge.apply(cls, numbers[slug], row.seq, row.inserted_at, json.loads(row.data or ""))
                else:
                    effects.apply(numbers[slug], slug, row, keeps_removed=keeps_removed)
        Room.write_ends((numbers[slug], end) for slug, end in ends.items())

    @classmethod
    def check(cls, room: object, epoch: object, row: EntryRow) -> None:
        """Checks values from a file. Raises `ValueError` where a column cannot hold one, in any database."""
        _check("room", Room.slug, room)
        for name, value in {"epoch": epoch, **row._asdict()}.items():
            _check(name, getattr(cls, name), value)

    @classmethod
    def last_place(cls, room: str) -> tuple[int, int]:
        """Returns the last `seq` of `room` and its epoch; zeros where nothing was said."""
        query = cls.select(cls.seq, cls.epoch).where(cls.room == id_of(room)).order_by(cls.seq.desc()).limit(1)
        return next(iter(tuples(query)), (0, 0))

    @classmethod
    def latest(cls, room: str, limit: int) -> list[EntryRow]:
        """Returns the newest `limit` entries of `room`, oldest first."""
        return cls._rows(cls.room == id_of(room), cls.seq.desc(), limit)[::-1]

    @classmethod
    def after(cls, room: str, seq: int, limit: int) -> list[EntryRow]:
        """Returns up to `limit` entries of `room` newer than `seq`, oldest first."""
        return cls._rows((cls.room == id_of(room)) & (cls.seq > seq), cls.seq.asc(), limit)

    @classmethod
    def about_room(cls, room: str, after: int, before: int, limit: int) -> list[EntryRow]:
        """Returns the newest `limit` entries about `room` or its people between two places, oldest first.

        It passes all entries between the two: that many should not be far apart.
        """
        is_between = (cls.room == id_of(room)) & (cls.seq > after) & (cls.seq < before)
        is_wanted = is_between & cls.kind.in_([int(Kind.MEMBER), int(Kind.ROOM)])
        return cls._rows(is_wanted, cls.seq.desc(), limit)[::-1]

    @classmethod
    def at(cls, room: str, seq: int) -> EntryRow | None:
        """Returns the entry in that place."""
        return next(iter(cls._rows((cls.room == id_of(room)) & (cls.seq == seq), cls.seq.asc(), 1)), None)

    @classmethod
    def by_client_id(cls, room: str, owner: int | str, id: str) -> EntryRow | None:
        """Returns the entry that an account, or a guest of that name, sent under this `id`."""
        is_own = cls.author == owner if isinstance(owner, int) else cls.author.is_null() & (cls.name == owner)
        wanted = (cls.room == id_of(room)) & is_own & (cls.id == id)
        return next(iter(cls._rows(wanted, cls.seq.asc(), 1)), None)

    @classmethod
    def change_by_guest(cls, room: str, target: int, id: str) -> EntryRow | None:
        """Returns what a guest has done to its own message under this `id`, whatever it was called by then."""
        wanted = (cls.room == id_of(room)) & (cls.target == target) & (cls.id == id) & cls.author.is_null()
        own = wanted & cls.kind.in_([int(Kind.EDIT), int(Kind.DELETE)])
        return next(iter(cls._rows(own, cls.seq.asc(), 1)), None)

    @classmethod
    def nth_at(cls, room: str, seq: int) -> int:
        """Returns how many messages `room` had up to `seq`."""
        query = cls.select(cls.nth).where((cls.room == id_of(room)) & (cls.seq <= seq))
        return next((nth for (nth,) in tuples(query.order_by(cls.seq.desc()).limit(1))), 0)

    @classmethod
    def owners(cls, places: Sequence[tuple[str, int, int]]) -> dict[tuple[str, int], tuple[int | str, str]]:
        """Returns whose what is in `(room, first seq, last seq)` is, and under which id, by room and `seq`."""
        found: dict[tuple[str, int], tuple[int | str, str]] = {}
        for statement, values in batches(places, _select_owners):
            for room, seq, author, name, id in database.execute_sql(statement, values):
                found[room, seq] = (name if author is None else author, id)
        return found

    @classmethod
    def voids(cls, room: str) -> list[int]:
        """Returns the void places of `room`. They have no name and no author, so the index on names finds them."""
        is_void = cls.author.is_null() & (cls.name == "")
        query = cls.select(cls.seq).where((cls.room == id_of(room)) & is_void).order_by(cls.seq)
        return [seq for (seq,) in tuples(query)]

    @classmethod
    def end_of_epoch(cls, room: str, epoch: int) -> int:
        """Returns the last `seq` of `room` in `epoch` or before; 0 where there is none. It bisects."""
        low, (high, _) = 0, cls.last_place(room)  # epochs never fall
        while low < high:
            middle = (low + high + 1) // 2
            query = cls.select(cls.epoch).where((cls.room == id_of(room)) & (cls.seq <= middle))
            found = next((each for (each,) in tuples(query.order_by(cls.seq.desc()).limit(1))), 0)
            low, high = (middle, high) if found <= epoch else (low, middle - 1)
        return low

    @classmethod
    def epoch_ends(cls, room: str, above: int) -> list[tuple[int, int]]:
        """Returns `(epoch, its last seq)` for the entries of `room` newer than `above`, oldest first."""
        return tuples(
            cls.select(cls.epoch, peewee.fn.MAX(cls.seq))
            .where((cls.room == id_of(room)) & (cls.seq > above))
            .group_by(cls.epoch)
            .order_by(cls.epoch)
        )

    @classmethod
    def _rows(cls, which: peewee.Expression, order: Any, limit: int) -> list[EntryRow]:
        columns = [getattr(cls, field) for field in EntryRow._fields]
        return [EntryRow(*row) for row in tuples(cls.select(*columns).where(which).order_by(order).limit(limit))]

    @classmethod
    @functools.cache
    def _insert(cls, _param: str, rows: int) -> str:
        fields = [cls.room, cls.epoch, *(getattr(cls, field) for field in EntryRow._fields)]
        statement, _ = cls.insert_many([[""] * len(fields)] * rows, fields=fields).sql()
        return str(statement)


Entry.add_index(Entry.room, Entry.author, Entry.id, unique=True, where=Entry.author.is_null(False))
Entry.add_index(Entry.room, Entry.name, Entry.id, unique=True, where=Entry.author.is_null())
Entry.add_index(Entry.room, Entry.target, Entry.seq, where=Entry.target.is_null(False))


def _end(slug: str, rows: Sequence[EntryRow], earlier: RoomRow | None) -> RoomRow:
    last, spoken_at = rows[-1], earlier.last_message_at if earlier else ""
    for row in reversed(rows):
        if row.kind == Kind.MESSAGE:
            spoken_at = row.inserted_at
            break
    return RoomRow(slug, last.seq, last.nth, spoken_at)


def _check(name: str, column: peewee.Field, value: object) -> None:
    if value is None and column.null:
        return
    if isinstance(column, peewee.IntegerField):
        least = 0 if name in ("kind", "nth") else 1
        most = next((most for kind, most in _LARGEST.items() if isinstance(column, kind)), 2**31 - 1)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"expected a whole number from {least} as {name}, got {value!a:.40}")
    elif not isinstance(value, str) or _UNSTORABLE.search(value):
        raise ValueError(f"expected a text as {name}, got {value!a:.40}")
    elif isinstance(column, peewee.CharField) and len(value) > column.max_length:
        raise ValueError(f"expected at most {column.max_length} characters as {name}, got {len(value)}")


@functools.cache
def _select_owners(param: str, places: int) -> str:
    where = " OR ".join([f"(slug = {param} AND seq BETWEEN {param} AND {param})"] * places)
    return (
        "SELECT slug, seq, author, name, entry.id FROM entry JOIN room ON room.id = entry.room"  # noqa: S608
        f" WHERE {where}"
    )


def _check_deferred_constraints() -> None:
    if isinstance(database.obj, peewee.PostgresqlDatabase):  # SQLite's are off
        database.execute_sql("SET CONSTRAINTS ALL IMMEDIATE")
