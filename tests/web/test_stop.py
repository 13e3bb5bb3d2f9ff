"""Stopping: `/healthz` fails first, batches of clients are closed, nothing is lost."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.activation import ACTIVATE, activated
from tests.support.phoenix_client import NDJSON, TIMEOUT, UPGRADE, Connection, Opcode, frame, header, request
from tests.support.server import ROOT, Server, wait_until
from tests.support.talker import Closed, PhoenixFrame, Talker


@contextlib.contextmanager
def crowd(server: Server, size: int) -> Iterator[list[Talker]]:
    """Connects that many clients to the lobby."""
    with contextlib.ExitStack() as people:
        talkers = [people.enter_context(Talker(server.port)) for _ in range(size)]
        for talker in talkers:
            talker.join("lobby")
        yield talkers


def close_code(talker: Talker) -> int:
    """Returns the close code, and closes the client's end."""
    with pytest.raises(Closed) as closed:
        list(talker.frames())
    talker.websocket.connection.close()
    return closed.value.code


def test_healthz_fails_at_once_and_clients_are_served_during_the_notice(database: Path) -> None:
    with Server(database, drain_notice=3_600) as server, crowd(server, 1) as (ann,):
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: request(server.port, "GET", "/healthz").status == 503)
        assert request(server.port, "GET", "/healthz").json["reason"] == "the server is stopping"
        assert ann.ask("lobby", "new_message", name="ann", message="still here")["status"] == "ok"
        with Talker(server.port) as bo:
            bo.join("lobby")
        assert server.log == ""
        server.kill()


def test_clients_are_closed_when_the_notice_ends(database: Path) -> None:
    with Server(database, drain_notice=0.5) as server, crowd(server, 1) as (ann,):
        stopped = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        assert close_code(ann) == 1012
        assert time.monotonic() - stopped >= 0.5
        assert server.stop() == 0
        assert server.log == ""


def test_a_batch_is_closed_at_once_and_the_next_one_later(database: Path) -> None:
    with Server(database, close_batch_size=2, close_spread=3_600) as server, crowd(server, 4) as people:
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: sum(person.websocket.connection.is_readable(0) for person in people) == 2)
        closed = [person for person in people if person.websocket.connection.is_readable(0)]
        assert [close_code(person) for person in closed] == [1012, 1012]
        assert not any(person.websocket.connection.is_readable(0.1) for person in people if person not in closed)
        server.kill()


def test_many_clients_are_closed_in_batches_over_the_close_spread(database: Path) -> None:
    with Server(database, close_batch_size=2, close_spread=1.2) as server, crowd(server, 6) as people:
        stopped = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        waits: list[float] = []

        def wait(talker: Talker) -> None:
            assert close_code(talker) == 1012
            waits.append(time.monotonic() - stopped)

        waiting = [threading.Thread(target=wait, args=(talker,)) for talker in people]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        assert server.stop() == 0
    assert sorted(waits)[2] >= 0.4
    assert sorted(waits)[4] >= 0.8


def test_few_clients_are_closed_at_once(database: Path) -> None:
    with Server(database, close_spread=3_600) as server, crowd(server, 20) as people:
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert {close_code(talker) for talker in people} == {1012}
        stopping.join()
        assert server.log == ""


def test_a_thousand_clients_that_do_not_close_do_not_delay_the_stop(database: Path) -> None:
    with Server(database, close_spread=0.5) as server, crowd(server, 1_000) as people:
        people[0].push("lobby", "new_message", name="ann", message="last words")
        people[1].wait_for("new_message")
        assert server.stop() == 0
        assert people[0].wait_for("phx_reply")["status"] == "ok"
        assert server.log == ""  # it would say so if it had waited for them in vain


# ---------------------------------------------------------------- while people talk


@contextlib.contextmanager
def saving_held_up(database: Path) -> Iterator[None]:
    """Nothing is committed meanwhile: a server that is told to stop waits for that."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def told_to_stop(server: Server) -> None:
    """Send SIGTERM, and return when it listens no more."""
    os.kill(server.pid, signal.SIGTERM)
    wait_until(lambda: not listens(server.port))


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


def beats(number: int) -> bytes:
    """So many heartbeats, no two of them next to each other of one length."""
    payloads = (b"x" * (7 * each % 101) for each in range(number))
    return b"".join(frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{"a":"%b"}]' % each) for each in payloads)


BEAT = frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]')
ARRIVING = {
    "nothing": (b"", b""),
    "a frame": (b"", BEAT),
    "a frame in two pieces": (BEAT[:9], BEAT[9:]),
    "a burst": (beats(20) + BEAT[:9], BEAT[9:] + beats(900)),
    "a burst and half a frame": (BEAT[:1], BEAT[1:] + beats(900) + BEAT[:7]),
    "fragments": (
        frame(Opcode.TEXT, b"[null,", final=False),
        frame(Opcode.CONTINUATION, b'"1"', final=False) + frame(Opcode.CONTINUATION, b"]"),
    ),
    "a ping between fragments": (frame(Opcode.TEXT, b"[", final=False), frame(Opcode.PING, b"x") + BEAT),
    "a frame that is too large": (b"", header(Opcode.TEXT, 2**40)),
    "noise": (b"", b"\xff" * 300),
    "a text that is no frame": (b"", frame(Opcode.TEXT, b"{not json")),
    "a close frame": (b"", frame(Opcode.CLOSE, b"\x03\xe8")),
}


@pytest.mark.parametrize("arriving", ARRIVING)
def test_whatever_was_arriving_what_was_heard_is_answered_and_the_close_is_1012(database: Path, arriving: str) -> None:
    before, after = ARRIVING[arriving]
    with Server(database, stop_timeout=TIMEOUT) as server, crowd(server, 2) as (ann, bo):
        with saving_held_up(database):
            refs = {ann.push("lobby", "new_message", name="ann", message=f"message {number}") for number in range(5)}
            for _ in refs:
                ann.wait_for("new_message")
            ann.websocket.connection.send(before)
            bo.heartbeat()
            told_to_stop(server)
            for at in range(0, len(after), 1_000):
                ann.websocket.connection.send(after[at : at + 1_000])
        answered = list[PhoenixFrame]()
        with pytest.raises(Closed) as closed:
            answered.extend(heard for heard in ann.frames() if heard.event == "phx_reply" and heard.ref in refs)
        assert closed.value.code == 1012
        assert {heard.ref for heard in answered if heard.payload["status"] == "ok"} == refs
        for talker in (ann, bo):
            talker.websocket.connection.close()
        assert server.stop() == 0
        assert server.log == ""


def talk_until_closed(server: Server, room: str, heard: set[str], answered: set[str]) -> int:
    """Go on saying things, in pieces of any size; returns the close code."""
    talker = Talker(server.port)
    talker.join(room)
    refs = itertools.count(100)

    def talk() -> None:
        with contextlib.suppress(OSError):
            while True:
                said = [post(room, next(refs)) for _ in range(30)]
                stream = b"".join(frame(Opcode.TEXT, each) for each in said)
                for at in range(0, len(stream), 1_009):
                    talker.websocket.connection.send(stream[at : at + 1_009])

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        for each in talker.frames():
            if each.event == "new_message":
                heard.add(each.payload["id"])
            elif each.event == "phx_reply" and "id" in each.payload["response"]:
                answered.add(each.payload["response"]["id"])
    except Closed as closed:
        return closed.code
    finally:
        talker.websocket.connection.close()
        talking.join()
    raise AssertionError("expected a close frame")


def post(room: str, number: int) -> bytes:
    said = {"name": "ann", "message": "m" * (number * 7 % 601 + 1), "id": f"{room}-{number}"}
    return json.dumps([None, str(number), f"chat_room:{room}", "new_message", said]).encode()


def test_who_talks_on_hears_the_answer_to_all_that_was_heard(database: Path) -> None:
    rooms = ["a", "b", "c", "d"]
    heard, answered, codes = set[str](), set[str](), list[int]()
    with Server(database, stop_timeout=TIMEOUT) as server:
        talkers = [
            threading.Thread(target=lambda room=room: codes.append(talk_until_closed(server, room, heard, answered)))
            for room in rooms
        ]
        for talker in talkers:
            talker.start()
        wait_until(lambda: all(any(id.startswith(room) for id in answered.copy()) for room in rooms))
        assert server.stop() == 0
        for talker in talkers:
            talker.join()
        assert codes == [1012] * len(rooms)
        assert heard <= answered
        assert server.log == ""


class PollConnection:
    """One who polls, all of it on one connection that is kept, as browsers do."""

    def __init__(self, port: int) -> None:
        self._connection = Connection(port)
        self._target = "/socket/longpoll?vsn=2.0.0"
        self._target += f"&token={self.get()['token']}"

    def get(self) -> Any:
        self.start("GET")
        return self.answer()

    def post(self, *messages: str) -> Any:
        self.start("POST", "\n".join(messages).encode())
        return self.answer()

    def start(self, method: str, body: bytes = b"") -> None:
        length = f"Content-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
        self._connection.send(f"{method} {self._target} HTTP/1.1\r\nHost: a\r\n{length}\r\n".encode() + body)

    def answer(self) -> Any:
        """The body of the next answer."""
        head = self._connection.read_until(b"\r\n\r\n").lower()
        return json.loads(self._connection.read(int(head.partition(b"content-length: ")[2].split()[0])))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def lee(database: Path) -> Iterator[tuple[Server, PollConnection]]:
    """Somebody who polls, in the lobby; saving may take its time."""
    with (
        Server(database, stop_timeout=TIMEOUT, poll_window=TIMEOUT) as server,
        contextlib.closing(PollConnection(server.port)) as poller,
    ):
        poller.post('["1","1","chat_room:lobby","phx_join",{}]')
        assert "phx_reply" in poller.get()["messages"][0]
        yield server, poller


HELLO = '["1","2","chat_room:lobby","new_message",{"name":"lee","message":"hello"}]'


def events(answer: Any) -> list[str]:
    assert answer["status"] == 200, answer
    return [json.loads(message)[3] for message in answer["messages"]]


def test_a_poll_that_comes_during_the_stop_waits_for_the_answer(
    lee: tuple[Server, PollConnection], database: Path
) -> None:
    server, poller = lee
    with saving_held_up(database):
        assert poller.post(HELLO)["status"] == 200
        assert events(poller.get()) == ["new_message"]
        told_to_stop(server)
        poller.start("GET")
    assert events(poller.answer()) == ["phx_reply"]
    assert server.stop() == 0


def test_a_poll_that_comes_when_all_are_sent_away_gets_the_answer_still(
    lee: tuple[Server, PollConnection], database: Path
) -> None:
    server, poller = lee
    with crowd(server, 1) as (ann,):
        with saving_held_up(database):
            assert poller.post(HELLO)["status"] == 200
            assert events(poller.get()) == ["new_message"]
            told_to_stop(server)
        with pytest.raises(Closed) as closed:
            list(ann.frames())  # it does not let go, so the server waits for it
        assert closed.value.code == 1012
        assert events(poller.get()) == ["phx_reply"]
        assert poller.get()["status"] == 500
    assert server.stop() == 0


def serve_others(server: Server) -> None:
    """Has a server answer others, by the last of whom it has done what was there before."""
    for _ in range(5):
        assert request(server.port, "GET", "/healthz").status == 200


def test_nobody_waits_for_a_poller_who_is_gone(database: Path) -> None:
    with Server(database, stop_timeout=2) as server:
        poller = PollConnection(server.port)
        poller.start("GET")
        serve_others(server)
        poller.close()
        serve_others(server)
        assert server.stop() == 0
        assert server.log == ""


def test_what_a_poller_sends_during_the_stop_is_refused_and_not_lost_without_a_word(
    lee: tuple[Server, PollConnection], database: Path
) -> None:
    server, poller = lee
    with saving_held_up(database):
        assert poller.post(HELLO)["status"] == 200
        assert events(poller.get()) == ["new_message"]
        told_to_stop(server)
        assert poller.post(HELLO)["status"] == 503
    assert events(poller.get()) == ["phx_reply"]
    assert server.stop() == 0


def test_what_was_not_saved_is_in_the_spool_before_clients_are_waited_for(database: Path) -> None:
    with Server(database, stop_timeout=2) as server, crowd(server, 1) as (ann,), saving_held_up(database):
        ann.push("lobby", "new_message", name="ann", message="hello")
        ann.wait_for("new_message")
        os.kill(server.pid, signal.SIGTERM)
        with pytest.raises(Closed):
            list(ann.frames())  # it does not let go, so the server waits for it
        (spool,) = database.parent.glob("*.unsaved.jsonl")
        assert "hello" in spool.read_text()


async def asks_for_an_hour(_room: str, _params: object) -> bool:
    """Decides about a join as a hook does that calls a program which is not async."""
    await asyncio.to_thread(time.sleep, 3_600)
    return True


def test_a_hook_that_does_not_end_does_not_hold_up_the_stop(database: Path) -> None:
    with Server(database, authorize=f"{__name__}:asks_for_an_hour") as server, Talker(server.port) as ann:
        ann.push("lobby", "phx_join")
        ann.heartbeat()
        assert server.stop() == 0


# ---------------------------------------------------------------- socket activation


@contextlib.contextmanager
def serving(listener: socket.socket, database: Path) -> Iterator[None]:
    """Runs such a server from its ready line until it has stopped."""
    with activated(listener, f"--database=sqlite:///{database}", "--port=1") as process:
        try:
            assert process.stdout is not None
            name = listener.getsockname()
            address = f"unix:{name}" if listener.family == socket.AF_UNIX else f"http://127.0.0.1:{name[1]}"
            assert process.stdout.readline() == f"Chatter is ready at {address}\n"
            yield
        finally:
            process.terminate()
            assert process.wait(TIMEOUT) == 0


def test_a_connection_during_a_restart_waits_instead_of_being_refused(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with serving(listener, database):
            assert request(port, "GET", "/healthz").status == 200
        with contextlib.closing(Connection(port)) as waiting:
            waiting.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not waiting.is_readable(0.1)
            with serving(listener, database):
                assert waiting.read_until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


def test_a_websocket_opens_over_a_unix_socket(database: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        with serving(listener, database), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(TIMEOUT)
            client.connect(str(tmp_path / "socket"))
            lines = ["GET /socket/websocket?vsn=2.0.0 HTTP/1.1", "Host: a", *(f"{a}: {b}" for a, b in UPGRADE.items())]
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            assert client.recv(1_000).startswith(b"HTTP/1.1 101 ")


def test_listen_fds_for_another_process_are_ignored(server: Server, database: Path) -> None:
    other = database.with_name("other.db")
    with Server(other, environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"}) as started:
        assert request(started.port, "GET", "/healthz").status == 200


def test_listen_fds_without_sockets_are_an_error() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(
            [sys.executable, "-c", ACTIVATE.replace('LISTEN_FDS="1"', 'LISTEN_FDS="9"'), str(listener.fileno())],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        _, said = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 2
        assert said.startswith("chatter: cannot listen on the sockets that LISTEN_FDS=9 promises: ")
