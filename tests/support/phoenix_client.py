"""A WebSocket and long-poll client of plain sockets, for tests: it shows every byte, and sends what no library would.

Nothing here is checked beyond what is needed to read on; every wait fails with `TimeoutError` after `PATIENCE` seconds.
"""

import json
import select
import socket
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

PATIENCE = 30.0
MASK = bytes.fromhex("37fa213d")
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # the example of RFC 6455: the answer is known
    "Sec-WebSocket-Version": "13",
}
NDJSON = "application/x-ndjson"


class Opcode(IntEnum):
    """What a frame is; any other number can be sent too."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Frame(NamedTuple):
    """A frame from the server, with the bits that it should not have set."""

    opcode: int
    data: bytes
    final: bool
    reserved: int
    masked: bool


class Response(NamedTuple):
    """An answer in HTTP. Names of headers are in lower case."""

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
    """A TCP connection to a port of 127.0.0.1; a narrow one keeps the kernels on both sides from holding much."""

    def __init__(self, port: int, *, narrow: bool = False, client: str | None = None) -> None:
        """With `client` it comes from that address, such as 127.0.0.5."""
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE)
        if client is not None:
            self._socket.bind((client, 0))
        if narrow:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def send(self, data: bytes) -> None:
        """All of `data`. A connection that does not take it is closed."""
        try:
            self._socket.sendall(data)
        except OSError:
            self.close()
            raise

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes. Raises `EOFError` where the server ends its side before."""
        while len(self._unread) < size:
            self._read_more()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def read_through(self, mark: bytes) -> bytes:
        """Everything up to and including `mark`."""
        while mark not in self._unread:
            self._read_more()
        return self.read(self._unread.index(mark) + len(mark))

    def brings(self, seconds: float) -> bool:
        """Whether something (bytes, or the end) arrives within that time."""
        return bool(self._unread or select.select([self._socket], [], [], seconds)[0])

    def close(self) -> None:
        """Cut it, without a word."""
        self._socket.close()

    def _read_more(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise EOFError("the server has ended its side")
        self._unread += data


class Request:
    """A request in HTTP, on its way."""

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
        """Wait for the answer. The connection stays open."""
        status_line, *lines = self.connection.read_through(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = 0 if self._method == "HEAD" else int(headers.get("content-length", "0"))
        return Response(status_line, headers, self.connection.read(size))

    def abandon(self) -> None:
        """Hang up without waiting for the answer."""
        self.connection.close()


def request(
    port: int, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Response:
    """A whole exchange in HTTP on a connection of its own."""
    asked = Request(port, method, target, headers, body)
    try:
        return asked.response()
    finally:
        asked.connection.close()


class WebSocket:
    """A websocket whose handshake is done."""

    def __init__(
        self, port: int, query: str = "vsn=2.0.0", headers: Mapping[str, str] | None = None, *, narrow: bool = False
    ) -> None:
        asked = Request(port, "GET", f"/socket/websocket?{query}", UPGRADE | dict(headers or {}), narrow=narrow)
        self.connection = asked.connection
        self.response = asked.response()
        if self.response.status != 101:
            self.connection.close()
            raise ConnectionRefusedError(f"expected 101, got {self.response.status_line}: {self.response.body!r}")

    def send(self, opcode: int, data: bytes, *, final: bool = True, reserved: int = 0, mask: bytes = MASK) -> None:
        """One frame; an empty `mask` leaves it unmasked."""
        self.connection.send(frame(opcode, data, final=final, reserved=reserved, mask=mask))

    def receive(self) -> Frame:
        """The next frame. Raises `EOFError` where the server has ended its side."""
        first, second = self.connection.read(2)
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(self.connection.read(2 if length == 126 else 8))
        data = self.connection.read(length)
        return Frame(first & 0x0F, data, bool(first & 0x80), first >> 4 & 7, bool(second & 0x80))


def frame(opcode: int, data: bytes, *, final: bool = True, reserved: int = 0, mask: bytes = MASK) -> bytes:
    """A frame from a client, as bytes."""
    start = header(opcode, len(data), final=final, reserved=reserved, masked=bool(mask)) + mask
    return start + (bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)) if mask else data)


def header(opcode: int, length: int, *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """The start of a frame, without the mask."""
    first, mask = final << 7 | reserved << 4 | opcode, masked << 7
    if length < 126:
        return bytes((first, mask | length))
    if length < 65_536:
        return bytes((first, mask | 126)) + length.to_bytes(2)
    return bytes((first, mask | 127)) + length.to_bytes(8)


def binary_push(join_ref: str, ref: str, topic: str, event: str, data: bytes) -> bytes:
    """A binary push of protocol version 2."""
    words = [word.encode() for word in (join_ref, ref, topic, event)]
    return bytes((0, *map(len, words))) + b"".join(words) + data


class LongPoll:
    """A poll session, without one until `open`. The token goes in the query, as npm phoenix sends it."""

    def __init__(self, port: int, query: str = "vsn=2.0.0", headers: Mapping[str, str] | None = None) -> None:
        self._port = port
        self._headers = headers
        self._target = f"/socket/longpoll?{query}"
        self.token: str | None = None

    def open(self) -> Any:
        """Ask without a token; returns the answer's body, and keeps its token."""
        answer = request(self._port, "GET", self._target, self._headers).json
        self.token = answer.get("token")
        return answer

    def get(self) -> Any:
        """Poll, and wait for the answer's body."""
        return request(self._port, "GET", self.target).json

    def start_get(self) -> Request:
        """Poll, without waiting for the answer."""
        return Request(self._port, "GET", self.target)

    def post(self, *messages: str, content_type: str = NDJSON) -> Any:
        """Send messages, a line each; returns the answer's body."""
        headers = {"Content-Type": content_type} if content_type else {}
        return request(self._port, "POST", self.target, headers, "\n".join(messages).encode()).json

    @property
    def target(self) -> str:
        """Where the session's requests go."""
        return self._target if self.token is None else f"{self._target}&token={self.token}"
