"""Runs Chatter on several nodes: nats-servers, one PostgreSQL database, and the nodes."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chatter.cluster import streams
from chatter.cluster.cluster import ClusterSettings
from chatter.cluster.connection import Connection
from tests.support.database import query
from tests.support.nats import NatsCluster
from tests.support.phoenix_client import request
from tests.support.server import Ended, Server, run_to_its_end, wait_until

LANE_BYTES = 64 * 1024 * 1024
"""Of each lane's log: the servers reserve it."""


class Cluster:
    """`with Cluster(folder, database_url) as cluster:` makes the log, and starts a node for each name."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        names: Sequence[str] = ("east", "west"),
        nats_servers: int = 1,
        lane_bytes: int = LANE_BYTES,
        **options: Any,
    ) -> None:
        """`options` are those of all nodes, as `Server` has them."""
        self.nats = NatsCluster(folder, nats_servers)
        self.database_url = database_url
        self._replicas = nats_servers
        self._lane_bytes = lane_bytes
        self.nodes = {
            name: Server(
                folder / name / "no.db",
                database_url=database_url,
                cluster=",".join(self.nats.urls),
                cluster_monitors=",".join(self.nats.monitors),
                node=name,
                **options,
            )
            for name in names
        }
        for name in names:
            (folder / name).mkdir(parents=True)

    def port(self, name: str) -> int:
        """The port of a node."""
        return self.nodes[name].port

    def query(self, statement: str) -> list[Any]:
        """What the database answers."""
        return query(self.database_url, statement)

    @property
    def arguments(self) -> str:
        """What a command has to be given that works with this cluster."""
        return (
            f"--cluster={','.join(self.nats.urls)} --cluster-monitors={','.join(self.nats.monitors)}"
            f" --database={self.database_url}"
        )

    def command(self, *arguments: str) -> Ended:
        """Runs `chatter cluster` with the addresses of this one."""
        return run_to_its_end("cluster", *arguments, *self.arguments.split())

    def run_node(self, **options: str) -> Ended:
        """Starts a node that is to end at once."""
        chosen = {
            "cluster": ",".join(self.nats.urls),
            "cluster-monitors": ",".join(self.nats.monitors),
            "database": self.database_url,
            "node": "south",
            "port": "0",
        } | {name.replace("_", "-"): value for name, value in options.items()}
        return run_to_its_end("serve", *(f"--{name}={value}" for name, value in chosen.items() if value))

    def create(self, *arguments: str) -> Ended:
        """Makes the log."""
        return self.command("create", f"--replicas={self._replicas}", f"--lane-bytes={self._lane_bytes}", *arguments)

    def status(self) -> Any:
        """What `chatter cluster status` says."""
        return json.loads(self.command("status", "--json").stdout)

    def wait_until_saved(self) -> None:
        """Waits until the database has what was said."""
        wait_until(lambda: all(lane["lag"] == 0 for lane in self.status()["lanes"]))

    def pause(self, name: str) -> None:
        """Stops the process of a node, which neither ends nor does anything until `resume`."""
        os.kill(self.nodes[name].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Lets the process of a node go on."""
        os.kill(self.nodes[name].pid, signal.SIGCONT)

    def health(self, name: str) -> str:
        """What a node answers to whether it is well: ok, degraded or unavailable."""
        answer = request(self.port(name), "GET", "/healthz")
        status: str = json.loads(answer.body)["status"]
        assert (answer.status == 503) == (status == "unavailable")
        return status

    def wait_until_healthy(self) -> None:
        """Waits until all nodes are well."""
        wait_until(lambda: all(self.health(name) == "ok" for name in self.nodes))

    def purge(self) -> None:
        """Drops from the log what the database has."""

        async def drop(connection: Connection) -> None:
            for lane, head in enumerate(self._saved()):
                await streams.purge(connection, lane, head + 1)

        self.connected(drop)

    def connected(self, work: Callable[[Connection], Coroutine[Any, Any, None]]) -> None:
        """Does something with a connection to the nats-servers, as an operator may."""

        async def do() -> None:
            connection = ClusterSettings(self.nats.urls, "operator").connection()
            await connection.open()
            await work(connection)
            await connection.flush()
            await connection.close()

        asyncio.run(do())

    def wait_until_more_is_saved(self) -> None:
        """Waits until the database has got something more of every lane: whoever has to write it does."""
        before = self._saved()
        wait_until(lambda: all(now > then for now, then in zip(self._saved(), before, strict=True)))

    def _saved(self) -> list[int]:
        return [head for (head,) in self.query("SELECT head FROM lane ORDER BY number")]

    def start(self) -> None:
        """Starts those nodes that do not run."""
        for node in self.nodes.values():
            if not node.is_running:
                node.start()

    def __enter__(self) -> Self:
        self.nats.__enter__()
        made = self.create()
        assert made.exit_code == 0, made.stderr
        self.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for node in self.nodes.values():
            if node.is_running:
                node.kill()
        self.nats.__exit__(error_type, error, traceback)
