"""A room's memory: its latest messages, their ids, and the last `seq` of each epoch."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from chatter.messages import Page, Posted, size_of
from chatter.room.context import RoomSettings

MAX_OVERHEAD = 2_100
"""Most that `size_of` counts besides the text: a name and an id of 1,000 characters, the most that may be set."""

_TEXT = attrgetter("message")


def first_within(messages: Sequence[Posted], most_bytes: int) -> Sequence[Posted]:
    """Returns the first messages that take at most so many bytes together; one in any case."""
    return messages if _fit(messages, most_bytes) else messages[: _count_within(messages, most_bytes)]


def last_within(messages: Sequence[Posted], most_bytes: int) -> Sequence[Posted]:
    """Returns the last messages that take at most so many bytes together; one in any case."""
    if _fit(messages, most_bytes):
        return messages
    return messages[len(messages) - _count_within(reversed(messages), most_bytes) :]


def around_within(messages: Sequence[Posted], seq: int, most_bytes: int) -> Sequence[Posted]:
    """Returns the messages around `seq` that take at most so many bytes together; the one there in any case.

    `messages` are contiguous. Beyond their end the last one counts as the one at `seq`.
    """
    if _fit(messages, most_bytes):
        return messages
    middle = min(seq - messages[0].seq, len(messages) - 1)
    end = middle + _count_within(messages[middle:], most_bytes // 2)
    rest = most_bytes - sum(map(size_of, messages[middle:end]))
    start = middle - _count_within(reversed(messages[:middle]), rest, least=0)
    return messages[start:end]


def _fit(messages: Sequence[Posted], most_bytes: int) -> bool:
    """Returns whether messages certainly fit. Greetings nearly always do, and need no closer look: 0.6 µs, not 3."""
    return 4 * sum(map(len, map(_TEXT, messages))) + MAX_OVERHEAD * len(messages) <= most_bytes


def _count_within(messages: Iterable[Posted], most_bytes: int, least: int = 1) -> int:
    count = 0
    for posted in messages:
        most_bytes -= size_of(posted)
        if most_bytes < 0 and count >= least:
            break
        count += 1
    return count


class RejectedPost(NamedTuple):
    """A post that could not be saved."""

    message: str
    first: Posted | None  # what its sender had said before under the same id


class RecentMessages:
    """Holds the latest messages of a room, contiguous by `seq`, and the ids of more of them.

    It keeps `ring_size` messages and every message that is not saved yet. It knows the senders' ids of the latest
    `id_memory_size`, and the void places that a client may ask for.
    """

    __slots__ = ("_by_client_id", "_epoch_ends", "_messages", "_rejected", "_settings", "_voids")

    def __init__(self, settings: RoomSettings) -> None:
        self._settings = settings
        self._messages: list[Posted] = []
        self._by_client_id: dict[tuple[str, str], Posted] = {}  # by name and id, in the order in which they were said
        self._voids: list[int] = []  # in ascending order
        self._rejected: dict[tuple[str, str], RejectedPost] = {}
        self._epoch_ends: dict[int, int] = {}  # the last seq of each, as far as it is known

    @property
    def newest(self) -> int:
        """The last `seq` of the room; 0 in an empty room."""
        return self._messages[-1].seq if self._messages else 0

    @property
    def oldest(self) -> int:
        """The lowest `seq` in memory; 1 in an empty room."""
        return self._messages[0].seq if self._messages else 1

    @property
    def has_every_id(self) -> bool:
        """Whether the id of every message of the room is in memory."""
        first = next(iter(self._by_client_id.values()), None)  # none where all messages are void
        return self.newest == 0 or (first is not None and first.seq == 1)

    @property
    def voids(self) -> list[int]:
        """The void places, also those older than the messages in memory, but not those that nobody can ask for."""
        return self._voids

    def voids_near(self, seq: int, limit: int) -> list[int]:
        """Returns the void places at or below `seq`, down to `max_recovery_gap` below; of more than `limit` the latest.

        A client that was there may have heard them as messages. It cannot have left with others: a place becomes void
        when it should be saved, and what waits for that is near the newest message.
        """
        first = bisect_right(self._voids, seq - self._settings.max_recovery_gap)
        return self._voids[first : bisect_right(self._voids, seq)][-limit:]

    def load(self, messages: Iterable[Posted], epochs: Iterable[tuple[int, int]], voids: Iterable[int]) -> None:
        """Fills the memory with the room's past."""
        self._messages.extend(messages)
        self._by_client_id.update(((posted.name, posted.id), posted) for posted in self._messages)
        oldest = self._oldest_void
        self._voids += (seq for seq in voids if seq >= oldest)
        self._epoch_ends.update(epochs)

    def add(self, posted: Posted) -> None:
        """Adds the newest message."""
        self._messages.append(posted)
        self._by_client_id[posted.name, posted.id] = posted

    def void(self, place: Posted, first: Posted | None) -> None:
        """Puts the void `place` where a message could not be saved; `first` has its id already."""
        if self.oldest <= place.seq <= self.newest:
            gone = self._messages[place.seq - self.oldest]
            self._messages[place.seq - self.oldest] = place
            self._add_void(place.seq)
            self._rejected[gone.name, gone.id] = RejectedPost(gone.message, first)
            if self._by_client_id.get((gone.name, gone.id)) is gone:
                del self._by_client_id[gone.name, gone.id]

    def by_epoch(self, current: int) -> list[tuple[int, list[Posted]]]:
        """Returns the messages in memory with the epoch of each, oldest first; `current` is the server's."""
        ends = sorted((last, epoch) for epoch, last in self._epoch_ends.items())
        found: dict[int, list[Posted]] = {}
        for posted in self._messages:
            epoch = next((epoch for last, epoch in ends if posted.seq <= last), current)
            found.setdefault(epoch, []).append(posted)
        return list(found.items())

    def trim(self, saved: int) -> None:
        """Drops what exceeds the sizes, but no message after `saved`."""
        surplus = min(len(self._messages) - self._settings.ring_size, saved + 1 - self.oldest)
        if surplus > 0:
            del self._messages[:surplus]
        ids = self._settings.id_memory_size
        while len(self._rejected) > ids:
            del self._rejected[next(iter(self._rejected))]
        if self._voids:
            del self._voids[: bisect_left(self._voids, self._oldest_void)]
        surplus = len(self._by_client_id) - max(ids, len(self._messages))
        # One pass for all: an iteration from the start passes the slots of all keys that were deleted before.
        for key in list(islice(self._by_client_id, max(surplus, 0))):
            del self._by_client_id[key]

    def by_client_id(self, name: str, id: str) -> Posted | None:
        """Returns the message that `name` sent under that id."""
        return self._by_client_id.get((name, id))

    def rejected(self, name: str, id: str) -> RejectedPost | None:
        """Returns the post that `name` sent under that id and that became void."""
        return self._rejected.get((name, id))

    def end_of(self, epoch: int) -> int | None:
        """Returns the last `seq` that was said in `epoch` or before; None where the memory does not reach so far."""
        ended = [last for known, last in self._epoch_ends.items() if known <= epoch]
        if ended:
            return max(ended)
        return 0 if self.oldest == 1 else None

    def after(self, seq: int, limit: int) -> tuple[Posted, ...] | None:
        """Returns up to `limit` messages newer than `seq`, oldest first; None where some are not in memory."""
        if seq + 1 < self.oldest:
            return None
        start = max(seq + 1 - self.oldest, 0)
        return tuple(self._messages[start : start + limit])

    def page_before(self, end: int, limit: int) -> Page | None:
        """Returns the page that ends before `end`; None where some is not in memory."""
        start = max(end - limit, 1)
        if start < self.oldest and end > 1:
            return None
        return Page(self.held(start, end), more=start > 1)

    def held(self, start: int, end: int) -> tuple[Posted, ...]:
        """Returns the messages in memory from `start` to `end` - 1."""
        return tuple(self._messages[max(start - self.oldest, 0) : max(end - self.oldest, 0)])

    def as_now(self, messages: Iterable[Posted]) -> tuple[Posted, ...]:
        """Returns the messages with the void places that took the place of some meanwhile."""
        oldest = self.oldest
        return tuple(self._messages[each.seq - oldest] if each.seq >= oldest else each for each in messages)

    def page_after(self, seq: int, limit: int) -> Page | None:
        """Returns the page that begins after `seq`; None where some is not in memory."""
        messages = self.after(seq, limit)
        if messages is None:
            return None
        return Page(messages, more=bool(messages) and messages[-1].seq < self.newest)

    @property
    def _oldest_void(self) -> int:
        """The lowest `seq` that `voids_near` may return: nobody recovers who has less than newest - gap."""
        return self.newest + 1 - 2 * self._settings.max_recovery_gap

    def _add_void(self, seq: int) -> None:
        """Adds a void place, unless the room that was rebuilt has loaded it."""
        at = bisect_left(self._voids, seq)
        if self._voids[at : at + 1] != [seq]:
            self._voids.insert(at, seq)
