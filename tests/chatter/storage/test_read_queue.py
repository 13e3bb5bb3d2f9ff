"""The read queue: whose read comes next, how many wait, and what becomes of them when the reader dies."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pykka
import pytest

from chatter.actors import ThreadActor
from chatter.messages import (
    HistoryMessage,
    Join,
    ListRooms,
    Load,
    LoadMissed,
    LoadPage,
    LookedUp,
    LookUp,
    MissedLoaded,
    PageLoaded,
    Ping,
    Position,
    ReadHistory,
    Refused,
    Sync,
)
from chatter.storage.read_queue import IN_FLIGHT, ReadQueue
from tests.chatter.conftest import post
from tests.support.stage import Listener, Recorder, Stage

BUSY = Refused("busy", retry_after_ms=1_000)


class Reader(ThreadActor):
    """Plays history: does one read each time the test lets it."""

    def __init__(self, gate: threading.Semaphore, done: list[HistoryMessage], on_death: Callable[[], None]) -> None:
        super().__init__()
        self._gate = gate
        self._done = done
        self._on_death = on_death

    @staticmethod
    def _create_actor_inbox() -> Any:
        return Fragile()

    def on_receive(self, message: HistoryMessage) -> str:
        if isinstance(message, ListRooms):
            raise SystemExit
        self._gate.acquire()
        self._done.append(message)
        return "pong"

    def on_failure(self, *_why: object) -> None:
        self._on_death()


class Fragile(queue.SimpleQueue[Any]):
    """A mailbox that fails once, when its reader takes the next message: outside any handler."""

    fails = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        message = super().get(block, timeout)
        if self.fails:
            self.fails = False
            raise MemoryError
        return message


class Library:
    """A read queue before a reader that reads only when the test says so."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.done: list[HistoryMessage] = []
        self.told: list[Any] = []
        self.room = stage.start(Recorder, self.told)
        self.readers: list[pykka.ActorRef[Any]] = []
        self._gate = threading.Semaphore(0)
        self.queue = stage.run(self._open())

    async def _open(self) -> ReadQueue:
        return ReadQueue(self._start, max_waiting=6, max_for_client=3)

    def _start(self, on_death: Callable[[], None]) -> pykka.ActorRef[Any]:
        self.readers.append(Reader.start(self._gate, self.done, on_death))
        return self.readers[-1]

    def page(self, client: Listener, before: int = 9) -> LoadPage:
        return LoadPage(self.room, "lobby", 30, ReadHistory(client, b"1", before, 5))

    def missed(self, client: Listener, since: int = 1) -> LoadMissed:
        return LoadMissed(self.room, "lobby", since, 1, 1, 5, Join(client, None))

    def tell(self, *messages: HistoryMessage) -> None:
        for message in messages:
            self.stage.call(self.queue.tell, message)

    def read(self, number: int) -> list[HistoryMessage]:
        """Lets so many reads be done, and returns them all."""
        expected = len(self.done) + number
        for _ in range(number):
            self._gate.release()
        self.stage.run_until(lambda: len(self.done) >= expected)
        return self.done

    def close(self) -> None:
        for _ in range(100):
            self._gate.release()
        self.stage.run(self.queue.close())


@pytest.fixture
def library(stage: Stage) -> Iterator[Library]:
    library = Library(stage)
    yield library
    library.close()


def test_a_join_comes_before_the_pages_that_wait(library: Library) -> None:
    clients = [Listener() for _ in range(5)]
    pages = [library.page(client) for client in clients]
    load, missed = Load(library.room, "den", 5), LoadMissed(library.room, "den", 1, 1, 1, 5, Join(Listener(), None))
    library.tell(*pages, load, missed)
    assert library.read(7) == [*pages[:IN_FLIGHT], load, missed, *pages[IN_FLIGHT:]]


def test_clients_take_turns_and_each_has_one_read_under_way(library: Library) -> None:
    ann, bo = Listener(), Listener()
    of_ann = [library.page(ann, before) for before in (1, 2, 3)]
    of_bo = [library.page(bo, before) for before in (1, 2)]
    library.tell(*of_ann, *of_bo)
    done = library.read(5)
    assert [page for page in done if page in of_ann] == of_ann  # each client's in its order
    assert done.index(of_bo[0]) < done.index(of_ann[1])
    assert done.index(of_bo[1]) < done.index(of_ann[2])


def test_what_one_client_asks_for_beyond_its_share_is_refused(library: Library) -> None:
    ann, bo = Listener(), Listener()
    pages = [library.page(ann, before) for before in range(1, 8)]
    library.tell(*pages, library.page(bo))
    library.stage.run_until(lambda: library.told)
    assert library.told == [PageLoaded(page.request, BUSY) for page in pages[4:]]  # one is under way, three wait
    assert len(library.read(5)) == 5


def test_what_all_ask_for_beyond_what_may_wait_is_refused_but_joins_are_not(library: Library) -> None:
    clients = [Listener() for _ in range(12)]
    library.tell(*(library.page(client) for client in clients[:8]))  # two under way, six wait
    sync = LoadMissed(library.room, "lobby", 1, 1, 1, 5, Sync(clients[8], b"1", Position(1, 1)))
    look_up = LookUp(library.room, "lobby", post(clients[9], "hello"))
    join = LoadMissed(library.room, "lobby", 1, 1, 1, 5, Join(clients[10], None))
    library.tell(sync, look_up, join)
    library.stage.run_until(lambda: len(library.told) == 2)
    assert library.told == [MissedLoaded(sync.request, 0, (), BUSY), LookedUp(look_up.request, None, failed=True)]
    assert join in library.read(9)


def test_checks_come_before_cold_rooms_and_those_before_joins_with_a_position(library: Library) -> None:
    pages = [library.page(Listener()) for _ in range(IN_FLIGHT + 1)]
    missed, load, ping = library.missed(Listener()), Load(library.room, "den", 5), Ping()
    library.tell(*pages, missed, load, ping)
    assert library.read(6) == [*pages[:IN_FLIGHT], ping, load, missed, pages[-1]]


def test_clients_take_turns_with_their_joins_too(library: Library) -> None:
    ann, bo = Listener(), Listener()
    of_ann = [library.missed(ann, since) for since in (1, 2, 3)]
    of_bo = [library.missed(bo, since) for since in (1, 2)]
    library.tell(*of_ann, *of_bo)
    done = library.read(5)
    assert [missed for missed in done if missed in of_ann] == of_ann
    assert done.index(of_bo[0]) < done.index(of_ann[1])
    assert done.index(of_bo[1]) < done.index(of_ann[2])


def test_joins_count_towards_the_share_of_their_client(library: Library) -> None:
    ann, bo = Listener(), Listener()
    joins = [library.missed(ann, since) for since in range(1, 5)]
    page = library.page(ann)
    library.tell(*joins[:3], page, joins[3], library.missed(bo))
    library.stage.run_until(lambda: library.told)
    assert library.told == [MissedLoaded(joins[3].request, 0, (), BUSY)]  # one is under way, three wait
    assert len(library.read(5)) == 5


def test_joins_beyond_what_may_wait_are_refused(library: Library) -> None:
    joins = [library.missed(Listener()) for _ in range(9)]
    library.tell(*joins)  # two under way, six wait
    library.stage.run_until(lambda: library.told)
    assert library.told == [MissedLoaded(joins[8].request, 0, (), BUSY)]
    assert len(library.read(8)) == 8


def test_an_asker_gets_the_answer(library: Library) -> None:
    async def ask() -> Any:
        return await library.queue.ask(Ping())

    library._gate.release()
    assert library.stage.run(ask()) == "pong"


def test_checks_for_which_nobody_waits_any_more_are_not_made(library: Library) -> None:
    async def ask_and_give_up() -> None:
        asking = [asyncio.ensure_future(library.queue.ask(Ping())) for _ in range(20)]
        await asyncio.sleep(0)
        for each in asking:
            each.cancel()

    library.tell(*(library.page(Listener()) for _ in range(IN_FLIGHT)))
    library.stage.run(ask_and_give_up())
    load = Load(library.room, "den", 5)
    library.tell(load)
    assert library.read(IN_FLIGHT + 1)[-1] == load


def test_a_reader_whose_thread_dies_is_replaced_and_what_it_had_is_read(library: Library) -> None:
    pages = [library.page(Listener()) for _ in range(3)]
    library.tell(*pages)
    library.readers[0].actor_inbox.fails = True  # type: ignore[attr-defined]
    library.read(1)
    library.stage.run_until(lambda: len(library.readers) == 2)
    library.read(2)
    assert all(page in library.done for page in pages)


def test_an_error_that_would_end_the_thread_is_told_to_the_asker(library: Library) -> None:
    async def ask() -> Any:
        return await library.queue.ask(ListRooms(1))

    with pytest.raises(RuntimeError, match="SystemExit"):
        library.stage.run(ask())
    assert library.readers[0].is_alive()
