"""News: what has become of rooms, told to those who do not hear these rooms themselves.

Two rounds bound the cost. Every half second those hear of their rooms who wait for something: who had nothing unread
there, is mentioned, or notices everything. Every ten seconds all others do, whose lists have shown before that the
room has something new, and only its number grows. A person with many rooms is written to once in a round, and a room's
news are encoded once for all who are told the same. So the cost grows with the people, not with the messages.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Set

from chatter.clock import Clock, to_iso
from chatter.memberships.membership import Membership
from chatter.memberships.person import Person
from chatter.memberships.room import ListedRoom
from chatter.memberships.values import Active, PersonalSerializer, RoomAltered

INTERVAL = 0.5
"""Seconds from the first news of any room to their being told to those who wait for them."""

INTERVAL_FOR_ALL = 10.0
"""Seconds from the first news to their being told to everybody.

With 1,000 people in 20 rooms each and 200 messages a second, activity costs 0.8 of what the messages cost where
everybody is told every half second, and 0.05 to 0.07 so (`docs/benchmarks.md`, scenario (l)).
"""

TIME_SLICE = 0.001
"""Seconds after which telling them lets the loop serve others: a write takes 5 to 30 µs."""

PEOPLE_BETWEEN_CLOCK_READS = 16

_DONE = object()

_NONE: Set[str] = frozenset()


class News:
    """Owns what has happened and has not been told."""

    def __init__(self, people: dict[int, Person], clock: Clock) -> None:
        """`people` are all who are known, by account."""
        self._people = people
        self._clock = clock
        self._active: dict[str, ListedRoom] = {}  # by slug
        self._active_for_all: dict[str, ListedRoom] = {}  # since everybody was told
        self._altered: dict[ListedRoom, set[str]] = {}  # which of their fields are other than before
        self._marked: dict[int, set[str]] = {}  # the rooms in which somebody has said something, by account
        self._called: dict[int, set[str]] = {}  # those where other messages name them
        self._waiting_since = 0.0  # the first of these, by the loop's clock
        self._telling: Iterator[None] | None = None
        self._timer: asyncio.Handle | None = None

    def active(self, room: ListedRoom) -> None:
        """A room has another latest message."""
        room.news += 1
        self._active[room.slug] = room
        self._schedule()

    def altered(self, room: ListedRoom, fields: Iterable[str]) -> None:
        """Something about a room is other than before: its title, the people in it, or what they are called."""
        self._altered.setdefault(room, set()).update(fields)
        self._schedule()

    def marked(self, membership: Membership) -> None:
        """Somebody has said something, and so has read the room up to there."""
        self._marked.setdefault(membership.account, set()).add(membership.slug)
        membership.room.eager.add(membership.account)  # nothing is unread, so the next message is waited for
        self._schedule()

    def called(self, membership: Membership) -> None:
        """Other messages of a room name somebody than before."""
        membership.mentions_changed = True
        self._called.setdefault(membership.account, set()).add(membership.slug)
        self._schedule()

    def follow(self, memberships: Iterable[Membership]) -> None:
        """Has people hear of activity in these rooms at once, where they wait for it."""
        now = to_iso(self._clock())
        for membership in memberships:
            _follow(membership, now)

    def close(self) -> None:
        """Tells nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tell)

    def _tell(self) -> None:
        """Tells a slice of the people, and goes on in the next turn of the loop."""
        if self._telling is None:
            self._telling = self._slices()
        if next(self._telling, _DONE) is not _DONE:
            self._timer = asyncio.get_running_loop().call_soon(self._tell)
            return
        self._telling = self._timer = None
        if self._active or self._active_for_all or self._altered or self._marked or self._called:
            self._schedule()

    def _slices(self) -> Iterator[None]:
        told = self._begin_round()
        until = time.perf_counter() + TIME_SLICE
        for _ in told.collect():
            if time.perf_counter() > until:
                yield
                until = time.perf_counter() + TIME_SLICE
        for number, account in enumerate(told.accounts, 1):
            if account in self._people:
                told.tell(self._people[account])
            if number % PEOPLE_BETWEEN_CLOCK_READS == 0 and time.perf_counter() > until:
                yield
                until = time.perf_counter() + TIME_SLICE

    def _begin_round(self) -> "_Round":
        now = asyncio.get_running_loop().time()
        if not self._active_for_all:
            self._waiting_since = now - INTERVAL
        self._active_for_all.update(self._active)
        is_for_all = now >= self._waiting_since + INTERVAL_FOR_ALL
        told = _Round(
            self._active_for_all if is_for_all else self._active,
            self._altered,
            self._marked,
            self._called,
            is_for_all=is_for_all,
            now=to_iso(self._clock()),
        )
        self._active, self._altered, self._marked, self._called = {}, {}, {}, {}
        if is_for_all:
            self._active_for_all = {}
        return told


class _Round:
    """What is told in one round, encoded once for all who are told the same."""

    def __init__(
        self,
        active: dict[str, ListedRoom],
        altered: dict[ListedRoom, set[str]],
        marked: dict[int, set[str]],
        called: dict[int, set[str]],
        *,
        is_for_all: bool,
        now: str,
    ) -> None:
        """`is_for_all` has everybody told of activity, and not only those who wait for it."""
        self._active = active
        self._altered = {room.slug: room for room in altered}
        self._fields = altered
        self._marked = marked
        self._called = called
        self._is_for_all = is_for_all
        self._now = now
        self.accounts: dict[int, None] = {}  # who may be told something
        self._eager: dict[int, set[str]] = {}  # rooms of whose activity somebody waits to hear
        self._common: dict[PersonalSerializer, dict[str, bytes]] = {}  # what nearly all are told of activity, by slug
        self._frames: dict[tuple[PersonalSerializer, ListedRoom, object], bytes] = {}

    def collect(self) -> Iterator[None]:
        """Finds out who may be told something, room by room."""
        for slug, room in self._active.items():
            if self._is_for_all:
                self.accounts.update(room.accounts)
            else:
                for account in room.eager:
                    self._eager.setdefault(account, set()).add(slug)
            yield
        for room in self._altered.values():
            self.accounts.update(room.accounts)
            yield
        for some in (self._eager, self._marked, self._called):
            self.accounts.update(dict.fromkeys(some))

    def tell(self, person: Person) -> None:
        """Tells somebody the news of the rooms that they are still in."""
        account, rooms = person.account, person.rooms
        active = self._active.keys() & rooms.keys() if self._is_for_all else self._eager.get(account, _NONE)
        if account in self._called:
            active = active | self._called[account]
        news = {slug: each for slug in active if (each := rooms.get(slug)) is not None and each.has_news}
        altered = self._altered.keys() & rooms.keys()
        marked = self._marked.get(account, _NONE) & rooms.keys()
        for listener in person.hearers:
            serializer = listener.serializer
            frames = [
                self._altered_frame(serializer, self._altered[slug]) for slug in altered if listener.reaches(slug)
            ]
            frames += self._active_frames(serializer, news, listener.to_be_told_of(news.keys()))
            frames += [serializer.personal(rooms[slug].mark()) for slug in marked if listener.reaches(slug)]
            if frames:
                listener.write(b"".join(frames))
        is_heard = bool(person.listeners)
        for membership in news.values():
            membership.told = membership.room.news
            membership.mentions_changed = False
            if account in membership.room.eager or membership.level_until is not None:
                _follow(membership, self._now, is_heard=is_heard)

    def _active_frames(
        self, serializer: PersonalSerializer, news: Mapping[str, Membership], slugs: Iterable[str]
    ) -> list[bytes]:
        """Returns what somebody is told of the activity in some rooms: as a rule what all others are told."""
        common = self._common.setdefault(serializer, {})
        frames = []
        for slug in slugs:
            frame = common.get(slug)
            if frame is None or news[slug].mentions_changed:
                frame = self._active_frame(serializer, news[slug])
            frames.append(frame)
        return frames

    def _altered_frame(self, serializer: PersonalSerializer, room: ListedRoom) -> bytes:
        key = serializer, room, "altered"
        frame = self._frames.get(key)
        if frame is None:
            shown = {**room.described(), **room.people_shown()}
            changed = {field: value for field, value in shown.items() if field in self._fields[room]}
            frame = self._frames[key] = serializer.personal(RoomAltered(room.slug, changed))
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
            if mentions is None and not room.hides_past:
                self._common[serializer][room.slug] = frame
        return frame


def _follow(membership: Membership, now: str, *, is_heard: bool = True) -> None:
    """Has somebody hear of activity in a room at once, or not any more."""
    if is_heard and membership.is_eager(now):
        membership.room.eager.add(membership.account)
    else:
        membership.room.eager.discard(membership.account)
