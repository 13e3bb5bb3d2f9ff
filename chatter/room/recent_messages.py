"""A room's memory: its latest messages, what they were called, and where epochs ended."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from chatter.messages import Page, Posted


class Refusal(NamedTuple):
    """A message that could not be saved."""

    message: str
    first: Posted | None  # what its sender had said before under the same id


class Ring:
    """The latest messages of a room, contiguous by `seq`, and the ids of somewhat more.

    Holds `size` messages, and beyond that whatever is not saved yet. Of `ids` messages it knows who called them what.
    """

    __slots__ = ("_epochs", "_ids", "_messages", "_named", "_refused", "_size", "_voids")

    def __init__(self, size: int, ids: int) -> None:
        self._size = size
        self._ids = ids
        self._messages: list[Posted] = []
        self._named: dict[tuple[str, str], Posted] = {}  # in the order in which they were said
        self._voids: list[int] = []
        self._refused: dict[tuple[str, str], Refusal] = {}
        self._epochs: dict[int, int] = {}  # the last seq of each, as far as it is known

    @property
    def newest(self) -> int:
        """The last `seq` of the room; 0 where nothing was said."""
        return self._messages[-1].seq if self._messages else 0

    @property
    def oldest(self) -> int:
        """The lowest `seq` in memory; 1 where nothing was said."""
        return self._messages[0].seq if self._messages else 1

    @property
    def knows_all_ids(self) -> bool:
        """Whether the id of everything that was ever said here is in memory."""
        return self.newest == 0 or next(iter(self._named.values())).seq == 1

    @property
    def voids(self) -> list[int]:
        """The places that are void, also those beyond memory."""
        return self._voids

    def load(self, messages: Iterable[Posted], epochs: Iterable[tuple[int, int]], voids: Iterable[int]) -> None:
        """Begin with the room's past."""
        self._messages.extend(messages)
        self._named.update(((posted.name, posted.id), posted) for posted in self._messages)
        self._voids += voids
        self._epochs.update(epochs)

    def add(self, posted: Posted) -> None:
        """Remember what was just said."""
        self._messages.append(posted)
        self._named[posted.name, posted.id] = posted

    def void(self, place: Posted, first: Posted | None) -> None:
        """Put an empty place where a message was that cannot be saved, `first` having its id already."""
        if self.oldest <= place.seq <= self.newest:
            gone = self._messages[place.seq - self.oldest]
            self._messages[place.seq - self.oldest] = place
            self._voids.append(place.seq)
            self._refused[gone.name, gone.id] = Refusal(gone.message, first)
            if self._named.get((gone.name, gone.id)) is gone:
                del self._named[gone.name, gone.id]

    def trim(self, saved: int) -> None:
        """Let go of what is too old; never of what comes after `saved`."""
        surplus = min(len(self._messages) - self._size, saved + 1 - self.oldest)
        if surplus > 0:
            del self._messages[:surplus]
        while len(self._refused) > self._ids:
            del self._refused[next(iter(self._refused))]
        surplus = len(self._named) - max(self._ids, len(self._messages))
        for key in list(islice(self._named, max(surplus, 0))):  # one look for all: each passes what was deleted before
            del self._named[key]

    def named(self, name: str, id: str) -> Posted | None:
        """What `name` has said under that id."""
        return self._named.get((name, id))

    def refusal(self, name: str, id: str) -> "Refusal | None":
        """Why what `name` has said under that id has become void."""
        return self._refused.get((name, id))

    def end_of(self, epoch: int) -> int | None:
        """The last `seq` that was said in `epoch` or before; None where that lies beyond what is known."""
        ended = [last for known, last in self._epochs.items() if known <= epoch]
        if ended:
            return max(ended)
        return 0 if self.oldest == 1 else None

    def after(self, seq: int, limit: int) -> tuple[Posted, ...] | None:
        """Up to `limit` messages newer than `seq`, oldest first, or None where they reach beyond memory."""
        if seq + 1 < self.oldest:
            return None
        start = max(seq + 1 - self.oldest, 0)
        return tuple(self._messages[start : start + limit])

    def page_before(self, seq: int | None, limit: int) -> Page | None:
        """The page that ends before `seq`, or with the latest message, if all of it is in memory."""
        end = self.newest + 1 if seq is None else min(seq, self.newest + 1)
        start = max(end - limit, 1)
        if start < self.oldest and end > 1:
            return None
        messages = tuple(self._messages[max(start - self.oldest, 0) : max(end - self.oldest, 0)])
        return Page(messages, more=start > 1)

    def page_after(self, seq: int, limit: int) -> Page | None:
        """The page that begins after `seq`, if all of it is in memory."""
        messages = self.after(seq, limit)
        if messages is None:
            return None
        return Page(messages, more=bool(messages) and messages[-1].seq < self.newest)
