"""News: what has become of rooms, told to those who do not hear these rooms themselves, at most once in 500 ms.

A person with many rooms is written to once, whatever has happened in them, and a room's news are encoded once for all
who are told the same. So the cost grows with the people, not with the messages.
"""

import asyncio
import time
from collections.abc import Iterator

from chatter.memberships.membership import Membership
from chatter.memberships.person import Person
from chatter.memberships.room import ListedRoom
from chatter.memberships.values import Active, Listener, PersonalSerializer, RoomAltered

INTERVAL = 0.5
"""Seconds from the first news of any room to their being told, and so between two of one room."""

TIME_SLICE = 0.001
"""Seconds after which telling them lets the loop serve others: a write takes 5 to 30 µs."""

PEOPLE_BETWEEN_CLOCK_READS = 16

_DONE = object()


class News:
    """Owns what has happened and has not been told."""

    def __init__(self, people: dict[int, Person]) -> None:
        """`people` are all who are known, by account."""
        self._people = people
        self._active: dict[ListedRoom, None] = {}
        self._altered: dict[ListedRoom, None] = {}  # other people are in them
        self._marked: dict[Membership, None] = {}
        self._telling: Iterator[None] | None = None
        self._timer: asyncio.Handle | None = None

    def active(self, room: ListedRoom) -> None:
        """A room has another latest message."""
        self._active[room] = None
        self._schedule()

    def altered(self, room: ListedRoom) -> None:
        """Other people are in a room, or are called something else."""
        self._altered[room] = None
        self._schedule()

    def marked(self, membership: Membership) -> None:
        """Somebody has said something, and so has read the room up to there."""
        self._marked[membership] = None
        self._schedule()

    def close(self) -> None:
        """Tells nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tell)

    def _tell(self) -> None:
        """Tells a slice of the people, and goes on in the next turn of the loop."""
        loop = asyncio.get_running_loop()
        if self._telling is None:
            self._telling = self._slices()
        if next(self._telling, _DONE) is not _DONE:
            self._timer = loop.call_soon(self._tell)
            return
        self._telling = self._timer = None
        if self._active or self._altered or self._marked:
            self._schedule()

    def _slices(self) -> Iterator[None]:
        told = _Round(self._active, self._altered, self._marked)
        self._active, self._altered, self._marked = {}, {}, {}
        until = time.perf_counter() + TIME_SLICE
        news: dict[int, list[Membership]] = {}
        for room in {**told.active, **told.altered}:
            for account in room.accounts:
                news.setdefault(account, []).append(self._people[account].rooms[room.slug])
            if time.perf_counter() > until:
                yield
                until = time.perf_counter() + TIME_SLICE
        for membership in told.marked:
            of_person = news.setdefault(membership.account, [])
            if membership not in of_person:
                of_person.append(membership)
        for number, (account, memberships) in enumerate(news.items(), 1):
            if account in self._people:
                told.tell(self._people[account], memberships)
            if number % PEOPLE_BETWEEN_CLOCK_READS == 0 and time.perf_counter() > until:
                yield
                until = time.perf_counter() + TIME_SLICE


class _Round:
    """What is told in one round, encoded once for all who are told the same."""

    def __init__(
        self, active: dict[ListedRoom, None], altered: dict[ListedRoom, None], marked: dict[Membership, None]
    ) -> None:
        self.active = active
        self.altered = altered
        self.marked = marked
        self._frames: dict[tuple[PersonalSerializer, ListedRoom, object], bytes] = {}

    def tell(self, person: Person, memberships: list[Membership]) -> None:
        """Tells somebody the news of these rooms, of those that they are still in."""
        current = [each for each in memberships if person.rooms.get(each.slug) is each]
        for listener in person.hearers:
            frames = b"".join(self._frames_for(listener, current))
            if frames:
                listener.write(frames)
        for membership in current:
            membership.mentions_changed = False

    def _frames_for(self, listener: Listener, memberships: list[Membership]) -> Iterator[bytes]:
        serializer = listener.serializer
        for membership in memberships:
            room = membership.room
            if not listener.reaches(room.slug):
                continue
            if room in self.altered:
                yield self._altered_frame(serializer, room)
            if room in self.active and not listener.has_joined(room.slug):
                yield self._active_frame(serializer, membership)
            if membership in self.marked:
                yield serializer.personal(membership.mark())

    def _altered_frame(self, serializer: PersonalSerializer, room: ListedRoom) -> bytes:
        key = serializer, room, "people"
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = serializer.personal(RoomAltered(room.slug, room.people_shown()))
        return frame

    def _active_frame(self, serializer: PersonalSerializer, membership: Membership) -> bytes:
        room = membership.room
        mentions = membership.mentions if membership.mentions_changed else None
        last = room.last_for(membership.joined_seq)
        key = serializer, room, (mentions, last is None)
        frame = self._frames.get(key)
        if frame is None:
            event = Active(room.slug, room.last_seq, room.last_nth, last, mentions)
            frame = self._frames[key] = serializer.personal(event)
        return frame
