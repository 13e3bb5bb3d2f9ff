"""How a connection becomes a websocket: by way of Tornado, or past it where its handshake leaves no question open."""

import asyncio
import functools
import math
import re
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from tornado.iostream import IOStream

from web.channels.endpoint import Edge
from web.http.handler import Handler
from web.transport.handshake import PATH, Refusal, Request, judge
from web.transport.websocket import READ_SIZE, WebSocket


class WebSocketHandler(Handler):
    """`GET /socket/websocket`: answers the handshake, then hands the connection to a `WebSocket` and is done."""

    def initialize(self, edge: Edge) -> None:
        """Tornado's constructor."""
        self._edge = edge

    def get(self) -> None:
        """Upgrade, or say why not."""
        params = {name: self.get_argument(name) for name in self.request.arguments}
        forwarded = self.request.headers.get("X-Forwarded-For", "")
        request = Request(self._edge.address(str(self.request.remote_ip), forwarded), params, self.request.headers)
        wait = self._edge.connect(request.address) if self._edge.hearing else 0.0
        if wait:
            self.set_header("Retry-After", math.ceil(wait))
            self._refuse(Refusal(HTTPStatus.TOO_MANY_REQUESTS))
            return
        verdict = judge(request, self._edge)
        if isinstance(verdict, Refusal):
            self._refuse(verdict)
            return
        file, data = _taken_out_of(self.detach())
        if file is not None:
            WebSocket(file, verdict, request, self._edge).hear(data)

    def post(self) -> None:
        """Not for a websocket."""
        self._refuse(Refusal(HTTPStatus.BAD_REQUEST))

    head = put = patch = delete = options = post

    def _refuse(self, refusal: Refusal) -> None:
        self.set_status(refusal.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(refusal.reason)


def _taken_out_of(stream: IOStream) -> tuple[socket.socket | None, bytes]:
    """The file of a stream, and what the stream has read of it already; no file where the client has hung up."""
    if stream.closed():
        return None, b""
    reading = asyncio.ensure_future(stream.read_bytes(READ_SIZE, partial=True))
    file, data = stream.socket.dup(), reading.result() if reading.done() else b""
    reading.add_done_callback(lambda done: done.exception())  # the stream ends here, and that is meant
    stream.close()
    file.setblocking(False)
    return file, data


class PendingConnection:
    """A connection that has not said anything yet.

    What it says first is looked at and left where it is. Is it the whole head of a handshake that is to be granted, it
    is one without Tornado's stream, parser and handler: a connect with its join takes 0.5 ms of CPU instead of 1.1.
    Anything else begins anew at Tornado's server.
    """

    __slots__ = ("_address", "_edge", "_file", "_serve_otherwise", "due", "heard_at")

    due: int
    heard_at: float

    def __init__(
        self, file: socket.socket, address: str, edge: Edge, serve_otherwise: Callable[[socket.socket], None]
    ) -> None:
        """Takes over `file`, which does not block."""
        self._file = file
        self._address = address
        self._edge = edge
        self._serve_otherwise = serve_otherwise
        self.heard_at = edge.loop.time()
        self.due = 0

    def receive(self) -> None:
        """Listen to it now, or once it says something. It has as long for that as a request has for its head."""
        if not self._look():
            self._edge.poller.watch(self._file, self)
            self._edge.arrivals.watch(self)

    def readable(self) -> None:
        """As `Pollable`."""
        self._edge.poller.forget(self._file)
        self._edge.arrivals.forget(self)
        self._look()

    def writable(self) -> None:
        """As `Pollable`; nobody waits for that."""

    def silent(self) -> None:
        """As `IdleWatched`."""
        if self._file.fileno() >= 0:
            self._edge.poller.forget(self._file)
            self._file.close()

    def _look(self) -> bool:
        try:
            head = self._file.recv(READ_SIZE, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            head = b""
        if not head:
            self._file.close()
        elif not self._upgrade(head):
            self._serve_otherwise(self._file)
        return True

    def _upgrade(self, data: bytes) -> bool:
        end = data.find(b"\r\n\r\n") + 4
        request = _request(data[: end - 2], self._address) if end > 4 else None
        if request is None:
            return False
        request = request._replace(address=self._edge.address(self._address, request.header("X-Forwarded-For") or ""))
        verdict = judge(request, self._edge)
        if isinstance(verdict, Refusal) or self._edge.connect(request.address):
            return False
        self._file.recv(end)
        WebSocket(self._file, verdict, request, self._edge)
        return True


_HEADER = re.compile(r"([A-Za-z0-9-]+):[ \t]*([\x20-\x7e]*)")


class _Headers(dict[str, list[str]]):
    """The headers of a request, their names in small letters."""

    def get_list(self, name: str) -> list[str]:
        return self.get(name.lower(), [])


def _request(head: bytes, address: str) -> Request | None:
    """The request of which this is the whole head, or None if it is not one for a websocket, or an unusual one."""
    try:
        first, *lines = head.decode("ascii").split("\r\n")[:-1]
        method, target, version = first.split(" ")
        path, _, query = target.partition("?")
        if method != "GET" or path != PATH or version != "HTTP/1.1":
            return None
        headers = _Headers()
        for line in lines:
            header = _HEADER.fullmatch(line)
            if header is None:
                return None
            headers.setdefault(header[1].lower(), []).append(header[2].rstrip())
        if "content-length" in headers or "transfer-encoding" in headers or len(headers.get("host", ())) != 1:
            return None
        return Request(address, _params(query), headers)
    except ValueError:
        return None


@functools.lru_cache(maxsize=256)  # nearly always `vsn=2.0.0`
def _params(query: str) -> Mapping[str, str]:
    """The last value of each parameter. Raises `ValueError` where they are not UTF-8."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    return {name: value.strip() for name, value in pairs}
