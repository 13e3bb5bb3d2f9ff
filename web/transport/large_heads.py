"""Heads that are too large: answers them with 431. Tornado itself closes their connections without a word."""

import socket
from re import Pattern
from typing import Any

from tornado.iostream import IOStream, UnsatisfiableReadError

from web.channels.endpoint import Endpoint
from web.transport.websocket import LINGER, READ_SIZE

_BODY = b'{"errors":{"detail":"Request Header Fields Too Large"}}'
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Type: application/json; charset=utf-8\r\n"
    b"Content-Length: %d\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Connection: close\r\n\r\n%b" % (len(_BODY), _BODY)
)


class HeadLimitedStream(IOStream):
    """A connection of Tornado's that says why it ends where a head exceeds Tornado's limit."""

    def __init__(self, file: socket.socket, endpoint: Endpoint) -> None:
        super().__init__(file)
        self._endpoint = endpoint
        self._is_in_head = False

    def read_until_regex(self, regex: bytes | Pattern[bytes], max_bytes: int | None = None) -> Any:
        """Reads a head: Tornado reads nothing else so."""
        self._is_in_head = True
        return super().read_until_regex(regex, max_bytes)  # type: ignore[arg-type]

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Any:
        """Reads the length of a chunk, which is in a body."""
        self._is_in_head = False
        return super().read_until(delimiter, max_bytes)

    def close(self, exc_info: Any = False) -> None:
        if isinstance(exc_info, UnsatisfiableReadError) and self._is_in_head and not self.closed():
            _LastAnswer(self.socket.dup(), _ANSWER, self._endpoint)
        super().close(exc_info)


class _LastAnswer:
    """Answers, and reads on until the client hangs up: closing at once would cut the answer off. Plays `Pollable`."""

    def __init__(self, file: socket.socket, answer: bytes, endpoint: Endpoint) -> None:
        self._file = file
        self._endpoint = endpoint
        file.setblocking(False)
        try:
            file.send(answer)
            file.shutdown(socket.SHUT_WR)
        except OSError:
            file.close()  # the client is gone
            return
        endpoint.poller.watch(file, self)
        endpoint.loop.call_later(LINGER, self._end)

    def on_readable(self) -> None:
        try:
            if self._file.recv(READ_SIZE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end()

    def on_writable(self) -> None:
        """Does nothing: it has nothing more to write."""

    def _end(self) -> None:
        if self._file.fileno() >= 0:
            self._endpoint.poller.forget(self._file)
            self._file.close()
