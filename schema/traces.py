"""Traces: what an account has left in the rooms' logs, a part of a room at a time."""

import json
from collections.abc import Sequence
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
    in_room: list[int]  # entries about the room that name it


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
    in_room: list[int] = []
    for seq, kind, target, data in tuples(found):
        if kind in (Kind.MEMBER, Kind.ROOM):
            in_room.append(seq)
        elif kind == Kind.MESSAGE:
            own.add(seq)
        else:
            (own if kind == Kind.EDIT else touched).add(target)
            labels |= labels_in(data, account)
    return Traces(own, touched, labels, in_room)


def unname(room: int, account: int, places: Sequence[int]) -> None:
    """Takes the name and the handle of an account from entries about the room."""
    rows = tuples(Entry.select(Entry.seq, Entry.author, Entry.data).where((Entry.room == room) & Entry.seq.in_(places)))
    for seq, author, text in rows:
        data = json.loads(text or "{}")
        if "members" in data:
            nobody = [account, "", DELETED_ACCOUNT]
            data["members"] = [nobody if each[0] == account else each for each in data["members"]]
        name = {"name": DELETED_ACCOUNT} if author == account else {}
        written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        Entry.update(data=written, **name).where((Entry.room == room) & (Entry.seq == seq)).execute()


def own_messages(room: int, account: int, after: int, limit: int) -> list[int]:
    """Returns the first places in the `WINDOW` of a room after `after` in which an account has said something."""
    is_own = (Entry.author == account) & (Entry.kind == int(Kind.MESSAGE))
    found = Entry.select(Entry.seq).where(_in_window(room, after) & is_own)
    return [seq for (seq,) in tuples(found.order_by(Entry.seq).limit(limit))]


def _in_window(room: int, after: int) -> peewee.Expression:
    found: peewee.Expression = (Entry.room == room) & (Entry.seq > after) & (Entry.seq <= after + WINDOW)
    return found
