"""The vocabulary: every message that actors exchange, and every event that clients hear.

Requests are verbs, events are in the past tense. All are immutable values; a `Subscriber` is the way back to a client.
What holds nothing but text and numbers is made with `gc=False`: the garbage collector need not look at it.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec
import pykka

Ref: TypeAlias = bytes
"""A client's own number for one of its frames, as it came: echoed in the answer, never looked into."""

RoomRef: TypeAlias = pykka.ActorRef[Any]


# ---------------------------------------------------------------- what clients hear


class Posted(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Somebody said something. What is broadcast, kept in the ring, saved and read back, all in one.

    A void place, where a message could not be saved, has no name and no text.
    """

    seq: int  # its place in the room: 1, 2, 3 … without a gap
    id: str  # its name, given by the sender or else by the room: 1 to 64 characters
    name: str  # who said it: 1 to 64 characters
    message: str  # 1 to 4,000 characters
    inserted_at: str  # UTC, ISO 8601 with microseconds and `Z`
    void: bool = False


def size_of(posted: Posted) -> int:
    """How much a message weighs while it waits to be saved, in bytes."""
    text = posted.message
    return (len(text) if text.isascii() else len(text.encode())) + len(posted.name) + len(posted.id) + 100


class Voided(msgspec.Struct, frozen=True):
    """What was heard under this `seq` will never be saved: its place is void. The wire calls it `message_voided`."""

    seq: int


class Typed(msgspec.Struct, frozen=True):
    """Somebody is writing. Never saved."""

    name: str


class Lagged(msgspec.Struct, frozen=True):
    """One client read too slowly, and was not sent everything. The wire calls it `resync`."""

    seq: int  # the newest in the room


class Relayed(msgspec.Struct, frozen=True):
    """Somebody sent bytes. Heard by clients that can carry bytes; never saved."""

    data: bytes


class PresenceChanged(msgspec.Struct, frozen=True):
    """People came and went in one turn. Phoenix calls it `presence_diff`."""

    joins: "People"
    leaves: "People"


class PresenceListed(msgspec.Struct, frozen=True):
    """Everybody who is here, for one who has just come. Phoenix calls it `presence_state`."""

    people: "People"


class PresenceCounted(msgspec.Struct, frozen=True):
    """How many people are in a room that is too crowded to list them all. The wire calls it `presence_count`."""

    people: int


class Meta(msgspec.Struct, frozen=True, gc=False):
    """One connection of a person."""

    phx_ref: str  # names this connection: 16 characters of URL-safe base64
    online_at: int  # seconds since 1970


class Metas(msgspec.Struct, frozen=True, gc=False):
    """All connections of one person, oldest first."""

    metas: tuple[Meta, ...]


People: TypeAlias = dict[str, Metas]
"""By name. Built for one event and never changed after it."""

Event: TypeAlias = Posted | Voided | Typed | Lagged | Relayed | PresenceChanged | PresenceListed | PresenceCounted


# ---------------------------------------------------------------- what one client is answered


class Done(msgspec.Struct, frozen=True):
    """The request is carried out; there is nothing more to say."""


class Acknowledged(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The post is committed, or, for one that asked for `ack: "room"`, has its place."""

    id: str
    seq: int
    inserted_at: str
    duplicate: bool = False  # it was said before: this is where and when


class Page(msgspec.Struct, frozen=True):
    """A piece of a room's history, oldest first; `more` when further messages exist in the direction asked for."""

    messages: Sequence[Posted]
    more: bool


class Recovery(msgspec.Struct, frozen=True):
    """Where a client stands that has joined or asked to be brought up to date. `docs/delivery.md` has the rules."""

    epoch: int  # this incarnation of the server
    seq: int  # the newest in the room; 0 where nothing was said yet
    base: int  # what the client heard above it in an earlier epoch is void
    recovered: bool  # all that it missed follows; otherwise it must start over with the page that follows
    missed: int  # how many messages it missed
    more: bool  # not all of them follow: the rest is read with `history {after}`


class Refused(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The request is not granted, for one of the reasons that `docs/protocol.md` lists."""

    reason: str
    retry_after_ms: int | None = None  # when to try again, where trying again helps


Answer: TypeAlias = Done | Acknowledged | Page | Recovery | Refused


# ---------------------------------------------------------------- the way back to a client


class Dialect(Protocol):
    """How one kind of client wants to hear events: values in, bytes out. Frames of one dialect may be joined."""

    def broadcast(self, room: str, event: Event) -> bytes:
        """`event` as a frame for all subscribers of `room`; nothing where the dialect cannot carry it."""


class Subscriber(Protocol):
    """One client in one room. Its methods are called on the loop only; those that return bytes send nothing."""

    @property
    def dialect(self) -> Dialect:
        """Subscribers with the same dialect are sent the same bytes."""

    def welcome(self, recovery: Recovery) -> bytes:
        """The frame that grants the join."""

    def refuse(self, reason: str) -> bytes:
        """Give up the place in the room; the frame that refuses the join."""

    def push(self, event: Event) -> bytes:
        """`event` as a frame for this client alone."""

    def answer(self, ref: Ref, answer: Answer) -> bytes:
        """The answer to the request `ref` as a frame."""

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        """Give up the place in the room; the last frame, which says so."""

    def write(self, frames: bytes) -> None:
        """Send whole frames. Never blocks and never raises."""


# ---------------------------------------------------------------- what a room is asked


class Position(msgspec.Struct, frozen=True):
    """How far a client has heard a room."""

    since: int  # the highest seq up to which it has everything
    epoch: int | None  # the server's when it heard that; None if it does not know


class Join(msgspec.Struct, frozen=True):
    """A client wants to hear the room. It is answered first, then pushed what it missed and who is here.

    What it missed is everything after its position, or the latest messages where it has none.
    """

    subscriber: Subscriber
    name: str | None  # whom to show as present; nobody for None
    replaces: Subscriber | None = None  # the same client's earlier place here, which ends
    position: Position | None = None


class Sync(msgspec.Struct, frozen=True):
    """A member has missed something and wants what a join would give it."""

    subscriber: Subscriber
    ref: Ref
    position: Position


class Resync(msgspec.Struct, frozen=True):
    """A member was not sent everything and can be written to again: it is to be told where the room is."""

    subscriber: Subscriber


class Leave(msgspec.Struct, frozen=True):
    """A client stops listening. With a `ref` it asked for it and is answered; without, its connection is gone."""

    subscriber: Subscriber
    ref: Ref | None = None


class Dismiss(msgspec.Struct, frozen=True):
    """A client's place in the room ends without its having asked: it is told so."""

    subscriber: Subscriber


class Post(msgspec.Struct, frozen=True):
    """A member asks the room to tell everyone something."""

    sender: Subscriber
    ref: Ref
    id: str | None  # the sender's own name for this message; the room gives one for None
    name: str
    message: str
    repeat: bool = False  # it may have been sent long ago: the database is asked before it is said
    ack: Literal["room", "disk"] = "disk"  # answered when it has its place, or when it is committed


class Type(msgspec.Struct, frozen=True):
    """A member lets the others see that it is writing."""

    sender: Subscriber
    ref: Ref
    name: str


class Relay(msgspec.Struct, frozen=True):
    """A member asks the room to pass bytes on to everyone."""

    sender: Subscriber
    ref: Ref
    data: bytes


class ReadHistory(msgspec.Struct, frozen=True):
    """A member wants up to `limit` messages: older than `before`, or newer than `after`, or the latest."""

    reader: Subscriber
    ref: Ref
    before: int | None
    limit: int
    after: int | None = None


class ContinueDelivery(msgspec.Struct, frozen=True):
    """Some have not heard yet what was said in an earlier turn: the room goes on telling them."""


class PauseEnded(msgspec.Struct, frozen=True):
    """Everybody may be told again who has come and gone."""


class GraceEnded(msgspec.Struct, frozen=True):
    """Those who were here when the server stopped have had time enough to come back."""


class Retire(msgspec.Struct, frozen=True):
    """The room has been empty for a while: it ends, unless somebody came meanwhile."""


# ---------------------------------------------------------------- what the database side tells a room


class Loaded(msgspec.Struct, frozen=True):
    """What the room needs to begin: its latest messages, oldest first, where in them epochs ended, and void places."""

    recent: Sequence[Posted]
    epochs: Sequence[tuple[int, int]] = ()  # `(epoch, its last seq)`, oldest first
    voids: Sequence[int] = ()  # all there are, by seq


class LoadFailed(msgspec.Struct, frozen=True):
    """The room cannot begin: the database did not answer."""


class Saved(msgspec.Struct, frozen=True):
    """Everything this room has said up to and including `through` is committed."""

    through: int


class NotSaved(msgspec.Struct, frozen=True):
    """The database can never take the message `seq`. Its place is kept by `void`, which is committed."""

    void: Posted
    first: Posted | None  # the message of the same sender that has its id already


class HistoryRead(msgspec.Struct, frozen=True):
    """The answer to a `ReadPage`: a page, or a refusal."""

    request: ReadHistory
    answer: Page | Refused


class MissedRead(msgspec.Struct, frozen=True):
    """The answer to a `ReadMissed`."""

    request: Join | Sync
    base: int | None  # None where it lies too far back
    messages: Sequence[Posted] | None  # None where the database did not answer


class LookedUp(msgspec.Struct, frozen=True):
    """The answer to a `LookUp`."""

    post: Post
    first: Posted | None  # what was said under this id before
    failed: bool = False  # the database did not answer


RoomMessage: TypeAlias = (
    Join
    | Sync
    | Resync
    | Leave
    | Dismiss
    | Post
    | Type
    | Relay
    | ReadHistory
    | ContinueDelivery
    | PauseEnded
    | GraceEnded
    | Retire
    | Loaded
    | LoadFailed
    | Saved
    | NotSaved
    | HistoryRead
    | MissedRead
    | LookedUp
)


# ---------------------------------------------------------------- what the database side is asked


class Save(msgspec.Struct, frozen=True):
    """A room has said something that is to be committed: `messages` in the order of their `seq`."""

    room: RoomRef | None  # None for what an earlier server left behind
    slug: str
    epoch: int
    messages: Sequence[Posted]


class Load(msgspec.Struct, frozen=True):
    """A room begins and wants its latest `limit` messages. Persistence passes it on once all before it is committed."""

    room: RoomRef
    slug: str
    limit: int


class Work(msgspec.Struct, frozen=True):
    """The backlog hands over what rooms have told it, in this order."""

    told: Sequence[Save | Load]


class Flush(msgspec.Struct, frozen=True):
    """Asked: returns None once everything told before is committed."""


class ReadPage(msgspec.Struct, frozen=True):
    """A room passes on a `ReadHistory` that reaches beyond its ring; `newest` is its last seq."""

    room: RoomRef
    slug: str
    newest: int
    request: ReadHistory


class ReadMissed(msgspec.Struct, frozen=True):
    """A room passes on a `Join` or `Sync` whose answer reaches beyond its ring."""

    room: RoomRef
    slug: str
    since: int
    epoch: int | None  # look for its last seq; None where it is the present one, which is void nowhere
    above: int  # as far back as it is looked for
    limit: int
    request: Join | Sync


class LookUp(msgspec.Struct, frozen=True):
    """A room wants to know whether a post that may be a repeat was said before."""

    room: RoomRef
    slug: str
    post: Post


class ListRooms(msgspec.Struct, frozen=True):
    """Asked: the rooms in which something was said, the latest first, at most `limit`: a list of `RoomListed`."""

    limit: int


class RoomListed(msgspec.Struct, frozen=True):
    """A room and when something was last said there."""

    slug: str
    last_message_at: str


class Ping(msgspec.Struct, frozen=True):
    """Asked: whether the database answers. Returns None, or raises what it raised."""


PersistenceMessage: TypeAlias = Work | Flush
HistoryMessage: TypeAlias = Load | ReadPage | ReadMissed | LookUp | ListRooms | Ping
