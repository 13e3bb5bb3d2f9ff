"""Loss, doubles, order and lateness are found, also where only bytes are counted."""

import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bench import message_stamp
from bench.connection import Connection, State
from bench.delivery_check import DeliveryCheck, delays, disordered
from bench.message_stamp import MessageStamp
from bench.plan import Group, Outcome, Step, Talk, schedule

GROUP = Group("room", rooms=1, people=30, publishers=2, sample=3)
STEP = Step((Talk("room", 10.0),), warm_up=0.0, seconds=1.0)
BEGIN = time.monotonic_ns()
PATIENCE = 5.0


class Listener:
    """A connection that has joined, and the server's end of it."""

    def __init__(self, *, is_read: bool, publisher: int | None = None) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        self._epoll = select.epoll()
        self.connection = Connection(1, 0, ["chat_room:bench-0-0"], b"", is_read=is_read)
        self.connection.publisher = publisher
        self.connection.connect(server.getsockname()[1], b"hello", self._epoll)
        self._end, _ = server.accept()
        server.close()
        self.connection.state = State.IN
        self._buffer = bytearray(65536)

    def hears(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._end.sendall(piece)
            before = self.connection.bytes
            while self.connection.bytes < before + len(piece):
                assert self._epoll.poll(PATIENCE)
                self.connection.listen(self._buffer, memoryview(self._buffer))

    def loses_its_connection(self) -> None:
        self._end.close()
        while self.connection.state is not State.GONE:
            assert self._epoll.poll(PATIENCE)
            self.connection.listen(self._buffer, memoryview(self._buffer))

    def close(self) -> None:
        self.connection.end()
        self._end.close()
        self._epoll.close()


@pytest.fixture
def open_listener() -> Iterator[Any]:
    opened: list[Listener] = []

    def open_one(*, is_read: bool, publisher: int | None = None) -> Listener:
        opened.append(Listener(is_read=is_read, publisher=publisher))
        return opened[-1]

    yield open_one
    for listener in opened:
        listener.close()


@pytest.fixture
def reader(open_listener: Any) -> Listener:
    listener: Listener = open_listener(is_read=True)
    return listener


@pytest.fixture
def counted(open_listener: Any) -> Listener:
    listener: Listener = open_listener(is_read=False)
    return listener


def said() -> list[bytes]:
    return [
        message_stamp.message_text(MessageStamp(*each), 64).encode()
        for each in schedule(STEP, STEP.talks[0], GROUP, BEGIN)
    ]


def check(*listeners: Listener) -> DeliveryCheck:
    return DeliveryCheck(STEP, STEP.talks[0], GROUP, [listener.connection for listener in listeners])


def settled(books: DeliveryCheck) -> Outcome:
    outcome = Outcome()
    books.settle(outcome, BEGIN)
    return outcome


def test_a_step_in_which_everything_arrives_is_complete_and_clean(reader: Listener, counted: Listener) -> None:
    books = check(reader, counted)
    reader.hears(*said())
    assert not books.is_complete()
    counted.hears(b"".join(said()))
    assert books.is_complete()
    outcome = settled(books)
    assert outcome.is_clean
    assert outcome.deliveries == 20


def test_a_lost_message_is_noticed(reader: Listener) -> None:
    books = check(reader)
    reader.hears(*said()[:4], *said()[5:])
    assert not books.is_complete()
    assert settled(books).lost == 1


def test_a_message_that_comes_twice_is_noticed(reader: Listener) -> None:
    books = check(reader)
    reader.hears(*said(), said()[4])
    outcome = settled(books)
    assert (outcome.lost, outcome.doubled) == (0, 1)


def test_a_doubled_message_does_not_stand_for_a_lost_one(reader: Listener) -> None:
    books = check(reader)
    reader.hears(*said()[:9], said()[0])
    outcome = settled(books)
    assert (outcome.lost, outcome.doubled) == (1, 1)


@pytest.mark.parametrize(("heard", "lost", "doubled"), [(7, 3, 0), (12, 0, 2)])
def test_loss_and_doubles_show_in_bytes(
    reader: Listener, counted: Listener, heard: int, lost: int, doubled: int
) -> None:
    books = check(reader, counted)
    reader.hears(*said())
    counted.hears(*(said() + said())[:heard])
    assert not books.is_complete()
    outcome = settled(books)
    assert (outcome.lost, outcome.doubled) == (lost, doubled)


def test_one_who_hears_nothing_at_all_has_lost_everything(reader: Listener, counted: Listener) -> None:
    books = check(reader, counted)
    reader.hears(*said())
    assert settled(books).lost == 10


def test_a_connection_that_ends_is_noticed(reader: Listener, counted: Listener) -> None:
    books = check(reader, counted)
    reader.hears(*said())
    counted.hears(*said())
    counted.loses_its_connection()
    outcome = settled(books)
    assert outcome.gone == 1
    assert not outcome.is_clean


def test_the_order_of_each_publisher_is_checked() -> None:
    assert disordered([0, 1, 2, 3, 4, 5], speakers=2) == 0
    assert disordered([1, 0, 3, 2, 5, 4], speakers=2) == 0  # of two who speak at once either may be first
    assert disordered([0, 1, 4, 2, 3, 5], speakers=2) == 1


def test_two_who_hear_one_publisher_before_the_other_do_not_hear_one_order(open_listener: Any) -> None:
    ann, bo = open_listener(is_read=True), open_listener(is_read=True)
    books = check(ann, bo)
    first, second, *rest = said()
    ann.hears(first, second, *rest)
    bo.hears(second, first, *rest)
    outcome = settled(books)
    assert outcome.is_clean
    assert not outcome.has_one_order


def test_acknowledgements_and_refusals_of_a_publisher_are_counted(open_listener: Any) -> None:
    publisher = open_listener(is_read=False, publisher=0)
    books = check(publisher)
    publisher.hears(*said(), *[b'"phx_reply",{"status":"ok"}'] * 4)
    assert not books.is_complete()
    publisher.hears(b'"phx_reply",{"status":"error"}')
    assert books.is_complete()
    outcome = settled(books)
    assert (outcome.acknowledged, outcome.refused) == (5, 1)


def test_latency_counts_from_the_time_at_which_a_message_was_to_be_sent() -> None:
    found = [
        message_stamp.message_text(MessageStamp(due, 0, 0), 64).split("@")[1].encode()
        for due in (1_000_000, 2_000_000, 3_000_000)
    ]
    assert delays(5_000_000, found, range(10_000_000)) == [4_000, 3_000, 2_000]


def test_what_was_said_while_warming_up_or_after_the_end_is_not_timed() -> None:
    found = [
        message_stamp.message_text(MessageStamp(due, 0, 0), 64).split("@")[1].encode()
        for due in (1_000_000, 2_000_000, 3_000_000)
    ]
    assert delays(5_000_000, found, range(2_000_000, 3_000_000)) == [3_000]
