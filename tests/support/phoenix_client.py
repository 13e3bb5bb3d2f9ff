"""A websocket and long-poll client on plain sockets, for any bytes.

It sends invalid frames too, and checks only what it needs to read on. Every wait fails with `TimeoutError` after
`TIMEOUT` seconds.
"""

import json
import select
import socket
from collections.abc import Callable, Mapping
from enum import IntEnum
from itertools import cycle
from typing import Any, NamedTuple

TIMEOUT = 60.0
MASK = bytes.fromhex("37fa213d")
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # the example of RFC 6455: the answer is known
    "Sec-WebSocket-Version": "13",
}
NDJSON = "application/x-ndjson"


class Opcode(IntEnum):
    """Opcode is the kind of a frame; tests may send other numbers too."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Frame(NamedTuple):
    """Frame is a websocket frame from the server, with the bits that must be 0."""

    opcode: int
    data: bytes
    final: bool
    reserved: int
    masked: bool


class Response(NamedTuple):
    """Response is an HTTP response. Header names are in lower case."""

    status_line: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> int:
        """The number in the status line."""
        return int(self.status_line.split()[1])

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Connection:
    """Connection is a TCP connection to a port of 127.0.0.1. A narrow one has small kernel buffers on both sides."""

    def __init__(self, port: int, *, narrow: bool = False, client: str | None = None) -> None:
        """With `client` it comes from that address, such as 127.0.0.5."""
        self._socket = socket.socket()
        self._socket.settimeout(TIMEOUT)
        if client is not None:
            self._socket.bind((client, 0))
        if narrow:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def send(self, data: bytes) -> None:
        """Sends all of `data`; closes the connection if that fails."""
        try:
            self._socket.sendall(data)
        except OSError:
            self.close()
            raise

    def read(self, size: int) -> bytes:
        """Reads exactly `size` bytes. Raises `EOFError` when the server ends its side before."""
        while len(self._unread) < size:
            self._read_more()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def read_until(self, mark: bytes) -> bytes:
        """Reads up to and including `mark`."""
        while mark not in self._unread:
            self._read_more()
        return self.read(self._unread.index(mark) + len(mark))

    def is_readable(self, seconds: float) -> bool:
        """Returns whether bytes or the end of the stream arrive within that time."""
        return bool(self._unread or select.select([self._socket], [], [], seconds)[0])

    def close(self) -> None:
        """Closes the TCP connection without a close frame."""
        self._socket.close()

    def _read_more(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise EOFError("the server has ended its side")
        self._unread += data


class Request:
    """Request is an HTTP request that was sent on its own connection."""

    def __init__(
        self,
        port: int,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        narrow: bool = False,
        client: str | None = None,
        between: Callable[[], object] | None = None,
    ) -> None:
        """With `between` the head goes in two pieces, and that is called after the first."""
        self.connection = Connection(port, narrow=narrow, client=client)
        self._method = method
        length = {"Content-Length": str(len(body))} if body or method == "POST" else {}
        lines = [
            f"{name}: {value}" for name, value in ({"Host": f"127.0.0.1:{port}"} | length | dict(headers or {})).items()
        ]
        sent = "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode() + body
        if between is not None:
            self.connection.send(sent[:10])
            between()
            sent = sent[10:]
        self.connection.send(sent)

    def response(self) -> Response:
        """Waits for the response. The connection stays open."""
        status_line, *lines = self.connection.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = 0 if self._method == "HEAD" else int(headers.get("content-length", "0"))
        return Response(status_line, headers, self.connection.read(size))

    def abandon(self) -> None:
        """Closes the connection without waiting for the response."""
        self.connection.close()


def request(
    port: int, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Response:
    """Sends an HTTP request on a new connection, and returns the response."""
    asked = Request(port, method, target, headers, body)
    try:
        return asked.response()
    finally:
        asked.connection.close()


def wait_until_read(port: int) -> None:
    """Returns when the server has read all bytes that were sent to it before. It serves its connections in turn."""
    for _ in range(2):  # the first may be read in the same turn as they are
        request(port, "GET", "/healthz")


class WebSocket:
    """WebSocket is a connection whose handshake is done."""

    def __init__(
        self,
        port: int,
        query: str = "vsn=2.0.0",
        headers: Mapping[str, str] | None = None,
        *,
        narrow: bool = False,
        between: Callable[[], object] | None = None,
    ) -> None:
        """With `between` the head goes in two pieces: see `Request`."""
        target, sent = f"/socket/websocket?{query}", UPGRADE | dict(headers or {})
        asked = Request(port, "GET", target, sent, narrow=narrow, between=between)
        self.connection = asked.connection
        self.response = asked.response()
        if self.response.status != 101:
            self.connection.close()
            raise ConnectionRefusedError(f"expected 101, got {self.response.status_line}: {self.response.body!r}")

    def send(self, opcode: int, data: bytes, *, final: bool = True, reserved: int = 0, mask: bytes = MASK) -> None:
        """Sends one frame; an empty `mask` leaves it unmasked."""
        self.connection.send(frame(opcode, data, final=final, reserved=reserved, mask=mask))

    def receive(self) -> Frame:
        """Receives the next frame. Raises `EOFError` when the server has ended its side."""
        first, second = self.connection.read(2)
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(self.connection.read(2 if length == 126 else 8))
        data = self.connection.read(length)
        return Frame(first & 0x0F, data, bool(first & 0x80), first >> 4 & 7, bool(second & 0x80))


def frame(opcode: int, data: bytes, *, final: bool = True, reserved: int = 0, mask: bytes = MASK) -> bytes:
    """Builds a frame as a client sends it."""
    start = header(opcode, len(data), final=final, reserved=reserved, masked=bool(mask)) + mask
    return start + (bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)) if mask else data)


def header(opcode: int, length: int, *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """Builds the header of a frame, without the mask."""
    first, mask = final << 7 | reserved << 4 | opcode, masked << 7
    if length < 126:
        return bytes((first, mask | length))
    if length < 65_536:
        return bytes((first, mask | 126)) + length.to_bytes(2)
    return bytes((first, mask | 127)) + length.to_bytes(8)


def binary_push(join_ref: str, ref: str, topic: str, event: str, data: bytes) -> bytes:
    """Builds a binary push of protocol version 2."""
    words = [word.encode() for word in (join_ref, ref, topic, event)]
    return bytes((0, *map(len, words))) + b"".join(words) + data


NODES: dict[int, tuple[int, ...]] = {}
"""The ports of all nodes of the cluster of which the server at a port is one, with that port; `Server` fills it."""


class LongPoll:
    """LongPoll is a client of one poll session, which `open` starts.

    It sends the token in the query, as npm phoenix does. In a cluster each of its requests goes to the next node,
    unless it comes from a page, which is one node's.
    """

    def __init__(self, port: int, query: str = "vsn=2.0.0", headers: Mapping[str, str] | None = None) -> None:
        self.port = port  # of the last request
        self._ports = cycle(NODES.get(port, (port,)) if "Origin" not in (headers or {}) else (port,))
        self._headers = headers
        self._target = f"/socket/longpoll?{query}"
        self.token: str | None = None

    def open(self) -> Any:
        """Starts a session: keeps its token, and returns the body of the response."""
        self.move()
        answer = request(self.port, "GET", self._target, self._headers).json
        self.token = answer.get("token")
        return answer

    def get(self) -> Any:
        """Polls, and returns the body of the response."""
        self.move()
        return request(self.port, "GET", self.target, self._headers).json

    def start_get(self) -> Request:
        """Sends a poll, and returns without waiting for the response."""
        self.move()
        return Request(self.port, "GET", self.target, self._headers)

    def post(self, *messages: str, content_type: str = NDJSON) -> Any:
        """Posts messages, one a line, and returns the body of the response."""
        self.move()
        headers = {"Content-Type": content_type} if content_type else {}
        return request(
            self.port, "POST", self.target, headers | dict(self._headers or {}), "\n".join(messages).encode()
        ).json

    def move(self) -> None:
        """Has the next request go to the next node."""
        self.port = next(self._ports)

    @property
    def target(self) -> str:
        """The path and query of the session's requests."""
        return self._target if self.token is None else f"{self._target}&token={self.token}"
