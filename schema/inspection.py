"""The inspection of a database: each finder yields one line for each fault of its kind. Nothing is written."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import peewee

from schema.base import database, tuples
from schema.database import find_damage
from schema.epoch import Epoch
from schema.identity import Identity
from schema.message import Message
from schema.room import Room

Finder: TypeAlias = Callable[[], Iterator[str]]


def damage() -> Iterator[str]:
    """Yields what SQLite finds in the whole file, its indexes included."""
    for fault in find_damage(database.obj, "integrity_check(100)"):
        yield f"the database is damaged ({fault}): restore a backup with `chatter restore`"


def missing_indexes() -> Iterator[str]:
    """Yields the keys and indexes that are gone: without the unique ones a message can be saved twice."""
    for model in (Message, Room, Epoch, Identity):
        table = model._meta.table_name
        key = [field.column_name for field in model._meta.get_primary_keys()]
        if sorted(database.get_primary_keys(table)) != sorted(key):
            yield f"the table {table} lacks its primary key ({', '.join(key)})"
        there = {(tuple(index.columns), index.unique) for index in database.get_indexes(table)}
        for index in model._meta.fields_to_index():
            columns = tuple(column.name for column in index._expressions)
            if (columns, bool(index._unique)) not in there:
                unique = "unique " if index._unique else ""
                yield f"the table {table} lacks its {unique}index on {', '.join(columns)}"


def identities() -> Iterator[str]:
    """Yields a fault unless there is one identity."""
    number = Identity.select().count()
    if number != 1:
        yield f"the database has {number} identities, not 1"


def odd_types() -> Iterator[str]:
    """Yields values that SQLite has let into a column of another type."""
    if not isinstance(database.obj, peewee.SqliteDatabase):
        return
    for column in Message._meta.sorted_fields:
        expected = "integer" if isinstance(column, peewee.IntegerField) else "text"
        found = peewee.fn.typeof(column)
        query = Message.select(Message.room, Message.seq, found).where(found != expected)
        for room, seq, kind in tuples(query):
            yield f"room {room}, place {seq}: expected {column.column_name} as {expected}, got {kind}"


def holes() -> Iterator[str]:
    """Yields the rooms whose places are not 1, 2, 3 … without a gap."""
    query = Message.select(
        Message.room, peewee.fn.COUNT(Message.seq), peewee.fn.MIN(Message.seq), peewee.fn.MAX(Message.seq)
    ).group_by(Message.room)
    for room, count, first, last in tuples(query):
        if first != 1:
            yield f"room {room} begins at {first}"
        if count != last - first + 1:
            yield f"room {room} lacks {last - first + 1 - count} of the places from {first} to {last}"


def falling_epochs() -> Iterator[str]:
    """Yields the places whose epoch is lower than that of the place before."""
    over = {"partition_by": [Message.room], "order_by": [Message.seq]}
    before = peewee.fn.LAG(Message.epoch).over(**over).alias("epoch_before")
    places = Message.select(Message.room, Message.seq, Message.epoch, before).alias("places")
    query = (
        Message.select(places.c.room, places.c.seq)
        .from_(places)
        .where(places.c.epoch_before > places.c.epoch)
        .order_by(places.c.room, places.c.seq)
    )
    for room, seq in tuples(query):
        yield f"room {room}: the epoch falls at {seq}"


def unknown_epochs() -> Iterator[str]:
    """Yields the rooms with messages of an epoch that has not begun."""
    begun = Epoch.select(Epoch.number)
    query = Message.select(Message.room, Message.epoch).where(Message.epoch.not_in(begun))
    for room, epoch in tuples(query.distinct().order_by(Message.room, Message.epoch)):
        yield f"room {room} has messages of epoch {epoch}, which has not begun"


def doubled_ids() -> Iterator[str]:
    """Yields the messages that were saved twice."""
    query = Message.select(Message.room, Message.name, Message.id, peewee.fn.COUNT(Message.seq))
    doubled = query.group_by(Message.room, Message.name, Message.id).having(peewee.fn.COUNT(Message.seq) > 1)
    for room, name, id, count in tuples(doubled):
        yield f"room {room} has {count} messages of {name} with the id {id}"


def voids_with_text() -> Iterator[str]:
    """Yields the places without a name that have a text."""
    query = Message.select(Message.room, Message.seq).where((Message.name == "") & (Message.message != ""))
    for room, seq in tuples(query.order_by(Message.room, Message.seq)):
        yield f"room {room}: the void place {seq} has a text"


def unlisted_rooms() -> Iterator[str]:
    """Yields the rooms with messages that the table of rooms lacks."""
    listed = Room.select(Room.slug)
    for (room,) in tuples(Message.select(Message.room).where(Message.room.not_in(listed)).distinct()):
        yield f"room {room} has messages, and is not in the table of rooms"


FINDERS: tuple[Finder, ...] = (
    missing_indexes,
    identities,
    odd_types,
    holes,
    falling_epochs,
    unknown_epochs,
    doubled_ids,
    voids_with_text,
    unlisted_rooms,
)
"""All but `damage`."""
