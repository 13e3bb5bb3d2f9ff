"""Where the server listens, and what it bears before a request has become one: slow heads, large ones, too many.

A socket that systemd holds (`LISTEN_FDS`, sd_listen_fds(3)) goes before `host` and `port`: clients that connect while
the server is restarted wait for it there, instead of being refused.
"""

import os
import resource
import socket
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

from web.settings import Settings

MAX_HEAD_BYTES = 16_384
"""Largest head of a request: 4,000 tiny headers, over which Tornado spends 13 ms. Its own limit is four times that."""

MAX_BODY_BYTES = 4_096
"""Largest body of a request that wants none: it is in memory before anybody looks at it."""

SPARE_FILES = 32
"""Files that connections leave to the database and the rest."""

FIRST_PASSED = 3
"""The first file that systemd passes on, after the three standard ones."""


class AddressUnusable(Exception):
    """Nothing can listen there. The message is one line for a person."""


class Listener(HTTPServer):
    """Tornado's server with our limits, which never runs out of files.

    Without a file Tornado could not even accept a connection to refuse it, and would try for ever.
    """

    @classmethod
    def of(cls, application: Application, settings: Settings) -> "Listener":
        """A listener that does not listen yet."""
        return cls(
            application,
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MAX_BODY_BYTES,
            idle_connection_timeout=settings.handshake_timeout,
            body_timeout=settings.body_timeout,
        )

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Tornado calls it for each connection. Its file has the lowest number that was free: a high one is a last."""
        if 0 < resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES <= stream.socket.fileno():
            stream.close()
        else:
            super().handle_stream(stream, address)


def listening_sockets(settings: Settings) -> list[socket.socket]:
    """Those that were passed to this process, else bound ones. Raises `AddressUnusable`."""
    listeners = _passed() or _bind(settings.host, settings.port)
    for listener in listeners:  # what is accepted inherits it; left alone, Linux keeps up to 4 MB for each
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer_bytes)
    return listeners


def address_of(listener: socket.socket) -> str:
    """The address of the page."""
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _passed() -> list[socket.socket]:
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = os.environ.get("LISTEN_FDS", "")
    try:
        listeners = [socket.socket(fileno=FIRST_PASSED + number) for number in range(int(count))]
    except (OSError, ValueError) as error:
        raise AddressUnusable(f"cannot listen on the sockets that LISTEN_FDS={count} promises: {error}") from error
    for listener in listeners:
        listener.setblocking(False)
        os.set_inheritable(listener.fileno(), False)
    return listeners


def _bind(host: str, port: int) -> list[socket.socket]:
    try:
        return bind_sockets(port, host)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise AddressUnusable(f"cannot listen on {host} port {port}: {reason}") from error
