"""Several nodes on one machine, which share a port."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.activation import activated
from tests.support.cluster import Cluster
from tests.support.phoenix_client import request
from tests.support.postgresql import PostgreSQL
from tests.support.server import PATIENCE, run_to_its_end, wait_until
from tests.support.talker import Talker

ENOUGH = 24
"""Clients of which surely some are on each of two processes: all are on one once in eight million runs."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Cluster]:
    """Starts two nodes as processes of one server. A test that stops it starts it again."""
    folder = tmp_path_factory.mktemp("machine")
    with Cluster(folder, postgresql.create_database(), names=("east",), processes=2) as started:
        yield started


def children(pid: int) -> list[int]:
    """The processes that it has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process lives, and is more than the entry of one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def names(machine: Cluster) -> set[str]:
    """The nodes that tell of themselves."""
    return {node["name"] for node in machine.status()["nodes"]}


def enter(machine: Cluster, stack: ExitStack) -> list[Talker]:
    """Connects clients and has them join a room."""
    people = [stack.enter_context(Talker(machine.port("east"))) for _ in range(ENOUGH)]
    for person in people:
        person.join("shared")
    return people


def say(by: Talker, to: list[Talker], text: str) -> None:
    """Has somebody say something that all hear."""
    by.push("shared", "new_message", name="ann", message=text)
    for each in to:
        while each.wait_for("new_message")["message"] != text:
            pass


def test_they_are_nodes_that_serve_the_same_rooms_on_one_port(machine: Cluster) -> None:
    assert names(machine) == {"east-1", "east-2"}
    with ExitStack() as stack:
        people = enter(machine, stack)
        say(people[0], people, "heard by all")


def test_one_that_dies_costs_its_own_connections_and_is_started_again(machine: Cluster) -> None:
    with ExitStack() as stack:
        people = enter(machine, stack)
        victim, survivor = children(machine.nodes["east"].pid)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not is_running(victim))
        left = [each for each in people if lives_on(each)]
        assert 0 < len(left) < ENOUGH
        say(left[0], left, "we are still here")
        wait_until(lambda: len({*children(machine.nodes["east"].pid)} - {victim}) == 2)  # or its entry counts
        assert survivor in children(machine.nodes["east"].pid)
        assert re.search(
            r"process [12] was ended by signal 9 \(Killed\), and is started again", machine.nodes["east"].log
        )
        wait_until(lambda: names(machine) == {"east-1", "east-2"})
        people = enter(machine, stack)
        say(people[0], [*people, *left], "together again")


def lives_on(talker: Talker) -> bool:
    """Whether its connection has not ended with a process."""
    try:
        talker.heartbeat()
    except (ConnectionError, EOFError):
        return False
    return True


def test_they_end_with_the_one_that_started_them(machine: Cluster) -> None:
    node = machine.nodes["east"]
    for end in (node.stop, node.kill):
        mine = children(node.pid)
        assert len(mine) == 2
        code = end()
        assert code in (0, None)
        wait_until(lambda mine=mine: not any(map(is_running, mine)))  # type: ignore[misc]
        machine.start()


def test_all_listen_on_the_socket_that_systemd_passes(machine: Cluster) -> None:
    options = [*machine.arguments.split(), "--processes=2", "--node=south", "--rate-limits=off"]
    with socket.create_server(("127.0.0.1", 0)) as listener, activated(listener, *options) as process:
        port = listener.getsockname()[1]
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"Chatter is ready at http://127.0.0.1:{port}\n"
            for each in children(process.pid):
                os.kill(each, signal.SIGSTOP)
                assert request(port, "GET", "/healthz").status == 200  # by the other one
                os.kill(each, signal.SIGCONT)
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--processes=2"], "--processes: expected 1 without --cluster, since several processes share a log"),
        (
            ["--processes=2", "--port=0", "--cluster=nats://127.0.0.1:1", "--database=postgresql://x/y"],
            "--port: expected the port that --processes share, got 0",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused(options: list[str], expected: str) -> None:
    ended = run_to_its_end("serve", *options)
    assert (ended.exit_code, ended.stderr) == (2, f"chatter: {expected}\n")


def test_where_the_first_cannot_start_there_is_one_line_and_no_other_is_tried(machine: Cluster, tmp_path: Path) -> None:
    arguments = [f"--cluster={machine.nats.urls[0]}", "--cluster-monitors=http://127.0.0.1:1"]
    places = [f"--database={machine.database_url}", f"--spool-folder={tmp_path}", f"--port={machine.port('east')}"]
    ended = run_to_its_end("serve", "--processes=3", "--node=south", *arguments, *places)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("chatter: the monitoring address http://127.0.0.1:1 does not answer")
    assert ended.stderr.count("\n") == 1
