"""The upgrade: makes a `WebSocket` of a new connection, through Tornado or, for a plain handshake, without it."""

import asyncio
import math
import socket
from collections.abc import Callable
from http import HTTPStatus

from tornado.iostream import IOStream, StreamClosedError

from web.channels.endpoint import Endpoint
from web.http.handler import Handler
from web.io.idle_timeouts import IdleWatched
from web.transport.handshake import PATH, Refusal, check_handshake
from web.transport.request import from_tornado, parse_handshake
from web.transport.websocket import READ_SIZE, WebSocket


class WebSocketHandler(Handler):
    """`GET /socket/websocket`: takes the connection from Tornado and makes a `WebSocket` of it."""

    def initialize(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def get(self) -> None:
        try:
            request = from_tornado(self.request)
        except ValueError:
            self._refuse(Refusal(HTTPStatus.BAD_REQUEST))
            return
        verdict = check_handshake(request, self._endpoint)
        if isinstance(verdict, Refusal):
            self._refuse(verdict)
            return
        file, data = _detach_socket(self.detach())
        if file is not None:
            WebSocket(file, verdict, request, self._endpoint).feed(data)

    def post(self) -> None:
        self._refuse(Refusal(HTTPStatus.BAD_REQUEST))

    head = put = patch = delete = options = post

    def _refuse(self, refusal: Refusal) -> None:
        self.set_status(refusal.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if refusal.wait:
            self.set_header("Retry-After", math.ceil(refusal.wait))
        self.finish(refusal.reason)


def _detach_socket(stream: IOStream) -> tuple[socket.socket | None, bytes]:
    """Returns the socket of a stream, None where the client has hung up, and all that the stream has read already."""
    if stream.closed():
        return None, b""
    file = stream.socket.dup()  # before the read, which may find that the client has hung up
    file.setblocking(False)
    try:
        reading = asyncio.ensure_future(stream.read_bytes(stream.max_buffer_size, partial=True))
    except StreamClosedError:
        return file, b""
    data = reading.result() if reading.done() and reading.exception() is None else b""
    reading.add_done_callback(lambda done: done.exception())  # closing the stream fails the read, as intended
    stream.close()
    return file, data


class PendingConnection:
    """A connection that has sent nothing yet. Plays `Pollable` and `IdleWatched`.

    Its first bytes are peeked at and left in the kernel. If they are the whole head of a handshake that is granted, it
    becomes a `WebSocket` without Tornado's stream, parser and handler: a connect with its join then takes 0.5 ms of CPU
    instead of 1.1. Anything else is Tornado's.
    """

    __slots__ = ("_address", "_endpoint", "_file", "_hand_to_tornado", "_on_end", "due", "last_heard_at")

    due: set[IdleWatched]
    last_heard_at: float

    def __init__(
        self,
        file: socket.socket,
        address: str,
        endpoint: Endpoint,
        hand_to_tornado: Callable[[socket.socket], None],
        on_end: Callable[[], None],
    ) -> None:
        """Takes over `file`, which does not block. At its end it calls `on_end`, or hands the file to Tornado."""
        self._file = file
        self._address = address
        self._endpoint = endpoint
        self._hand_to_tornado = hand_to_tornado
        self._on_end = on_end
        self.last_heard_at = endpoint.loop.time()

    def receive(self) -> None:
        """Reads the first bytes, now or when they arrive; `handshake_timeout` bounds the wait."""
        head = self._peek()
        if head is None:
            self._endpoint.poller.watch(self._file, self)
            self._endpoint.handshake_timeouts.watch(self)
        else:
            self._decide(head)

    def on_readable(self) -> None:
        head = self._peek()
        if head is None:
            return  # nothing has arrived after all: it stays watched, for nobody else holds it
        self._endpoint.poller.forget(self._file)
        self._endpoint.handshake_timeouts.forget(self)
        self._decide(head)

    def on_writable(self) -> None:
        """Does nothing: it has nothing to write."""

    def on_idle(self) -> None:
        if self._file.fileno() >= 0:
            self._endpoint.poller.forget(self._file)
            self._close()

    def _close(self) -> None:
        self._file.close()
        self._on_end()

    def _peek(self) -> bytes | None:
        """Returns the first bytes, none where the client is gone, and None where nothing has arrived yet."""
        try:
            return self._file.recv(READ_SIZE, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _decide(self, head: bytes) -> None:
        """Decides what becomes of the connection."""
        if not head:
            self._close()
        elif self._upgrade(head):
            self._on_end()
        else:
            self._hand_to_tornado(self._file)

    def _upgrade(self, data: bytes) -> bool:
        """Returns whether the data was a plain handshake that is granted, and a `WebSocket` was made."""
        end = data.find(b"\r\n\r\n") + 4
        request = parse_handshake(data[: end - 2], self._address, PATH) if end > 4 else None
        if request is None:
            return False
        verdict = check_handshake(request, self._endpoint)
        if isinstance(verdict, Refusal):
            return False  # Tornado's way comes to the same verdict, and says so
        self._file.recv(end)
        WebSocket(self._file, verdict, request, self._endpoint)
        return True
