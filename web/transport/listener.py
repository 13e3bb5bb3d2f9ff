"""The listener: accepts connections, and bounds those that are no websockets: slow, large, unread, too many.

A new connection is peeked at (`web/transport/upgrade.py`): a websocket goes past Tornado, anything else is Tornado's.

Sockets that systemd passes (`LISTEN_FDS`, sd_listen_fds(3)) replace `host` and `port`: clients that connect while the
server restarts wait in their backlog, instead of being refused.
"""

import asyncio
import errno
import functools
import logging
import os
import resource
import socket
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from web.channels.endpoint import Endpoint
from web.channels.origins import is_loopback
from web.settings import Settings
from web.transport.http_stream import HttpStream
from web.transport.upgrade import PendingConnection

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 16_384
"""Largest head of a request: 4,000 tiny headers, which take Tornado 13 ms. Its own limit is four times that."""

MAX_BODY_BYTES = 4_096
"""Largest body of a request that needs none: Tornado reads it into memory before a handler can refuse it."""

BACKLOG = 4_096
"""Connections that wait to be accepted, as far as the kernel allows (`net.core.somaxconn`): many come back at once."""

ACCEPTED_AT_ONCE = 4
"""Connections that are accepted before the loop serves others. While 8,000 clients connected, those who talked heard
each other within 90 to 160 ms (99 of 100 times) with Tornado's 128, within 30 to 80 ms with 4."""

SPARE_FILES = 32
"""Files that connections leave to the database and the rest."""

PLAIN_FOR_CLIENT = 2
"""Connections without a websocket that a client needs: one poll waits for messages while a POST brings some."""

OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
ACCEPT_PAUSE = 1.0
"""Seconds after which an accept that met one of these errors is tried again: the kernel reports it at once, always."""

FIRST_PASSED = 3
"""The first file that systemd passes, after the three standard ones."""


class AddressUnusable(Exception):
    """Nothing can listen there. The message is one line for a person."""


class Listener:
    """Accepts connections while there are files for them. Owns those that are no websockets, by their peers' networks.

    Without a spare file it could not even accept a connection to refuse it.
    """

    def __init__(self, application: Application, endpoint: Endpoint) -> None:
        """Makes a listener that does not listen yet."""
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        self._streams: set[HttpStream] = set()
        self._plain_counts: Counter[str] = Counter()  # of connections that are no websockets, by network
        self._http = HTTPServer(
            application,
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MAX_BODY_BYTES,
            idle_connection_timeout=endpoint.settings.handshake_timeout,
            body_timeout=endpoint.settings.body_timeout,
        )

    def listen(self, sockets: list[socket.socket]) -> None:
        """Starts to accept connections from `sockets`."""
        self._sockets = sockets
        for each in sockets:
            self._loop.add_reader(each.fileno(), self._accept, each)

    def stop(self) -> None:
        """Stops accepting connections."""
        for each in self._sockets:
            self._loop.remove_reader(each.fileno())
            each.close()

    async def close_all_connections(self, timeout: float) -> None:
        """Ends the connections that are Tornado's. A handler that takes longer than `timeout` seconds is left alone."""
        for stream in list(self._streams):
            stream.close()
        try:
            async with asyncio.timeout(timeout):
                await self._http.close_all_connections()
        except TimeoutError:
            logger.warning("some requests did not end in time")

    def _accept(self, listening: socket.socket) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]  # once for all of a turn: it may be lowered at any time
        # A file gets the lowest free number, so a high number means that few are left.
        highest = limit - SPARE_FILES - 1 if limit > SPARE_FILES else sys.maxsize
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                file, address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue  # the client has hung up already
            except OSError as error:
                if error.errno not in OUT_OF_FILES:
                    raise
                self._pause(listening, error)
                return
            self._accepted(file, address, lacks_files=file.fileno() > highest)

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        logger.warning("no connection can be accepted for %g s: %s", ACCEPT_PAUSE, error.strerror)
        self._loop.remove_reader(listening.fileno())
        self._loop.call_later(ACCEPT_PAUSE, self._go_on, listening)

    def _go_on(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:  # else the server has stopped meanwhile
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accepted(self, file: socket.socket, address: Any, *, lacks_files: bool) -> None:
        host = address[0] if isinstance(address, tuple) else "0.0.0.0"  # noqa: S104 - Tornado's word for a Unix socket
        network = self._endpoint.network_of_peer(host) or ""
        most = PLAIN_FOR_CLIENT * self._endpoint.settings.max_connections_per_address
        if lacks_files or (network and self._plain_counts[network] >= most):
            file.close()
            return
        file.setblocking(False)
        self._plain_counts[network] += 1
        on_end = functools.partial(self._forget, network)
        hand_to_tornado = functools.partial(self._hand_to_tornado, address, on_end)
        PendingConnection(file, host, self._endpoint, hand_to_tornado, on_end).receive()

    def _forget(self, network: str) -> None:
        self._plain_counts[network] -= 1
        if not self._plain_counts[network]:
            del self._plain_counts[network]

    def _hand_to_tornado(self, address: Any, on_end: Callable[[], None], file: socket.socket) -> None:
        def on_close() -> None:
            self._streams.discard(stream)
            on_end()

        stream = HttpStream(file, self._endpoint, on_close)
        self._streams.add(stream)
        self._http.handle_stream(stream, address)


def listening_sockets(settings: Settings) -> list[socket.socket]:
    """Returns the sockets that were passed to this process, else bound ones. Raises `AddressUnusable`."""
    is_shared = settings.processes > 1
    sockets = _passed(is_shared) or _bind(settings.host, settings.port, is_shared)
    for each in sockets:  # accepted sockets inherit the options
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer_bytes)  # else Linux keeps up to 4 MB
        if each.family != socket.AF_UNIX:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else small writes wait for the client's ACKs
    return sockets


def is_local(listening: socket.socket) -> bool:
    """Returns whether only browsers of this machine reach it directly. (None reaches a Unix socket: a proxy does.)"""
    return listening.family != socket.AF_UNIX and is_loopback(listening.getsockname()[0])


def url_of(listening: socket.socket) -> str:
    """Returns the address of the page."""
    if listening.family == socket.AF_UNIX:
        return f"unix:{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _passed(is_shared: bool) -> list[socket.socket]:
    to = os.getppid() if is_shared else os.getpid()
    if os.environ.get("LISTEN_PID") != str(to):
        return []
    count = os.environ.get("LISTEN_FDS", "")
    try:
        sockets = [socket.socket(fileno=FIRST_PASSED + number) for number in range(int(count))]
    except (OSError, ValueError) as error:
        raise AddressUnusable(f"cannot listen on the sockets that LISTEN_FDS={count} promises: {error}") from error
    for each in sockets:
        each.setblocking(False)
        os.set_inheritable(each.fileno(), False)
    return sockets


def _bind(host: str, port: int, is_shared: bool) -> list[socket.socket]:
    try:
        return bind_sockets(port, host, backlog=BACKLOG, reuse_port=is_shared)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise AddressUnusable(f"cannot listen on {host} port {port}: {reason}") from error
