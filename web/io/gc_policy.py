"""Garbage collection: when Python looks for reference cycles.

A full collection visits every object: with 10,000 connections it pauses everyone for 50 ms, and takes more than half of
the time in which they connect. But what survives one is a connection, a room or a message, which is freed when nothing
refers to it any more. So survivors are frozen (`gc.freeze`): later collections skip them and visit only newer objects.

Frozen cycles are found by a full collection once half of the connections have ended.
"""

import gc
from collections.abc import Callable

GEN0_THRESHOLD = 10_000
"""Allocations before the youngest objects are visited. Python's own 700 suits short programs."""


class GcPolicy:
    """Sets up Python's garbage collector for a server. One for a process."""

    def __init__(self, connections: Callable[[], int]) -> None:
        """`connections` counts the open ones."""
        self._connections = connections
        self._max_connections = 0  # since the last collection that visited everything

    def install(self) -> None:
        """Exempts the program's own objects from collection, and later whatever survives a full one."""
        gc.set_threshold(GEN0_THRESHOLD, 20, 10)
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self._on_collection)

    def uninstall(self) -> None:
        """Ends the exemption."""
        gc.callbacks.remove(self._on_collection)
        gc.unfreeze()

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "stop":
            self._max_connections = max(self._max_connections, self._connections())
            gc.freeze()
        elif self._connections() < self._max_connections // 2:
            self._max_connections = self._connections()
            gc.unfreeze()  # the collection that begins now visits everything once
