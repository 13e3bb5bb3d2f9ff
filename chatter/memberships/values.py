"""What one person is told about their rooms: values only, the same for all connections of that person.

`docs/protocol.md` has them as the events of the topic `me`.
"""

from collections.abc import Hashable, Set
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from chatter.charter import RoomKind, RoomRole

Level: TypeAlias = Literal["everything", "mentions", "nothing"]
"""What of a room shall be noticed."""

LONGEST_TEXT = 100
"""Characters of the latest message that a list of rooms shows."""


class Last(msgspec.Struct, frozen=True, gc=False):
    """The latest message of a room, in one line."""

    name: str
    text: str  # at most `LONGEST_TEXT` characters; "" where it is deleted
    at: str


class Companion(msgspec.Struct, frozen=True, gc=False):
    """Somebody in a direct room or a group, which are called by who is in them."""

    id: int
    handle: str
    name: str


class MyRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room, as one of its members has it in the list."""

    slug: str
    kind: RoomKind
    title: str
    topic: str
    role: RoomRole
    level: Level
    level_until: str | None
    hidden: bool
    archived: bool
    last_seq: int
    last_nth: int
    read_seq: int
    read_nth: int
    rev: int  # how often the mark was set back: a report that knows fewer of them does not count
    unread: int
    mentions: int
    last: Last | None
    people: int
    companions: tuple[Companion, ...] = msgspec.field(default=(), name="with")


class RoomAdded(msgspec.Struct, frozen=True):
    """The person is in a room now."""

    room: MyRoom

    @property
    def slug(self) -> str:
        return self.room.slug


class RoomRemoved(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The person is not in a room any more."""

    slug: str
    why: str  # "left", "removed" or "banned"
    reason: str | None = None  # in the words of who did it


class RoomAltered(msgspec.Struct, frozen=True):
    """Something about a room is other than it was, or about the person in it. The wire calls it `room_changed`."""

    slug: str
    set: dict[str, Any]  # some of the fields of `MyRoom`


class Active(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room has new messages, or its latest one has changed. The wire calls it `activity`."""

    slug: str
    last_seq: int
    last_nth: int  # what is unread is this less `read_nth`
    last: Last | None
    mentions: int | None = None  # only where they have changed


class Read(msgspec.Struct, frozen=True, gc=False):
    """How far the person has read a room: pushed to all their connections, and answered to the one that said so."""

    slug: str
    seq: int
    nth: int
    rev: int
    unread: int
    mentions: int


class LevelSet(msgspec.Struct, frozen=True, gc=False):
    """What the person wants to notice of a room. The wire calls it `level`."""

    slug: str
    level: Level
    until: str | None
    hidden: bool


PersonalEvent: TypeAlias = RoomAdded | RoomRemoved | RoomAltered | Active | Read | LevelSet


class Rooms(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of somebody's rooms, by slug."""

    rooms: list[MyRoom]
    more: bool = False


class PersonalSerializer(Protocol):
    """Turns what a person is told into the bytes of one kind of client. Frames of one serializer may be joined."""

    def personal(self, event: PersonalEvent) -> bytes:
        """Returns `event` as a frame for all connections of a person that are of this kind."""


class Listener(Hashable, Protocol):
    """One connection that hears what becomes of a person's rooms. Called on the loop."""

    @property
    def serializer(self) -> PersonalSerializer:
        """Listeners with the same serializer are sent the same bytes."""

    def reaches(self, slug: str) -> bool:
        """Returns whether there is that room for the connection: a token may be for some rooms only."""

    def to_be_told_of(self, slugs: Set[str]) -> Set[str]:
        """Returns of which of these rooms it needs news: those that it reaches, and does not hear by itself."""

    def write(self, frames: bytes) -> None:
        """Sends whole frames. Never blocks and never raises."""
