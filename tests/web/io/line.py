"""A send buffer over a real socket, whose other end reads when a test says so."""

import socket

from web.io.send_batch import SendBatch
from web.io.send_buffer import SendBuffer, SendBufferOwner


class Line:
    """Line is a send buffer on one end of a socket pair, and the reader on the other."""

    def __init__(self, limit: int, owner: SendBufferOwner, batch: SendBatch) -> None:
        self.near, self._far = socket.socketpair()
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        self.near.setblocking(False)
        self._far.setblocking(False)
        self.buffer = SendBuffer(self.near, limit, owner, batch)

    def read(self) -> bytes:
        """Reads all that has arrived."""
        received = b""
        while True:
            try:
                data = self._far.recv(1_000_000)
            except BlockingIOError:
                return received
            if not data:
                return received
            received += data

    def read_all(self) -> bytes:
        """Flushes and reads until nothing waits in the buffer."""
        received = self.read()
        while self.buffer.has_unsent:
            self.buffer.flush()
            received += self.read()
        return received

    def hang_up(self) -> None:
        """Closes the reader's end."""
        self._far.close()

    def close(self) -> None:
        """Closes both ends."""
        self.near.close()
        self._far.close()
