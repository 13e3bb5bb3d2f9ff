"""Connections that are no websockets: how many there may be, and what becomes of readers that do not read."""

import contextlib
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.memory import resident_bytes
from tests.support.phoenix_client import NDJSON, Connection, LongPoll, WebSocket, request
from tests.support.server import Server, wait_until
from tests.support.talker import Talker

GET_FILE = b"GET /client/node_modules/phoenix/priv/static/phoenix.mjs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

GET_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

Connect: TypeAlias = Callable[..., Connection]


def files(server: Server) -> int:
    """How many files the server has open."""
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def is_served(server: Server) -> bool:
    """Whether a new connection is accepted and answered."""
    try:
        return request(server.port, "GET", "/healthz").status == 200
    except (EOFError, ConnectionError):
        return False


@pytest.fixture
def server(database: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Starts a server of little patience, or with the settings that a test asks for."""
    with Server(database, **getattr(request, "param", {"body_timeout": 1})) as started:
        yield started


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Opens connections, which are closed in the end."""
    with contextlib.ExitStack() as opened:
        yield lambda **options: opened.enter_context(contextlib.closing(Connection(server.port, **options)))


@pytest.mark.parametrize("server", [{"body_timeout": 1, "accounts": "off"}], indirect=True)  # which opens no file later
def test_a_client_that_does_not_read_an_answer_is_cut(server: Server, connect: Connect) -> None:
    before = files(server)
    for _ in range(5):
        connect(narrow=True).send(GET_FILE * 40)
    wait_until(lambda: files(server) > before)
    wait_until(lambda: files(server) == before)


@pytest.mark.parametrize("server", [{"body_timeout": 3}], indirect=True)
def test_a_client_that_reads_slowly_gets_all_answers(server: Server, connect: Connect) -> None:
    slow = connect(narrow=True)
    slow.send(GET_FILE * 20)
    for _ in range(20):
        slow.read_until(b"\nexport {")


def test_the_answers_of_a_client_that_polls_and_does_not_read_are_not_piled_up(
    server: Server, connect: Connect
) -> None:
    with Talker(server.port) as ann:
        ann.join("lobby")
        post: dict[str, object] = {"name": "ann", "message": "x" * 4_000}
        ann.wait_for("phx_reply", ann.push_many([("lobby", "new_message", post)] * 60)[-1])
    lee = LongPoll(server.port)
    lee.open()
    lee.post('["1","1","chat_room:lobby","phx_join",{}]')
    lee.get()
    before = resident_bytes(server.pid)
    for _ in range(40):
        lee.post('["1","2","chat_room:lobby","history",{}]')
        connect(narrow=True).send(f"GET {lee.target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert is_served(server)
    assert resident_bytes(server.pid) - before < 4_000_000  # an answer has 0.2 MB


@pytest.mark.parametrize("server", [{"rate_limits": "on", "max_connections_per_address": 2}], indirect=True)
def test_an_address_has_only_so_many_plain_connections(server: Server, connect: Connect) -> None:
    held = [connect() for _ in range(4)]
    held[0].send(GET_HEALTH)
    held[0].read_until(b"}")
    with pytest.raises((EOFError, ConnectionError)):
        connect().read(1)
    other = connect(client="127.0.0.5")
    other.send(GET_HEALTH)
    assert other.read_until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
    held[0].close()
    held[1].close()
    wait_until(lambda: is_served(server))
    for _ in range(3):  # a websocket is none of these
        WebSocket(server.port).connection.close()


def test_a_server_without_files_left_waits_quietly(server: Server, connect: Connect) -> None:
    assert is_served(server)
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    waiting = connect()
    waiting.send(GET_HEALTH)
    wait_until(lambda: server.log.count("no connection can be accepted") == 2)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
    assert waiting.read_until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
    assert len(server.log.splitlines()) <= 3


@pytest.mark.parametrize("server", [{"body_timeout": 600}], indirect=True)
def test_a_post_that_does_not_end_and_those_behind_it_do_not_hold_up_the_stop(server: Server, connect: Connect) -> None:
    lee = LongPoll(server.port)
    lee.open()
    head = f"POST {lee.target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {NDJSON}\r\nContent-Length: 99\r\n\r\n["
    for _ in range(5):
        connect().send(head.encode())
    assert is_served(server)  # and has seen the others
    assert server.stop() == 0


@pytest.mark.parametrize("server", [{"log_level": "info"}], indirect=True)
def test_requests_of_a_client_that_is_gone_are_not_served(server: Server, connect: Connect) -> None:
    gone = connect(narrow=True)
    gone.send(GET_FILE * 40 + GET_FILE.replace(b"phoenix.mjs", b"nowhere") * 300)
    assert gone.is_readable(60)
    gone.close()
    assert server.stop() == 0
    assert "nowhere" not in server.log
