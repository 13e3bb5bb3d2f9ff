"""Frames of one client that wait until something is known about it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from web.channels.wire import Frame

MAX_HELD_FRAMES = 1_000
MAX_HELD_BYTES = 262_144
"""What a client may send meanwhile: all joins of a page that comes back."""

TIME_SLICE = 0.001
"""Seconds of handling frames that have waited after which the loop serves others."""


class HeldFrames:
    """Owns these frames, in their order."""

    __slots__ = ("_bytes", "_frames")

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def add(self, frame: Frame) -> bool:
        """Keeps a frame. Returns False where these are more than a client may send meanwhile."""
        self._frames.append(frame)
        self._bytes += _size(frame)
        return len(self._frames) <= MAX_HELD_FRAMES and self._bytes <= MAX_HELD_BYTES

    def pop(self) -> Frame:
        """Removes and returns the first one."""
        frame = self._frames.popleft()
        self._bytes -= _size(frame)
        return frame

    async def drain(self, handle: Callable[[Frame], None], *, stops: Callable[[], bool] = lambda: False) -> None:
        """Has all of them handled in their order, in slices, with those that come meanwhile, until it `stops`.

        `clear` ends it.
        """
        until = time.perf_counter() + TIME_SLICE
        while self._frames and not stops():
            handle(self.pop())
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + TIME_SLICE

    def clear(self) -> None:
        """Removes all of them."""
        self._frames.clear()
        self._bytes = 0


def _size(frame: Frame) -> int:
    payload = frame.payload
    return 64 + (len(payload.data) if hasattr(payload, "data") else len(payload))
