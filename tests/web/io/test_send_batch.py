"""Writes that are gathered arrive as if each had been sent at once, in Python and in C."""

import gc
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.accelerated import WITH_RING, use
from tests.web.io.line import Line
from web import accelerator
from web.io import send_batch
from web.io.send_batch import WRITES_AT_ONCE, SendBatch
from web.io.send_buffer import SendBuffer

LIMIT = 20_000


class OwnLine(Line):
    """OwnLine is a line that owns its buffer, and records what that tells it."""

    def __init__(self, batch: SendBatch) -> None:
        self.told: list[str] = []
        self.can_resync = False
        super().__init__(LIMIT, self, batch)

    def unsent_changed(self) -> None:
        self.told.append(f"unsent {self.buffer.has_unsent}")

    def overflowed(self) -> None:
        """Closes the connection of a client that cannot resync."""
        self.told.append("overflowed")
        if self.can_resync:
            return
        self.buffer.write_control(b"closed")
        self.buffer.close()

    def drained(self) -> None:
        self.told.append("drained")


class Lines:
    """Lines are connections with one batch, which sends with one of the implementations."""

    def __init__(self, batch: SendBatch) -> None:
        self.batch = batch
        self._lines: list[OwnLine] = []

    def add(self, count: int) -> list[OwnLine]:
        """Opens connections."""
        new = [OwnLine(self.batch) for _ in range(count)]
        self._lines += new
        return new

    def turn(self, end: Callable[[], None]) -> None:
        """Has an actor end its turn so."""
        self.batch.gather([end])

    def write_in_turn(self, writes: Iterable[tuple[OwnLine, bytes]]) -> None:
        """Has an actor write this at the end of its turn."""

        def end() -> None:
            for line, frames in writes:
                line.buffer.write(frames)

        self.turn(end)

    def close(self) -> None:
        for line in self._lines:
            line.close()


@pytest.fixture(params=WITH_RING)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for function in use(request.param, "send_each"):
        monkeypatch.setattr(send_batch, "send_each", function)
        yield request.param


@pytest.fixture
def lines(implementation: str) -> Iterator[Lines]:
    lines = Lines(SendBatch(gathers=True))
    if implementation == "C" and accelerator.C is not None:
        accelerator.C.close_ring()  # which the batch has opened
    yield lines
    lines.close()


def test_what_is_written_in_a_turn_is_sent_at_its_end_to_each_in_order(lines: Lines) -> None:
    several = lines.add(3)

    def end() -> None:
        for number in range(5):
            for each, line in enumerate(several):
                line.buffer.write(b"<%d:%d>" % (each, number))
        assert several[0].read() == b""

    lines.turn(end)
    assert [line.read() for line in several] == [
        b"".join(b"<%d:%d>" % (each, number) for number in range(5)) for each in range(3)
    ]


def test_what_is_written_outside_a_turn_is_sent_at_once(lines: Lines) -> None:
    (line,) = lines.add(1)
    line.buffer.write(b"hello")
    assert line.read() == b"hello"


def test_a_large_turn_is_sent_while_it_goes_on(lines: Lines) -> None:
    several = lines.add(WRITES_AT_ONCE + 10)
    had: list[bytes] = []

    def end() -> None:
        for line in several:
            line.buffer.write(b"hello")
        had.extend(line.read() for line in several)

    lines.turn(end)
    assert had == [b"hello"] * WRITES_AT_ONCE + [b""] * 10
    assert [line.read() for line in several[WRITES_AT_ONCE:]] == [b"hello"] * 10


def test_nothing_is_sent_between_the_parts_of_a_write_that_the_kernel_took_in_part(lines: Lines) -> None:
    several = lines.add(5)
    large = b"".join(b"%08d" % number for number in range(1_500))  # for five less than `BYTES_AT_ONCE`
    writes = [b"before", large, b"after", b"at last"]
    lines.write_in_turn((line, frames) for frames in writes for line in several)
    assert all(line.buffer.has_unsent for line in several)
    assert [line.read_all() for line in several] == [b"".join(writes)] * 5


def test_a_reader_that_has_hung_up_costs_the_others_nothing(lines: Lines) -> None:
    first, gone, *rest = lines.add(8)
    gone.hang_up()
    lines.write_in_turn((line, b"hello") for line in (first, gone, *rest, gone, first))
    assert [first.read(), *(line.read() for line in rest)] == [b"hellohello", *[b"hello"] * 6]
    assert not gone.buffer.takes_frames
    assert gone.told == []


def test_a_slow_reader_that_is_closed_in_the_middle_costs_the_others_nothing(lines: Lines) -> None:
    first, slow, *rest = lines.add(8)
    slow.buffer.write(bytes(LIMIT + 10_000))
    lines.write_in_turn((line, b"hello") for line in (first, slow, *rest, slow, first, *rest))
    assert slow.told == ["unsent True", "overflowed"]
    assert [line.read() for line in (first, *rest)] == [b"hellohello"] * 7
    assert slow.read_all().endswith(b"\0closed")


def test_a_control_frame_is_sent_although_what_was_written_before_it_overflows(lines: Lines) -> None:
    (slow,) = lines.add(1)
    slow.can_resync = True
    large = bytes(LIMIT + 10_000)

    def end() -> None:
        slow.buffer.write(large)
        slow.buffer.write(b"one too many")
        slow.buffer.write_control(b"pong")

    lines.turn(end)
    assert slow.told == ["unsent True", "overflowed"]
    assert slow.read_all() == large + b"pong"


def test_what_was_written_before_a_close_is_sent_before_it(lines: Lines) -> None:
    line, other = lines.add(2)

    def end() -> None:
        line.buffer.write(b"last words, ")
        other.buffer.write(b"hello")
        line.buffer.write_control(b"close")
        line.buffer.close()
        line.buffer.write(b"too late")

    lines.turn(end)
    assert (line.read(), other.read()) == (b"last words, close", b"hello")


def test_the_file_of_a_connection_that_has_ended_may_be_anothers(lines: Lines) -> None:
    line, other = lines.add(2)

    def end() -> None:
        line.buffer.write(b"for the first")
        other.buffer.write(b"hello")
        number = line.near.fileno()
        line.buffer.discard()
        line.buffer.write(b"dropped")
        line.near.close()
        (new,) = lines.add(1)
        assert new.near.fileno() == number
        new.buffer.write(b"for the second")
        ended.append(new)

    ended: list[OwnLine] = []
    lines.turn(end)
    assert (line.read(), ended[0].read(), other.read()) == (b"for the first", b"for the second", b"hello")


def test_a_turn_that_fails_leaves_nothing_unsent(lines: Lines) -> None:
    (line,) = lines.add(1)

    def end() -> None:
        line.buffer.write(b"hello")
        raise LookupError

    with pytest.raises(LookupError):
        lines.turn(end)
    assert line.read() == b"hello"
    line.buffer.write(b"again")
    assert line.read() == b"again"


def test_whoever_asks_what_waits_is_told_as_if_it_had_been_sent(lines: Lines) -> None:
    line, slow = lines.add(2)

    def end() -> None:
        slow.buffer.write(bytes(LIMIT + 10_000))
        assert slow.buffer.has_unsent
        slow.buffer.write(b"one too many")
        assert not slow.buffer.takes_frames
        line.buffer.write(b"hello")
        assert not line.buffer.has_unsent
        assert line.read() == b"hello"

    lines.turn(end)


def test_files_whose_numbers_look_alike_get_their_own(lines: Lines) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    try:
        several = lines.add(6)
        for line in several[3:]:
            number = 1_024 + several[len(several) - several.index(line) - 1].near.fileno()
            moved = socket.socket(fileno=os.dup2(line.near.fileno(), number))
            line.near.close()
            line.near = moved
            line.buffer = SendBuffer(moved, LIMIT, line, lines.batch)
        lines.write_in_turn((line, b"<%d>" % each) for each, line in enumerate(several * 2))
        assert [line.read() for line in several] == [b"<%d><%d>" % (each, each + 6) for each in range(6)]
    finally:
        lines.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_several_threads_may_send(implementation: str) -> None:
    batches = [Lines(SendBatch(gathers=True)) for _ in range(3)]

    def talk(lines: Lines) -> None:
        several = lines.add(10)
        for number in range(200):
            frames = b"%d" % number
            lines.write_in_turn([(line, frames) for line in several])
            assert [line.read() for line in several] == [frames] * 10
        done.append(lines)

    done: list[Lines] = []
    threads = [threading.Thread(target=talk, args=(lines,)) for lines in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lines in batches:
        lines.close()
    assert len(done) == 3


def test_nothing_is_held_of_what_was_sent(lines: Lines) -> None:
    ready, slow, gone = lines.add(3)
    gone.hang_up()
    frames = b"x" * 10_000
    objects = [frames, ready.buffer, slow.buffer, gone.buffer]
    before = [sys.getrefcount(each) for each in objects]
    for _ in range(3):
        lines.write_in_turn((line, frames) for line in (ready, slow, gone, slow))
        ready.read_all()
    slow.read_all()
    gc.collect()
    assert [sys.getrefcount(each) for each in objects] == before


@pytest.mark.skipif(accelerator.C is None, reason="of the accelerator")
@pytest.mark.parametrize("writes", [None, [1], [(1, 2, 3)], [(object(), b"x")], [(object(), "x")], [()]])
def test_what_is_no_write_is_refused(writes: Any) -> None:
    assert accelerator.C is not None
    with pytest.raises((TypeError, AttributeError)):
        accelerator.C.send_each(writes)


# ---------------------------------------------------------------- any story

steps = st.tuples(
    st.integers(0, 2),  # of which connection
    st.one_of(
        st.tuples(st.just("write"), st.binary(max_size=40)),
        st.tuples(st.just("write"), st.integers(0, 12_000).map(bytes)),
        st.tuples(st.just("write_control"), st.binary(min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["close", "discard", "hang_up", "read", "has_unsent", "takes_frames"]), st.just(b"")),
    ),
)


def tell(story: list[list[tuple[int, tuple[str, bytes]]]], lines: Lines, *, gathers: bool) -> list[Any]:
    """Plays a story of turns on new connections, and returns all that anybody can see of it."""
    several, seen = lines.add(3), list[Any]()

    def play(turn: list[tuple[int, tuple[str, bytes]]]) -> None:
        for number, (what, frames) in turn:
            line = several[number]
            if what in ("write", "write_control"):
                getattr(line.buffer, what)(frames)
            elif what in ("close", "discard"):
                getattr(line.buffer, what)()
            elif what == "hang_up":
                assert line.buffer.has_unsent in (True, False)  # what was written before arrives before
                line.hang_up()
            elif what == "read" and line.near.fileno() >= 0:
                seen.append(line.buffer.has_unsent)
            else:
                seen.append(getattr(line.buffer, what, None))

    for turn in story:
        if gathers:
            lines.turn(lambda turn=turn: play(turn))  # type: ignore[misc]
        else:
            play(turn)
        for line in several:
            if line._far.fileno() >= 0:
                seen.append(line.read())
                line.buffer.flush()
    for line in several:
        seen.append(line.told)
        if line._far.fileno() >= 0:
            seen.append(line.read_all())
    lines.close()
    return seen


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(steps, max_size=20), max_size=4))
@pytest.mark.parametrize("name", WITH_RING)
def test_any_story_is_the_same_whether_writes_are_gathered_or_not(
    name: str, story: list[list[tuple[int, tuple[str, bytes]]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for function in use(name, "send_each"):
            expected = tell(story, Lines(SendBatch(gathers=True)), gathers=False)
            patch.setattr(send_batch, "send_each", function)
            batch = SendBatch(gathers=True)
            if name == "C" and accelerator.C is not None:
                accelerator.C.close_ring()
            assert tell(story, Lines(batch), gathers=True) == expected
