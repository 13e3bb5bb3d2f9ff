"""Bodies of POSTs: one at a time for a session, and a bound for all."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.memory import resident_bytes
from tests.support.phoenix_client import NDJSON, Connection, LongPoll
from tests.support.server import Server

LARGE = 2_000_000
HEARTBEAT = '[null,"%d","phoenix","heartbeat",{}]'


@pytest.fixture
def server(database: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with room for two large bodies, and with the patience for slow ones that a test asks for."""
    patience = getattr(request, "param", 60)
    with Server(database, max_poll_body_bytes=LARGE, max_poll_bodies_bytes=2 * LARGE, body_timeout=patience) as started:
        yield started


def session(server: Server) -> LongPoll:
    opened = LongPoll(server.port)
    opened.open()
    return opened


class Begun:
    """A POST on its way: its head, and as much of the body as is sent."""

    def __init__(self, port: int, lee: LongPoll, size: int | None) -> None:
        length = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
        self.connection = Connection(port)
        lines = (f"POST {lee.target} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Type: {NDJSON}", length, "", "")
        self.connection.send("\r\n".join(lines).encode())

    def send(self, body: bytes) -> None:
        self.connection.send(body)

    def answer(self) -> object:
        head = self.connection.read_until(b"\r\n\r\n").decode().lower()
        size = int(head.split("content-length: ")[1].split("\r\n")[0])
        return json.loads(self.connection.read(size))


Begin: TypeAlias = Callable[[LongPoll, int | None], Begun]


@pytest.fixture
def begin(server: Server) -> Iterator[Begin]:
    """What begins a POST, whose connection is closed in the end."""
    all_begun: list[Begun] = []

    def begin(lee: LongPoll, size: int | None) -> Begun:
        all_begun.append(Begun(server.port, lee, size))
        return all_begun[-1]

    yield begin
    for begun in all_begun:
        begun.connection.close()


def test_many_bodies_of_one_session_take_the_memory_of_one(server: Server, begin: Begin) -> None:
    lee = session(server)
    first = begin(lee, LARGE)
    first.send(b"x" * (LARGE - 10))
    before = resident_bytes(server.pid)
    others = [begin(lee, LARGE) for _ in range(20)]
    for other in others:
        other.connection._socket.setblocking(False)
        try:
            other.connection._socket.send(b"x" * (LARGE - 10))
        except BlockingIOError:
            pass
    session(server)  # the server has had its turn
    assert resident_bytes(server.pid) - before < 2 * LARGE + 20 * 100_000


def test_bodies_of_a_session_are_taken_in_their_order(server: Server, begin: Begin) -> None:
    lee = session(server)
    lines = [(HEARTBEAT % number).encode() for number in range(3)]
    posts = []
    for line in lines:
        posts.append(begin(lee, len(line)))
        session(server)  # the server has seen its head
    for post, line in reversed(list(zip(posts, lines, strict=True))):
        post.send(line)
    assert [post.answer() for post in posts] == [{"status": 200}] * 3
    assert [json.loads(message)[1] for message in lee.get()["messages"]] == ["0", "1", "2"]


@pytest.mark.parametrize("size", [LARGE, None])
def test_a_large_body_beyond_the_bound_for_all_is_told_to_come_back(
    server: Server, begin: Begin, size: int | None
) -> None:
    sessions = [session(server) for _ in range(4)]
    begun = [begin(lee, size) for lee in sessions[:2]]
    assert begin(sessions[2], size).answer() == {"status": 503, "reason": "busy", "retry_after_ms": 1_000}
    small = HEARTBEAT % 1
    assert sessions[3].post(small) == {"status": 200}  # what people send is small, and is always taken
    begun[0].connection.close()
    assert sessions[0].post(small) == {"status": 200}  # whose first body has ended therefore
    large = begin(sessions[2], LARGE)
    large.send(small.encode() + b"\n" * (LARGE - len(small)))
    assert large.answer() == {"status": 200}


@pytest.mark.parametrize("server", [1], indirect=True)
def test_a_body_that_never_ends_lets_the_next_one_pass_in_time(server: Server, begin: Begin) -> None:
    lee = session(server)
    begin(lee, LARGE).send(b"x")
    assert lee.post(HEARTBEAT % 1) == {"status": 200}


def test_the_bound_is_free_again_after_each_body_however_it_ended(server: Server, begin: Begin) -> None:
    line = HEARTBEAT % 1
    for round_ in range(6):
        lee = session(server)
        begun = begin(lee, LARGE)
        begun.send(line.encode() + b"\n" * (LARGE - len(line)) if round_ % 2 else b"x")
        if round_ % 2:
            assert begun.answer() == {"status": 200}
        else:
            begun.connection.close()
            assert lee.post(line) == {"status": 200}


def test_a_post_whose_client_is_gone_while_it_waits_holds_up_no_later_one(server: Server, begin: Begin) -> None:
    lee = session(server)
    line = (HEARTBEAT % 1).encode()
    first, gone = begin(lee, len(line)), begin(lee, len(line))
    session(server)  # the server has seen both heads
    gone.connection.close()
    session(server)
    first.send(line)
    assert first.answer() == {"status": 200}
    assert lee.post(HEARTBEAT % 2) == {"status": 200}
