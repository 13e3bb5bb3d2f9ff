"""The two ways to a websocket, past Tornado and through it: whatever is asked, both answer the same."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.phoenix_client import UPGRADE, Connection, LongPoll, Opcode, frame
from tests.support.server import Server
from tests.support.talker import Talker

PATH = "/socket/websocket"
HERE = "127.0.0.1:{port}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all, to which no test does harm."""
    with Server(tmp_path_factory.mktemp("upgrade") / "chatter.db") as started:
        yield started
        assert started.log == ""


STANDARD = tuple(f"{name}: {value}" for name, value in UPGRADE.items())


class Case(NamedTuple):
    """A request and the status of its answer; None where the connection is closed without one."""

    status: int | None
    lines: tuple[str, ...] = ()
    target: str = f"{PATH}?vsn=2.0.0"
    method: str = "GET"
    version: str = "HTTP/1.1"
    host: tuple[str, ...] = (f"Host: {HERE}",)
    upgrade: tuple[str, ...] = STANDARD
    line_end: str = "\r\n"

    def head(self, port: int) -> bytes:
        """The bytes that are sent."""
        first = f"{self.method} {self.target} {self.version}"
        lines = [line.replace("{port}", str(port)) for line in (first, *self.host, *self.upgrade, *self.lines)]
        return (self.line_end.join(lines) + 2 * self.line_end).encode("latin-1")


def asking(*names: str, **changes: str) -> tuple[str, ...]:
    """The headers of a handshake, some changed and some left out."""
    headers = {**UPGRADE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return tuple(f"{name}: {value}" for name, value in headers.items() if name not in names)


OWN = f"Origin: http://{HERE}"
CASES = {
    "plain": Case(101),
    "a value between blanks": Case(101, ("X-Padded:  \t a \t ",)),
    "a value that is not ASCII": Case(101, ("X-Padded: \xc3\xa9",)),
    "a name with an underscore": Case(101, ("X_Y: 1",)),
    "an empty value": Case(101, ("X-Empty:",)),
    "many headers": Case(101, ("a: b",) * 500),
    "a carriage return in a value": Case(400, ("X: a\rb",)),
    "NUL in a value": Case(400, ("X: a\0b",)),
    "a folded line": Case(400, ("X: a", " b")),
    "a blank before the colon": Case(400, ("X : a",)),
    "no colon": Case(400, ("nonsense",)),
    "no Host": Case(400, host=()),
    "two Hosts": Case(400, host=(f"Host: {HERE}", f"Host: {HERE}")),
    "HTTP/1.0": Case(101, version="HTTP/1.0"),
    "HTTP/9.9": Case(400, version="HTTP/9.9"),
    "two blanks": Case(400, target=f"{PATH}  "),
    "a trailing slash": Case(101, target=f"{PATH}/?vsn=2.0.0"),
    "an absolute address": Case(404, target=f"http://{HERE}{PATH}?vsn=2.0.0"),
    "an encoded path": Case(404, target="/socket/%77ebsocket?vsn=2.0.0"),
    "an encoded name of a parameter": Case(101, target=f"{PATH}?%76sn=2.0.0"),
    "a version among blanks": Case(101, target=f"{PATH}?vsn=+2.0.0+"),
    "a version with NUL": Case(403, target=f"{PATH}?vsn=2.0.0%00"),
    "two versions, the last counts": Case(101, target=f"{PATH}?vsn=9&vsn=2.0.0"),
    "two versions, the last is unknown": Case(403, target=f"{PATH}?vsn=2.0.0&vsn=9"),
    "a version behind a semicolon": Case(101, target=f"{PATH}?a=1;vsn=9"),  # none is version 1
    "a query that is not UTF-8": Case(400, target=f"{PATH}?vsn=2.0.0&x=%ff"),
    "a name of a parameter that is not UTF-8": Case(400, target=f"{PATH}?vsn=2.0.0&%ff=x"),
    "a query that is UTF-8 and not encoded": Case(101, target=f"{PATH}?vsn=2.0.0&x=\xc3\xa9"),
    "a query that is neither": Case(400, target=f"{PATH}?vsn=2.0.0&x=\xff"),
    "a hundred and one parameters": Case(101, target=f"{PATH}?{'a=1&' * 100}vsn=2.0.0"),
    "too many parameters": Case(400, target=f"{PATH}?{'a=1&' * 1_000}vsn=2.0.0"),
    "Connection names more": Case(101, upgrade=asking(Connection="keep-alive, Upgrade")),
    "Connection on two lines": Case(101, ("Connection: Upgrade",), upgrade=asking(Connection="keep-alive")),
    "no Connection": Case(400, upgrade=asking("Connection")),
    "no Upgrade": Case(400, upgrade=asking("Upgrade")),
    "no key": Case(400, upgrade=asking("Sec-WebSocket-Key")),
    "no version": Case(400, upgrade=asking("Sec-WebSocket-Version")),
    "two versions of websockets": Case(400, upgrade=asking(Sec_WebSocket_Version="13, 8")),
    "the version twice": Case(400, ("Sec-WebSocket-Version: 13",)),
    "subprotocols on two lines": Case(101, ("Sec-WebSocket-Protocol: x", "Sec-WebSocket-Protocol: phoenix")),
    "a body of no length": Case(101, ("Content-Length: 0",)),
    "a client that waits to send a body": Case(100, ("Expect: 100-continue",)),
    "chunks and a length": Case(400, ("Transfer-Encoding: chunked", "Content-Length: 5")),
    "a POST": Case(400, ("Content-Length: 0",), method="POST"),
    "a method in small letters": Case(405, method="get"),
    "its own origin": Case(101, (OWN,)),
    "a foreign origin": Case(403, ("Origin: http://evil.example",)),
    "its own origin and a foreign one": Case(403, (OWN, "Origin: http://evil.example")),
    "a foreign origin and its own": Case(403, ("Origin: http://evil.example", OWN)),
    "both origins in one line": Case(403, (f"{OWN}, http://evil.example",)),
    "a null origin": Case(403, ("Origin: null",)),
    "a null origin and no name of a host": Case(403, ("Origin: null",), host=("Host: ",)),
    "no origin in the line": Case(403, ("Origin: ",)),
    "neither origin nor host in their lines": Case(403, ("Origin:",), host=("Host:",)),
    "an origin and HTTP/1.0 without a host": Case(403, ("Origin: http://127.0.0.1",), version="HTTP/1.0", host=()),
    "its own origin with a path": Case(403, (f"{OWN}/x",)),
    "its own origin with a user": Case(403, (f"Origin: http://evil@{HERE}",)),
    "another scheme": Case(403, (f"Origin: https://{HERE}",)),
    "a scheme that no page has": Case(403, (f"Origin: ftp://{HERE}",)),
    "a name of the machine itself, in any case": Case(
        101, ("Origin: http://LOCALHOST:1",), host=("Host: localhost:1",)
    ),
    "a foreign name that leads here": Case(403, ("Origin: http://evil.example:1",), host=("Host: evil.example:1",)),
    "an image of a foreign page": Case(403, ("Sec-Fetch-Site: cross-site",)),
}


def answer(server: Server, case: Case, *, in_pieces: bool) -> tuple[int | None, list[bytes]]:
    """The status and the rest of the head."""
    with contextlib.closing(Connection(server.port)) as asked:
        head = case.head(server.port)
        if in_pieces:
            asked.send(head[:10])
            with Talker(server.port) as somebody:
                somebody.heartbeat()
            head = head[10:]
        asked.send(head)
        try:
            lines = asked.read_until(b"\r\n\r\n").split(b"\r\n")
        except (EOFError, ConnectionError):
            return None, []
        return int(lines[0].split()[1]), [line for line in lines if not line.lower().startswith(b"date")]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_both_ways_answer_the_same(server: Server, case: Case) -> None:
    whole, in_pieces = (answer(server, case, in_pieces=in_pieces) for in_pieces in (False, True))
    assert whole[0] == case.status
    assert whole == in_pieces


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in pieces"])
def test_frames_that_come_with_the_handshake_are_all_read(server: Server, in_pieces: bool) -> None:
    head, many = Case(101).head(server.port), frame(Opcode.PONG, b"x" * 100) * 1_000
    with contextlib.closing(Connection(server.port)) as asked:
        if in_pieces:
            asked.send(head[:10])
            with Talker(server.port) as somebody:
                somebody.heartbeat()
            head = head[10:]
        asked.send(head + many + frame(Opcode.PING, b"hello"))
        assert b" 101 " in asked.read_until(b"\r\n\r\n")
        assert asked.read(7) == b"\x8a\x05hello"


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
@pytest.mark.parametrize("cut", [1, 20, -1])
def test_who_hangs_up_after_the_handshake_leaves_no_line_in_the_log(server: Server, reset: bool, cut: int) -> None:
    head = Case(101).head(server.port)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as asked:
            asked.sendall(head[:cut])
            with Talker(server.port) as somebody:
                somebody.heartbeat()
            asked.sendall(head[cut:])
            if reset:
                asked.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with Talker(server.port) as somebody:
        somebody.heartbeat()
    assert server.log == ""


def test_a_handshake_may_come_behind_another_request_on_its_connection(server: Server) -> None:
    with contextlib.closing(Connection(server.port)) as kept:
        kept.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        kept.read_until(b"}")
        kept.send(Case(101).head(server.port) + frame(Opcode.PING, b"hello"))
        assert b" 101 " in kept.read_until(b"\r\n\r\n")
        assert kept.read(7) == b"\x8a\x05hello"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 410),
        ({"Origin": "http://127.0.0.1:{port}"}, 410),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example:1", "Host": "evil.example:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 410),
    ],
)
def test_poll_sessions_are_opened_for_the_same_pages(server: Server, headers: dict[str, str], status: int) -> None:
    named = {name: value.replace("{port}", str(server.port)) for name, value in headers.items()}
    assert LongPoll(server.port, headers=named).open()["status"] == status


# ---------------------------------------------------------------- a server with names


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://chat.example.org", "chat.example.org", 101),
        ("https://chat.example.org", "127.0.0.1", 101),
        ("https://chat.example.org:8443", "chat.example.org", 101),
        ("https://evil.example", "chat.example.org", 403),
        ("https://evil.example", "evil.example", 403),
    ],
)
def test_public_hosts_are_the_names_of_the_server(database: Path, origin: str, host: str, status: int) -> None:
    with Server(database, public_hosts="chat.example.org chat.example.org:8443") as named:
        case = Case(status, (f"Origin: {origin}",), host=(f"Host: {host}",))
        assert [answer(named, case, in_pieces=in_pieces)[0] for in_pieces in (False, True)] == [status, status]
        expected = {101: 410, 403: 403}[status]
        assert LongPoll(named.port, headers={"Origin": origin, "Host": host}).open()["status"] == expected
