"""Heads that are too large are answered with 431, however they come; the connection ends."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.support.phoenix_client import UPGRADE, Connection, request
from tests.support.server import Server, wait_until
from tests.support.talker import Talker

SIZE = 16_384


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("heads") / "chatter.db") as started:
        yield started
        assert started.log == ""


def head(size: int, path: str = "/healthz", end: bytes = b"\r\n\r\n") -> bytes:
    """A head of so many bytes."""
    lines = [f"GET {path} HTTP/1.1", "Host: a", *(f"{name}: {value}" for name, value in UPGRADE.items()), "X-Padding: "]
    start = "\r\n".join(lines).encode()
    return start + b"x" * (size - len(start) - len(end)) + end


def answer(asked: Connection) -> tuple[bytes, bytes]:
    """The status line, and the body to the end of the connection."""
    top = asked.read_until(b"\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in top.lower()
    length = int(top.lower().partition(b"content-length: ")[2].split()[0])
    body = asked.read(length)
    with pytest.raises(EOFError):
        asked.read(1)
    return top.partition(b"\r\n")[0], body


TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large",
    b'{"errors":{"detail":"Request Header Fields Too Large"}}',
)


@pytest.mark.parametrize("path", ["/healthz", "/socket/websocket?vsn=2.0.0", "/socket/longpoll?vsn=2.0.0", "/nothing"])
@pytest.mark.parametrize(
    "sent", [head(SIZE + 1), head(70_000), head(200_000, end=b"")], ids=["a little", "much", "endless"]
)
def test_a_head_that_is_too_large_is_431(server: Server, path: str, sent: bytes) -> None:
    with contextlib.closing(Connection(server.port)) as asked:
        asked.send(sent.replace(b"/healthz", path.encode(), 1))
        assert answer(asked) == TOO_LARGE


def test_a_person_whose_head_is_too_large_gets_a_page(server: Server) -> None:
    with contextlib.closing(Connection(server.port)) as asked:
        asked.send(head(70_000).replace(b"\r\n", b"\r\nAccept: text/html,*/*;q=0.8\r\n", 1))
        top = asked.read_until(b"\r\n\r\n")
        page = asked.read_until(b"</html>\n")
    assert top.startswith(b"HTTP/1.1 431 ")
    assert f"\r\nContent-Length: {len(page)}\r\n".encode() in top
    assert b"\r\nContent-Security-Policy: default-src 'none'" in top
    assert b"\r\nX-Frame-Options: DENY\r\n" in top
    assert b"<h1>Your browser sent too much</h1>" in page


def test_a_head_in_many_pieces_too(server: Server) -> None:
    sent = head(40_000)
    with contextlib.closing(Connection(server.port)) as asked, Talker(server.port) as somebody:
        for at in range(0, 16_384, 1_024):
            asked.send(sent[at : at + 1_024])
            somebody.heartbeat()
        asked.send(sent[16_384:])
        assert answer(asked) == TOO_LARGE


def test_the_second_request_of_a_connection_too(server: Server) -> None:
    with contextlib.closing(Connection(server.port)) as kept:
        kept.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        kept.read_until(b"}")
        kept.send(head(70_000))
        assert answer(kept) == TOO_LARGE


def test_a_head_of_the_limit_is_none(server: Server) -> None:
    with contextlib.closing(Connection(server.port)) as asked:
        asked.send(head(SIZE))
        assert asked.read_until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
    assert request(server.port, "GET", "/socket/websocket", UPGRADE | {"X-Padding": "x" * 15_000}).status == 101


def is_cut(asked: socket.socket) -> bool:
    try:
        asked.sendall(b"x" * 100)
    except ConnectionError:
        return True
    return False


def test_one_who_does_not_hang_up_is_cut(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as asked:
        asked.sendall(head(70_000))
        while asked.recv(4_096):
            pass
        with Talker(server.port) as somebody:
            wait_until(lambda: is_cut(asked))
            somebody.heartbeat()


def test_a_chunk_that_is_none_is_no_head(server: Server) -> None:
    with contextlib.closing(Connection(server.port)) as asked:
        asked.send(b"POST /socket/longpoll HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"x" * 1_000)
        with contextlib.suppress(EOFError, ConnectionError):
            assert b" 431 " not in asked.read_until(b"\r\n")
