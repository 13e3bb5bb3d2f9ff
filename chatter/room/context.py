"""What all rooms of a server share: their settings, and the parts of the server that they talk to."""

import dataclasses
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Protocol

from chatter.actors import Tellable
from chatter.charter import Charter, ServerRole
from chatter.clock import Clock, wall_clock
from chatter.messages import (
    Deleted,
    Edited,
    Entry,
    Load,
    MembersChanged,
    Meta,
    People,
    Posted,
    Purged,
    Relayed,
    RoomChanged,
    RoomMessage,
    RoomRef,
    Save,
    StartedTyping,
)
from chatter.room.handover import Handover


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """The settings of rooms. Each is the server's setting of the same name; times are in seconds."""

    ring_size: int = 200  # recent entries kept in memory for joins and history, and as many messages
    id_memory_size: int = 1_000  # recent messages whose ids are compared before one is said; as many operations
    greeting_size: int = 10  # messages pushed after a join, as the tutorial has it
    max_recovery_page: int = 500  # messages pushed to a client that comes back
    max_page_bytes: int = 262_144  # of messages in a page of history, a catch-up or a greeting
    max_recovery_gap: int = 5_000  # messages that a client that comes back may have missed
    edit_window: float = 3_600.0  # a message may be edited for so long
    delete_window: float = 3_600.0  # and taken back for so long
    max_edits: int = 50  # of one message
    max_reactions: int = 20  # different ones to one message
    max_listed_reactors: int = 500  # people that are named of those who have reacted with one emoji
    max_pins: int = 50
    max_room_members: int = 2_000  # of a private room
    max_group_members: int = 20
    max_rooms_per_account: int = 500  # that somebody is in; who speaks in a public room comes into it all the same
    max_replies: int = 5_000  # in one thread; a reply to one of these then begins another
    reaction_interval: float = 0.25  # in a large room the reactions to a message are counted once in so long
    presence_grace: float = 10.0  # people are shown as present for so long after a restart, until they come back
    max_listed_people: int = 100  # people whose names clients are told
    max_listed_connections: int = 10  # connections of each person that clients are told of
    presence_interval: float = 2.0  # longest pause between two presence broadcasts
    room_idle_timeout: float = 60.0  # an idle room stays in memory for so long


class RoomSupervisor(Protocol):
    """The supervisor as a room sees it. Called on the loop."""

    def on_people_count(self, slug: str, people: int) -> None:
        """The number of people in a room has changed."""

    def on_idle(self, slug: str) -> None:
        """A room has become idle. If it stays so, the supervisor tells it `Retire`."""

    def on_busy(self, slug: str) -> None:
        """An idle room is in use again."""

    def on_retired(self, slug: str) -> None:
        """An idle room ends now; a new one may take its place at once."""

    def on_crashed(self, slug: str, handover: Handover | None) -> bool:
        """A room failed. Without a hand-over its subscribers have been told already.

        Returns whether a successor takes its place; if not, all subscribers have been told.
        """

    def on_stopped(self, slug: str, people: People) -> None:
        """A room that is stopped had these people in it."""

    def forward(self, slug: str, message: RoomMessage) -> None:
        """Passes mail of an ended room on to the room that takes its place."""


class Log(Protocol):
    """The log that is to have what rooms say, as a room sees it. The backlog is one. Called on the loop."""

    @property
    def is_full(self) -> bool:
        """Whether rooms must refuse posts."""

    @property
    def is_half_full(self) -> bool:
        """Whether rooms must refuse operations, so that messages find room for longer."""

    def count(self, size: int) -> None:
        """Counts an entry of `size` bytes, from the moment in which a room adds it."""

    def tell(self, message: Save | Load) -> None:
        """Has entries saved, or a room's past loaded once all told before is saved."""


class SharedLog(Log, Protocol):
    """A log that the rooms of other nodes add to as well."""

    def ask_for_turn(self, room: RoomRef, slug: str) -> None:
        """Has a room, in which requests wait, told `Propose` once it may decide them."""

    def tell_person(self, slug: str, name: str, meta: Meta, is_here: bool) -> None:
        """Has the other nodes show a connection of somebody as present, or as gone."""

    def people_elsewhere(self, slug: str) -> Iterable[tuple[str, Meta]]:
        """Returns the connections to the room on other nodes, with the names under which they are listed."""

    def forget_people(self, slug: str) -> None:
        """Has the other nodes show nobody of this node as present in the room."""

    def tell_elsewhere(self, slug: str, event: StartedTyping | Relayed) -> None:
        """Has the room's other nodes broadcast what is never saved. It may be lost."""


class Memberships(Protocol):
    """The index of who is in which room, as rooms see it. Called on the loop, in the turn in which they do it.

    Rooms without a charter say nothing. Of a room that has one, `charter` is how it is after the entry.
    """

    def count_of(self, account: int) -> int | None:
        """Returns in how many rooms somebody is now; None where that would have to be loaded."""

    def on_members_changed(self, slug: str, entry: MembersChanged, charter: Charter) -> None:
        """People have come into a room or gone, or are something else in it. It is not committed yet."""

    def on_room_changed(self, slug: str, entry: RoomChanged, charter: Charter) -> None:
        """A room was founded, or is called something else or has other rules. It is not committed yet."""

    def on_said(self, slug: str, posted: Posted, charter: Charter) -> None:
        """A message was said in a room; its `mentions` say who is named. It is not committed yet."""

    def on_changed(self, slug: str, change: Edited | Deleted | Purged, charter: Charter) -> None:
        """Messages have other texts, which may name others, are gone or are nobody's. It is not committed yet."""

    def on_begun(self, slug: str, entries: Sequence[Entry], charter: Charter, saved: int) -> None:
        """A room that lives on several nodes begins here, with its latest entries; those up to `saved` are committed.

        Nobody may have told of them: the room was not here.
        """

    def on_saved(self, slug: str, through: int) -> None:
        """All entries up to `through` are committed."""

    def on_voided(self, slug: str, seq: int, charter: Charter | None) -> None:
        """An entry could not be saved, and what it did is taken back: `charter` is how the room is without it."""


class NoMemberships:
    """Keeps no index."""

    def count_of(self, account: int) -> int | None:
        return None

    def on_members_changed(self, slug: str, entry: MembersChanged, charter: Charter) -> None:
        pass

    def on_room_changed(self, slug: str, entry: RoomChanged, charter: Charter) -> None:
        pass

    def on_said(self, slug: str, posted: Posted, charter: Charter) -> None:
        pass

    def on_changed(self, slug: str, change: Edited | Deleted | Purged, charter: Charter) -> None:
        pass

    def on_begun(self, slug: str, entries: Sequence[Entry], charter: Charter, saved: int) -> None:
        pass

    def on_saved(self, slug: str, through: int) -> None:
        pass

    def on_voided(self, slug: str, seq: int, charter: Charter | None) -> None:
        pass


NO_MEMBERSHIPS = NoMemberships()


def no_staff(_account: int) -> ServerRole:
    """Returns what everybody is on a server without accounts of more rights."""
    return "member"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RoomContext:
    """One value for all rooms: each holds a reference to it instead of six fields of its own."""

    settings: RoomSettings
    epoch: int  # this start of the server
    epochs: Container[int]  # all starts on this database, with this one
    supervisor: RoomSupervisor
    backlog: Log
    history: Tellable
    clock: Clock = wall_clock
    memberships: Memberships = NO_MEMBERSHIPS
    server_role: Callable[[int], ServerRole] = no_staff  # of an account, where nobody of it is here to tell
