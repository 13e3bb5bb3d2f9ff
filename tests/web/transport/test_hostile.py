"""Hostile clients cause no exception, delay nobody, and use bounded resources.

Each test ends with the same check: other clients still talk, and the log has no traceback.
"""

import base64
import contextlib
import json
import os
import random
import resource
import socket
import statistics
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.memory import resident_bytes
from tests.support.phoenix_client import (
    NDJSON,
    UPGRADE,
    Connection,
    LongPoll,
    Opcode,
    Request,
    frame,
    header,
    request,
    wait_until_read,
)
from tests.support.server import Server, wait_until
from tests.support.talker import Closed, Talker

SHORT_TIMEOUT = 1.0
"""Seconds for a request to arrive, and for a websocket that says nothing."""


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts one server for most tests. Its rate limits are off, so that nothing is refused."""
    with Server(tmp_path_factory.mktemp("hostile") / "chatter.db") as started:
        yield started


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """Returns the shared server, and checks its health around the test."""
    with stays_healthy(shared_server):
        yield shared_server


@contextlib.contextmanager
def stays_healthy(server: Server) -> Iterator[Server]:
    """Checks that clients hear each other before and after, and that the log is empty."""
    with Talker(server.port) as ann, Talker(server.port) as bo:
        ann.join("haven")
        bo.join("haven")
        for message in ("before", "after"):
            assert ann.ask("haven", "new_message", name="ann", message=message)["status"] == "ok"
            assert bo.wait_for("new_message")["message"] == message
            if message == "before":
                yield server
    assert server.log == ""


TYPICAL_WAIT, LONGEST_WAIT = 0.02, 0.15
"""Seconds of the server's CPU time. An immediate answer takes 8 ms, with a cold cache 14 ms."""

TRIES = 3


def stays_responsive(server: Server, burden: Callable[[], object]) -> bool:
    """Returns whether heartbeats of another client take little CPU time during `burden`.

    What the server does while this process is held up counts too. A server that lets others wait does so in each try.
    """
    for _ in range(TRIES):
        waits = waits_during(server, burden)
        if statistics.median(waits) < TYPICAL_WAIT and max(waits) < LONGEST_WAIT:
            return True
    return False


def waits_during(server: Server, burden: Callable[[], object]) -> list[float]:
    """Returns the CPU seconds of the server between each heartbeat and its answer."""
    over = threading.Event()
    waits: list[float] = []

    def watch() -> None:
        with Talker(server.port) as ann:
            while not over.is_set():
                asked = busy_seconds(server.pid)
                ann.heartbeat()
                waits.append(busy_seconds(server.pid) - asked)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        wait_until(lambda: waits)
        waits.clear()
        burden()
    finally:
        over.set()
        watching.join()
    return waits


def busy_seconds(pid: int) -> float:
    """Returns the CPU time of a process's main thread, whatever else the machine does."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def close_code(talker: Talker) -> int:
    """Returns the close code, and drops the frames before it."""
    with pytest.raises(Closed) as closed:
        for _ in talker.frames():
            pass
    return closed.value.code


# ---------------------------------------------------------------- JSON

EXTREME_JSON = {
    "arrays without an end": b"[" * 60_000,
    "arrays": b"[" * 30_000 + b"]" * 30_000,
    "objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "just not too many arrays": b"[" * 990 + b"]" * 990,
    "a number": b"9" * 60_000,
    "a fraction": b"1." + b"9" * 60_000,
    "an exponent": b"1e999999999",
    "a string": b'"' + b"\\u0000" * 10_000 + b'"',
    "half a surrogate": b'"\\ud800"',
    "many arrays": b"[" + (b"[" * 900 + b"]" * 900 + b",") * 30 + b"0]",
    "a wide array": b"[" + b"[]," * 20_000 + b"0]",
}
PLACES = {
    "the frame": b"%b",
    "the join_ref": b'[%b,"1","chat_room:lobby","typing",{"name":"x"}]',
    "the ref": b'[null,%b,"chat_room:lobby","typing",{"name":"x"}]',
    "the topic": b'[null,"1",%b,"typing",{"name":"x"}]',
    "the event": b'[null,"1","chat_room:lobby",%b,{"name":"x"}]',
    "the payload": b'[null,"1","chat_room:lobby","typing",%b]',
    "the name": b'[null,"1","chat_room:lobby","typing",{"name":%b}]',
    "a limit": b'[null,"1","chat_room:lobby","history",{"limit":%b}]',
    "a join": b'[null,"1","chat_room:lobby","phx_join",{"name":%b}]',
    "a sixth element": b'[null,"1","chat_room:lobby","typing",{"name":"x"},%b]',
}


def answer_or_close(talker: Talker) -> str | int:
    """Returns "answered" if a heartbeat is answered, else the close code."""
    try:
        talker.heartbeat()
    except Closed as closed:
        return closed.code
    return "answered"


@pytest.mark.parametrize("place", PLACES)
def test_extreme_json_in_a_frame_is_answered_or_closes_its_connection(server: Server, place: str) -> None:
    for json_text in EXTREME_JSON.values():
        with Talker(server.port) as cy:
            cy.join("lobby")
            cy.websocket.send(Opcode.TEXT, PLACES[place] % json_text, mask=bytes(4))
            assert answer_or_close(cy) in ("answered", 1011)


@pytest.mark.parametrize("place", PLACES)
def test_extreme_json_in_a_body_is_answered(server: Server, place: str) -> None:
    lee = LongPoll(server.port)
    lee.open()
    for json_text in EXTREME_JSON.values():
        body = (PLACES[place] % json_text).decode()
        assert lee.post(body)["status"] in (200, 400)
        assert lee.post(body, content_type="application/json")["status"] in (200, 400)


def test_a_hundred_thousand_arrays_in_a_body_are_answered(server: Server) -> None:
    lee = LongPoll(server.port)
    lee.open()
    assert lee.post("[" * 100_000)["status"] == 400
    assert lee.post(*["[" * 60_000] * 100)["status"] == 400


def test_huge_bodies_delay_nobody(server: Server) -> None:
    bodies = [
        b"\n" * 7_999_999,
        b"\n".join([PLACES["a join"] % EXTREME_JSON["many arrays"]] * 100),
        base64.b64encode(b"\0" * 5_000_000),
        b"&".join([b"a=1"] * 1_999_999),
    ]

    def post() -> None:
        for body in bodies:
            for kind in (NDJSON, "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"):
                lee = LongPoll(server.port)
                lee.open()
                answer = request(server.port, "POST", lee.target, {"Content-Type": kind}, body)
                assert answer.json["status"] in (200, 400)

    assert stays_responsive(server, post)


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/socket/longpoll?token=gone"])
def test_a_body_of_a_request_without_one_is_not_read(server: Server, path: str) -> None:
    with contextlib.closing(Connection(server.port)) as asked:
        asked.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n".encode())
        with pytest.raises((EOFError, ConnectionResetError)):
            asked.read(8_000_000)


# ---------------------------------------------------------------- frames


@pytest.mark.parametrize(
    "tiny",
    [frame(Opcode.PING, b""), frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]')],
    ids=["pings", "heartbeats"],
)
def test_a_hundred_thousand_tiny_frames_delay_nobody(server: Server, tiny: bytes) -> None:
    def send() -> None:
        with Talker(server.port) as cy:
            reading = threading.Thread(target=close_code, args=(cy,))
            reading.start()
            for _ in range(100):
                cy.websocket.connection.send(tiny * 1_000)
            cy.websocket.send(Opcode.CLOSE, b"")
            reading.join()

    assert stays_responsive(server, send)


def test_an_endless_fragmented_message_is_closed_with_1009_at_the_limit(server: Server) -> None:
    with Talker(server.port) as cy:
        cy.websocket.send(Opcode.TEXT, b"x", final=False)
        for _ in range(8):
            cy.websocket.send(Opcode.CONTINUATION, b"x" * 8_000, final=False)
        cy.websocket.send(Opcode.CONTINUATION, b"x" * 2_000, final=False)
        assert close_code(cy) == 1009


def test_endless_empty_fragments_use_no_memory_and_delay_nobody(server: Server) -> None:
    def send() -> None:
        with Talker(server.port) as cy:
            cy.websocket.send(Opcode.TEXT, b"", final=False)
            for _ in range(100):
                cy.websocket.connection.send(frame(Opcode.CONTINUATION, b"", final=False) * 1_000)
            cy.websocket.send(Opcode.PING, b"")
            assert cy.websocket.receive().opcode == Opcode.PONG

    before = resident_bytes(server.pid)
    assert stays_responsive(server, send)
    assert resident_bytes(server.pid) - before < 10_000_000


def test_a_frame_beyond_the_limit_is_closed_with_1009_at_its_header(server: Server) -> None:
    with Talker(server.port) as cy:
        cy.websocket.connection.send(header(Opcode.TEXT, 2**40))
        assert close_code(cy) == 1009


def test_random_bytes_close_only_their_own_connection(server: Server) -> None:
    noise = random.Random(1)
    for _ in range(200):
        with Talker(server.port) as cy:
            cy.websocket.connection.send(noise.randbytes(noise.randrange(1, 400)))


# ---------------------------------------------------------------- slow clients


@pytest.fixture
def impatient_server(database: Path) -> Iterator[Server]:
    """Starts a server with short time-outs for requests."""
    with (
        Server(database, handshake_timeout=SHORT_TIMEOUT, body_timeout=SHORT_TIMEOUT) as started,
        stays_healthy(started),
    ):
        yield started


def send_slowly(server: Server, start: bytes, trickle: bytes) -> None:
    """Sends a little every now and then, for up to fifty timeouts. Raises when it is disconnected."""
    with contextlib.closing(Connection(server.port)) as connection:
        connection.send(start)
        for _ in range(500):
            connection.send(trickle)
            if connection.is_readable(SHORT_TIMEOUT / 10):
                connection.read(1)


POST = b"POST /socket/longpoll HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("start", "trickle"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"", b"x", id="a first line"),
        pytest.param(b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"x", id="a header"),
        pytest.param(POST + b"Content-Length: 1000\r\n\r\n", b"x", id="a body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks"),
    ],
)
def test_a_slow_request_is_disconnected(impatient_server: Server, start: bytes, trickle: bytes) -> None:
    with pytest.raises((EOFError, ConnectionError)):
        send_slowly(impatient_server, start, trickle)


def test_an_idle_websocket_is_closed(database: Path) -> None:
    with Server(database, idle_timeout=SHORT_TIMEOUT) as server, Talker(server.port) as half_open:
        assert close_code(half_open) == 1002
        assert server.log == ""


def test_a_client_that_disconnects_in_the_handshake_leaves_no_open_file(server: Server) -> None:
    files = len(os.listdir(f"/proc/{server.pid}/fd"))
    for _ in range(100):
        Request(server.port, "GET", "/socket/websocket?vsn=2.0.0", UPGRADE).abandon()
        Request(server.port, "GET", "/socket/longpoll?vsn=2.0.0").abandon()
    wait_until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= files)


# ---------------------------------------------------------------- greedy clients


def test_rooms_that_were_joined_and_left_use_no_memory(database: Path) -> None:
    with Server(database, room_idle_timeout=0.2, presence_grace=0.1) as server, stays_healthy(server):
        # The first retired rooms leave memory that later ones use again. 1,000 rooms that did not retire take 10 MB.
        assert any(growth(server, range(first, first + 1_000)) < 1_000_000 for first in range(0, 20_000, 1_000))


def growth(server: Server, numbers: range) -> int:
    """Returns the bytes by which the server grows while a room for each number is joined and left."""
    before = resident_bytes(server.pid)
    join_and_leave(server, numbers)
    return resident_bytes(server.pid) - before


BATCH = 20


def join_and_leave(server: Server, numbers: range) -> None:
    """Joins and leaves a room for each number."""
    with Talker(server.port) as cy:
        for first in numbers[::BATCH]:
            rooms = [f"room-{number}" for number in range(first, first + BATCH)]
            pushes: list[tuple[str, str, dict[str, object]]] = []
            for room in rooms:
                pushes += [(room, "phx_join", {"name": "cy"}), (room, "phx_leave", {})]
            cy.push_many(pushes)
            for _ in rooms:
                cy.wait_for("phx_close")


def test_connections_beyond_the_file_limit_are_closed_and_the_others_talk_on(database: Path) -> None:
    with Server(database) as server, stays_healthy(server):
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (64, 64))
        with contextlib.ExitStack() as crowd:
            for _ in range(100):
                crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            with pytest.raises((EOFError, ConnectionError)):
                request(server.port, "GET", "/healthz")
        wait_until(lambda: _answers(server))


def _answers(server: Server) -> bool:
    try:
        return request(server.port, "GET", "/healthz").status == 200
    except (EOFError, ConnectionError):
        return False


# ---------------------------------------------------------------- malformed requests

MALFORMED_REQUESTS = [
    b"",
    b"\r\n\r\n",
    b"\0" * 100 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a b/c?d#e@f\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n : \r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:\r\n" * 5_000 + b"\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%00%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /client/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /client/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /client/%ff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /client/" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n%ff",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\n---",
    b"POST /socket/longpoll HTTP/1.1\r\nHost: a\r\nX-Phoenix-Longpoll-Token: \xff\r\nContent-Length: 0\r\n\r\n",
]
QUERIES = [
    *("%ff", "%ff=%ff", "vsn=%ff", "vsn=%00", "vsn", "vsn=", "vsn=2.0.0&vsn=1.0.0", "vsn[]=2.0.0", "vsn=%", "&&&=="),
    *("%", "vsn=2.0.0&name=%ff", "vsn=2.0.0&%ff=1", "vsn=2.0.0&token=%ff", "vsn=2.0.0&name=" + "a" * 10_000),
    *("&".join(["vsn=2.0.0"] * 1_500), "vsn=2.0.0&" + "&".join(f"a{number}" for number in range(2_000))),
]
ORIGINS = [
    "",
    "null",
    "://",
    "http://",
    "http://[",
    "a" * 9_000,
    "\x01",
    "é",
    "http://a, http://b",
    "http://127.0.0.1\0",
]


@pytest.mark.parametrize("sent", MALFORMED_REQUESTS, ids=range(len(MALFORMED_REQUESTS)))
def test_a_malformed_request_is_refused(server: Server, sent: bytes) -> None:
    with contextlib.closing(Connection(server.port)) as asked, contextlib.suppress(ConnectionError, EOFError):
        asked.send(sent)
        wait_until_read(server.port)
        if asked.is_readable(0):
            assert int(asked.read_until(b"\r\n").split()[1]) < 500


@pytest.mark.parametrize("path", ["/socket/websocket", "/socket/longpoll"])
def test_odd_queries_and_origins_cause_no_server_error(server: Server, path: str) -> None:
    for query in QUERIES:
        for method in ("GET", "POST"):
            with contextlib.suppress(ConnectionError, EOFError):
                assert request(server.port, method, f"{path}?{query}", UPGRADE).status < 500
    for origin in ORIGINS:
        with contextlib.suppress(ConnectionError, EOFError):
            status = request(server.port, "GET", f"{path}?vsn=2.0.0", UPGRADE | {"Origin": origin}).status
            assert status in (200, 400, 403)


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/rooms", "/client/app.js", "/socket/websocket", "/nowhere"])
def test_wrong_methods_cause_no_server_error(server: Server, path: str) -> None:
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"):
        with contextlib.suppress(ConnectionError, EOFError):
            assert request(server.port, method, path).status < 502


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    with contextlib.closing(Connection(server.port)) as pipeline:
        pipeline.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
        for _ in range(500):
            assert b" 200 " in pipeline.read_until(b"\r\n\r\n")
            assert json.loads(pipeline.read_until(b"}")) == {"status": "ok"}
