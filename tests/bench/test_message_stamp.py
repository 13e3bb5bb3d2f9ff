"""Stamps are found in a byte stream cut anywhere; client frames are valid."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import frames
from bench.message_stamp import MessageStamp, StampParser, message_text, parse
from web.io.rfc6455 import Opcode, frame

REPLY = b"phx_reply"
STAMPS = [MessageStamp(1_000 + number, 3, number) for number in range(20)]


def sent_frame(stamp: MessageStamp, *, spaces: bool = False) -> bytes:
    payload = {"name": "u1", "message": message_text(stamp, 64)}
    separators = None if spaces else (",", ":")
    return frame(Opcode.TEXT, json.dumps([None, None, "r", "new_message", payload], separators=separators).encode())


def reply_frame() -> bytes:
    return frame(Opcode.TEXT, b'["1","2","r","phx_reply",{"status":"ok","response":{}}]')


def test_a_message_has_its_stamp_and_the_given_size() -> None:
    text = message_text(STAMPS[7], 64)
    assert len(text) == 64
    assert parse(text.split("@")[1].encode()) == STAMPS[7]


def test_text_without_a_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 32 digits"):
        parse(b"123")


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 4_000)), spaces=st.booleans())
def test_every_stamp_and_reply_is_found_once_wherever_the_stream_is_cut(cuts: list[int], spaces: bool) -> None:
    stream = b"".join(
        sent_frame(stamp, spaces=spaces) + (reply_frame() if stamp.number % 3 == 0 else b"") for stamp in STAMPS
    )
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parser = StampParser(REPLY)
    found = [each for begin, end in itertools.pairwise(borders) for each in parser.feed(stream[begin:end])]
    assert [parse(each) for each in found] == STAMPS
    assert parser.word_count == 7


def test_every_stamp_is_found_when_bytes_arrive_one_by_one() -> None:
    stream = b"".join(map(sent_frame, STAMPS)) + reply_frame()
    parser = StampParser(REPLY)
    found = [each for byte in stream for each in parser.feed(bytes([byte]))]
    assert [parse(each) for each in found] == STAMPS
    assert parser.word_count == 1


def test_an_at_sign_in_a_frame_header_starts_no_stamp() -> None:
    of_64 = frame(Opcode.TEXT, b"-" * 64)
    assert b"@" in of_64
    parser = StampParser(REPLY)
    assert len(parser.feed(of_64 + sent_frame(STAMPS[0]) + of_64)) == 1
    assert len(parser.feed(sent_frame(STAMPS[1]) + of_64[:2])) == 1
    assert len(parser.feed(of_64[2:] + sent_frame(STAMPS[2]))) == 1


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4_096])
def test_a_client_frame_is_masked(size: int) -> None:
    payload = bytes(number % 251 for number in range(size))
    sent = frames.text_frame(payload)
    head = 2 if size < 126 else 4
    assert sent[0] == 0x81
    assert sent[1] & 0x80
    mask, masked = sent[head : head + 4], sent[head + 4 :]
    assert bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked)) == payload
