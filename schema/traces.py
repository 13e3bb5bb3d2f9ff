"""Traces: what an account has left in the rooms' logs, a part of a room at a time."""

from typing import NamedTuple

import peewee

from schema.base import tuples
from schema.entry import Entry
from schema.kind import Kind
from schema.purge import DELETED_ACCOUNT, label_now, labels_in, shows
from schema.room import Room

WINDOW = 10_000
"""Places of a room that are looked through at once, in a few milliseconds."""


class Traces(NamedTuple):
    """What is not purged yet of an account in a part of a room."""

    own: set[int]  # messages that it has said
    touched: set[int]  # messages to which it has reacted, that it has pinned or deleted
    labels: set[str]  # what it is called there


def next_room(after: int) -> tuple[int, str, int] | None:
    """Returns the number, the name and the last place of the room with the next number above `after`."""
    query = Room.select(Room.id, Room.slug, Room.last_seq).where(Room.id > after).order_by(Room.id).limit(1)
    return next(iter(tuples(query)), None)


def traces(room: int, account: int, after: int) -> Traces:
    """Returns what is not purged of an account in the `WINDOW` of a room that follows `after`."""
    is_own = (Entry.author == account) & (Entry.name != DELETED_ACCOUNT)
    columns = (Entry.seq, Entry.kind, Entry.target, Entry.data)
    found = Entry.select(*columns).where(_in_window(room, after) & (is_own | shows(Entry, account)))
    own: set[int] = set()
    touched: set[int] = set()
    labels = label_now(account)
    for seq, kind, target, data in tuples(found):
        if kind == Kind.MESSAGE:
            own.add(seq)
        else:
            (own if kind == Kind.EDIT else touched).add(target)
            labels |= labels_in(data, account)
    return Traces(own, touched, labels)


def own_messages(room: int, account: int, after: int) -> list[int]:
    """Returns the places in the `WINDOW` of a room that follows `after` in which an account has said something."""
    is_own = (Entry.author == account) & (Entry.kind == int(Kind.MESSAGE))
    found = Entry.select(Entry.seq).where(_in_window(room, after) & is_own)
    return [seq for (seq,) in tuples(found.order_by(Entry.seq))]


def _in_window(room: int, after: int) -> peewee.Expression:
    found: peewee.Expression = (Entry.room == room) & (Entry.seq > after) & (Entry.seq <= after + WINDOW)
    return found
