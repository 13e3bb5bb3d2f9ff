"""When something was said last in each room, as it is stored with the messages."""

import time
from collections.abc import Callable, Mapping

STORE_INTERVAL = 1.0
"""Seconds between two writes of one room's time: a busy room would otherwise be written with each commit."""


class RoomActivity:
    """Decides which rooms' times are stored with a commit: a room that was quiet at once, a busy one each second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._interval_began = clock()
        self._stored: set[str] = set()  # rooms whose time was stored in this interval
        self._deferred: dict[str, str] = {}

    def due(self, spoken: Mapping[str, str]) -> dict[str, str]:
        """Returns the times to store with a commit in which these rooms were `spoken` in last at these times."""
        self._deferred.update(spoken)
        if self._clock() - self._interval_began >= STORE_INTERVAL:
            self._interval_began = self._clock()
            self._stored.clear()
        return {room: at for room, at in self._deferred.items() if room not in self._stored}

    def stored(self, times: Mapping[str, str]) -> None:
        """Remembers that these times are committed."""
        self._stored.update(times)
        for room, at in times.items():
            if self._deferred.get(room) == at:
                del self._deferred[room]
