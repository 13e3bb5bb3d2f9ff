"""One connection of the generator: connect, shake hands, join, then listen and talk.

Two kinds of listener: a `Reader` keeps every stamp with the time at which it came; everybody else only counts bytes,
since all who listen in a room, and do not talk, are sent the same.
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
"""Linux: choose the port when connecting, so that an address serves again and again."""

PEOPLE_PER_ADDRESS = 5_000
"""One source address has 28,000 ports, some of them still in use by what was closed before."""


class State(enum.Enum):
    """How far a connection is."""

    CONNECTING = 0
    SHAKING = 1
    CONNECTED = 2
    JOINING = 3
    IN = 4
    GONE = 5


class Connection:
    """Owns a socket. `epoll` is told what it waits for."""

    def __init__(self, member: int, room: int, topics: Sequence[str], joins: bytes, *, is_read: bool) -> None:
        """`joins` are the bytes that join all `topics`."""
        self.member = member
        self.room = room
        self.topics = topics
        self.joins = joins
        self.is_read = is_read
        self.publisher: int | None = None
        self.state = State.CONNECTING
        self.due = 0  # when it was to set out
        self.bytes = 0
        self.refused = 0
        self.fd = -1
        self.heard: list[tuple[int, list[bytes]]] = []  # when, and the stamps that came then
        self._socket: socket.socket | None = None
        self._parser = StampParser(REPLY)
        self._unsent = bytearray()
        self._welcome = b""

    @property
    def is_counted(self) -> bool:
        """Only its bytes are counted."""
        return not self.is_read and self.publisher is None

    @property
    def replies(self) -> int:
        """Answers so far, if it is read."""
        return self._parser.words

    def connect(self, port: int, handshake: bytes, epoll: select.epoll) -> None:
        """Set out. Raises `OSError` where not even that can be done."""
        sock = self._socket = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((f"127.0.0.{2 + self.member // PEOPLE_PER_ADDRESS % 250}", 0))
        self.fd = sock.fileno()
        problem = sock.connect_ex(("127.0.0.1", port))
        if problem not in (0, errno.EINPROGRESS):
            raise OSError(problem, "cannot connect")
        self._unsent += handshake
        epoll.register(self.fd, select.EPOLLIN | select.EPOLLOUT)

    def join(self, epoll: select.epoll) -> None:
        """Ask to be let into its rooms."""
        self.state = State.JOINING
        self._welcome = b""
        self.send(self.joins, epoll)

    def send(self, data: bytes, epoll: select.epoll) -> None:
        """Send now, or as soon as the server reads."""
        if self._socket is None:
            return
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.end()
                return
            if sent == len(data):
                return
            data = data[sent:]
            epoll.modify(self.fd, select.EPOLLIN | select.EPOLLOUT)
        self._unsent += data

    def flush(self, epoll: select.epoll) -> None:
        """The socket can take more."""
        if self._socket is None:
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.end()
            return
        if self.state is State.CONNECTING:
            self.state = State.SHAKING
        del self._unsent[:sent]
        if not self._unsent:
            epoll.modify(self.fd, select.EPOLLIN)

    def listen(self, buffer: bytearray, view: memoryview) -> int:
        """Take what has come, and return the time at which it was there."""
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
            self.end()
            return now
        self.bytes += size
        if self.state is State.IN and not self.is_counted:
            piece = bytes(view[:size])
            if self.publisher is not None:
                self.refused += piece.count(b'"error"')
            if found := self._parser.feed(piece):
                self.heard.append((now, found))
        elif self.state is not State.IN:
            self._welcome += view[:size]
        return now

    def is_shaken(self) -> bool:
        """The handshake is over, and the server has agreed."""
        head, end, rest = self._welcome.partition(frames.HEAD_END)
        if not end:
            return False
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self.end()
            return False
        self._welcome = rest
        self.state = State.CONNECTED
        return True

    def is_let_in(self, greeting: int) -> bool:
        """All joins are answered, and `greeting` messages of the past have come."""
        welcome = self._welcome
        if welcome.count(REPLY) < len(self.topics) or welcome.count(b"@") < 2 * greeting:
            return False
        if b'"error"' in welcome:
            self.end()
            return False
        self.state = State.IN
        self._welcome = b""
        self._parser.feed(welcome)  # it may end in the middle of a stamp
        return True

    def end(self) -> None:
        """Let go of the socket. With a reset, so that the port is free at once."""
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.close()
            self._socket = None
        self.state = State.GONE
