"""Drives one client connection: connect, handshake, join, send, receive.

A recorded connection keeps every stamp with its time of receipt. Any other listener only counts bytes, which is
cheaper and enough: a server sends the same to all listeners of a room who do not publish.
"""

import enum
import errno
import select
import socket
import struct
import time
from collections.abc import Sequence

from bench import frames
from bench.message_stamp import StampParser

REPLY = b"phx_reply"

IP_BIND_ADDRESS_NO_PORT = 24
"""Linux socket option: `connect` chooses the port, not `bind`.

A source address then does not run out of ports over many connections in turn.
"""

CONNECTIONS_PER_ADDRESS = 5_000
"""Connections from one source address. It has 28,000 ports, some still occupied by closed connections."""


class State(enum.Enum):
    """The progress of a connection."""

    CONNECTING = 0
    HANDSHAKE = 1
    CONNECTED = 2
    JOINING = 3
    JOINED = 4
    CLOSED = 5


class Connection:
    """Owns one non-blocking socket, its unsent bytes and what it received."""

    def __init__(self, member: int, room: int, topics: Sequence[str], join_frames: bytes, *, is_recorded: bool) -> None:
        """`join_frames` are the bytes that join all `topics`."""
        self.member = member
        self.room = room
        self.topics = topics
        self.join_frames = join_frames
        self.is_recorded = is_recorded
        self.token = ""  # that it shows; empty for a guest
        self.publisher: int | None = None
        self.state = State.CONNECTING
        self.start_due = 0  # planned time to connect, or to join
        self.bytes_received = 0
        self.refused = 0
        self.fd = -1
        self.received: list[tuple[int, list[bytes]]] = []  # time of receipt, and the stamps received then
        self._socket: socket.socket | None = None
        self._parser = StampParser(REPLY)
        self._unsent = bytearray()
        self._unparsed = b""  # received before the join is complete

    @property
    def is_byte_counted(self) -> bool:
        """Only the number of received bytes is known, not the messages."""
        return not self.is_recorded and self.publisher is None

    @property
    def replies(self) -> int:
        """The number of replies received. Not counted after the join if only bytes are."""
        return self._parser.word_count

    def connect(self, port: int, handshake: bytes, epoll: select.epoll) -> None:
        """Starts to connect. Raises `OSError` if that fails at once."""
        sock = self._socket = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((f"127.0.0.{2 + self.member // CONNECTIONS_PER_ADDRESS % 250}", 0))
        self.fd = sock.fileno()
        problem = sock.connect_ex(("127.0.0.1", port))
        if problem not in (0, errno.EINPROGRESS):
            raise OSError(problem, "cannot connect")
        self._unsent += handshake
        epoll.register(self.fd, select.EPOLLIN | select.EPOLLOUT)

    def join(self, epoll: select.epoll) -> None:
        """Sends the joins of all its topics."""
        self.state = State.JOINING
        self._unparsed = b""
        self.send(self.join_frames, epoll)

    def send(self, data: bytes, epoll: select.epoll) -> None:
        """Sends `data` now, or queues the rest until the socket is writable."""
        if self._socket is None:
            return
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
            if sent == len(data):
                return
            data = data[sent:]
            epoll.modify(self.fd, select.EPOLLIN | select.EPOLLOUT)
        self._unsent += data

    def flush(self, epoll: select.epoll) -> None:
        """Sends queued bytes; the socket is writable."""
        if self._socket is None:
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if self.state is State.CONNECTING:
            self.state = State.HANDSHAKE
        del self._unsent[:sent]
        if not self._unsent:
            epoll.modify(self.fd, select.EPOLLIN)

    def receive(self, buffer: bytearray, view: memoryview) -> int:
        """Reads once into `buffer`, seen through `view`; returns the time of receipt."""
        if self._socket is None:
            return time.monotonic_ns()
        try:
            size = self._socket.recv_into(buffer)
        except BlockingIOError:
            return time.monotonic_ns()
        except OSError:
            size = 0
        now = time.monotonic_ns()
        if not size:
            self.close()
            return now
        self.bytes_received += size
        if self.state is State.JOINED and not self.is_byte_counted:
            piece = bytes(view[:size])
            if self.publisher is not None:
                self.refused += piece.count(b'"error"')
            if stamps := self._parser.feed(piece):
                self.received.append((now, stamps))
        elif self.state is not State.JOINED:
            self._unparsed += view[:size]
        return now

    def try_finish_handshake(self) -> bool:
        """Becomes CONNECTED if the server's 101 response is complete. Closes on any other status."""
        head, end, rest = self._unparsed.partition(frames.HEADER_END)
        if not end:
            return False
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self.close()
            return False
        self._unparsed = rest
        self.state = State.CONNECTED
        return True

    def try_finish_join(self, history: int) -> bool:
        """Becomes JOINED if all joins are answered and `history` messages arrived. Closes on a refusal."""
        unparsed = self._unparsed
        if unparsed.count(REPLY) < len(self.topics) or unparsed.count(b"@") < 2 * history:
            return False
        if b'"error"' in unparsed:
            self.close()
            return False
        self.state = State.JOINED
        self._unparsed = b""
        self._parser.feed(unparsed)  # its end may be the start of a stamp
        return True

    def close(self) -> None:
        """Closes the socket with a reset, so that its port is free at once."""
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.close()
            self._socket = None
        self.state = State.CLOSED
