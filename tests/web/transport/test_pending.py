"""A connection that has sent nothing yet waits for its first bytes, also where it is told too soon that they came."""

import socket
from types import SimpleNamespace
from typing import Any

from web.transport.upgrade import PendingConnection


class Watchers:
    """Watchers play the poller and the time-outs: they note who is watched."""

    def __init__(self) -> None:
        self.watched: list[object] = []

    def watch(self, *what: object) -> None:
        self.watched.append(what[0])

    def forget(self, what: object) -> None:
        self.watched.remove(what)


def test_it_stays_watched_where_nothing_has_arrived_after_all() -> None:
    poller, timeouts = Watchers(), Watchers()
    endpoint: Any = SimpleNamespace(loop=SimpleNamespace(time=lambda: 0.0), poller=poller, handshake_timeouts=timeouts)
    handed: list[socket.socket] = []
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        pending = PendingConnection(near, "127.0.0.1", endpoint, handed.append, lambda: None)
        pending.receive()
        pending.on_readable()
        assert (poller.watched, timeouts.watched, handed) == ([near], [pending], [])
        far.send(b"GET / HTTP/1.1\r\n\r\n")
        pending.on_readable()
        assert (poller.watched, timeouts.watched, handed) == ([], [], [near])
