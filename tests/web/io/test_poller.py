"""Both pollers tell owners alike when sockets can be read or written."""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable

import pytest

from web.io.poller import EpollPoller, LoopPoller, Poller
from web.io.send_batch import SendBatch

POLLERS = [lambda: EpollPoller(SendBatch()), LoopPoller]


class Owner:
    """Owner reads what arrives, and counts the calls of `on_writable`."""

    def __init__(self, file: socket.socket) -> None:
        self.file = file
        self.heard = b""
        self.at_end = False
        self.called = asyncio.Event()
        self.could_write = 0
        self.on_read: Callable[[], object] = lambda: None

    def on_readable(self) -> None:
        data = self.file.recv(100)
        self.heard += data
        self.at_end = not data
        self.on_read()
        self.called.set()

    def on_writable(self) -> None:
        self.could_write += 1
        self.called.set()

    async def wait_until_called(self) -> None:
        await asyncio.wait_for(self.called.wait(), 10)
        self.called.clear()


class Pair:
    """Pair is a watched socket and its other end."""

    def __init__(self, poller: Poller) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        self.owner = Owner(near)
        poller.watch(near, self.owner)


@pytest.mark.parametrize("kind", POLLERS)
def test_the_owner_is_called_for_bytes_and_for_the_end(kind: Callable[[], Poller]) -> None:
    async def run() -> None:
        poller = kind()
        pair = Pair(poller)
        pair.far.send(b"hello")
        await pair.owner.wait_until_called()
        assert pair.owner.heard == b"hello"
        pair.far.close()
        await pair.owner.wait_until_called()
        assert pair.owner.at_end
        poller.forget(pair.owner.file)
        pair.owner.file.close()
        poller.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", POLLERS)
def test_an_owner_that_waits_to_write_is_called_once_the_kernel_takes_more(kind: Callable[[], Poller]) -> None:
    async def run() -> None:
        poller = kind()
        pair = Pair(poller)
        with contextlib.suppress(BlockingIOError):
            while True:
                pair.owner.file.send(b"x" * 65_536)
        poller.wait_for(pair.owner.file, reading=True, writing=True)
        pair.far.send(b"heard too")
        await pair.owner.wait_until_called()
        assert (pair.owner.heard, pair.owner.could_write) == (b"heard too", 0)
        while pair.owner.could_write == 0:
            with contextlib.suppress(BlockingIOError):
                pair.far.recv(1_000_000)
            await asyncio.sleep(0)
        poller.wait_for(pair.owner.file, reading=True, writing=False)
        pair.owner.called.clear()
        count = pair.owner.could_write
        pair.far.send(b"!")
        await pair.owner.wait_until_called()
        assert pair.owner.could_write == count
        for file in (pair.owner.file, pair.far):
            poller.forget(file)
            file.close()
        poller.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", POLLERS)
def test_an_owner_that_pauses_reading_is_not_called_until_it_resumes(kind: Callable[[], Poller]) -> None:
    async def run() -> None:
        poller = kind()
        paused, other = Pair(poller), Pair(poller)
        poller.wait_for(paused.owner.file, reading=False, writing=False)
        paused.far.send(b"hello")
        for _ in range(3):
            other.far.send(b"x")
            await other.owner.wait_until_called()
        assert paused.owner.heard == b""
        poller.wait_for(paused.owner.file, reading=True, writing=False)
        await paused.owner.wait_until_called()
        assert paused.owner.heard == b"hello"
        for file in (paused.owner.file, paused.far, other.owner.file, other.far):
            poller.forget(file)
            file.close()
        poller.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", POLLERS)
def test_an_owner_may_close_another_socket_that_is_readable(kind: Callable[[], Poller]) -> None:
    async def run() -> None:
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
        tasks = [asyncio.ensure_future(pair.owner.called.wait()) for pair in pairs]
        _, waiting = await asyncio.wait(tasks, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        assert sorted(len(pair.owner.heard) for pair in pairs) == [0, 1]
        for pair in pairs:
            end(pair)()
            pair.far.close()
        poller.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", POLLERS)
def test_busy_sockets_do_not_keep_another_from_being_served(
    kind: Callable[[], Poller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.io.poller.TIME_AT_ONCE", -1.0)  # every call then takes too long

    async def run() -> None:
        poller = kind()
        greedy = [Pair(poller) for _ in range(2)]
        other = Pair(poller)
        for pair in greedy:
            pair.owner.on_read = functools.partial(pair.far.send, b"more")
            pair.far.send(b"more")
        other.far.send(b"hello")
        await other.owner.wait_until_called()
        assert other.owner.heard == b"hello"
        assert max(len(pair.owner.heard) for pair in greedy) < 100
        for pair in (*greedy, other):
            poller.forget(pair.owner.file)
            pair.owner.file.close()
            pair.far.close()
        poller.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", POLLERS)
def test_a_socket_is_not_told_what_was_reported_of_another_that_had_its_number(
    kind: Callable[[], Poller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.io.poller.TIME_AT_ONCE", -1.0)  # one is served, the rest waits

    async def run() -> None:
        poller = kind()
        first, second, later = (Pair(poller) for _ in range(3))
        heirs: list[Owner] = []

        def replace(other: Pair) -> None:
            if heirs:
                return
            number = other.owner.file.fileno()
            poller.forget(other.owner.file)
            other.owner.file.close()
            heirs.extend(map(Owner, socket.socketpair()))
            for heir in heirs:
                heir.file.setblocking(False)
                poller.watch(heir.file, heir)
            assert number in [heir.file.fileno() for heir in heirs]

        first.owner.on_read = functools.partial(replace, second)
        second.owner.on_read = functools.partial(replace, first)
        errors: list[dict[str, object]] = []  # an heir that is called finds nothing to read
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        first.far.send(b"1")
        second.far.send(b"2")
        while not heirs:
            await asyncio.sleep(0)
        later.far.send(b"3")
        await later.owner.wait_until_called()
        assert errors == []
        for owner in (*heirs, *(pair.owner for pair in (first, second, later))):
            if owner.file.fileno() >= 0:
                poller.forget(owner.file)
                owner.file.close()
        for pair in (first, second, later):
            pair.far.close()
        poller.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", POLLERS)
def test_a_connection_may_end_after_its_poller(kind: Callable[[], Poller]) -> None:
    async def play() -> None:
        poller = kind()
        pair = Pair(poller)
        poller.close()
        poller.forget(pair.owner.file)
        pair.owner.file.close()
        pair.far.close()

    asyncio.run(play())
