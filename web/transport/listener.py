"""Where the server listens, and what it bears before a request has become one: slow heads, large ones, too many.

What comes is looked at once: a websocket goes past Tornado (`web/transport/upgrade.py`), everything else is Tornado's.

A socket that systemd holds (`LISTEN_FDS`, sd_listen_fds(3)) goes before `host` and `port`: clients that connect while
the server is restarted wait for it there, instead of being refused.
"""

import asyncio
import os
import resource
import socket
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

from web.channels.endpoint import Edge
from web.settings import Settings
from web.transport.upgrade import PendingConnection

MAX_HEAD_BYTES = 16_384
"""Largest head of a request: 4,000 tiny headers, over which Tornado spends 13 ms. Its own limit is four times that."""

MAX_BODY_BYTES = 4_096
"""Largest body of a request that wants none: it is in memory before anybody looks at it."""

BACKLOG = 4_096
"""Connections that wait to be accepted, as far as the kernel allows (`net.core.somaxconn`): many come back at once."""

AT_ONCE = 4
"""Connections that are accepted before others than newcomers have their turn. With 128, as Tornado has it, those who
talked while 8,000 came heard each other within 90 to 160 ms (99 of 100 times), with 4 within 30 to 80."""

SPARE_FILES = 32
"""Files that connections leave to the database and the rest."""

FIRST_PASSED = 3
"""The first file that systemd passes on, after the three standard ones."""


class AddressUnusable(Exception):
    """Nothing can listen there. The message is one line for a person."""


class Listener:
    """Accepts connections. It never runs out of files: without one it could not even accept a connection to refuse it,
    and would try for ever.
    """

    def __init__(self, application: Application, edge: Edge) -> None:
        """A listener that does not listen yet."""
        self._edge = edge
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        self._http = HTTPServer(
            application,
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MAX_BODY_BYTES,
            idle_connection_timeout=edge.settings.handshake_timeout,
            body_timeout=edge.settings.body_timeout,
        )

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accept what comes there."""
        self._sockets = sockets
        for each in sockets:
            self._loop.add_reader(each.fileno(), self._accept, each)

    def stop(self) -> None:
        """Accept nothing more."""
        for each in self._sockets:
            self._loop.remove_reader(each.fileno())
            each.close()

    async def close_all_connections(self) -> None:
        """End those that are Tornado's."""
        await self._http.close_all_connections()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                file, address = listener.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue  # it was in a hurry
            self._accepted(file, address)

    def _accepted(self, file: socket.socket, address: Any) -> None:
        """Its file has the lowest number that was free: a high one is one of the last."""
        if 0 < resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES <= file.fileno():
            file.close()
            return
        file.setblocking(False)
        host = address[0] if isinstance(address, tuple) else "0.0.0.0"  # noqa: S104 - Tornado's word for a Unix socket
        PendingConnection(file, host, self._edge, lambda file: self._serve(file, address)).receive()

    def _serve(self, file: socket.socket, address: Any) -> None:
        self._http.handle_stream(IOStream(file), address)


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
        return bind_sockets(port, host, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise AddressUnusable(f"cannot listen on {host} port {port}: {reason}") from error
