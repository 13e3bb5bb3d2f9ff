"""Stopping: `/healthz` fails first, batches of clients are closed, nothing is lost."""

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

from tests.support.phoenix_client import TIMEOUT, Connection, request
from tests.support.server import ROOT, Server, wait_until
from tests.support.talker import Closed, Talker


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


# ---------------------------------------------------------------- socket activation

ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "web.main", "serve", *sys.argv[2:]])
"""


def activated(listener: socket.socket, *arguments: str) -> "subprocess.Popen[str]":
    """Starts a server with its listening socket as systemd passes it."""
    return subprocess.Popen(
        [sys.executable, "-c", ACTIVATE, str(listener.fileno()), *arguments],
        cwd=ROOT,
        pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serving(listener: socket.socket, database: Path) -> Iterator[None]:
    """Runs such a server from its ready line until it has stopped."""
    with activated(listener, f"--database=sqlite:///{database}", "--port=1") as process:
        try:
            assert process.stdout is not None
            port = listener.getsockname()[1]
            assert process.stdout.readline() == f"Chatter is ready at http://127.0.0.1:{port}\n"
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
