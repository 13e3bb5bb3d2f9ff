"""What a client missed: the rules of `docs/delivery.md`, on a room's memory or on what the database answered."""

from collections.abc import Sequence
from typing import TypeAlias

from chatter.messages import Position, Posted, Recovery, Voided
from chatter.room.recent_messages import Ring

CaughtUp: TypeAlias = tuple[Recovery, Sequence[Posted | Voided]]
"""The answer, and what follows it: places that have become void, then the messages that were missed, oldest first."""


class CatchUp:
    """Answers clients that come with a position, or without one."""

    def __init__(self, ring: Ring, epoch: int, *, greeting: int, page: int, gap: int) -> None:
        """At most `page` messages follow an answer; one who missed more than `gap` starts over with `greeting`."""
        self._ring = ring
        self._epoch = epoch
        self._greeting = greeting
        self._page = page
        self._gap = gap

    @property
    def furthest(self) -> int:
        """Nobody who has less than this can catch up."""
        return self._ring.newest - self._gap

    def from_memory(self, position: Position | None) -> CaughtUp | None:
        """The answer, or None if the database has to be asked."""
        if position is None:
            return self._start_over(recovered=True)
        if not self._could_be(position):
            return self._start_over(recovered=False)
        base = self._ring.newest if self.is_current(position) else self._ring.end_of(position.epoch or 0)
        if base is None:
            return None
        start = min(position.since, base)
        if start < self.furthest:
            return self._start_over(recovered=False)
        messages = self._ring.after(start, self._page)
        return None if messages is None else self._answer(start, base, messages)

    def from_database(self, position: Position, base: int | None, messages: Sequence[Posted]) -> CaughtUp:
        """The answer, with what was read after `min(since, base)`; `base` None lies too far back."""
        if base is None or min(position.since, base) < self.furthest:
            return self._start_over(recovered=False)
        start = min(position.since, base)
        last = messages[-1].seq if messages else start
        rest = self._ring.after(last, self._page - len(messages)) or ()  # said meanwhile, or not saved yet
        return self._answer(start, self._ring.newest if self.is_current(position) else base, [*messages, *rest])

    def is_current(self, position: Position) -> bool:
        """Whether the client heard what it has from this very server: then nothing of it is void."""
        return position.epoch == self._epoch

    def _could_be(self, position: Position) -> bool:
        if position.epoch is None or position.epoch > self._epoch:
            return False
        return not self.is_current(position) or position.since <= self._ring.newest

    def _answer(self, start: int, base: int, messages: Sequence[Posted]) -> CaughtUp:
        newest = self._ring.newest
        last = messages[-1].seq if messages else start
        voided = (Voided(seq) for seq in self._ring.voids if seq <= start)  # it may have heard them as messages
        recovery = Recovery(self._epoch, newest, base, True, missed=newest - start, more=last < newest)
        return recovery, [*voided, *messages]

    def _start_over(self, *, recovered: bool) -> CaughtUp:
        newest = self._ring.newest
        latest = self._ring.after(max(newest - self._greeting, self._ring.oldest - 1), self._greeting) or ()
        if recovered:  # it may know nothing of void places, as the tutorial's page
            latest = tuple(posted for posted in latest if not posted.void)
        return Recovery(self._epoch, newest, newest, recovered, 0, False), latest
