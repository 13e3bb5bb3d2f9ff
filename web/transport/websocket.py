"""A connection over a websocket, from the handshake on."""

import logging
import socket
from collections.abc import Iterator
from itertools import islice

from web.channels import wire
from web.channels.endpoint import Edge
from web.channels.socket import Socket
from web.channels.wire import BadFrame
from web.io import rfc6455
from web.io.rfc6455 import TEXT, CloseCode, FrameReader, Message, Opcode, ProtocolError
from web.io.send_buffer import Outbox
from web.transport.handshake import Grant, Request

logger = logging.getLogger(__name__)

READ_SIZE = 16_384
"""Bytes of one client that are read before others have their turn: a large message, or some hundred small ones."""

MESSAGES_AT_ONCE = 128
"""Messages of one client that are: 1 to 3 ms. Fewer would tear apart what a room can say in one turn."""

LINGER = 2.0
"""Seconds for the peer to finish its side after we closed ours; without them the kernel may discard our close frame."""


class WebSocket:
    """One client over one websocket: a `Transport` for its `Socket`, and the owner of the file."""

    __slots__ = (
        "_closing",
        "_decode",
        "_edge",
        "_file",
        "_frames",
        "_paused",
        "_socket",
        "dialect",
        "due",
        "heard_at",
        "outbox",
    )

    due: int
    heard_at: float

    def __init__(self, file: socket.socket, grant: Grant, request: Request, edge: Edge) -> None:
        """Takes over `file`, which does not block, and answers the handshake."""
        file.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an acknowledgement waits for the client's
        self.dialect = grant.dialect
        self._decode = grant.dialect.decode
        self._file = file
        self._edge = edge
        self._frames = FrameReader(edge.settings.max_frame_bytes)
        self.outbox = Outbox(file, edge.settings.max_unsent_bytes, self)
        self._socket = Socket(self, request.params, edge)
        self._closing = False
        self._paused = False
        self.heard_at = edge.loop.time()
        edge.connections.add(self)
        edge.silence.watch(self)
        edge.poller.watch(file, self)
        self.outbox.write(grant.response)

    @property
    def is_behind(self) -> bool:
        """Whether what is written now waits, and may be dropped."""
        return self.outbox.is_behind

    def close(self, code: int) -> None:
        """Say goodbye with `code` and end the connection once that is out and the client is gone too."""
        if self._closing:
            return
        self._closing = True
        self.outbox.write_control(rfc6455.close_frame(code))
        self.outbox.close()
        self._edge.silence.forget(self)
        self._socket.closed()
        self._edge.loop.call_later(LINGER, self._end)
        if not self.outbox.is_behind:
            self._half_close()

    # ------------------------------------------------------------ hearing

    def readable(self) -> None:
        """As `Pollable`."""
        if self._paused:
            return
        try:
            data = self._file.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.hear(data)
        else:
            self._end()

    def hear(self, data: bytes) -> None:
        """Deal with what has arrived."""
        self.heard_at = self._edge.loop.time()
        self._dispatch(self._frames.feed(data))

    def _dispatch(self, messages: Iterator[Message]) -> None:
        try:
            number = 0
            for number, (opcode, message) in enumerate(islice(messages, MESSAGES_AT_ONCE), 1):  # noqa: B007
                if self._closing or not self._edge.hearing:
                    return
                if opcode is TEXT:
                    self._socket.receive(self._decode(message))
                else:
                    self._receive_other(opcode, message)
        except ProtocolError as error:
            logger.info("closed with %d: %s", error.code, error)
            self.close(error.code)
        except BadFrame as error:
            logger.info("closed with 1011: %s", error)
            self.close(CloseCode.INTERNAL_ERROR)
        except Exception:
            logger.exception("a frame could not be dealt with")
            self.close(CloseCode.INTERNAL_ERROR)
        else:
            if number == MESSAGES_AT_ONCE:
                self._pause(messages)

    def _receive_other(self, opcode: Opcode, message: bytes) -> None:
        match opcode:
            case Opcode.BINARY if self.dialect is wire.V2_WEBSOCKET:
                self._socket.receive(wire.decode_binary(message))
            case Opcode.BINARY:
                raise BadFrame("expected text, since protocol version 1 has no binary frames")
            case Opcode.PING:
                self.outbox.write_control(rfc6455.frame(Opcode.PONG, message))
            case Opcode.CLOSE:
                rfc6455.close_code(message)
                self.close(CloseCode.NORMAL)  # Phoenix answers 1000, whatever the client said
            case _:
                pass  # a fragment, or a pong, which nobody asked for

    def _pause(self, messages: Iterator[Message]) -> None:
        """Let others have their turn, then go on."""
        self._paused = True
        self._wait_for_file()
        self._edge.loop.call_soon(self._go_on, messages)

    def _go_on(self, messages: Iterator[Message]) -> None:
        self._paused = False
        self._wait_for_file()
        self._dispatch(messages)

    # ------------------------------------------------------------ writing

    def writable(self) -> None:
        """As `Pollable`."""
        self.outbox.flush()

    def behind_changed(self) -> None:
        """As `outbox.Owner`."""
        self._wait_for_file()

    def overflowed(self) -> None:
        """As `outbox.Owner`."""
        self._socket.overflowed()

    def drained(self) -> None:
        """As `outbox.Owner`."""
        if self._closing:
            self._half_close()
        else:
            self._socket.drained()

    def _wait_for_file(self) -> None:
        if self._file.fileno() >= 0:
            self._edge.poller.wait_for(self._file, reading=not self._paused, writing=self.outbox.is_behind)

    # ------------------------------------------------------------ ending

    def silent(self) -> None:
        """As `IdleWatched`. Any frame counts as heard, a control frame too; what we send does not."""
        self.close(CloseCode.PROTOCOL_ERROR)

    def _half_close(self) -> None:
        try:
            self._file.shutdown(socket.SHUT_WR)
        except OSError:
            self._end()  # the client is gone already

    def _end(self) -> None:
        if self._file.fileno() < 0:
            return
        self._closing = True
        self._edge.silence.forget(self)
        self._edge.poller.forget(self._file)
        self.outbox.discard()
        self._file.close()
        self._socket.closed()
        self._edge.forget(self)
