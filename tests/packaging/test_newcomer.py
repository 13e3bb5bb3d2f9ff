"""A new user clones Chatter, types `make run`, and talks."""

import os
import subprocess
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.packaging.program import TIMEOUT, Program
from tests.support.server import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "chatter"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def start(clone: Path) -> Program:
    inherited = ("HOME", "PATH", "LANG", "TMPDIR")
    environment = {name: value for name, value in os.environ.items() if name in inherited or name.startswith("PIP_")}
    environment.pop("PIP_CONSTRAINT", None)
    program = Program(["make", "run", "PORT=0"], clone, environment)
    program.wait_until_ready()
    return program


def exchange(program: Program, *frames: str) -> list[str]:
    """Sends frames on one socket; returns the first frame after each, and one more."""
    with connect(program.url.replace("http", "ws") + "/socket/websocket?vsn=2.0.0", compression=None) as socket:
        received = []
        for frame in frames:
            socket.send(frame)
            received.append(str(socket.recv(timeout=TIMEOUT)))
        return [*received, str(socket.recv(timeout=TIMEOUT))]


@pytest.mark.timeout(300)
def test_a_fresh_clone_runs_with_one_command_and_keeps_its_messages(clone: Path) -> None:
    first = start(clone)
    try:
        assert "<title>Chatter</title>" in first.get("/")
        assert '"/assets/main-' in first.get("/")  # the bundle
        assert first.get("/client/node_modules/phoenix/priv/static/phoenix.mjs")
        *_, reply = exchange(
            first,
            '["1","1","chat_room:lobby","phx_join",{}]',
            '["1","2","chat_room:lobby","new_message",{"name":"ann","message":"the first words"}]',
        )
        assert '"status":"ok"' in reply
    finally:
        first.terminate()

    second = start(clone)
    try:
        assert second.output == [f"Chatter is ready at {second.url}"]  # and no line of an installation
        assert "the first words" in exchange(second, '["1","1","chat_room:lobby","phx_join",{}]')[-1]
    finally:
        second.terminate()
