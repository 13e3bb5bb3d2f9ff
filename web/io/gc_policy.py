"""When Python looks for garbage that refers to itself.

A full collection looks at every object there is: with 10,000 connections a pause of 50 ms for everyone, and more than
half of the time that it takes to let them in. But what has survived one is a connection, a room or a message, which
goes when nobody refers to it any more. So whatever survives is put aside, and never looked at again; each full
collection looks at what has come since.

What was put aside and would be garbage is found once most of the connections of that time are gone.
"""

import gc
from collections.abc import Callable

YOUNG = 10_000
"""Objects that come before the youngest are looked at. Python's own 700 suits short programs."""


class Garbage:
    """Python's collector, told how to deal with a server. One for a process."""

    def __init__(self, connections: Callable[[], int]) -> None:
        """`connections` counts those that are open."""
        self._connections = connections
        self._most = 0  # connections, since everything was looked at

    def begin(self) -> None:
        """Put aside what the program itself consists of, and from now on all that survives."""
        gc.set_threshold(YOUNG, 20, 10)
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self._collected)

    def end(self) -> None:
        """Leave the collector as Python has it."""
        gc.callbacks.remove(self._collected)
        gc.unfreeze()

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "stop":
            self._most = max(self._most, self._connections())
            gc.freeze()
        elif self._connections() < self._most // 2:
            self._most = self._connections()
            gc.unfreeze()  # the collection that begins now looks at everything once
