"""The vocabulary: every message that actors exchange, and every event that clients hear.

Requests are verbs, events are in the past tense. All are immutable values; a `Subscriber` leads back to a client.
Structs that hold only text and numbers have `gc=False`: the garbage collector skips them.

A new event or request is added here first. The type checker then names each `match` that lacks it, and
`tests/test_vocabulary.py` each table and document.
"""

import enum
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec
import pykka

from chatter.charter import Author, Charter, Member, Power, RoomKind, RoomRole, RoomView, RulesPatch, ServerRole
from schema.purge import DELETED_ACCOUNT

Ref: TypeAlias = bytes
"""A client's own number for one of its frames, as JSON: echoed in the answer, never parsed."""

RoomRef: TypeAlias = pykka.ActorRef[Any]

SLUG = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
"""The name of a room, and what its topic has after `chat_room:`."""


# ---------------------------------------------------------------- what clients hear


Owner: TypeAlias = int | str
"""Whose something is: an account's by its id, a guest's by its name. An account stays the same under another name."""

Person: TypeAlias = Author | str
"""Somebody among those who react: an account, or a guest by name."""


def owner_of(person: Person) -> Owner:
    """Returns what tells a person from all others in a room."""
    return person if isinstance(person, str) else person.id


def label_of(person: Person) -> str:
    """Returns what a person is called where guests and accounts are told apart: `@ann`, or a guest's name."""
    if isinstance(person, str):
        return person
    return f"@{person.handle}" if person.handle else DELETED_ACCOUNT


class ReactionCount(msgspec.Struct, frozen=True):
    """How many people reacted with one key, and who came first."""

    key: str
    count: int
    names: tuple[str, ...]  # at most ten labels, as `label_of` makes them


class Mentions(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who is named in a message."""

    accounts: tuple[int, ...] = ()  # at most ten
    here: bool = False  # everybody who was present, who are `present`
    room: bool = False  # everybody in the room
    present: tuple[int, ...] = ()  # without the author; not for the wire


Call: TypeAlias = Literal["account", "here", "room"]
"""How somebody is called by a message: by their handle, since they are present, or as a member of the room."""


def called(mentions: Mentions, members: Iterable[int], author: int | None) -> dict[int, Call]:
    """Returns whom a message calls, of the `members` of its room; never its author. The strongest call counts."""
    found: dict[int, Call] = dict.fromkeys(members, "room") if mentions.room else {}
    found |= dict.fromkeys(mentions.present, "here")
    found |= dict.fromkeys(mentions.accounts, "account")
    if author is not None:
        found.pop(author, None)
    return found


class PostState(msgspec.Struct, frozen=True, kw_only=True):
    """What a message has besides its text: what it answers, and what was done to it since."""

    changed: int  # the last entry that touched it; its own seq where none has
    reply_to: int | None = None
    root: int | None = None  # the first message of the thread
    root_replies: int | None = None  # how many replies that has with this one
    message: str | None = None  # the text since the last edit or the deletion
    edits: int = 0
    edited_at: str | None = None
    deleted_at: str | None = None
    deleted_by: str | None = None
    pinned_at: str | None = None
    pinned_by: str | None = None
    reactions: tuple[ReactionCount, ...] = ()  # in the order in which the keys came
    mentions: Mentions | None = None  # of the text since the last edit
    replies: int = 0
    last_reply_seq: int | None = None


class Posted(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Somebody said something. The same value is broadcast, kept in memory, saved and read back.

    Where it is read later it has its `state` of then. A void place, where an entry could not be saved, has no name and
    no text.
    """

    seq: int  # its place in the room: 1, 2, 3 … without a gap
    id: str  # given by the sender or else by the room: 1 to 64 characters; unique for its owner in the room
    name: str  # who said it: 1 to 64 characters
    message: str  # 1 to 4,000 characters
    inserted_at: str  # UTC, ISO 8601 with microseconds and `Z`
    void: bool = False
    nth: int = 0  # how many messages the room has with this one
    state: PostState | None = None  # None for one that answers none and that nothing has touched
    author: Author | None = None  # the account that said it; None for a guest
    mentions: Mentions | None = None  # None where nobody is named, and in rooms without a charter

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return self.name if self.author is None else self.author.id

    @property
    def changed(self) -> int:
        """The last entry that touched it; its own `seq` where none has."""
        return self.seq if self.state is None else self.state.changed

    @property
    def is_deleted(self) -> bool:
        """Whether its text is gone."""
        return self.state is not None and self.state.deleted_at is not None

    @property
    def is_shown(self) -> bool:
        """Whether there is a text to be seen."""
        return not self.void and not self.is_deleted


class _Authored(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    author: Author | None = None  # the account that did it; None for a guest


class _Done(_Authored, frozen=True, gc=False):
    seq: int
    id: str
    name: str  # who did it

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return self.name if self.author is None else self.author.id

    @property
    def person(self) -> Person:
        """Who did it."""
        return self.author or self.name


class _Change(_Done, frozen=True, gc=False):
    target: int  # the message
    inserted_at: str
    nth: int


class Edited(_Change, frozen=True, gc=False):
    """Somebody gave a message another text."""

    message: str
    edits: int  # how many times that was done
    mentions: Mentions | None = None  # who is named in the new text


class Deleted(_Change, frozen=True, gc=False):
    """Somebody took a message back, or a moderator did. Nothing is done to it after that."""

    reason: str | None = None
    moderator: bool = False  # it was not the author's own doing


class Reacted(_Change, frozen=True, gc=False):
    """People reacted to a message with one key, or took that back."""

    key: str
    added: tuple[Person, ...]
    removed: tuple[Person, ...]
    reactions: tuple[ReactionCount, ...]  # all that result, of all keys


class Pinned(_Change, frozen=True, gc=False):
    """Somebody pinned a message."""


class Unpinned(_Change, frozen=True, gc=False):
    """Somebody took the pin from a message."""


Change: TypeAlias = Edited | Deleted | Reacted | Pinned | Unpinned
"""What is done to a message, with what results from it and not the difference: it may be applied twice."""

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Places, each range with its first and its last one, in ascending order."""


class Purged(msgspec.Struct, frozen=True):
    """An account has left: what it has done here is nobody's from now on, and its texts may be gone.

    It is about the messages of some places, many at once, and the last word on each of them.
    """

    seq: int
    id: str
    inserted_at: str
    nth: int
    account: int
    erases: bool  # the texts of its messages are gone, too
    targets: Ranges  # messages that the account has said
    touched: Ranges = ()  # messages that show it elsewhere: to which it has reacted, that it has pinned or deleted
    labels: tuple[str, ...] = ()  # what it was called there; no database has it
    name: str = "chatter"  # who did it, as in every entry
    author: None = None

    @property
    def owner(self) -> Owner:
        """Whose the id is."""
        return self.name

    @property
    def target(self) -> None:
        """No single message."""
        return None

    @property
    def places(self) -> Ranges:
        """All messages that it is about."""
        return (*self.targets, *self.touched)


class _RoomEntry(_Done, frozen=True, gc=False):
    inserted_at: str
    nth: int


class MemberAs(msgspec.Struct, frozen=True, gc=False):
    """Somebody who comes into a room or is in it, as they were called then."""

    who: Author
    name: str


MemberChange: TypeAlias = Literal[
    "joined",  # by themselves
    "added",  # by another
    "left",
    "removed",
    "banned",
    "unbanned",
    "role",
    "muted",
    "unmuted",
]
"""What becomes of people in a room."""


class MembersChanged(_RoomEntry, frozen=True, gc=False):
    """People came into a room or went, or are something else in it than before."""

    change: MemberChange
    members: tuple[MemberAs, ...]  # at most twenty
    role: RoomRole | None = None  # what they are now: where they came, and of `role`
    until: str | None = None  # of `muted`
    reason: str | None = None


class RoomChanged(_RoomEntry, frozen=True, gc=False):
    """A room was founded, or is called something else or has other rules than before. None is for what stays."""

    kind: RoomKind | None = None  # in the first one only: the room was founded
    title: str | None = None
    topic: str | None = None
    rules: RulesPatch | None = None
    archived: bool | None = None


RoomEntry: TypeAlias = MembersChanged | RoomChanged
"""What is done to a room itself."""

Entry: TypeAlias = Posted | Change | Purged | RoomEntry
"""What has a place in a room's log."""


def covers(ranges: Ranges, seq: int) -> bool:
    """Returns whether a place is in one of these ranges."""
    return any(first <= seq <= last for first, last in ranges)


def size_of(entry: Entry) -> int:
    """Estimates how many bytes an entry takes while it waits to be saved."""
    match entry:
        case Posted() | Edited():
            text = entry.message
            return (len(text) if text.isascii() else len(text.encode())) + len(entry.name) + len(entry.id) + 100
        case Reacted():
            return (
                sum(len(label_of(each)) for each in (*entry.added, *entry.removed)) + 200 * len(entry.reactions) + 100
            )
        case Purged():
            return 32 * len(entry.places) + 100
        case MembersChanged():
            return sum(len(each.name) + len(each.who.handle) + 50 for each in entry.members) + len(entry.id) + 500
        case RoomChanged():
            return len(entry.title or "") + 4 * len(entry.topic or "") + len(entry.id) + 500
        case _:
            return len(entry.name) + len(entry.id) + 100


class Voided(msgspec.Struct, frozen=True):
    """The entry that was heard as `seq` can never be saved. The wire calls it `message_voided`."""

    seq: int


class StartedTyping(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody is typing. Never saved. The wire calls it `typing`."""

    name: str
    author: Author | None = None


class Lagged(msgspec.Struct, frozen=True):
    """A client read too slowly, and events for it were dropped. The wire calls it `resync`."""

    seq: int  # the newest in the room


class Relayed(msgspec.Struct, frozen=True):
    """Somebody sent bytes. Only clients that can carry bytes hear it; never saved."""

    data: bytes


class PresenceChanged(msgspec.Struct, frozen=True):
    """People came and went. Phoenix calls it `presence_diff`."""

    joins: "People"
    leaves: "People"


class PresenceListed(msgspec.Struct, frozen=True):
    """A client that has just joined hears who is present. Phoenix calls it `presence_state`."""

    people: "People"


class PresenceCounted(msgspec.Struct, frozen=True):
    """The room holds more people than are listed; this is their number. The wire calls it `presence_count`."""

    people: int


class Meta(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One connection of a person."""

    phx_ref: str  # identifies this connection: 16 characters of URL-safe base64
    online_at: int  # seconds since 1970
    id: int | None = None  # of the account; None for a guest, who has no more than the name
    name: str | None = None


class Metas(msgspec.Struct, frozen=True, gc=False):
    """All connections of one person, oldest first."""

    metas: tuple[Meta, ...]


People: TypeAlias = dict[str, Metas]
"""People by label. Built for one event and never changed afterwards."""

Event: TypeAlias = (
    Entry | Voided | StartedTyping | Lagged | Relayed | PresenceChanged | PresenceListed | PresenceCounted
)


# ---------------------------------------------------------------- what one client is answered


class Done(msgspec.Struct, frozen=True):
    """The request is carried out."""


class Acknowledged(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was asked for is committed or, with `ack: "room"`, has its place."""

    id: str
    seq: int
    inserted_at: str
    duplicate: bool = False  # it was said before, in this place and at this time
    not_here: tuple[str, ...] = ()  # handles of accounts that are named in a message and are not in the room


class AlreadySo(msgspec.Struct, frozen=True, gc=False):
    """The message is as the request wants it since the entry `seq`, which is committed; nothing was added."""

    seq: int
    duplicate: bool = True  # it was so before the request; false for a reaction that came and went in one moment


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a room's history, oldest first; `more` messages exist in the direction that was asked for.

    In a page around a place `more` is about older messages, and `more_after` says whether newer ones exist. A page of
    what has changed is in the order of the changes. One of what became of the room has `events`, and no messages.
    """

    messages: Sequence[Posted]
    more: bool
    more_after: bool | None = None
    as_of: int | None = None  # the messages show all entries up to here
    next: int | None = None  # where the next page of changes begins, or where that of events ends
    events: "Sequence[RoomEntry] | None" = None


class Recovery(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a join or a `sync`: where the client stands. `docs/delivery.md` has the rules."""

    epoch: int  # the current start of the server
    seq: int  # the newest in the room; 0 in an empty room
    base: int  # messages above this seq that the client heard in an earlier epoch are void
    recovered: bool  # all that it missed follows; otherwise it must start over with the page that follows
    missed: int  # how many messages it missed
    more: bool  # not all of them follow: the rest is read with `history {after}`
    room: RoomView | None = None  # for who knows the log, in a room with a charter


class ReactorsListed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who has reacted to a message with one key, in the order in which they came."""

    count: int
    names: tuple[str, ...]  # labels, as `label_of` makes them
    mine: bool  # whoever asks is among them
    more: bool = False  # they are too many to be named all


class RoomDescribed(msgspec.Struct, frozen=True):
    """A room as somebody who may read it sees it. A plain room has no view and no members."""

    room: RoomView | None
    members: Sequence[Member] = ()  # by account
    banned: Sequence[int] = ()  # for who may lift the ban
    powers: frozenset[Power] = frozenset()  # what the one who asks may do there


Reason: TypeAlias = Literal[
    "unmatched topic",
    "unauthorized",
    "join crashed",
    "too many channels joined",
    "unavailable",
    "unknown event",
    "overloaded",
    "busy",
    "id_taken",
    "not_saved",
    "quarantined",
    "rate_limited",
    "not_found",
    "gone",
    "forbidden",
    "too_late",
    "conflict",
    "full",
    "sign_in",
    "other_person",
    "banned",
    "muted",
    "read_only",
    "archived",
    "slow_mode",
    "confirm",
]
"""Why a request is refused; the table "Errors" of `docs/protocol.md` explains each."""


class Refused(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The request is not granted."""

    reason: Reason
    retry_after_ms: int | None = None  # when to try again, where trying again helps
    limit: int | None = None  # of `full`
    limit_s: float | None = None  # of `too_late`
    changed: int | None = None  # of `conflict`: the last entry that touched the message
    until: str | None = None  # of `muted`
    people: int | None = None  # of `confirm`: how many would be called
    handles: tuple[str, ...] | None = None  # of `not_found`: those that nobody has


Answer: TypeAlias = Done | Acknowledged | AlreadySo | Page | Recovery | ReactorsListed | RoomDescribed | Refused


# ---------------------------------------------------------------- the way back to a client


class View(enum.Enum):
    """What a client knows of a room's log."""

    MESSAGES = "messages"  # it shows messages as they come
    PLACES = "places"  # it counts places: those of other entries are void for it
    LOG = "log"  # it knows entries of every kind


class Serializer(Protocol):
    """Turns events into the bytes of one kind of client. Frames of one serializer may be joined."""

    def broadcast(self, room: str, event: Event) -> bytes:
        """Returns `event` as a frame for all subscribers of `room`, or nothing where the client cannot carry it."""


class Asker(Protocol):
    """Whoever asks a room for something and is answered. Called on the loop only."""

    @property
    def client(self) -> Hashable:
        """The client's connection, which all its subscriptions share."""

    @property
    def takes_frames(self) -> bool:
        """Whether what is written now is sent. Else the client is gone, or is told later that it missed something."""

    def answer(self, ref: Ref, answer: Answer) -> bytes:
        """Returns the answer to the request `ref` as a frame."""

    def write(self, frames: bytes) -> None:
        """Sends whole frames. Never blocks and never raises."""


class Subscriber(Asker, Protocol):
    """One client in one room. Called on the loop only; a method that returns bytes sends nothing."""

    @property
    def serializer(self) -> Serializer:
        """Subscribers with the same serializer are sent the same bytes."""

    @property
    def view(self) -> View:
        """What the client knows of the log."""

    @property
    def author(self) -> Author | None:
        """The account of the client; None for a guest."""

    @property
    def person_name(self) -> str | None:
        """The name of the account; None for a guest, who gives one in each request."""

    def guest_name(self, name: str) -> str:
        """Returns what a guest who has given this name is called now: another one where an account has taken it."""

    @property
    def server_role(self) -> ServerRole:
        """What the client is on this server."""

    @property
    def sees_presence(self) -> bool:
        """Whether the client wants the list of people. One that is present itself does."""

    def note_said(self, seq: int) -> None:
        """Remembers that this connection has said a message in this room, for a while and for the latest ones."""

    def unnote_said(self, seq: int) -> None:
        """Forgets that this connection has said a message, which did not get that place."""

    def has_said(self, seq: int) -> bool:
        """Returns whether this connection has said a message in this room, as far as it remembers."""

    def welcome(self, recovery: Recovery) -> bytes:
        """Returns the frame that grants the join."""

    def refusal_to_open(self) -> Refused | None:
        """Counts a room that this client opens; returns why it may not open it."""

    def refuse(self, reason: Reason, retry_after_ms: int | None = None) -> bytes:
        """Gives up the place in the room and returns the frame that refuses the join."""

    def push(self, event: Event) -> bytes:
        """Returns `event` as a frame for this client alone."""

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        """Gives up the place in the room and returns the last frame, which says so."""


# ---------------------------------------------------------------- what a room is asked


class Position(msgspec.Struct, frozen=True):
    """How far a client has heard a room."""

    since: int  # the highest seq up to which it has everything
    epoch: int | None  # the server's when it heard that; None if the client does not know


class Join(msgspec.Struct, frozen=True):
    """A client subscribes. It is answered first, then pushed what it missed and who is present.

    It missed everything after its position; without a position it gets the latest messages.
    """

    subscriber: Subscriber
    name: str | None  # the person to show as present; None shows nobody
    replaces: Subscriber | None = None  # the same client's earlier place in the room, which ends
    position: Position | None = None


class Sync(msgspec.Struct, frozen=True):
    """A subscriber has missed something and wants what a join would give it."""

    subscriber: Subscriber
    ref: Ref
    position: Position


class NotifyLagged(msgspec.Struct, frozen=True):
    """A subscriber whose events were dropped can be written to again: the room tells it `Lagged`."""

    subscriber: Subscriber


class Leave(msgspec.Struct, frozen=True):
    """A client unsubscribes. With a `ref` it asked to and is answered; without one its connection is gone."""

    subscriber: Subscriber
    ref: Ref | None = None


class Dismiss(msgspec.Struct, frozen=True):
    """The server ends a client's subscription, and tells it so."""

    subscriber: Subscriber


class Post(msgspec.Struct, frozen=True):
    """A subscriber says something to everyone."""

    sender: Subscriber
    ref: Ref
    id: str | None  # the sender's own id for this message; the room makes one up for None
    name: str
    message: str
    repeat: bool = False  # it may have been sent long ago: the database is searched before it is said
    ack: Literal["room", "disk"] = "disk"  # answered when it has its place, or when it is committed
    reply_to: int | None = None  # the message that it answers
    author: Author | None = None  # the account of the sender
    confirmed: bool = False  # it may call everybody, however many these are

    @property
    def owner(self) -> Owner:
        """Whose its id is."""
        return self.name if self.author is None else self.author.id


class Edit(msgspec.Struct, frozen=True):
    """A subscriber gives its message another text."""

    sender: Subscriber
    ref: Ref
    id: str | None
    target: int
    message: str
    if_changed: int | None = None  # only if that was the last entry to touch it
    repeat: bool = False
    author: Author | None = None


class Delete(msgspec.Struct, frozen=True):
    """A subscriber takes its message back."""

    sender: Subscriber
    ref: Ref
    id: str | None
    target: int
    reason: str | None = None
    repeat: bool = False
    author: Author | None = None


class React(msgspec.Struct, frozen=True):
    """A subscriber reacts to a message, or takes that back. Message, key and person make it the same one."""

    sender: Subscriber
    ref: Ref
    name: str
    target: int
    key: str  # one emoji
    is_added: bool
    author: Author | None = None

    @property
    def person(self) -> Person:
        """Who reacts."""
        return self.author or self.name


class Pin(msgspec.Struct, frozen=True):
    """A subscriber pins a message, or takes the pin away."""

    sender: Subscriber
    ref: Ref
    id: str | None
    name: str
    target: int
    is_pinned: bool
    repeat: bool = False
    author: Author | None = None


class Purge(msgspec.Struct, frozen=True):
    """An account has left, and what it has done to some messages is to become nobody's."""

    account: int
    erases: bool
    targets: Ranges
    touched: Ranges
    labels: tuple[str, ...]
    answer: Callable[[bool], None]  # called on the loop once it is committed, or with False where it is not done


Operation: TypeAlias = Edit | Delete | React | Pin
"""What is asked to be done to a message."""


class By(msgspec.Struct, frozen=True, gc=False):
    """An account that does something to a room or its people, or that something is done to."""

    author: Author
    name: str
    role: ServerRole = "member"


class _Governing(msgspec.Struct, frozen=True):
    sender: Asker
    ref: Ref
    id: str | None
    by: By

    @property
    def owner(self) -> Owner:
        """Whose its id is."""
        return self.by.author.id


class Found(_Governing, frozen=True):
    """Somebody makes a room and owns it, unless all are equal there. A direct room may be there already."""

    kind: RoomKind
    title: str = ""
    topic: str = ""
    rules: RulesPatch | None = None
    members: tuple[By, ...] = ()  # the others
    repeat: bool = False


class ChangeRoom(_Governing, frozen=True):
    """Somebody gives a room another title, topic or rules, or archives it. None is for what stays."""

    title: str | None = None
    topic: str | None = None
    rules: RulesPatch | None = None
    archived: bool | None = None
    repeat: bool = False


class ChangeMembers(_Governing, frozen=True):
    """Somebody comes or goes, or does something to others. Who comes or goes is the only one in `accounts`."""

    change: MemberChange
    accounts: tuple[By, ...]
    role: RoomRole | None = None  # of `joined`: at least this, as somebody says who may give it
    until: str | None = None
    reason: str | None = None
    is_invited: bool = False  # of `joined`: with the code of an invitation, which opens a private room
    opens: bool = False  # of `joined`: also a public room in which nothing was said
    repeat: bool = False


class Describe(msgspec.Struct, frozen=True):
    """Somebody asks what a room is, and who is in it."""

    sender: Asker
    ref: Ref
    by: By | None  # None for a guest


Governing: TypeAlias = Found | ChangeRoom | ChangeMembers
"""What is asked to be done to a room itself."""


class ShowTyping(msgspec.Struct, frozen=True):
    """A subscriber shows the others that it is typing."""

    sender: Subscriber
    ref: Ref
    name: str
    author: Author | None = None


class Relay(msgspec.Struct, frozen=True):
    """A subscriber sends bytes to everyone."""

    sender: Subscriber
    ref: Ref
    data: bytes


class ReadHistory(msgspec.Struct, frozen=True):
    """A subscriber reads up to `limit` messages: before or after one, around one, or the latest.

    With a `root` these are of its thread. Instead it may read those that are pinned, those of some places, or what
    became of the room and its people between two places.
    """

    reader: Subscriber
    ref: Ref
    before: int | None
    limit: int
    after: int | None = None
    around: int | None = None
    root: int | None = None
    is_pinned: bool = False
    seqs: tuple[int, ...] = ()
    is_of_room: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is a page of the room's messages in their order."""
        return self.root is None and not self.is_pinned and not self.seqs and not self.is_of_room

    @property
    def is_of_changes(self) -> bool:
        """Whether it is for what has changed: so a client that knows the log catches up."""
        return self.is_plain and self.after is not None and self.reader.view is View.LOG


class ListReactors(msgspec.Struct, frozen=True):
    """A subscriber asks who has reacted to a message with one key, and whether that is done by itself, too."""

    sender: Subscriber
    ref: Ref
    target: int
    key: str
    name: str = ""  # a guest's, whom the room may know by it; empty for one that has none
    author: Author | None = None

    @property
    def person(self) -> Person:
        """Who asks."""
        return self.author or self.name


class ContinueDelivery(msgspec.Struct, frozen=True):
    """The room tells itself: an earlier turn has not been written to all subscribers yet."""


class PresencePauseEnded(msgspec.Struct, frozen=True):
    """The room tells itself: presence changes may be broadcast again."""


class PresenceGraceEnded(msgspec.Struct, frozen=True):
    """The room tells itself: people who were present before the restart no longer count as present."""


class ReactionsDue(msgspec.Struct, frozen=True):
    """The room tells itself or its successor: the reactions of an interval are to be counted."""

    anew: tuple[int, ...] = ()  # messages whose reactions were counted with one that became void


class RefreshNames(msgspec.Struct, frozen=True):
    """All rooms are told: an account is new, is gone, or has another name, which may have been a guest's.

    A large room tells itself whom it still has to look at.
    """

    account: Author  # with the handle that it has now; without one it is gone
    name: str
    left: Sequence[Subscriber] | None = None  # None for everybody who is present


class Recall(msgspec.Struct, frozen=True):
    """Asked: returns all messages that the room remembers, as a list of `Save`."""


class Retire(msgspec.Struct, frozen=True):
    """The supervisor ends a room that has been idle for a while, unless it is in use again."""


# ---------------------------------------------------------------- what the storage tells a room


class Loaded(msgspec.Struct, frozen=True):
    """The room's latest entries, oldest first, with the ends of their epochs and the void places."""

    recent: Sequence[Entry]
    epochs: Sequence[tuple[int, int]] = ()  # `(epoch, its last seq)`, oldest first
    voids: Sequence[int] = ()  # all there are, by seq
    firsts: Mapping[int, Entry] = {}  # of `Load.unanswered`, those void since their id was taken: by what
    older: Sequence[Posted] = ()  # messages before these entries, where few of them are messages
    states: Mapping[int, PostState] = {}  # of these messages, by seq, where something has touched them
    pinned: Sequence[int] = ()  # the places of all pinned messages
    charter: Charter | None = None  # None for a plain room
    unsaved: Sequence[Entry] = ()  # the `Load`'s: those after the recent ones belong to the past as well


class LoadFailed(msgspec.Struct, frozen=True):
    """The room cannot begin: the database did not answer."""


class Saved(msgspec.Struct, frozen=True):
    """All entries of this room up to and including `through` are committed."""

    through: int


class Heard(msgspec.Struct, frozen=True):
    """The shared log has these entries, oldest first, which another node's room has said."""

    entries: Sequence[Entry]


class Overheard(msgspec.Struct, frozen=True):
    """Another node's room has broadcast something that is never saved."""

    event: StartedTyping | Relayed


class PeopleMoved(msgspec.Struct, frozen=True):
    """People have come to the room on another node, or gone there."""

    came: Sequence[tuple[str, Meta]]  # with the names under which they are listed
    left: Sequence[str]  # `phx_ref`s


class Propose(msgspec.Struct, frozen=True):
    """Asked: the room decides what waits, and returns it as a `Save`; None where that adds nothing to the log.

    It is heard by nobody before `Placed` comes. `NotPlaced` takes it back.
    """


class Placed(msgspec.Struct, frozen=True):
    """What the room has proposed is in the shared log, up to and including `through`."""

    through: int


class NotPlaced(msgspec.Struct, frozen=True):
    """What the room has proposed is not in the shared log, as far as is known. It may still come as `Heard`.

    What is too large for the log is never there.
    """

    is_too_large: bool = False


class NotSaved(msgspec.Struct, frozen=True):
    """The database can never take an entry. `void` is committed in its place."""

    void: Posted
    first: Entry | None  # the same sender's entry that already has its id


class PageLoaded(msgspec.Struct, frozen=True):
    """Answers a `LoadPage` with a page or a refusal."""

    request: ReadHistory
    answer: Page | Refused


class MissedLoaded(msgspec.Struct, frozen=True):
    """Answers a `LoadMissed`."""

    request: Join | Sync
    base: int
    entries: Sequence[Entry]  # the next ones after `min(since, base)`, with their states of now
    refused: Refused | None = None  # the database did not answer, or is too busy
    rows: int = 0  # for who knows the log, how many messages are new or were touched since; at most one past `max_rows`


class LookedUp(msgspec.Struct, frozen=True):
    """Answers a `LookUp`."""

    request: Post | Governing
    first: Entry | None  # what was said under this id before
    thread: Sequence[Posted] = ()  # the message that it answers, and the first one of that thread
    failed: bool = False  # the database did not answer, or is too busy


class TargetLoaded(msgspec.Struct, frozen=True):
    """Answers a `LoadTarget`."""

    target: int
    posted: Posted | None  # with its state; None where there is no such message
    reactions: Sequence[tuple[str, Person, int]] | None = None  # `(key, who, the entry that added it)`, if asked for
    first: Entry | None = None  # what has the operation's id
    failed: bool = False  # the database did not answer, or is too busy


RoomMessage: TypeAlias = (
    Join
    | Sync
    | NotifyLagged
    | Leave
    | Dismiss
    | Post
    | Operation
    | Purge
    | Governing
    | Describe
    | ShowTyping
    | Relay
    | ReadHistory
    | ListReactors
    | ContinueDelivery
    | PresencePauseEnded
    | PresenceGraceEnded
    | ReactionsDue
    | RefreshNames
    | Recall
    | Retire
    | Loaded
    | LoadFailed
    | Saved
    | NotSaved
    | Heard
    | Overheard
    | PeopleMoved
    | Propose
    | Placed
    | NotPlaced
    | PageLoaded
    | MissedLoaded
    | LookedUp
    | TargetLoaded
)


# ---------------------------------------------------------------- what the storage is asked


class Save(msgspec.Struct, frozen=True):
    """A room has `entries` to commit, in the order of their `seq`."""

    room: RoomRef | None  # None for what an earlier server left in its spool
    slug: str
    epoch: int
    entries: Sequence[Entry]


class Load(msgspec.Struct, frozen=True):
    """A room begins and wants its latest `limit` entries and as many messages, once all told before is committed."""

    room: RoomRef
    slug: str
    limit: int
    unanswered: Mapping[int, tuple[Owner, str]] = {}  # by seq, owner and id of what a predecessor has not answered
    unsaved: Sequence[Entry] = ()  # what a shared log has besides, as far as is known


class Work(msgspec.Struct, frozen=True):
    """The backlog hands over what rooms have told it, in this order."""

    told: Sequence[Save | Load]


class Flush(msgspec.Struct, frozen=True):
    """Asked: returns None once everything told before is committed."""


class LoadPage(msgspec.Struct, frozen=True):
    """A room passes on a `ReadHistory` that reaches beyond its memory; `newest` is its last seq."""

    room: RoomRef
    slug: str
    newest: int
    request: ReadHistory
    held: Sequence[Posted] = ()  # the end of the page, which the room has in memory: it may not be saved yet


class LoadMissed(msgspec.Struct, frozen=True):
    """A room passes on a `Join` or `Sync` whose answer reaches beyond its memory."""

    room: RoomRef
    slug: str
    since: int
    epoch: int | None  # the client's: its last seq is the base; None for the current epoch, which has no end yet
    limit: int  # of entries
    max_rows: int
    request: Join | Sync


class LookUp(msgspec.Struct, frozen=True):
    """A room asks whether what may be a repeat was done before, or what a post answers."""

    room: RoomRef
    slug: str
    request: Post | Governing


class LoadTarget(msgspec.Struct, frozen=True):
    """A room asks for the message that an operation is about, and whether the operation was carried out before."""

    room: RoomRef
    slug: str
    target: int
    client: Hashable  # whose turn to read it takes
    id: str | None = None  # of an operation that may be a repeat
    owner: Owner | None = None  # whose that is; None for the guest who said the message
    with_reactions: bool = False


class LoadOwn(msgspec.Struct, frozen=True):
    """Asked: returns an `OwnPage` of the messages that an account has said."""

    account: int
    room: int = 0  # goes on in this room, by its number
    after: int = 0  # after this place


class OwnPage(msgspec.Struct, frozen=True):
    """Messages of one account in one room, and where the next page begins."""

    slug: str
    messages: Sequence[Posted]
    next: LoadOwn | None


class ListRooms(msgspec.Struct, frozen=True):
    """Asked: returns `RoomsListed` with up to `limit` rooms."""

    limit: int


class RoomListed(msgspec.Struct, frozen=True):
    """A room, the end of its log, and the time of its last message."""

    slug: str
    seq: int
    nth: int  # how many messages it has
    last_message_at: str
    title: str = ""
    topic: str = ""
    guests: bool = True  # whether guests may be in it


class RoomsListed(msgspec.Struct, frozen=True):
    """The public rooms that are listed, the last spoken in first, and the names of those that are not."""

    rooms: Sequence[RoomListed]
    hidden: frozenset[str] = frozenset()


class Ping(msgspec.Struct, frozen=True):
    """Asked: returns None if the database answers and has kept all commits, or raises what is wrong."""


class Tidy(msgspec.Struct, frozen=True):
    """Persistence drops for good what was deleted."""


class Forget(msgspec.Struct, frozen=True):
    """Asked: returns None once neither the dead letters nor the database's log have what an account has said."""

    account: int
    erases: bool


PersistenceMessage: TypeAlias = Work | Flush | Tidy | Forget
HistoryMessage: TypeAlias = Load | LoadPage | LoadMissed | LookUp | LoadTarget | LoadOwn | ListRooms | Ping
