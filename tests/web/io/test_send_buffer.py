"""What leaves a connection: over a real socket whose other end reads when a test says so."""

import socket
from collections.abc import Iterator

import pytest

from web.io.send_buffer import SendBuffer

LIMIT = 100_000


class SendBufferOwner:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def unsent_changed(self) -> None:
        self.told.append("unsent changed")

    def overflowed(self) -> None:
        self.told.append("overflowed")

    def drained(self) -> None:
        self.told.append("drained")


class Line:
    """A buffer, and whoever reads at the other end."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        self._near.setblocking(False)
        self._far.setblocking(False)
        self.owner = SendBufferOwner()
        self.buffer = SendBuffer(self._near, LIMIT, self.owner)

    def read(self) -> bytes:
        """All there is."""
        received = b""
        while True:
            try:
                data = self._far.recv(1_000_000)
            except BlockingIOError:
                return received
            if not data:
                return received
            received += data

    def read_all(self) -> bytes:
        """Until nothing waits any more."""
        received = self.read()
        while self.buffer.has_unsent:
            self.buffer.flush()
            received += self.read()
        return received

    def fill(self) -> bytes:
        """Write more than the kernel takes; returns what was written."""
        written = b"".join(b"%08d" % number for number in range(10_000))
        self.buffer.write(written)
        assert self.buffer.has_unsent
        return written

    def hang_up(self) -> None:
        """The reader is gone."""
        self._far.close()

    def close(self) -> None:
        self._near.close()
        self._far.close()


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def test_what_the_kernel_takes_is_on_its_way_at_once(line: Line) -> None:
    line.buffer.write(b"hello")
    assert line.read() == b"hello"
    assert not line.buffer.has_unsent
    assert line.owner.told == []


def test_what_the_kernel_takes_in_part_follows_in_order(line: Line) -> None:
    written = line.fill()
    assert line.owner.told == ["unsent changed"]
    for number in range(50):
        frames = b"<%d>" % number * 100
        line.buffer.write(frames)
        written += frames
    assert line.read_all() == written
    assert line.owner.told == ["unsent changed", "unsent changed", "drained"]
    line.buffer.write(b"!")
    assert line.read() == b"!"


def test_one_who_does_not_read_lags_and_is_given_whole_writes_only(line: Line) -> None:
    written = line.fill()
    while "overflowed" not in line.owner.told:
        line.buffer.write(b"x" * 1_000)
    line.buffer.write(b"dropped")
    received = line.read_all()
    assert received == written  # the write that was begun is finished; those behind it are gone
    assert line.owner.told == ["unsent changed", "overflowed", "unsent changed", "drained"]
    line.buffer.write(b"again")
    assert line.read() == b"again"


def test_of_control_frames_to_one_who_lags_the_latest_is_kept(line: Line) -> None:
    written = line.fill()
    while "overflowed" not in line.owner.told:
        line.buffer.write(b"x" * 1_000)
    line.buffer.write_control(b"pong 1")
    line.buffer.write_control(b"pong 2")
    assert line.read_all() == written + b"pong 2"


def test_nothing_is_taken_after_the_end_and_what_waits_is_still_sent(line: Line) -> None:
    written = line.fill()
    line.buffer.write(b"last words")
    line.buffer.close()
    line.buffer.write(b"too late")
    assert line.read_all() == written + b"last words"


def test_one_who_has_hung_up_costs_nothing(line: Line) -> None:
    line.fill()
    line.hang_up()
    line.buffer.flush()
    assert not line.buffer.has_unsent
    line.buffer.write(b"hello?")
    assert not line.buffer.has_unsent


def test_a_write_is_as_large_as_it_is(line: Line) -> None:
    large = bytes(range(256)) * 2_000
    assert len(large) > LIMIT
    line.buffer.write(large)
    assert line.read_all() == large
    assert "overflowed" not in line.owner.told
