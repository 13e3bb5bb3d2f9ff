"""The poller: tells connections when their sockets can be read or written.

The event loop could do that itself, but uvloop keeps 0.7 kB for each socket that it watches, and calls each through a
handle and a context of its own. Here all websockets share one epoll, which the loop watches like any other file.
"""

import asyncio
import select
import socket
from typing import Protocol

from web.io.send_batch import SendBatch

SERVED_AT_ONCE = 64
"""Connections that are served before the loop serves others."""

TIME_AT_ONCE = 0.002
"""Seconds for that. The rest is served in the next turn of the loop."""


class Pollable(Protocol):
    """A connection. Its methods never raise."""

    def on_readable(self) -> None:
        """Something has arrived, or the peer is gone: reading tells."""

    def on_writable(self) -> None:
        """The kernel takes more."""


class Poller(Protocol):
    """Watches sockets, each for its owner."""

    def watch(self, file: socket.socket, owner: Pollable) -> None:
        """Calls `owner.on_readable` when `file` can be read; `owner` replaces an earlier one."""

    def wait_for(self, file: socket.socket, *, reading: bool, writing: bool) -> None:
        """Changes what the owner of `file` is told. It may be told in any case that the peer is gone."""

    def forget(self, file: socket.socket) -> None:
        """Stops watching `file`; to be called before it is closed."""

    def close(self) -> None:
        """Stops watching everything."""


def make_poller(batch: SendBatch) -> Poller:
    """Makes the best poller for this operating system, on the running loop."""
    return EpollPoller(batch) if hasattr(select, "epoll") else LoopPoller()


class EpollPoller:
    """A `Poller` for Linux. What connections write while it serves them is gathered: heartbeats take 0.92."""

    def __init__(self, batch: SendBatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._owners: dict[int, Pollable] = {}
        self._ready: list[tuple[int, int]] = []  # reported and not served yet, in reverse
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), batch.gather, (self._serve,))

    def watch(self, file: socket.socket, owner: Pollable) -> None:
        number = file.fileno()
        if number not in self._owners:
            self._epoll.register(number, select.EPOLLIN)
        self._owners[number] = owner

    def wait_for(self, file: socket.socket, *, reading: bool, writing: bool) -> None:
        self._epoll.modify(file.fileno(), select.EPOLLIN * reading | select.EPOLLOUT * writing)

    def forget(self, file: socket.socket) -> None:
        number = file.fileno()
        if self._owners.pop(number, None) is not None:
            self._epoll.unregister(number)
            self._ready = [each for each in self._ready if each[0] != number]  # the number may be another's soon

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._owners.clear()  # a connection that ends later has nothing to forget

    def _serve(self) -> None:
        """Serves ready connections round-robin: each is served once before epoll, which is not fair, is asked again."""
        until = self._loop.time() + TIME_AT_ONCE
        if not self._ready:
            self._ready = self._epoll.poll(0, SERVED_AT_ONCE)[::-1]
        while self._ready:
            number, events = self._ready.pop()
            owner = self._owners.get(number)
            if owner is None:
                continue  # a connection that was served before has ended this one
            if events & select.EPOLLOUT:
                owner.on_writable()
            if events & ~select.EPOLLOUT:
                owner.on_readable()
            if self._loop.time() > until:
                return


class LoopPoller:
    """A `Poller` for other systems: the event loop itself."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._owners: dict[int, Pollable] = {}

    def watch(self, file: socket.socket, owner: Pollable) -> None:
        self._owners[file.fileno()] = owner
        self._loop.add_reader(file.fileno(), owner.on_readable)

    def wait_for(self, file: socket.socket, *, reading: bool, writing: bool) -> None:
        number, owner, loop = file.fileno(), self._owners[file.fileno()], self._loop
        loop.add_reader(number, owner.on_readable) if reading else loop.remove_reader(number)
        loop.add_writer(number, owner.on_writable) if writing else loop.remove_writer(number)

    def forget(self, file: socket.socket) -> None:
        if self._owners.pop(file.fileno(), None) is not None:
            self._loop.remove_reader(file.fileno())
            self._loop.remove_writer(file.fileno())

    def close(self) -> None:
        """Does nothing: the loop watches no file that its owner has not forgotten."""
