"""The way out: whoever watches is told first, nothing is lost, not everybody is sent away at once, and it ends soon."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.phoenix_client import PATIENCE, Connection, request
from tests.support.server import ROOT, Server, wait_until
from tests.support.talker import Closed, Talker


@contextlib.contextmanager
def crowd(server: Server, size: int) -> Iterator[list[Talker]]:
    """So many people in the lobby."""
    with contextlib.ExitStack() as people:
        talkers = [people.enter_context(Talker(server.port)) for _ in range(size)]
        for talker in talkers:
            talker.join("lobby")
        yield talkers


def close_code(talker: Talker) -> int:
    """The code with which it is closed; then it lets go."""
    with pytest.raises(Closed) as closed:
        list(talker.listen())
    talker.websocket.connection.close()
    return closed.value.code


def test_who_watches_is_told_first_and_for_a_while_everything_else_goes_on(database: Path) -> None:
    with Server(database, drain_notice=3_600) as server, crowd(server, 1) as (ann,):
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: request(server.port, "GET", "/healthz").status == 503)
        assert request(server.port, "GET", "/healthz").json["reason"] == "the server is stopping"
        assert ann.ask("lobby", "new_message", name="ann", message="still here")["status"] == "ok"
        with Talker(server.port) as bo:
            bo.join("lobby")
        assert server.log == ""
        server.kill()


def test_everybody_is_sent_away_when_that_while_is_over(database: Path) -> None:
    with Server(database, drain_notice=0.5) as server, crowd(server, 1) as (ann,):
        stopped = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        assert close_code(ann) == 1012
        assert time.monotonic() - stopped >= 0.5
        assert server.stop() == 0
        assert server.log == ""


def test_a_batch_is_sent_away_at_once_and_the_next_one_later(database: Path) -> None:
    with Server(database, close_batch_size=2, close_spread=3_600) as server, crowd(server, 4) as people:
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: sum(person.websocket.connection.brings(0) for person in people) == 2)
        gone = [person for person in people if person.websocket.connection.brings(0)]
        assert [close_code(person) for person in gone] == [1012, 1012]
        assert not any(person.websocket.connection.brings(0.1) for person in people if person not in gone)
        server.kill()


def test_all_batches_are_sent_away_over_the_time_that_is_set(database: Path) -> None:
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


def test_few_are_sent_away_at_once(database: Path) -> None:
    with Server(database, close_spread=3_600) as server, crowd(server, 20) as people:
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert {close_code(talker) for talker in people} == {1012}
        stopping.join()
        assert server.log == ""


def test_a_thousand_who_do_not_let_go_do_not_hold_the_server(database: Path) -> None:
    with Server(database, close_spread=0.5) as server, crowd(server, 1_000) as people:
        people[0].push("lobby", "new_message", name="ann", message="last words")
        people[1].hears("new_message")
        assert server.stop() == 0
        assert people[0].hears("phx_reply")["status"] == "ok"
        assert server.log == ""  # it would say so had it waited for them in vain


# ---------------------------------------------------------------- a socket that outlives the server

PASS_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "web.main", "serve", *sys.argv[2:]])
"""


def activated(listener: socket.socket, *arguments: str) -> "subprocess.Popen[str]":
    """A server that is given its socket as systemd gives it."""
    return subprocess.Popen(
        [sys.executable, "-c", PASS_ON, str(listener.fileno()), *arguments],
        cwd=ROOT,
        pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serving(listener: socket.socket, database: Path) -> Iterator[None]:
    """Such a server, from the line that says that it is ready until it has stopped."""
    with activated(listener, f"--database=sqlite:///{database}", "--port=1") as process:
        try:
            assert process.stdout is not None
            port = listener.getsockname()[1]
            assert process.stdout.readline() == f"Chatter is ready at http://127.0.0.1:{port}\n"
            yield
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


def test_who_connects_during_a_restart_waits_instead_of_being_refused(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with serving(listener, database):
            assert request(port, "GET", "/healthz").status == 200
        with contextlib.closing(Connection(port)) as patient:
            patient.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not patient.brings(0.1)
            with serving(listener, database):
                assert patient.read_through(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


def test_sockets_that_were_promised_to_somebody_else_are_left_alone(server: Server, database: Path) -> None:
    other = database.with_name("other.db")
    with Server(other, environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"}) as started:
        assert request(started.port, "GET", "/healthz").status == 200


def test_a_promise_that_is_not_kept_is_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(
            [sys.executable, "-c", PASS_ON.replace('LISTEN_FDS="1"', 'LISTEN_FDS="9"'), str(listener.fileno())],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert said.startswith("chatter: cannot listen on the sockets that LISTEN_FDS=9 promises: ")
