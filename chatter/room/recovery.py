"""Recovery: what a client that comes back is sent. The rules are the table of `docs/delivery.md`."""

from collections.abc import Sequence
from typing import TypeAlias

from chatter.messages import Position, Posted, Recovery, Voided
from chatter.room.context import RoomContext
from chatter.room.recent_messages import RecentMessages, first_within, last_within

CatchUp: TypeAlias = tuple[Recovery, Sequence[Posted | Voided]]
"""The answer, and what is pushed after it: places that became void, then the missed messages, oldest first."""


class RecoveryRules:
    """Decides from the room's memory, or from what the database answered, where a client stands."""

    __slots__ = ("_context", "_recent")

    def __init__(self, recent: RecentMessages, context: RoomContext) -> None:
        self._recent = recent
        self._context = context

    @property
    def lowest_recoverable(self) -> int:
        """A client that has less than this `seq` has to start over."""
        return self._recent.newest - self._context.settings.max_recovery_gap

    def from_memory(self, position: Position | None) -> CatchUp | None:
        """Returns the catch-up, or None if the database has to be asked."""
        if position is None:
            return self._start_over(recovered=True)
        if not self._is_possible(position):
            return self._start_over(recovered=False)
        base = self._recent.newest if self.is_current(position) else self._recent.end_of(position.epoch or 0)
        if base is None:
            return None
        start = min(position.since, base)
        if start < self.lowest_recoverable:
            return self._start_over(recovered=False)
        messages = self._recent.after(start, self._context.settings.max_recovery_page)
        return None if messages is None else self._resume(start, base, messages)

    def from_database(self, position: Position, base: int | None, messages: Sequence[Posted]) -> CatchUp:
        """Returns the catch-up with the `messages` after `min(since, base)`; `base` None lies too far back."""
        if base is None or min(position.since, base) < self.lowest_recoverable:
            return self._start_over(recovered=False)
        start = min(position.since, base)
        last = messages[-1].seq if messages else start
        rest = self._context.settings.max_recovery_page - len(messages)
        newer = self._recent.after(last, rest) or ()  # said while the database was asked, or not saved yet
        return self._resume(start, self._recent.newest if self.is_current(position) else base, [*messages, *newer])

    def is_current(self, position: Position) -> bool:
        """Returns whether the client heard its messages in this epoch, which voids nothing."""
        return position.epoch == self._context.epoch

    def _is_possible(self, position: Position) -> bool:
        if position.epoch not in self._context.epochs:
            return False  # it may have heard anything: epochs compare only where one led to the other
        return not self.is_current(position) or position.since <= self._recent.newest

    def _resume(self, start: int, base: int, messages: Sequence[Posted]) -> CatchUp:
        newest = self._recent.newest
        voids = self._recent.voids_near(start, self._context.settings.max_recovery_page)
        messages = first_within(messages, self._context.settings.max_page_bytes)
        last = messages[-1].seq if messages else start
        recovery = Recovery(self._context.epoch, newest, base, True, missed=newest - start, more=last < newest)
        return recovery, [*map(Voided, voids), *messages]

    def _start_over(self, *, recovered: bool) -> CatchUp:
        newest, greeting = self._recent.newest, self._context.settings.greeting_size
        latest: Sequence[Posted]
        latest = self._recent.after(max(newest - greeting, self._recent.oldest - 1), greeting) or ()
        if recovered:  # a client of the tutorial, for instance, knows no void places
            latest = tuple(posted for posted in latest if not posted.void)
        latest = last_within(latest, self._context.settings.max_page_bytes)
        return Recovery(self._context.epoch, newest, newest, recovered, 0, False), latest
