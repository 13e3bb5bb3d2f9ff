"""Who has been silent for too long: one timer for all connections, since the loop keeps 0.6 kB for each of its own."""

import asyncio
from typing import Protocol


class IdleWatched(Protocol):
    """Somebody who has to be heard from time to time."""

    heard_at: float
    """When it was heard last, by the loop's clock."""

    due: int
    """Which list it stands in; for the watch alone."""

    def silent(self) -> None:
        """It was not heard for too long. Nothing happens if it has ended meanwhile."""


class IdleWatch:
    """Watches for the end of a patience that is the same for all, on the loop that runs where it is made.

    Each connection stands in the list of the moment at which its patience may end, and is looked at only then.
    """

    def __init__(self, patience: float) -> None:
        """`patience` in seconds. IdleWatch is noticed when it has lasted that long, or a tenth longer at most."""
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._tick = min(1.0, patience / 10)
        self._due: dict[int, set[IdleWatched]] = {}  # by the number of the tick
        self._looked_at = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, who: IdleWatched) -> None:
        """From now on it has to be heard."""
        who.due = int((who.heard_at + self._patience) / self._tick) + 1
        self._due.setdefault(who.due, set()).add(who)
        if self._timer is None:
            self._looked_at = int(self._loop.time() / self._tick)
            self._timer = self._loop.call_later(self._tick, self._look)

    def forget(self, who: IdleWatched) -> None:
        """It need not be heard any more."""
        self._due.get(who.due, set()).discard(who)

    def _look(self) -> None:
        now = self._loop.time()
        for tick in range(self._looked_at + 1, int(now / self._tick) + 1):
            for who in self._due.pop(tick, ()):
                if who.heard_at + self._patience > now:
                    self.watch(who)
                else:
                    who.silent()
        self._looked_at = int(now / self._tick)
        self._timer = self._loop.call_later(self._tick, self._look) if self._due else None
