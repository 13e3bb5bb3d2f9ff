"""The stream of a connection that is Tornado's: answers heads that are too large, and ends where nobody reads answers.

Tornado itself closes the connection of a large head without a word, waits for ever for a reader, and serves requests
of a connection that is closed.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from re import Pattern
from typing import Any

from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

from web.channels.endpoint import Endpoint
from web.http.secure import ERROR_PAGE, SECURITY_HEADERS, content_security_policy, error_page
from web.transport.websocket import LINGER, READ_SIZE

_WANTS_PAGE = re.compile(rb"^accept:[^\r\n]*text/html", re.IGNORECASE | re.MULTILINE)


def _answer(content_type: str, body: str, headers: Mapping[str, str]) -> bytes:
    lines = [
        "HTTP/1.1 431 Request Header Fields Too Large",
        f"Content-Type: {content_type}; charset=utf-8",
        f"Content-Length: {len(body.encode())}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


_JSON = _answer(
    "application/json", '{"errors":{"detail":"Request Header Fields Too Large"}}', {"X-Content-Type-Options": "nosniff"}
)
_PAGE = _answer(
    "text/html",
    error_page(431, "Request Header Fields Too Large"),
    {"Content-Security-Policy": content_security_policy(ERROR_PAGE), **SECURITY_HEADERS},
)


class HttpStream(IOStream):
    """One connection. It is closed where a client takes nothing of an answer for `body_timeout` seconds."""

    def __init__(self, file: socket.socket, endpoint: Endpoint, on_close: Callable[[], None]) -> None:
        super().__init__(file)
        self._endpoint = endpoint
        self._on_close = on_close
        self._is_in_head = False
        self._has_taken = False  # the client, something of what was written, since the timer looked last
        self._write_timer: asyncio.TimerHandle | None = None

    def read_until_regex(self, regex: bytes | Pattern[bytes], max_bytes: int | None = None) -> Any:
        """Reads a head: Tornado reads nothing else so. Raises `StreamClosedError`, also where one was read already."""
        if self.closed():
            raise StreamClosedError(real_error=self.error)
        self._is_in_head = True
        return super().read_until_regex(regex, max_bytes)  # type: ignore[arg-type]

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Any:
        """Reads the length of a chunk, which is in a body."""
        self._is_in_head = False
        return super().read_until(delimiter, max_bytes)

    def write(self, data: bytes | memoryview) -> Any:
        """Writes, and from now on looks after what the client takes."""
        written = super().write(data)
        if self._write_timer is None and self.writing():
            self._watch_reader()
        return written

    def write_to_fd(self, data: memoryview) -> int:
        """Writes to the socket, and notes whether it took something."""
        taken = super().write_to_fd(data)
        self._has_taken |= bool(taken)
        return taken

    def close(self, exc_info: Any = False) -> None:
        if self.closed():
            return
        if isinstance(exc_info, UnsatisfiableReadError) and self._is_in_head:
            head = bytes(self._read_buffer)  # up to Tornado's limit; it has no other way to what was read in vain
            _LastAnswer(self.socket.dup(), _PAGE if _WANTS_PAGE.search(head) else _JSON, self._endpoint)
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().close(exc_info)
        self._on_close()

    def _watch_reader(self) -> None:
        self._has_taken = False
        self._write_timer = self._endpoint.loop.call_later(self._endpoint.settings.body_timeout, self._check_reader)

    def _check_reader(self) -> None:
        self._write_timer = None
        if not self.writing():
            return
        if self._has_taken:
            self._watch_reader()
        else:
            self.close()


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
