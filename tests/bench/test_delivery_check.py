"""The delivery check finds loss, duplicates, reordering and latency."""

import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bench.connection import Connection, State
from bench.delivery_check import DeliveryCheck, count_reordered, latencies_us
from bench.message_stamp import MessageStamp, message_text
from bench.plan import Group, Outcome, Step, Traffic, schedule

GROUP = Group("room", rooms=1, people=30, publishers=2, sample=3)
STEP = Step((Traffic("room", 10.0),), warm_up=0.0, seconds=1.0)
BEGIN = time.monotonic_ns()
TIMEOUT = 60.0


class Listener:
    """A joined connection and the server's end of it."""

    def __init__(self, *, is_recorded: bool, publisher: int | None = None) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        self._epoll = select.epoll()
        self.connection = Connection(1, 0, ["chat_room:bench-0-0"], b"", is_recorded=is_recorded)
        self.connection.publisher = publisher
        self.connection.connect(server.getsockname()[1], b"handshake", self._epoll)
        self._end, _ = server.accept()
        server.close()
        self.connection.state = State.JOINED
        self._buffer = bytearray(65536)

    def receives(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._end.sendall(piece)
            before = self.connection.bytes_received
            while self.connection.bytes_received < before + len(piece):
                assert self._epoll.poll(TIMEOUT)
                self.connection.receive(self._buffer, memoryview(self._buffer))

    def loses_connection(self) -> None:
        self._end.close()
        while self.connection.state is not State.CLOSED:
            assert self._epoll.poll(TIMEOUT)
            self.connection.receive(self._buffer, memoryview(self._buffer))

    def close(self) -> None:
        self.connection.close()
        self._end.close()
        self._epoll.close()


@pytest.fixture
def open_listener() -> Iterator[Any]:
    opened: list[Listener] = []

    def open_one(*, is_recorded: bool, publisher: int | None = None) -> Listener:
        opened.append(Listener(is_recorded=is_recorded, publisher=publisher))
        return opened[-1]

    yield open_one
    for listener in opened:
        listener.close()


@pytest.fixture
def recorded(open_listener: Any) -> Listener:
    listener: Listener = open_listener(is_recorded=True)
    return listener


@pytest.fixture
def counted(open_listener: Any) -> Listener:
    listener: Listener = open_listener(is_recorded=False)
    return listener


def messages() -> list[bytes]:
    return [message_text(MessageStamp(*each), 64).encode() for each in schedule(STEP, STEP.traffic[0], GROUP, BEGIN)]


def check_of(*listeners: Listener) -> DeliveryCheck:
    return DeliveryCheck(STEP, STEP.traffic[0], GROUP, [listener.connection for listener in listeners])


def result(check: DeliveryCheck) -> Outcome:
    outcome = Outcome()
    check.add_to(outcome, BEGIN)
    return outcome


def test_a_step_is_complete_and_clean_when_everything_arrived(recorded: Listener, counted: Listener) -> None:
    check = check_of(recorded, counted)
    recorded.receives(*messages())
    assert not check.is_complete()
    counted.receives(b"".join(messages()))
    assert check.is_complete()
    outcome = result(check)
    assert outcome.is_clean
    assert outcome.deliveries == 20


def test_a_lost_message_is_counted(recorded: Listener) -> None:
    check = check_of(recorded)
    recorded.receives(*messages()[:4], *messages()[5:])
    assert not check.is_complete()
    assert result(check).lost == 1


def test_a_message_received_twice_is_counted_as_duplicated(recorded: Listener) -> None:
    check = check_of(recorded)
    recorded.receives(*messages(), messages()[4])
    outcome = result(check)
    assert (outcome.lost, outcome.duplicated) == (0, 1)


def test_a_duplicate_does_not_hide_a_lost_message(recorded: Listener) -> None:
    check = check_of(recorded)
    recorded.receives(*messages()[:9], messages()[0])
    outcome = result(check)
    assert (outcome.lost, outcome.duplicated) == (1, 1)


@pytest.mark.parametrize(("received", "lost", "duplicated"), [(7, 3, 0), (12, 0, 2)])
def test_loss_and_duplicates_show_in_byte_counts(
    recorded: Listener, counted: Listener, received: int, lost: int, duplicated: int
) -> None:
    check = check_of(recorded, counted)
    recorded.receives(*messages())
    counted.receives(*(messages() + messages())[:received])
    assert not check.is_complete()
    outcome = result(check)
    assert (outcome.lost, outcome.duplicated) == (lost, duplicated)


def test_a_listener_that_receives_nothing_lost_every_message(recorded: Listener, counted: Listener) -> None:
    check = check_of(recorded, counted)
    recorded.receives(*messages())
    assert result(check).lost == 10


def test_a_closed_connection_is_counted(recorded: Listener, counted: Listener) -> None:
    check = check_of(recorded, counted)
    recorded.receives(*messages())
    counted.receives(*messages())
    counted.loses_connection()
    outcome = result(check)
    assert outcome.disconnected == 1
    assert not outcome.is_clean


def test_the_order_of_each_publisher_is_checked() -> None:
    assert count_reordered([0, 1, 2, 3, 4, 5], publishers=2) == 0
    assert count_reordered([1, 0, 3, 2, 5, 4], publishers=2) == 0  # concurrent messages of two publishers have no order
    assert count_reordered([0, 1, 4, 2, 3, 5], publishers=2) == 1


def test_different_orders_of_two_publishers_are_no_total_order(open_listener: Any) -> None:
    ann, bo = open_listener(is_recorded=True), open_listener(is_recorded=True)
    check = check_of(ann, bo)
    first, second, *rest = messages()
    ann.receives(first, second, *rest)
    bo.receives(second, first, *rest)
    outcome = result(check)
    assert outcome.is_clean
    assert not outcome.has_total_order


def test_acknowledgements_and_refusals_of_a_publisher_are_counted(open_listener: Any) -> None:
    publisher = open_listener(is_recorded=False, publisher=0)
    check = check_of(publisher)
    publisher.receives(*messages(), *[b'"phx_reply",{"status":"ok"}'] * 4)
    assert not check.is_complete()
    publisher.receives(b'"phx_reply",{"status":"error"}')
    assert check.is_complete()
    outcome = result(check)
    assert (outcome.acknowledged, outcome.refused) == (5, 1)


def test_latency_counts_from_the_planned_send_time() -> None:
    stamps = [
        message_text(MessageStamp(due, 0, 0), 64).split("@")[1].encode() for due in (1_000_000, 2_000_000, 3_000_000)
    ]
    assert latencies_us(5_000_000, stamps, range(10_000_000)) == [4_000, 3_000, 2_000]


def test_messages_of_the_warm_up_or_after_the_end_are_not_timed() -> None:
    stamps = [
        message_text(MessageStamp(due, 0, 0), 64).split("@")[1].encode() for due in (1_000_000, 2_000_000, 3_000_000)
    ]
    assert latencies_us(5_000_000, stamps, range(2_000_000, 3_000_000)) == [3_000]
