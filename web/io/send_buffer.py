"""What leaves one connection: written at once where possible, counted and bounded where not."""

import socket
from collections import deque
from typing import Protocol

WRITTEN_AT_ONCE = 65_536
"""About how many bytes the kernel is offered at once: what it has begun to take cannot be dropped any more."""


class Owner(Protocol):
    """Whose way out it is."""

    def behind_changed(self) -> None:
        """`Outbox.is_behind` is another now: while it is true, call `Outbox.flush` whenever the socket is writable."""

    def overflowed(self) -> None:
        """The reader begins to lag."""

    def drained(self) -> None:
        """Nothing waits any more."""


class Outbox:
    """The way out of one connection, which is a socket that does not block.

    What is written goes straight to the socket: 1.3 to 2 times as many deliveries a second as by way of Tornado's
    `IOStream`. What the kernel does not take is queued here and is bounded: a reader that does not read costs at most
    `limit` bytes, and one write more. (A write is taken whole or not at all, so that an answer larger than the limit
    arrives too.)

    One that is behind by more is lagging: what the kernel has not begun to take is dropped, and all that is written,
    until the rest is out.
    """

    __slots__ = ("_closed", "_is_begun", "_lagging", "_limit", "_owner", "_queue", "_queued", "_socket")

    def __init__(self, file: socket.socket, limit: int, owner: Owner) -> None:
        self._socket = file
        self._limit = limit
        self._owner = owner
        self._queue: deque[bytes | memoryview] | None = None  # whole frames in each, but for the first if `_is_begun`
        self._queued = 0  # bytes in the queue
        self._is_begun = False
        self._lagging = False
        self._closed = False

    @property
    def is_behind(self) -> bool:
        """Whether something waits to be sent."""
        return self._queue is not None

    def write(self, frames: bytes) -> None:
        """Send `frames`, now or as soon as the peer reads. Nothing happens on a closed or lagging connection."""
        if self._queue is not None or self._closed or not frames:
            self._enqueue(frames)
            return
        try:
            sent = self._socket.send(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._closed = True  # the reading side notices, and cleans up
            return
        if sent < len(frames):
            self._begin_to_wait(memoryview(frames)[sent:], is_begun=sent > 0)  # no copy: a room writes all the same

    def write_control(self, frame: bytes) -> None:
        """Send a control frame, also to one that lags.

        There only the latest is kept: a pong need answer but the latest ping (RFC 6455, section 5.5.3).
        """
        if not self._lagging:
            self.write(frame)
        elif not self._closed:
            self._drop()
            self._keep(frame)

    def close(self) -> None:
        """Take nothing more. What waits is still sent."""
        self._closed = True

    def discard(self) -> None:
        """The connection is gone, and with it whatever waits."""
        self._closed = True
        self._queue = None

    def flush(self) -> None:
        """Offer the kernel what waits."""
        while self._queue:
            batch = self._next_batch()
            try:
                sent = self._socket.send(batch)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.discard()
                break
            if sent < len(batch):
                self._queue.appendleft(memoryview(batch)[sent:])
                self._queued += len(batch) - sent
                self._is_begun |= sent > 0
                return
            self._is_begun = False
        self._end_waiting()

    def _begin_to_wait(self, rest: memoryview, *, is_begun: bool) -> None:
        self._queue = deque((rest,))
        self._queued = len(rest)
        self._is_begun = is_begun
        self._owner.behind_changed()

    def _end_waiting(self) -> None:
        self._queue = None
        self._owner.behind_changed()
        if not self._closed:
            self._lagging = False
        self._owner.drained()

    def _enqueue(self, frames: bytes) -> None:
        if self._closed or self._lagging or not frames:
            return
        if self._queued <= self._limit:
            self._keep(frames)
        else:
            self._lagging = True
            self._drop()
            self._owner.overflowed()

    def _keep(self, frames: bytes) -> None:
        assert self._queue is not None
        self._queue.append(frames)
        self._queued += len(frames)

    def _drop(self) -> None:
        """What the kernel has begun to take has to be finished."""
        assert self._queue is not None
        begun = self._queue[0] if self._is_begun else None
        self._queue.clear()
        self._queued = 0
        if begun is not None:
            self._queue.append(begun)
            self._queued = len(begun)

    def _next_batch(self) -> bytes | memoryview:
        assert self._queue is not None
        first = self._queue.popleft()
        size = len(first)
        batch = [first]
        while self._queue and size + len(self._queue[0]) <= WRITTEN_AT_ONCE:
            frames = self._queue.popleft()
            batch.append(frames)
            size += len(frames)
        self._queued -= size
        return first if len(batch) == 1 else b"".join(batch)
