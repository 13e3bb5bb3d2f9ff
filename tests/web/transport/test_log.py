"""The log: it says what went wrong, once, and repeats nothing of what clients sent, however much is logged."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.phoenix_client import UPGRADE, Connection, LongPoll, Opcode, frame, request
from tests.support.server import Server, wait_until
from tests.support.talker import Closed, Talker

SECRET = "s3cret"

Log: TypeAlias = Callable[[], str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that logs everything."""
    with Server(tmp_path_factory.mktemp("log") / "chatter.db", log_level="debug") as started:
        yield started


@pytest.fixture
def log(server: Server) -> Callable[[], str]:
    """What the server has logged since the test began, once what was sent before has been handled."""
    before = len(server.log)

    def log() -> str:
        with Talker(server.port) as ann:
            ann.heartbeat()
        return server.log[before:]

    return log


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "BREW"])
@pytest.mark.parametrize(
    "target",
    [
        f"/nothing?token={SECRET}",
        f"/rooms/lobby?token={SECRET}",
        f"/client/nothing.js?token={SECRET}",
        f"/client/%00?token={SECRET}",
        f"/socket/longpoll?vsn=2.0.0&token={SECRET}",
        f"/socket/longpoll?vsn=2.0.0&token={SECRET}%ff",
        f"/socket/longpoll?vsn=2.0.0&name=%ff&token={SECRET}",
        f"/socket/websocket?vsn=2.0.0&token={SECRET}",
        f"/socket/websocket?vsn=2.0.0&token={SECRET}%ff",
        f"/socket/websocket?vsn=9&token={SECRET}",
    ],
)
def test_what_stands_in_the_address_of_a_request_is_not_logged(
    server: Server, log: Log, method: str, target: str
) -> None:
    for headers in ({}, UPGRADE):
        with contextlib.suppress(ConnectionError, EOFError):
            request(server.port, method, target, headers)
    assert SECRET not in log()


@pytest.mark.parametrize(
    "head",
    [
        f"GET /?token={SECRET} HTTP/9.9\r\nHost: a\r\n\r\n",
        f"GET /?token={SECRET}\r\n\r\n",
        f"GET /?token={SECRET}\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\n{SECRET}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {SECRET}\x00\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {SECRET}/\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n",
        f"GET /?token={SECRET}{'x' * 20_000} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"POST /?token={SECRET} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n",
        f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\nContent-Length: 6\r\n\r\n{SECRET}",
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: 10\r\n\r\n{SECRET}=%ff"
        ),
    ],
)
def test_what_stands_in_a_request_that_is_none_is_not_logged(server: Server, log: Log, head: str) -> None:
    with contextlib.closing(Connection(server.port)) as asked, contextlib.suppress(ConnectionError, EOFError):
        asked.send(head.encode("latin-1"))
        asked.read_until(b"\r\n\r\n")
    assert SECRET not in log()


BAD = {
    "vsn=2.0.0": [
        frame(Opcode.TEXT, f'["1","1","chat_room:x","phx_join",{{"token":"{SECRET}"}}'.encode()),
        frame(Opcode.TEXT, f'["1","1","chat_room:x","phx_join","{SECRET}'.encode() + b'\xff"]'),
        frame(Opcode.TEXT, f'{{"token":"{SECRET}"}}'.encode()),
        frame(Opcode.BINARY, SECRET.encode()),
        frame(Opcode.BINARY, b"\0\0\0\xff\0" + SECRET.encode()),
        frame(Opcode.TEXT, SECRET.encode(), reserved=1),
        frame(Opcode.CONTINUATION, SECRET.encode()),
        frame(Opcode.CLOSE, b"\0\1" + SECRET.encode()),
    ],
    "vsn=1.0.0": [
        frame(Opcode.TEXT, f'{{"topic":"chat_room:x","event":"phx_join","payload":{{"token":"{SECRET}"}}'.encode()),
        frame(Opcode.BINARY, SECRET.encode()),
    ],
}


@pytest.mark.parametrize(
    "sent", [(query, each) for query in BAD for each in BAD[query]], ids=lambda sent: sent[1][:2].hex()
)
def test_what_stands_in_a_frame_that_is_none_is_not_logged(server: Server, log: Log, sent: tuple[str, bytes]) -> None:
    with Talker(server.port, query=sent[0]) as ann:
        ann.websocket.connection.send(sent[1])
        with pytest.raises(Closed):
            list(ann.frames())
    line = log()
    assert "closed with 10" in line
    assert SECRET not in line


def test_what_a_poller_sends_is_not_logged(server: Server, log: Log) -> None:
    lee = LongPoll(server.port)
    lee.open()
    for body in (f'["{SECRET}"', f"{SECRET}!", SECRET):
        assert lee.post(body)["status"] == 400
    assert lee.token is not None
    assert not re.search(f"{SECRET}|{lee.token}", log())


def test_a_reader_who_is_too_slow_is_logged_once_and_with_the_code_that_it_gets(database: Path) -> None:
    with Server(database, log_level="info", max_unsent_bytes=65_536, send_buffer_bytes=16_384) as server:
        with Talker(server.port, narrow=True) as ann, Talker(server.port) as bo:
            ann.join("lobby")
            bo.join("den")

            def talks_until_closed() -> bool:
                ann.push_many([("lobby", "new_message", {"name": "ann", "message": "m" * 500})] * 50)
                bo.heartbeat()
                return "closed with" in server.log

            wait_until(talks_until_closed)  # and has two seconds from then on to read the close frame
            with pytest.raises(Closed) as closed:
                list(ann.frames())
            assert closed.value.code == 1013
        assert re.findall("closed with ([0-9]+)", server.log) == ["1013"]
