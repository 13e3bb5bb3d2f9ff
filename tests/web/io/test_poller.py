"""Pollers: who is told when which socket can be read or written. Both kinds do the same."""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable

import pytest

from web.io.poller import EpollPoller, LoopPoller, Poller

POLLERS = [EpollPoller, LoopPoller]


class Owner:
    """Reads what comes, and counts when it could write."""

    def __init__(self, file: socket.socket) -> None:
        self.file = file
        self.heard = b""
        self.at_end = False
        self.told = asyncio.Event()
        self.could_write = 0
        self.on_read: Callable[[], object] = lambda: None

    def on_readable(self) -> None:
        data = self.file.recv(100)
        self.heard += data
        self.at_end = not data
        self.on_read()
        self.told.set()

    def on_writable(self) -> None:
        self.could_write += 1
        self.told.set()

    async def is_told(self) -> None:
        await asyncio.wait_for(self.told.wait(), 10)
        self.told.clear()


class Pair:
    """A watched socket, and the other end of it."""

    def __init__(self, poller: Poller) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        self.owner = Owner(near)
        poller.watch(near, self.owner)


@pytest.mark.parametrize("kind", POLLERS)
def test_the_owner_hears_what_comes_and_the_end(kind: Callable[[], Poller]) -> None:
    async def play() -> None:
        poller = kind()
        pair = Pair(poller)
        pair.far.send(b"hello")
        await pair.owner.is_told()
        assert pair.owner.heard == b"hello"
        pair.far.close()
        await pair.owner.is_told()
        assert pair.owner.at_end
        poller.forget(pair.owner.file)
        pair.owner.file.close()
        poller.close()

    asyncio.run(play())


@pytest.mark.parametrize("kind", POLLERS)
def test_one_who_waits_to_write_is_told_once_there_is_room(kind: Callable[[], Poller]) -> None:
    async def play() -> None:
        poller = kind()
        pair = Pair(poller)
        with contextlib.suppress(BlockingIOError):
            while True:
                pair.owner.file.send(b"x" * 65_536)
        poller.wait_for(pair.owner.file, reading=True, writing=True)
        pair.far.send(b"heard too")
        await pair.owner.is_told()
        assert (pair.owner.heard, pair.owner.could_write) == (b"heard too", 0)
        while pair.owner.could_write == 0:
            with contextlib.suppress(BlockingIOError):
                pair.far.recv(1_000_000)
            await asyncio.sleep(0)
        poller.wait_for(pair.owner.file, reading=True, writing=False)
        pair.owner.told.clear()
        count = pair.owner.could_write
        pair.far.send(b"!")
        await pair.owner.is_told()
        assert pair.owner.could_write == count
        for file in (pair.owner.file, pair.far):
            poller.forget(file)
            file.close()
        poller.close()

    asyncio.run(play())


@pytest.mark.parametrize("kind", POLLERS)
def test_one_who_pauses_hears_nothing_until_it_goes_on(kind: Callable[[], Poller]) -> None:
    async def play() -> None:
        poller = kind()
        quiet, other = Pair(poller), Pair(poller)
        poller.wait_for(quiet.owner.file, reading=False, writing=False)
        quiet.far.send(b"hello")
        for _ in range(3):
            other.far.send(b"x")
            await other.owner.is_told()
        assert quiet.owner.heard == b""
        poller.wait_for(quiet.owner.file, reading=True, writing=False)
        await quiet.owner.is_told()
        assert quiet.owner.heard == b"hello"
        for file in (quiet.owner.file, quiet.far, other.owner.file, other.far):
            poller.forget(file)
            file.close()
        poller.close()

    asyncio.run(play())


@pytest.mark.parametrize("kind", POLLERS)
def test_a_connection_may_end_another_that_has_something_to_read(kind: Callable[[], Poller]) -> None:
    async def play() -> None:
        poller = kind()
        first, second = Pair(poller), Pair(poller)
        pairs = [first, second]

        def end(other: Pair) -> Callable[[], None]:
            def close() -> None:
                if other.owner.file.fileno() >= 0:
                    poller.forget(other.owner.file)
                    other.owner.file.close()

            return close

        first.owner.on_read, second.owner.on_read = end(second), end(first)
        first.far.send(b"1")
        second.far.send(b"2")
        told = [asyncio.ensure_future(pair.owner.told.wait()) for pair in pairs]
        _, waiting = await asyncio.wait(told, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        assert sorted(len(pair.owner.heard) for pair in pairs) == [0, 1]
        for pair in pairs:
            end(pair)()
            pair.far.close()
        poller.close()

    asyncio.run(play())


@pytest.mark.parametrize("kind", POLLERS)
def test_one_who_takes_all_the_time_does_not_keep_another_from_being_served(
    kind: Callable[[], Poller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.io.poller.TIME_AT_ONCE", -1.0)  # whatever is done takes too long

    async def play() -> None:
        poller = kind()
        greedy = [Pair(poller) for _ in range(2)]
        modest = Pair(poller)
        for pair in greedy:
            pair.owner.on_read = functools.partial(pair.far.send, b"more")
            pair.far.send(b"more")
        modest.far.send(b"hello")
        await modest.owner.is_told()
        assert modest.owner.heard == b"hello"
        assert max(len(pair.owner.heard) for pair in greedy) < 100
        for pair in (*greedy, modest):
            poller.forget(pair.owner.file)
            pair.owner.file.close()
            pair.far.close()
        poller.close()

    asyncio.run(play())
