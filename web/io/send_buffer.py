"""The send buffer of one connection: writes at once where possible, counts and bounds what has to wait.

A slow reader is noticed here: `overflowed` when more than the limit waits, `drained` when nothing waits any more.
"""

import socket
from collections import deque
from typing import Protocol

from web.io.send_batch import SendBatch

BATCH_BYTES = 65_536
"""About how many bytes the kernel is offered at once: what it has begun to take cannot be dropped any more."""


class SendBufferOwner(Protocol):
    """The connection that a send buffer belongs to."""

    def unsent_changed(self) -> None:
        """`SendBuffer.has_unsent` has changed: while it is true, `flush` is to be called when the kernel takes more."""

    def overflowed(self) -> None:
        """The reader is too slow: what waits has been dropped."""

    def drained(self) -> None:
        """Nothing waits any more."""


class _Nobody:
    """Owns the send buffer of a connection that is gone."""

    def unsent_changed(self) -> None:
        pass

    overflowed = drained = unsent_changed


_NOBODY = _Nobody()


class SendBuffer:
    """Writes to one socket that does not block.

    What is written goes straight to the socket: 1.3 to 2 times as many deliveries a second as through Tornado's
    `IOStream`. What the kernel does not take is queued and bounded: a client that does not read costs at most `limit`
    bytes, and one write more. (A write is taken whole or not at all, so that an answer larger than the limit arrives.)

    A buffer beyond its limit overflows: it drops what the kernel has not begun to take, and all that is written, until
    the rest is sent.
    """

    __slots__ = (
        "_batch",
        "_has_overflowed",
        "_is_begun",
        "_is_closed",
        "_limit",
        "_owner",
        "_queue",
        "_queued",
        "_socket",
        "ready_file",
    )

    def __init__(self, file: socket.socket, limit: int, owner: SendBufferOwner, batch: SendBatch) -> None:
        self._socket = file
        self._limit = limit
        self._owner = owner
        self._batch = batch
        self._queue: deque[bytes | memoryview] | None = None  # whole frames in each, but for the first if `_is_begun`
        self._queued = 0  # bytes in the queue
        self._is_begun = False  # the kernel has taken a part of the first
        self._has_overflowed = False
        self._is_closed = False
        self.ready_file = file.fileno()  # takes writes; -1 while something waits, and once closed

    @property
    def has_unsent(self) -> bool:
        """Whether something waits to be sent."""
        self._batch.send()
        return self._queue is not None

    @property
    def takes_frames(self) -> bool:
        """Whether what is written now is sent, not dropped."""
        self._batch.send()
        return not (self._is_closed or self._has_overflowed)

    def write(self, frames: bytes) -> None:
        """Sends `frames`, soon or when the kernel takes more. Does nothing once closed, or while overflowed."""
        if self.ready_file < 0 or not frames:
            self._enqueue(frames)
            return
        if self._batch.is_open:
            self._batch.add(self, frames)
            return
        try:
            sent = self._socket.send(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()  # the reading side notices, and cleans up
            return
        if sent < len(frames):
            self.keep_rest(frames, sent)

    def keep_rest(self, frames: bytes, sent: int) -> None:
        """Queues what the kernel has not taken of `frames`, of which it has taken the first `sent` bytes."""
        self._queue = deque((memoryview(frames)[sent:],))  # no copy: all subscribers share `frames`
        self._queued = len(frames) - sent
        self._is_begun = sent > 0
        self.ready_file = -1
        self._owner.unsent_changed()

    def write_control(self, frame: bytes) -> None:
        """Sends a control frame, also while overflowed.

        Only the latest is kept then: a pong need answer only the latest ping (RFC 6455, section 5.5.3).
        """
        self._batch.send()
        if not self._has_overflowed:
            self.write(frame)  # which may overflow
        if self._has_overflowed and not self._is_closed:
            self._drop()
            self._append(frame)

    def close(self) -> None:
        """Takes nothing more. What waits is still sent."""
        self._batch.send()
        self._is_closed = True
        self.ready_file = -1

    def discard(self) -> None:
        """Drops everything: the connection is gone. Lets its owner go, with which it would be a circle."""
        self.close()
        self._queue = None
        self._owner = _NOBODY

    def flush(self) -> None:
        """Offers the kernel what waits."""
        while self._queue:
            batch = self._next_batch()
            try:
                sent = self._socket.send(batch)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                break
            if sent < len(batch):
                self._queue.appendleft(memoryview(batch)[sent:])
                self._queued += len(batch) - sent
                self._is_begun |= sent > 0
                return
            self._is_begun = False
        self._end_queue()

    def _end_queue(self) -> None:
        self._queue = None
        if not self._is_closed:
            self._has_overflowed = False
            self.ready_file = self._socket.fileno()
        self._owner.unsent_changed()
        self._owner.drained()

    def _enqueue(self, frames: bytes) -> None:
        if self._is_closed or self._has_overflowed or not frames:
            return
        if self._queued <= self._limit:
            self._append(frames)
        else:
            self._has_overflowed = True
            self._drop()
            self._owner.overflowed()

    def _append(self, frames: bytes) -> None:
        assert self._queue is not None
        self._queue.append(frames)
        self._queued += len(frames)

    def _drop(self) -> None:
        """Drops the queue, except the write that the kernel has begun to take."""
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
        while self._queue and size + len(self._queue[0]) <= BATCH_BYTES:
            frames = self._queue.popleft()
            batch.append(frames)
            size += len(frames)
        self._queued -= size
        return first if len(batch) == 1 else b"".join(batch)
