"""Messages are counted and timed right, in whatever pieces they arrive."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import frames, message_stamp
from bench.message_stamp import MessageStamp, StampParser
from web.io.rfc6455 import Opcode, frame

REPLY = b"phx_reply"
SAID = [MessageStamp(1_000 + number, 3, number) for number in range(20)]


def as_sent(said: MessageStamp, *, spaces: bool = False) -> bytes:
    payload = {"name": "u1", "message": message_stamp.message_text(said, 64)}
    separators = None if spaces else (",", ":")
    return frame(Opcode.TEXT, json.dumps([None, None, "r", "new_message", payload], separators=separators).encode())


def reply() -> bytes:
    return frame(Opcode.TEXT, b'["1","2","r","phx_reply",{"status":"ok","response":{}}]')


def test_a_message_has_its_marker_and_the_size_that_was_asked_for() -> None:
    text = message_stamp.message_text(SAID[7], 64)
    assert len(text) == 64
    assert message_stamp.parse(text.split("@")[1].encode()) == SAID[7]


def test_what_is_no_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 32 digits"):
        message_stamp.parse(b"123")


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 4_000)), spaces=st.booleans())
def test_every_marker_and_every_reply_is_found_once_wherever_the_stream_is_cut(cuts: list[int], spaces: bool) -> None:
    stream = b"".join(as_sent(said, spaces=spaces) + (reply() if said.number % 3 == 0 else b"") for said in SAID)
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parser = StampParser(REPLY)
    found = [each for begin, end in itertools.pairwise(borders) for each in parser.feed(stream[begin:end])]
    assert [message_stamp.parse(each) for each in found] == SAID
    assert parser.words == 7


def test_every_marker_is_found_when_bytes_come_one_by_one() -> None:
    stream = b"".join(map(as_sent, SAID)) + reply()
    parser = StampParser(REPLY)
    found = [each for byte in stream for each in parser.feed(bytes([byte]))]
    assert [message_stamp.parse(each) for each in found] == SAID
    assert parser.words == 1


def test_the_size_in_a_frame_is_not_taken_for_the_begin_of_a_marker() -> None:
    of_64 = frame(Opcode.TEXT, b"-" * 64)
    assert b"@" in of_64
    parser = StampParser(REPLY)
    assert len(parser.feed(of_64 + as_sent(SAID[0]) + of_64)) == 1
    assert len(parser.feed(as_sent(SAID[1]) + of_64[:2])) == 1
    assert len(parser.feed(of_64[2:] + as_sent(SAID[2]))) == 1


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4_096])
def test_what_a_client_sends_is_a_masked_frame(size: int) -> None:
    payload = bytes(number % 251 for number in range(size))
    sent = frames.text(payload)
    head = 2 if size < 126 else 4
    assert sent[0] == 0x81
    assert sent[1] & 0x80
    mask, masked = sent[head : head + 4], sent[head + 4 :]
    assert bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked)) == payload
