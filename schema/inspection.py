"""The inspection of a database: each finder yields one line for each fault of its kind. Nothing is written."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import peewee

from schema.audit import Audit
from schema.base import database, tuples
from schema.database import find_damage
from schema.entry import Entry
from schema.epoch import Epoch
from schema.identity import Identity
from schema.kind import Kind
from schema.member import Member, Mention
from schema.post import Post, Reaction, Removed
from schema.room import Room

Finder: TypeAlias = Callable[[], Iterator[str]]


def damage() -> Iterator[str]:
    """Yields what SQLite finds in the whole file, its indexes included."""
    for fault in find_damage(database.obj, "integrity_check(100)"):
        yield f"the database is damaged ({fault}): restore a backup with `chatter restore`"


def missing_indexes() -> Iterator[str]:
    """Yields the keys and indexes that are gone: without the unique ones a message can be saved twice."""
    for model in (Entry, Post, Reaction, Removed, Room, Member, Mention, Audit, Epoch, Identity):
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
    for column in Entry._meta.sorted_fields:
        expected = ["integer" if isinstance(column, peewee.IntegerField) else "text"]
        found = peewee.fn.typeof(column)
        allowed = [*expected, "null"] if column.null else expected
        for room, seq, kind in tuples(_in_rooms(Entry.seq, found).where(found.not_in(allowed))):
            yield f"room {room}, place {seq}: expected {column.column_name} as {expected[0]}, got {kind}"


def holes() -> Iterator[str]:
    """Yields the rooms whose places are not 1, 2, 3 … without a gap."""
    query = _in_rooms(peewee.fn.COUNT(Entry.seq), peewee.fn.MIN(Entry.seq), peewee.fn.MAX(Entry.seq))
    for room, count, first, last in tuples(query.group_by(Room.slug)):
        if first != 1:
            yield f"room {room} begins at {first}"
        if count != last - first + 1:
            yield f"room {room} lacks {last - first + 1 - count} of the places from {first} to {last}"


def falling_epochs() -> Iterator[str]:
    """Yields the places whose epoch is lower than that of the place before."""
    over = {"partition_by": [Entry.room], "order_by": [Entry.seq]}
    before = peewee.fn.LAG(Entry.epoch).over(**over).alias("epoch_before")
    places = Entry.select(Entry.room, Entry.seq, Entry.epoch, before).alias("places")
    query = (
        Room.select(Room.slug, places.c.seq)
        .join(places, on=(places.c.room == Room.id))
        .where(places.c.epoch_before > places.c.epoch)
        .order_by(Room.slug, places.c.seq)
    )
    for room, seq in tuples(query):
        yield f"room {room}: the epoch falls at {seq}"


def unknown_epochs() -> Iterator[str]:
    """Yields the rooms with entries of an epoch that has not begun."""
    begun = Epoch.select(Epoch.number)
    query = _in_rooms(Entry.epoch).where(Entry.epoch.not_in(begun))
    for room, epoch in tuples(query.distinct().order_by(Room.slug, Entry.epoch)):
        yield f"room {room} has messages of epoch {epoch}, which has not begun"


def doubled_ids() -> Iterator[str]:
    """Yields the entries that were saved twice: under one id of an account, or of a guest."""
    guest = peewee.Case(None, [(Entry.author.is_null(), Entry.name)])
    query = _in_rooms(Entry.author, guest, Entry.id, peewee.fn.COUNT(Entry.seq))
    doubled = query.group_by(Room.slug, Entry.author, guest, Entry.id).having(peewee.fn.COUNT(Entry.seq) > 1)
    for room, author, name, id, count in tuples(doubled):
        who = name if author is None else f"account {author}"
        yield f"room {room} has {count} messages of {who} with the id {id}"


def voids_with_text() -> Iterator[str]:
    """Yields the places without a name that have a text."""
    query = _in_rooms(Entry.seq).where((Entry.name == "") & (Entry.message != ""))
    for room, seq in tuples(query.order_by(Room.slug, Entry.seq)):
        yield f"room {room}: the void place {seq} has a text"


def deleted_texts() -> Iterator[str]:
    """Yields the deleted messages whose text, or that of an edit, is still there."""
    is_of_post = (Post.room == Entry.room) & ((Post.seq == Entry.seq) | (Post.seq == Entry.target))
    has_text = (Entry.message != "") & Entry.kind.in_([int(Kind.MESSAGE), int(Kind.EDIT)])
    is_own = (Entry.seq == Post.seq) | (Entry.kind == int(Kind.EDIT))
    query = _in_rooms(Post.seq).join_from(Entry, Post, on=is_of_post).where(Post.deleted_at.is_null(False))
    for room, seq in tuples(query.where(has_text & is_own).distinct().order_by(Room.slug, Post.seq)):
        yield f"room {room}: the deleted message {seq} has a text"


def wrong_ends() -> Iterator[str]:
    """Yields the rooms whose last place is not that of their last entry."""
    newest = Entry.select(peewee.fn.MAX(Entry.seq)).where(Entry.room == Room.id)
    query = Room.select(Room.slug, Room.last_seq, newest)
    for room, last, found in tuples(query.where(Room.last_seq != peewee.fn.COALESCE(newest, 0)).order_by(Room.slug)):
        yield f"room {room} ends at {found or 0}, and is said to end at {last}"


def unlisted_rooms() -> Iterator[str]:
    """Yields the rooms with entries that the table of rooms lacks."""
    listed = Room.select(Room.id)
    for (room,) in tuples(Entry.select(Entry.room).where(Entry.room.not_in(listed)).distinct()):
        yield f"room number {room} has messages, and is not in the table of rooms"


def _in_rooms(*columns: Any) -> Any:
    """Selects columns of the log, after the name of the room."""
    return Entry.select(Room.slug, *columns).join(Room, on=(Room.id == Entry.room))


FINDERS: tuple[Finder, ...] = (
    missing_indexes,
    identities,
    odd_types,
    holes,
    falling_epochs,
    unknown_epochs,
    doubled_ids,
    voids_with_text,
    deleted_texts,
    wrong_ends,
    unlisted_rooms,
)
"""All but `damage`."""
