"""Rooms in which something was said."""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from schema.base import Model, batches, database, tuples
from schema.slugs import kind_of

_ONE: list[peewee.Node] = [peewee.SQL("DEFAULT 1")]
_EMPTY: list[peewee.Node] = [peewee.SQL("DEFAULT ''")]


class RoomRow(NamedTuple):
    """A room and the end of its log."""

    slug: str
    last_seq: int
    last_nth: int  # how many messages it has
    last_message_at: str


class CharterRow(NamedTuple):
    """What somebody has settled about a room."""

    kind: str
    title: str
    topic: str
    rules: str | None  # JSON; None where nobody has
    archived_at: str | None


class ListedRow(NamedTuple):
    """A public room and what it is called."""

    slug: str
    last_seq: int
    last_nth: int
    last_message_at: str
    title: str
    topic: str
    guests: int = 1


class Room(Model):
    """A room, from its first entry on. The end of its log is written in the transaction of each entry."""

    id = peewee.AutoField()
    slug = peewee.CharField(64, unique=True)
    last_seq = peewee.BigIntegerField(default=0)
    last_nth = peewee.BigIntegerField(default=0)
    last_message_at = peewee.CharField(27, default="", index=True)  # "" where nothing but other entries was written
    kind = peewee.CharField(16, constraints=[peewee.SQL("DEFAULT 'public'")])
    title = peewee.TextField(constraints=_EMPTY)
    topic = peewee.TextField(constraints=_EMPTY)
    rules = peewee.TextField(null=True)  # JSON: what differs from the defaults; None for a room that nobody has set
    listed = peewee.SmallIntegerField(constraints=_ONE)  # of the rules
    guests = peewee.SmallIntegerField(constraints=_ONE)  # of the rules
    archived_at = peewee.CharField(27, null=True)
    created_by = peewee.IntegerField(null=True)  # the account; None for a room that nobody has founded
    created_at = peewee.CharField(27, null=True)

    @classmethod
    def recently_active(cls, limit: int) -> list[ListedRow]:
        """Returns up to `limit` public rooms that are listed, the last spoken in first."""
        columns = [getattr(cls, field) for field in ListedRow._fields]
        query = cls.select(*columns).where((cls.kind == "public") & (cls.listed == 1))
        return [ListedRow(*row) for row in tuples(query.order_by(cls.last_message_at.desc()).limit(limit))]

    @classmethod
    def unlisted(cls) -> list[str]:
        """Returns the names of the public rooms that are not listed."""
        return [slug for (slug,) in tuples(cls.select(cls.slug).where((cls.kind == "public") & (cls.listed == 0)))]

    @classmethod
    def charter(cls, slug: str) -> tuple[int, CharterRow] | None:
        """Returns the number of a room, and what was settled about it."""
        columns = [getattr(cls, field) for field in CharterRow._fields]
        row = next(iter(tuples(cls.select(cls.id, *columns).where(cls.slug == slug))), None)
        return None if row is None else (row[0], CharterRow(*row[1:]))

    @classmethod
    def end(cls, slug: str) -> tuple[int, int]:
        """Returns the last `seq` and `nth` of a room; zeros where it has no entry."""
        query = cls.select(cls.last_seq, cls.last_nth).where(cls.slug == slug)
        return next(iter(tuples(query)), (0, 0))

    @classmethod
    def settled(cls, room: int) -> dict[str, Any]:
        """Returns title, topic, rules and whether it is archived, of a room by its number."""
        query = cls.select(cls.title, cls.topic, cls.rules, cls.archived_at).where(cls.id == room)
        title, topic, rules, archived_at = tuples(query)[0]
        archived = archived_at is not None
        return {"title": title, "topic": topic, "rules": json.loads(rules) if rules else {}, "archived": archived}

    @classmethod
    def write_ends(cls, ends: Iterable[tuple[int, RoomRow]]) -> None:
        """Stores the ends of rooms by their numbers. What is stored never falls, and "" keeps the time."""
        rows = [(number, *row) for number, row in ends]
        for statement, values in batches(rows, _upsert):
            database.cursor().execute(statement, values)


def id_of(slug: str) -> Any:
    """Returns the subquery for a room's number."""
    return Room.select(Room.id).where(Room.slug == slug)


class RoomIds:
    """Remembers the numbers of rooms, for the thread that writes."""

    MOST = 65_536
    """Rooms that are remembered, 200 bytes each; then all are forgotten, and looked up again."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._uncommitted: dict[str, int] = {}

    def numbers(self, slugs: Sequence[str]) -> Mapping[str, int]:
        """Returns the numbers of rooms within a transaction that writes, and adds the rooms that are not there."""
        self._uncommitted = {}
        if unknown := [slug for slug in slugs if slug not in self._known]:
            found = _select(unknown)
            if new := [slug for slug in unknown if slug not in found]:
                for statement, values in batches([(slug, kind_of(slug)) for slug in new], _insert):
                    database.cursor().execute(statement, values)
                found |= _select(new)
            self._uncommitted = found
        return {slug: self._known.get(slug) or self._uncommitted[slug] for slug in slugs}

    def confirm(self) -> None:
        """Remembers the numbers, since the transaction is committed."""
        if len(self._known) + len(self._uncommitted) > self.MOST:
            self._known.clear()
        self._known.update(self._uncommitted)


def _select(slugs: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for statement, values in batches([(slug,) for slug in slugs], _select_numbers):
        found.update((slug, number) for number, slug in database.execute_sql(statement, values))
    return found


@functools.cache
def _select_numbers(param: str, rows: int) -> str:
    return f"SELECT id, slug FROM room WHERE slug IN ({', '.join([param] * rows)})"  # noqa: S608


@functools.cache
def _insert(param: str, rows: int) -> str:
    values = ", ".join([f"({param}, {param}, 0, 0, '')"] * rows)
    return f"INSERT INTO room (slug, kind, last_seq, last_nth, last_message_at) VALUES {values}"  # noqa: S608


@functools.cache
def _upsert(param: str, rows: int) -> str:
    values = ", ".join([f"({', '.join([param] * 5)})"] * rows)
    risen = ", ".join(
        f"{column} = CASE WHEN excluded.{column} > room.{column} THEN excluded.{column} ELSE room.{column} END"
        for column in ("last_seq", "last_nth", "last_message_at")
    )
    return (
        f"INSERT INTO room (id, slug, last_seq, last_nth, last_message_at) VALUES {values}"  # noqa: S608
        f" ON CONFLICT (id) DO UPDATE SET {risen}"
    )
