"""A websocket connection, from the handshake to its end: reading, writing, closing."""

import logging
import socket
from collections.abc import Iterator
from itertools import islice

from web.channels import wire
from web.channels.endpoint import Endpoint
from web.channels.socket import Socket
from web.channels.wire import BadFrame
from web.io import rfc6455
from web.io.idle_timeouts import IdleWatched
from web.io.rfc6455 import TEXT, CloseCode, FrameReader, Message, Opcode, ProtocolError
from web.io.send_buffer import SendBuffer
from web.transport.handshake import Grant
from web.transport.request import Request

logger = logging.getLogger(__name__)

READ_SIZE = 16_384
"""Bytes of one client that are read before others are served: a large message, or some hundred small ones."""

MESSAGES_AT_ONCE = 128
"""Messages of one client that are handled before others are served: 1 to 3 ms. Fewer would split a room's turn."""

_NO_FRAMES = FrameReader(0)
"""What a connection that has ended reads frames with: none."""

_EXPECTED = {CloseCode.NORMAL, CloseCode.SERVICE_RESTART, CloseCode.TOKEN_EXPIRED, CloseCode.SIGNED_OUT}
"""Why connections are closed when nothing is wrong: not logged."""

LINGER = 2.0
"""Seconds for the client to close its side after ours; without them the kernel may discard our close frame."""


class WebSocket:
    """Owns the connection of one client.

    Plays `Transport` for its `Socket`, `SendBufferOwner`, `Pollable`, `IdleWatched` and `Closable`.
    """

    __slots__ = (
        "_decode",
        "_endpoint",
        "_file",
        "_frames",
        "_is_closing",
        "_is_paused",
        "_socket",
        "due",
        "last_heard_at",
        "serializer",
        "writer",
    )

    due: set[IdleWatched]
    last_heard_at: float

    def __init__(self, file: socket.socket, grant: Grant, request: Request, endpoint: Endpoint) -> None:
        """Takes over `file`, which does not block, and answers the handshake."""
        self.serializer = grant.serializer
        self._decode = grant.serializer.decode
        self._file = file
        self._endpoint = endpoint
        self._frames = FrameReader(endpoint.settings.max_frame_bytes)
        self.writer = SendBuffer(file, endpoint.settings.max_unsent_bytes, self, endpoint.send_batch)
        self._socket = Socket(self, request.params, endpoint, grant.credentials)
        self._is_closing = False
        self._is_paused = False
        self.last_heard_at = endpoint.loop.time()
        endpoint.add(self, request.peer, request.headers)
        endpoint.idle_timeouts.watch(self)
        endpoint.poller.watch(file, self)
        self.writer.write(grant.response)

    @property
    def has_unsent(self) -> bool:
        return self.writer.has_unsent

    def close(self, code: CloseCode, why: object = None) -> None:
        """Sends a close frame, and ends the connection once that is sent and the client is gone.

        Once the server stops the code is 1012, whatever else would be a reason: the client is to come back.
        """
        if self._is_closing:
            return
        self._is_closing = True
        if not self._endpoint.is_accepting:
            code = CloseCode.SERVICE_RESTART
        if code not in _EXPECTED:
            logger.info("closed with %d: %s", code, why or code.name.lower().replace("_", " "))
        self.writer.write_control(rfc6455.close_frame(code))
        self.writer.close()
        self._endpoint.idle_timeouts.forget(self)
        self._socket.on_closed()
        self._endpoint.loop.call_later(LINGER, self._end)
        if not self.writer.has_unsent:
            self._half_close()

    def on_idle(self) -> None:
        """Closes the connection. Any frame of the client counts as activity, also a control frame."""
        self.close(CloseCode.PROTOCOL_ERROR, "nothing was heard for too long")

    # ------------------------------------------------------------ reading

    def on_readable(self) -> None:
        if self._is_paused:
            return
        try:
            data = self._file.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.feed(data)
        else:
            self._end()

    def feed(self, data: bytes) -> None:
        """Handles bytes that have arrived. Those that arrive after the end are dropped unread, whatever they are.

        They are read from the kernel also then: closing a socket that holds some would cut what the client is sent.
        """
        self.last_heard_at = self._endpoint.loop.time()
        if self._takes_messages:
            self._dispatch(self._frames.feed(data))

    @property
    def _takes_messages(self) -> bool:
        return self._endpoint.is_accepting and not self._is_closing

    def _dispatch(self, messages: Iterator[Message]) -> None:
        try:
            number = 0
            for number, (opcode, message) in enumerate(islice(messages, MESSAGES_AT_ONCE), 1):  # noqa: B007
                if not self._takes_messages:
                    return
                if opcode is TEXT:
                    self._socket.receive(self._decode(message))
                else:
                    self._receive_other(opcode, message)
        except ProtocolError as error:
            self.close(error.code, error)
        except BadFrame as error:
            self.close(CloseCode.INTERNAL_ERROR, error)
        except Exception:
            logger.exception("a frame could not be handled")
            self.close(CloseCode.INTERNAL_ERROR)
        else:
            if number == MESSAGES_AT_ONCE:
                self._pause(messages)

    def _receive_other(self, opcode: Opcode, message: bytes) -> None:
        match opcode:
            case Opcode.BINARY if self.serializer is wire.V2_WEBSOCKET:
                self._socket.receive(wire.decode_binary(message))
            case Opcode.BINARY:
                self._socket.receive(self._decode(message))  # version 1 knows only JSON, and Phoenix takes it so too
            case Opcode.PING:
                self.writer.write_control(rfc6455.frame(Opcode.PONG, message))
            case Opcode.CLOSE:
                rfc6455.close_code(message)
                self.close(CloseCode.NORMAL)  # Phoenix answers 1000, whatever the client said
            case _:
                pass  # a fragment, or a pong, for which no ping was sent

    def _pause(self, messages: Iterator[Message]) -> None:
        """Has others served before the rest of the messages."""
        self._is_paused = True
        self._update_poller()
        self._endpoint.loop.call_soon(self._resume, messages)

    def _resume(self, messages: Iterator[Message]) -> None:
        self._is_paused = False
        self._update_poller()
        if self._takes_messages:
            self._dispatch(messages)

    # ------------------------------------------------------------ writing

    def on_writable(self) -> None:
        self.writer.flush()

    def unsent_changed(self) -> None:
        self._update_poller()

    def overflowed(self) -> None:
        self._socket.overflowed()

    def drained(self) -> None:
        if self._is_closing:
            self._half_close()
        else:
            self._socket.drained()

    def _update_poller(self) -> None:
        if self._file.fileno() >= 0:
            self._endpoint.poller.wait_for(self._file, reading=not self._is_paused, writing=self.writer.has_unsent)

    # ------------------------------------------------------------ ending

    def _half_close(self) -> None:
        try:
            self._file.shutdown(socket.SHUT_WR)
        except OSError:
            self._end()  # the client is gone already

    def _end(self) -> None:
        if self._file.fileno() < 0:
            return
        self._is_closing = True
        self._endpoint.idle_timeouts.forget(self)
        self._endpoint.poller.forget(self._file)
        self.writer.discard()
        self._frames = _NO_FRAMES  # half a frame has up to 64 KiB, and a timer may know this object for a while
        self._file.close()
        self._socket.on_closed()
        self._endpoint.forget(self)
        del self._socket  # they would be a circle, and wait for the garbage collector: nothing more is received
