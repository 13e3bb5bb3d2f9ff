"""What leaves one connection: written at once where possible, counted and bounded where not."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable

from tornado.iostream import IOStream, StreamClosedError

PASSED_AT_ONCE = 65_536
"""About how many bytes the stream is given at once: what it has cannot be taken back from a reader that lags."""


class Outbox:
    """The way out of one connection.

    While nothing is queued the bytes go straight to the socket, which skips Tornado's buffers: 1.3 to 2 times as many
    deliveries a second as `IOStream.write` for each. What the kernel does not take is queued here, goes through the
    stream, and is bounded: a reader that does not read costs at most `limit` bytes, and one write more. (A write is
    taken whole or not at all, so that an answer larger than the limit arrives too.)

    One that is behind by more is lagging: what the stream does not have yet is dropped, and all that is written, until
    the stream is empty.
    """

    def __init__(
        self, stream: IOStream, limit: int, on_lagging: Callable[[], None], on_caught_up: Callable[[], None]
    ) -> None:
        """`on_lagging` is called when the reader begins to lag, `on_caught_up` whenever nothing waits any more."""
        self._stream = stream
        self._socket: socket.socket = stream.socket
        self._limit = limit
        self._on_lagging = on_lagging
        self._on_caught_up = on_caught_up
        self._queue: deque[bytes] = deque()  # whole frames in each
        self._queued = 0  # bytes in the queue
        self._passed = 0  # bytes that the stream was given and the kernel has not taken all of
        self._lagging = False
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None  # for one who waits

    def write(self, frames: bytes) -> None:
        """Send `frames`, now or as soon as the peer reads. Nothing happens on a closed or lagging connection."""
        if self._closed or self._lagging or not frames:
            return
        if self._passed:
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
            self._pass_on(memoryview(frames)[sent:])  # no copy: everybody in a room is written the same bytes

    def write_control(self, frame: bytes) -> None:
        """Send a control frame, also to one that lags.

        There only the latest is kept: a pong need answer but the latest ping (RFC 6455, section 5.5.3).
        """
        if not self._lagging:
            self.write(frame)
        elif not self._closed:
            self._drop()
            self._keep(frame)

    @property
    def is_behind(self) -> bool:
        """Whether something waits to be sent."""
        return self._passed > 0

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True

    async def drained(self) -> None:
        """Wait until everything has been handed to the kernel, or the connection is gone."""
        if self._passed:
            self._emptied = asyncio.get_running_loop().create_future()
            await self._emptied

    def _enqueue(self, frames: bytes) -> None:
        if self._passed + self._queued <= self._limit:
            self._keep(frames)
        else:
            self._lagging = True
            self._drop()
            self._on_lagging()

    def _keep(self, frames: bytes) -> None:
        self._queue.append(frames)
        self._queued += len(frames)

    def _drop(self) -> None:
        self._queue.clear()
        self._queued = 0

    def _pass_on(self, data: bytes | memoryview) -> None:
        self._passed = len(data)
        try:
            written = self._stream.write(data)
        except StreamClosedError:
            self._give_up()
        else:
            written.add_done_callback(self._go_on)

    def _go_on(self, written: "asyncio.Future[None]") -> None:
        self._passed = 0
        if written.exception() is not None:
            self._give_up()
            return
        if self._queue:
            self._pass_on(self._next_batch())
            return
        self._tell_emptied()
        if not self._closed:
            self._lagging = False
            self._on_caught_up()

    def _next_batch(self) -> bytes:
        batch, size = [], 0
        while self._queue and size < PASSED_AT_ONCE:
            frames = self._queue.popleft()
            batch.append(frames)
            size += len(frames)
        self._queued -= size
        return b"".join(batch)

    def _give_up(self) -> None:
        self._closed = True
        self._passed = 0
        self._drop()
        self._tell_emptied()

    def _tell_emptied(self) -> None:
        if self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)
