"""Heads and queries: hostile ones cost no more steps than they have bytes."""

import pytest

from tests.support.steps import Bytes, Counter, Text
from web.transport.longpoll import _message
from web.transport.request import params_of, parse_handshake

PATH = "/socket/websocket"
SIZE = 65_536


@pytest.mark.parametrize(
    "piece",
    [
        *(b"A: b\r\n", b" ", b"A:" + b" " * 1_000 + b"\r\n", b"-", b"a", b":", b"A:\r\n", b"\x01", b"\xff"),
        *(b"Host: a\r\n", b"\r", b"\n", b"\r\n", b"A: " + b"b " * 500 + b"\r\n"),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\x01\r\n", b" \x01 \r\n", b": x\r\n"])
def test_64_kilobytes_of_any_head_are_read_in_as_many_steps(piece: bytes, end: bytes) -> None:
    head = Bytes(b"GET /socket/websocket HTTP/1.1\r\nHost: a\r\nA:" + piece * (SIZE // len(piece)) + end)
    assert Counter.of(lambda: parse_handshake(head, "127.0.0.1", PATH)) < 20 * len(head)


@pytest.mark.parametrize("piece", ["a=1&", "&", "%41", "%", "+", "=", "%ff", "a", "a&", ";", "\xe9"])
def test_64_kilobytes_of_any_query_are_read_in_as_many_steps(piece: str) -> None:
    query = Text(piece * (SIZE // len(piece)))
    assert Counter.of(lambda: params_of(query)) < 20 * len(query)


@pytest.mark.parametrize("piece", [b"A", b"=", b"[", b"\n", b" ", b"\xff"])
def test_64_kilobytes_of_any_line_of_a_body_are_read_in_as_many_steps(piece: bytes) -> None:
    line = Bytes(b"A" + piece * SIZE)

    def read() -> None:
        try:
            _message(line, SIZE)
        except Exception:  # whatever it is: only the steps count here
            return

    assert Counter.of(read) < 20 * len(line)


def test_long_queries_are_not_remembered() -> None:
    long = "a=" + "x" * 1_000
    assert params_of(long) == params_of(long)
    assert params_of(long) is not params_of(long)
    assert params_of("vsn=2.0.0") is params_of("vsn=2.0.0")
