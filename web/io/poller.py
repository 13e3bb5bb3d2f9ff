"""Which sockets can be read or written, told to the connections that own them.

The event loop could do that itself; but uvloop keeps 0.7 kB for each socket that it watches, and calls each through a
handle and a context of its own. Here all websockets share one epoll, which the loop watches like any other file.
"""

import asyncio
import select
import socket
from typing import Protocol

AT_ONCE = 64
"""Connections that are served before others than websockets have their turn."""

TIME_AT_ONCE = 0.002
"""Seconds for that; who is not served by then is the next time."""


class Pollable(Protocol):
    """A connection. Its methods never raise."""

    def readable(self) -> None:
        """Something has arrived, or the peer is gone: reading tells."""

    def writable(self) -> None:
        """The kernel takes more."""


class Poller(Protocol):
    """Watches sockets, each for its owner."""

    def watch(self, file: socket.socket, owner: Pollable) -> None:
        """From now on `owner` is told when `file` can be read; it takes the place of an earlier owner."""

    def wait_for(self, file: socket.socket, *, reading: bool, writing: bool) -> None:
        """Change what the owner of `file` is told about. That the peer is gone it may be told in any case."""

    def forget(self, file: socket.socket) -> None:
        """Watch `file` no more; to be called before it is closed."""

    def close(self) -> None:
        """Watch nothing any more."""


def poller() -> Poller:
    """The best for the loop that runs here."""
    return EpollPoller() if hasattr(select, "epoll") else LoopPoller()


class EpollPoller:
    """Linux."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._owners: dict[int, Pollable] = {}
        self._ready: list[tuple[int, int]] = []  # reported and not served yet, in reverse
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), self._serve)

    def watch(self, file: socket.socket, owner: Pollable) -> None:
        """As `Poller`."""
        number = file.fileno()
        if number not in self._owners:
            self._epoll.register(number, select.EPOLLIN)
        self._owners[number] = owner

    def wait_for(self, file: socket.socket, *, reading: bool, writing: bool) -> None:
        """As `Poller`."""
        self._epoll.modify(file.fileno(), select.EPOLLIN * reading | select.EPOLLOUT * writing)

    def forget(self, file: socket.socket) -> None:
        """As `Poller`."""
        if self._owners.pop(file.fileno(), None) is not None:
            self._epoll.unregister(file.fileno())

    def close(self) -> None:
        """As `Poller`."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _serve(self) -> None:
        """All who are reported have their turn before anybody is reported again: epoll would begin with the same."""
        until = self._loop.time() + TIME_AT_ONCE
        if not self._ready:
            self._ready = self._epoll.poll(0, AT_ONCE)[::-1]
        while self._ready:
            number, events = self._ready.pop()
            owner = self._owners.get(number)
            if owner is None:
                continue  # one that was served before it has ended this one
            if events & select.EPOLLOUT:
                owner.writable()
            if events & ~select.EPOLLOUT:
                owner.readable()
            if self._loop.time() > until:
                return


class LoopPoller:
    """Everywhere else: the loop itself."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._owners: dict[int, Pollable] = {}

    def watch(self, file: socket.socket, owner: Pollable) -> None:
        """As `Poller`."""
        self._owners[file.fileno()] = owner
        self._loop.add_reader(file.fileno(), owner.readable)

    def wait_for(self, file: socket.socket, *, reading: bool, writing: bool) -> None:
        """As `Poller`."""
        number, owner, loop = file.fileno(), self._owners[file.fileno()], self._loop
        loop.add_reader(number, owner.readable) if reading else loop.remove_reader(number)
        loop.add_writer(number, owner.writable) if writing else loop.remove_writer(number)

    def forget(self, file: socket.socket) -> None:
        """As `Poller`."""
        if self._owners.pop(file.fileno(), None) is not None:
            self._loop.remove_reader(file.fileno())
            self._loop.remove_writer(file.fileno())

    def close(self) -> None:
        """As `Poller`."""
