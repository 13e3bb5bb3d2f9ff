"""The send buffer over a real socket, whose other end reads when a test says so."""

from collections.abc import Iterator

import pytest

from tests.web.io.line import Line
from web.io.send_batch import SendBatch

LIMIT = 100_000


class RecordingOwner:
    """RecordingOwner records what the buffer tells it."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def unsent_changed(self) -> None:
        self.told.append("unsent changed")

    def overflowed(self) -> None:
        self.told.append("overflowed")

    def drained(self) -> None:
        self.told.append("drained")


class RecordedLine(Line):
    """RecordedLine is a line of which it is known what the buffer has told its owner."""

    def __init__(self) -> None:
        self.owner = RecordingOwner()
        super().__init__(LIMIT, self.owner, SendBatch())

    def fill(self) -> bytes:
        """Writes more than the kernel takes, and returns what was written."""
        written = b"".join(b"%08d" % number for number in range(10_000))
        self.buffer.write(written)
        assert self.buffer.has_unsent
        return written


@pytest.fixture
def line() -> Iterator[RecordedLine]:
    line = RecordedLine()
    yield line
    line.close()


def test_a_write_that_the_kernel_takes_is_sent_at_once(line: RecordedLine) -> None:
    line.buffer.write(b"hello")
    assert line.read() == b"hello"
    assert not line.buffer.has_unsent
    assert line.buffer.takes_frames
    assert line.owner.told == []


def test_the_rest_of_a_partial_write_follows_in_order(line: RecordedLine) -> None:
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


def test_a_buffer_beyond_its_limit_overflows_and_sends_only_whole_writes(line: RecordedLine) -> None:
    written = line.fill()
    while "overflowed" not in line.owner.told:
        line.buffer.write(b"x" * 1_000)
    assert not line.buffer.takes_frames
    line.buffer.write(b"dropped")
    received = line.read_all()
    assert received == written  # finishes the write that was begun, drops those behind it
    assert line.owner.told == ["unsent changed", "overflowed", "unsent changed", "drained"]
    line.buffer.write(b"again")
    assert line.read() == b"again"


def test_an_overflowed_buffer_keeps_the_latest_control_frame(line: RecordedLine) -> None:
    written = line.fill()
    while "overflowed" not in line.owner.told:
        line.buffer.write(b"x" * 1_000)
    line.buffer.write_control(b"pong 1")
    line.buffer.write_control(b"pong 2")
    assert line.read_all() == written + b"pong 2"


def test_a_control_frame_that_overflows_the_buffer_is_kept(line: RecordedLine) -> None:
    written = line.fill()
    line.buffer.write(b"x" * 1_000_000)  # a single write may pass the limit
    line.buffer.write_control(b"close")
    assert "overflowed" in line.owner.told
    assert line.read_all() == written + b"close"


def test_a_closed_buffer_takes_no_writes_and_sends_what_waits(line: RecordedLine) -> None:
    written = line.fill()
    line.buffer.write(b"last words")
    line.buffer.close()
    assert not line.buffer.takes_frames
    line.buffer.write(b"too late")
    assert line.read_all() == written + b"last words"


def test_a_buffer_whose_reader_is_gone_keeps_nothing(line: RecordedLine) -> None:
    line.fill()
    line.hang_up()
    line.buffer.flush()
    assert not line.buffer.has_unsent
    line.buffer.write(b"hello?")
    assert not line.buffer.has_unsent


def test_a_single_write_may_be_larger_than_the_limit(line: RecordedLine) -> None:
    large = bytes(range(256)) * 2_000
    assert len(large) > LIMIT
    line.buffer.write(large)
    assert line.read_all() == large
    assert "overflowed" not in line.owner.told
