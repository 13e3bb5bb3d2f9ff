"""Websockets: the handshake, and a connection after it."""

import asyncio
import base64
import hashlib
import logging
import math
import socket
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from tornado.httputil import HTTPServerRequest, format_timestamp
from tornado.iostream import IOStream, StreamClosedError

from web import rfc6455, wire
from web.edge import Edge
from web.handler import Handler
from web.outbox import Outbox
from web.rfc6455 import FrameReader, Opcode, ProtocolError
from web.socket import Socket
from web.wire import BadFrame, Dialect, Frame

logger = logging.getLogger(__name__)

READ_SIZE = 16_384
"""Bytes of one client that are dealt with before others have their turn: 2,700 empty fragments, 8 ms."""

FRAMES_AT_ONCE = 128
"""Messages of one client that are: 1 to 3 ms. Fewer would tear apart what a room can say in one turn."""

LINGER = 2.0
"""Seconds for the peer to finish its side after we closed ours; without them the kernel may discard our close frame."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

_VERSIONS: Mapping[str, tuple[Dialect, Callable[[bytes], Frame]]] = {
    "1.0.0": (wire.V1_WEBSOCKET, wire.decode_v1),
    "2.0.0": (wire.V2_WEBSOCKET, wire.decode_v2),
}


class WebSocketHandler(Handler):
    """`GET /socket/websocket`: answers the handshake, then hands the stream to a `WebSocket` and is done."""

    def initialize(self, edge: Edge) -> None:
        """Tornado's constructor."""
        self._edge = edge

    def get(self) -> None:
        """Upgrade, or say why not in Phoenix's words."""
        if not self._edge.hearing:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "")
            return
        wait = self._edge.connect(self.request)
        if wait:
            self.set_header("Retry-After", math.ceil(wait))
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "")
            return
        version = _VERSIONS.get(self.get_argument("vsn", "1.0.0"))
        if version is None or not self._edge.admits(self.request.headers.get("Origin"), self.request.host):
            self._refuse(HTTPStatus.FORBIDDEN, "")
            return
        fault = _handshake_fault(self.request)
        if fault is not None:
            self._refuse(HTTPStatus.BAD_REQUEST, fault)
            return
        params = {name: self.get_argument(name) for name in self.request.arguments}
        response = _accept(self.request)
        stream = self.detach()
        if stream.closed():
            return  # the client has hung up already
        connection = WebSocket(stream, *version, params, self._edge)
        connection.write(response)
        connection.start()  # not awaited: what Tornado keeps for the request is free from here on

    def post(self) -> None:
        """Not for a websocket."""
        self._refuse(HTTPStatus.BAD_REQUEST, "")

    head = put = patch = delete = options = post

    def _refuse(self, status: HTTPStatus, body: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(body)


class WebSocket:
    """One client over one websocket: a `Transport` for its `Socket`."""

    def __init__(
        self,
        stream: IOStream,
        dialect: Dialect,
        decode: Callable[[bytes], Frame],
        params: Mapping[str, str],
        edge: Edge,
    ) -> None:
        settings = edge.settings
        stream.set_nodelay(True)  # else an acknowledgement waits 40 ms for the client to confirm the broadcast
        self.dialect = dialect
        self._decode = decode
        self._stream = stream
        self._edge = edge
        self._frames = FrameReader(settings.max_frame_bytes)
        self._outbox = Outbox(stream, settings.max_unsent_bytes, self._on_lagging, self._on_caught_up)
        self._socket = Socket(self, params, edge)
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._silence = self._loop.call_later(settings.idle_timeout, self._on_silence)

    @property
    def is_behind(self) -> bool:
        """Whether what is written now waits, and may be dropped."""
        return self._outbox.is_behind

    def write(self, frames: bytes) -> None:
        """Send whole frames."""
        self._outbox.write(frames)

    def close(self, code: int) -> None:
        """Say goodbye with `code` and end the connection once that is out."""
        if self._closing:
            return
        self._closing = True
        self._outbox.write_control(rfc6455.close_frame(code))
        self._outbox.close()
        self._silence.cancel()
        self._socket.closed()
        self._loop.call_later(LINGER, self._stream.close)
        task = self._loop.create_task(self._half_close())
        task.add_done_callback(lambda done: done.exception())

    def start(self) -> None:
        """Begin to listen."""
        self._edge.connections.add(self)
        self._serving = self._loop.create_task(self._serve())

    async def wait_closed(self) -> None:
        """Return when both sides are closed."""
        await self._serving

    # ------------------------------------------------------------ hearing

    async def _serve(self) -> None:
        try:
            while True:
                reading = asyncio.ensure_future(self._stream.read_bytes(READ_SIZE, partial=True))
                if reading.done():  # there is more than one read: others first, since awaiting it would not let them
                    await asyncio.sleep(0)
                data = await reading
                await self._hear(data)
        except StreamClosedError:
            pass
        finally:
            self._end()

    async def _hear(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            for number, (opcode, message) in enumerate(self._frames.feed(data), 1):
                if self._closing or not self._edge.hearing:
                    return
                self._dispatch(opcode, message)
                if number % FRAMES_AT_ONCE == 0:
                    await asyncio.sleep(0)
        except ProtocolError as error:
            logger.info("closed with %d: %s", error.code, error)
            self.close(error.code)
        except BadFrame as error:
            logger.info("closed with 1011: %s", error)
            self.close(1011)
        except Exception:
            logger.exception("a frame could not be dealt with")
            self.close(1011)

    def _dispatch(self, opcode: Opcode, message: bytes) -> None:
        match opcode:
            case Opcode.TEXT:
                self._socket.receive(self._decode(message))
            case Opcode.BINARY if self.dialect is wire.V2_WEBSOCKET:
                self._socket.receive(wire.decode_binary(message))
            case Opcode.BINARY:
                raise BadFrame("expected text, since protocol version 1 has no binary frames")
            case Opcode.PING:
                self._outbox.write_control(rfc6455.frame(Opcode.PONG, message))
            case Opcode.CLOSE:
                rfc6455.close_code(message)
                self.close(1000)  # Phoenix answers 1000, whatever the client said
            case _:
                pass  # a pong, which nobody asked for

    # ------------------------------------------------------------ lagging

    def _on_lagging(self) -> None:
        if not self._socket.lag():
            self.close(1013)

    def _on_caught_up(self) -> None:
        if not self._socket.caught_up():
            self.close(1013)

    # ------------------------------------------------------------ ending

    def _on_silence(self) -> None:
        """Any frame counts as a sign of life, a control frame too; what we send does not."""
        left = self._heard_at + self._edge.settings.idle_timeout - self._loop.time()
        if left > 0:
            self._silence = self._loop.call_later(left, self._on_silence)
        else:
            self.close(1002)

    async def _half_close(self) -> None:
        await self._outbox.drained()
        if not self._stream.closed():
            self._stream.socket.shutdown(socket.SHUT_WR)

    def _end(self) -> None:
        self._silence.cancel()
        self._outbox.close()
        self._socket.closed()
        self._edge.connections.discard(self)


def _handshake_fault(request: HTTPServerRequest) -> str | None:
    connection = request.headers.get_list("Connection")
    if not any("upgrade" in value.lower() for value in connection):
        return f"'connection' header must contain 'upgrade', got {_elixir(connection)}"
    upgrade = request.headers.get_list("Upgrade")
    if not any("websocket" in value.lower() for value in upgrade):
        return f"'upgrade' header must contain 'websocket', got {_elixir(upgrade)}"
    keys = request.headers.get_list("Sec-WebSocket-Key")
    if not keys:
        return "'sec-websocket-key' header is absent"
    versions = request.headers.get_list("Sec-WebSocket-Version")
    if versions != ["13"]:
        return f"'sec-websocket-version' header must equal '13', got {_elixir(versions)}"
    return None


def _elixir(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _accept(request: HTTPServerRequest) -> bytes:
    """The whole response. The subprotocol `phoenix` is agreed to where it is offered: browsers insist on an answer."""
    key = request.headers["Sec-WebSocket-Key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())  # as RFC 6455 has it
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"date: " + format_timestamp(time.time()).encode(),
        b"upgrade: websocket",
        b"connection: Upgrade",
        b"sec-websocket-accept: " + accept,
        b"cache-control: max-age=0, private, must-revalidate",
    ]
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if "phoenix" in [protocol.strip() for protocol in offered.split(",")]:
        lines.append(b"sec-websocket-protocol: phoenix")
    return b"\r\n".join(lines) + b"\r\n\r\n"
