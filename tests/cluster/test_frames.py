import pytest

from chatter.cluster.errors import LaneStopped
from chatter.cluster.frames import (
    GENESIS,
    MAX_BODY,
    MAX_FRAME,
    Frame,
    History,
    InvalidFrame,
    UnknownVersion,
    decode,
    encode,
)
from tests.cluster.lanes import frame


def test_a_frame_is_read_as_it_was_written() -> None:
    written = Frame(3, 7, GENESIS, "ann", 1, 2, "turn", b"\x00hello")
    assert decode(encode(written)) == written


def test_a_body_that_is_too_large_is_not_written() -> None:
    with pytest.raises(ValueError, match="at most 262144 bytes, got 262145"):
        frame(0, b"x" * (MAX_BODY + 1))


def test_the_largest_body_makes_a_frame_that_is_read() -> None:
    written = encode(Frame(63, 2**53, GENESIS, "n" * 64, 2**63 - 1, 2**40, "k" * 32, b"x" * MAX_BODY))
    assert len(decode(written).body) == MAX_BODY


@pytest.mark.parametrize("data", [b"", b"hello", b"CT\x01", b"CT\x01\x93", b"CT" + b"x" * MAX_FRAME])
def test_other_bytes_are_no_frame(data: bytes) -> None:
    with pytest.raises(InvalidFrame):
        decode(data)


def test_a_frame_of_another_version_is_told_from_other_bytes() -> None:
    with pytest.raises(UnknownVersion, match="expected a frame of version 1, got 02"):
        decode(b"CT\x02anything")


def test_two_histories_of_the_same_frames_have_the_same_chain() -> None:
    one, two, other = History(0, 0, GENESIS), History(0, 0, GENESIS), History(0, 0, GENESIS)
    assert one.place(1, frame(0, b"a")) == two.place(1, frame(0, b"a"))
    other.place(1, frame(0, b"b"))
    assert one.chain == two.chain != other.chain


@pytest.mark.parametrize(
    "data", [b"hello", frame(5, b"too early"), frame(0, b"elsewhere", lane=1)], ids=["bytes", "prev", "lane"]
)
def test_what_is_wrong_by_itself_is_void_and_the_next_turn_counts(data: bytes) -> None:
    history = History(0, 0, GENESIS)
    assert history.place(1, data).is_void
    assert history.chain is not None
    assert history.place(2, frame(1, b"next", history.chain)).body == b"next"


def test_a_turn_that_follows_another_history_stops_the_reader() -> None:
    with pytest.raises(LaneStopped, match="turn 1 of lane 0, by node by hand, follows another history"):
        History(0, 0, GENESIS).place(1, frame(0, b"a", chain=b"?" * 16))


def test_a_hole_stops_the_reader() -> None:
    with pytest.raises(LaneStopped, match="expected turn 1, got 2"):
        History(0, 0, GENESIS).place(2, frame(1, b"a"))
