"""Idle time-outs: closes connections that send nothing for too long.

One timer serves all connections, since the event loop keeps 0.6 kB for each timer.
"""

import asyncio
from typing import Protocol


class IdleWatched(Protocol):
    """A connection that has to send something from time to time."""

    last_heard_at: float
    """When it sent something last, by the loop's clock."""

    due: "set[IdleWatched]"
    """Those that are looked at in the same tick as it; for `IdleTimeouts` alone."""

    def on_idle(self) -> None:
        """It has sent nothing for too long. It may have ended meanwhile."""


class IdleTimeouts:
    """Watches connections that share one time-out, on the loop that runs where this is made.

    Each stands in the list of the tick in which its time-out may end, and is looked at only then.
    """

    def __init__(self, timeout: float) -> None:
        """`timeout` is in seconds. It is noticed when it has passed, or a tenth later at most."""
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._tick = min(1.0, timeout / 10)
        self._due: dict[int, set[IdleWatched]] = {}  # by the number of the tick
        self._checked_through = 0  # a tick
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, connection: IdleWatched) -> None:
        """Calls `on_idle` once the connection has been idle for the time-out."""
        tick = int((connection.last_heard_at + self._timeout) / self._tick) + 1
        connection.due = self._due.setdefault(tick, set())  # not the number, which takes 32 bytes
        connection.due.add(connection)
        if self._timer is None:
            self._checked_through = int(self._loop.time() / self._tick)
            self._timer = self._loop.call_later(self._tick, self._check)

    def forget(self, connection: IdleWatched) -> None:
        """Stops watching the connection."""
        connection.due.discard(connection)

    def _check(self) -> None:
        now = self._loop.time()
        try:
            for tick in range(self._checked_through + 1, int(now / self._tick) + 1):
                for connection in list(self._due.pop(tick, ())):  # of which one that ends is discarded
                    if connection.last_heard_at + self._timeout > now:
                        self.watch(connection)
                    else:
                        connection.on_idle()
        finally:
            self._checked_through = int(now / self._tick)
            self._timer = self._loop.call_later(self._tick, self._check) if self._due else None
