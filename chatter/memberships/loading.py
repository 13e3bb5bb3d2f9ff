"""Loading: makes memberships of what the database says."""

from collections.abc import Mapping
from typing import cast

import msgspec

from chatter.charter import DEFAULT_RULES, RoomKind, RoomRole, RoomRules
from chatter.memberships.membership import Membership
from chatter.memberships.person import Person
from chatter.memberships.room import ListedRoom
from chatter.memberships.values import LONGEST_TEXT, Companion, Last, Level
from schema import LatestRow, MembershipRow, RoomsOfAccount

_rules = msgspec.json.Decoder(RoomRules)


def take_over(person: Person, loaded: RoomsOfAccount, rooms: dict[str, ListedRoom]) -> None:
    """Gives a person the rooms that were loaded. Those in `rooms` are known and newer; the others are added."""
    added: dict[str, ListedRoom] = {}
    for row in loaded.rooms:
        room = rooms.get(row.slug)
        if room is None:
            room = rooms[row.slug] = added[row.slug] = _room(row)
        room.accounts[person.account] = None
        person.rooms[row.slug] = _membership(person.account, row, room)
    for latest in loaded.latest:
        if latest.slug in added:
            show(added[latest.slug], latest)
    for slug, seq in loaded.mentions:
        person.rooms[slug].name(seq, is_named=True)
    for slug, account, handle, name in loaded.companions:
        if slug in added:
            added[slug].companions[account] = Companion(account, handle, name)


def show(room: ListedRoom, latest: LatestRow) -> None:
    """Gives a room its latest message."""
    room.show(latest.seq, Last(latest.name, latest.message[:LONGEST_TEXT], latest.inserted_at))


def take_over_spoken(person: Person, spoken: Mapping[str, tuple[int, int]]) -> None:
    """Moves the marks of who has said something that may not have been written when the rooms were read."""
    for slug, place in spoken.items():
        if slug in person.rooms:
            person.rooms[slug].read(*place)


def _room(row: MembershipRow) -> ListedRoom:
    room = ListedRoom(row.slug, row.last_seq, row.last_nth)
    room.kind, room.title, room.topic = cast(RoomKind, row.kind), row.title, row.topic
    room.is_archived = row.archived_at is not None
    room.rules = DEFAULT_RULES if row.rules is None else _rules.decode(row.rules)
    room.people = row.people
    return room


def _membership(account: int, row: MembershipRow, room: ListedRoom) -> Membership:
    membership = Membership(account, room, cast(RoomRole, row.role), row.joined_seq)
    membership.muted_until = row.muted_until
    membership.read_seq, membership.read_nth, membership.read_rev = row.read_seq, row.read_nth, row.read_rev
    membership.level = cast(Level, row.level) if row.level else None
    membership.is_hidden, membership.level_until = bool(row.hidden), row.level_until
    return membership
