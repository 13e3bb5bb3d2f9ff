"""Recovery: what a client that comes back is sent. The rules are the table of `docs/delivery.md`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from chatter.messages import Entry, MissedLoaded, Position, Posted, Recovery, View, Voided
from chatter.room.context import RoomContext
from chatter.room.floors import NO_FLOOR, masked
from chatter.room.page_sizes import first_within, last_within
from chatter.room.recent_entries import RecentEntries
from chatter.storage.pages import as_places, filled

CatchUp: TypeAlias = tuple[Recovery, Sequence[Entry | Voided]]
"""The answer, and what is pushed after it: places that became void, then the missed entries, oldest first."""

_GREETED_WITH: Mapping[View, Callable[[Posted], bool]] = {
    View.MESSAGES: lambda posted: posted.is_shown,  # a client of the tutorial, for instance, knows no void places
    View.PLACES: lambda _: True,
    View.LOG: lambda posted: not posted.void,
}
"""Which of the latest messages a client is told that begins anew."""


class RecoveryRules:
    """Decides from the room's memory, or from what the database answered, where a client stands."""

    __slots__ = ("_context", "_floor", "_recent")

    def __init__(self, recent: RecentEntries, context: RoomContext, floor: int = NO_FLOOR) -> None:
        """What is at or below the `floor` is hidden from the client."""
        self._recent = recent
        self._context = context
        self._floor = floor

    @property
    def lowest_recoverable(self) -> int:
        """A client that has less than this `seq` has to start over, unless it reads rows instead of entries."""
        return self._recent.newest - self._context.settings.max_recovery_gap

    def from_memory(self, position: Position | None, view: View) -> CatchUp | None:
        """Returns the catch-up, or None if the database has to be asked."""
        if position is None:
            return self._start_over(view, recovered=True)
        if not self._is_possible(position):
            return self._start_over(view, recovered=False)
        base = self._recent.newest if self.is_current(position) else self._recent.end_of(position.epoch or 0)
        if base is None:
            return None
        start = min(position.since, base)
        if start < self._floor:  # it had left, and came back without what was said meanwhile
            return self._start_over(view, recovered=False)
        if start < self.lowest_recoverable:
            return None if view is View.LOG else self._start_over(view, recovered=False)
        if view is View.LOG and self._is_read_as_rows(start):
            return self._resume(view, start, base, ())
        entries = self._recent.after(start, self._context.settings.max_recovery_page)
        return None if entries is None else self._resume(view, start, base, entries)

    def from_database(self, position: Position, view: View, loaded: MissedLoaded) -> CatchUp:
        """Returns the catch-up with the entries after `min(since, base)`."""
        start = min(position.since, loaded.base)
        base = self._recent.newest if self.is_current(position) else loaded.base
        is_recoverable = (
            loaded.rows <= self._context.settings.max_recovery_gap
            if view is View.LOG
            else start >= self.lowest_recoverable
        )
        if not is_recoverable or start < self._floor:
            return self._start_over(view, recovered=False)
        if view is View.LOG and self._is_read_as_rows(start):
            return self._resume(view, start, base, ())
        last = loaded.entries[-1].seq if loaded.entries else start
        rest = self._context.settings.max_recovery_page - len(loaded.entries)
        newer = self._recent.after(last, rest) or ()  # said while the database was asked, or not saved yet
        return self._resume(view, start, base, [*self._recent.as_now(loaded.entries), *newer])

    def is_current(self, position: Position) -> bool:
        """Returns whether the client heard its messages in this epoch, which voids nothing."""
        return position.epoch == self._context.epoch

    def _is_possible(self, position: Position) -> bool:
        if position.epoch not in self._context.epochs:
            return False  # it may have heard anything: epochs compare only where one led to the other
        return not self.is_current(position) or position.since <= self._recent.newest

    def _is_read_as_rows(self, start: int) -> bool:
        """Returns whether a client that knows the log reads what has changed: its rows are fewer than the entries."""
        return self._recent.newest - start > self._context.settings.max_recovery_page

    def _resume(self, view: View, start: int, base: int, entries: Sequence[Entry]) -> CatchUp:
        newest = self._recent.newest
        most = self._context.settings.max_recovery_page
        voids = self._recent.voids_near(start, most + 1)
        if len(voids) > most:  # the client may have heard each of them as a message
            return self._start_over(view, recovered=False)
        if self._floor != NO_FLOOR:
            entries = masked(entries, self._floor)
        entries = first_within(entries, self._context.settings.max_page_bytes)
        last = entries[-1].seq if entries else start
        recovery = Recovery(self._context.epoch, newest, base, True, missed=newest - start, more=last < newest)
        return recovery, [*map(Voided, voids), *entries]

    def _start_over(self, view: View, *, recovered: bool) -> CatchUp:
        newest = self._recent.newest
        latest: Sequence[Posted] = self._recent.latest(self._context.settings.greeting_size, _GREETED_WITH[view])
        if self._floor != NO_FLOOR:
            latest = [posted for posted in latest if posted.seq > self._floor]
        if view is View.PLACES:
            latest = self._with_places(latest)
        latest = last_within(latest, self._context.settings.max_page_bytes)
        return Recovery(self._context.epoch, newest, newest, recovered, 0, False), latest

    def _with_places(self, latest: Sequence[Posted]) -> Sequence[Posted]:
        """Adds the void places of other entries, so that who counts them finds no gap."""
        end = self._recent.newest + 1
        if not latest:
            return latest
        first = max(latest[0].seq, end - len(latest) - self._context.settings.max_recovery_page)
        return as_places(filled(latest, first, end))
