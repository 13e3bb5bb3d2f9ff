"""Heads and queries: hostile ones cost no more steps than they have bytes, and are read as Tornado reads them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, parse_request_start_line

from tests.support.steps import Bytes, Counter, Text
from web.transport.longpoll import _message
from web.transport.request import Request, from_tornado, params_of, parse_handshake

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


# ---------------------------------------------------------------- as Tornado reads them

LINES = [
    b"Host: 127.0.0.1:8000",
    b"Connection: Upgrade",
    b"Origin: http://127.0.0.1:8000",
    b"X-Forwarded-For: 203.0.113.1",
    b"X-Forwarded-For:\t 203.0.113.2 \t",
    b"Cookie: \xff",
    b"Expect: 100-continue",
    b"Host: [::1]",
    b"X-Empty:",
]
PIECES = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"%",
    b"%ff",
    b"\xff",
    b"?",
    b"&",
    b"#",
    b"/",
    b",",
    b"[",
    b"]",
]
PIECES += [b"\x0b", b"\x7f", b"\x85", b"\xc3\xa9", b"+", b"%41", b";", b"=", b"@", b"_", b"*"]


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """A handshake with other lines, and with something put in or left out here and there."""
    lines = [b"GET /socket/websocket?vsn=2.0.0&a=%20b HTTP/1.1", *draw(st.lists(st.sampled_from(LINES), max_size=5))]
    head = bytearray(b"\r\n".join([*lines, b""]))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(head)))
        head[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from(PIECES))
    whole = bytes(head) + b"\r\n\r\n"
    return whole[: whole.index(b"\r\n\r\n") + 2]


class Peer:
    """The connection that Tornado asks for the peer's address."""

    class context:  # noqa: N801 - Tornado's name
        remote_ip = "192.0.2.1"
        protocol = "http"


def as_tornado_reads(head: bytes) -> Request:
    first, _, lines = head.decode("latin-1").partition("\n")
    start = parse_request_start_line(first.removesuffix("\r"))
    assert (start.method, start.version) == ("GET", "HTTP/1.1")
    request = HTTPServerRequest(start_line=start, headers=HTTPHeaders.parse(lines), connection=Peer())  # type: ignore[arg-type]
    assert request.path == PATH
    return from_tornado(request)


@settings(deadline=None, max_examples=1_000)
@given(heads())
def test_what_is_read_past_tornado_is_what_tornado_reads(head: bytes) -> None:
    read = parse_handshake(head, "192.0.2.1", PATH)
    if read is not None:
        assert as_tornado_reads(head) == read
