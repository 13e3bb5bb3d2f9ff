"""The power of nats-servers fails: what they have not synced is gone, unlike where a process is killed.

Each server has an ext4 of its own. A power cut stops its process, shuts the file system down without its journal
(`EXT4_IOC_SHUTDOWN`), kills the process, and mounts the file system again. What a disk has in a cache of its own, and
says that it has synced, is not shown.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from chatter.cluster import streams
from chatter.cluster.errors import ClusterRefused, NoAnswer
from chatter.cluster.jetstream import name_of
from tests.cluster.hammer import LANE, Hammer, check, connected, hammering, read_replica
from tests.support.disk import Disk
from tests.support.nats import NatsCluster, NatsServer

pytestmark = [pytest.mark.nats, pytest.mark.power, pytest.mark.chaos]

NEVER = '"2m"'
"""The default of nats-server: longer than these tests last."""


class PoweredCluster(NatsCluster):
    """Three servers with disks that may lose power."""

    def __init__(self, folder: Path, sync: str) -> None:
        super().__init__(folder, 3, sync=sync)
        self.disks = {server.name: Disk(folder / f"{server.name}.disk", server.store) for server in self.servers}

    def lose_power(self, servers: Sequence[NatsServer]) -> None:
        """Cuts the power of some servers at once. They do not come back by themselves."""
        for server in servers:
            server.signal(signal.SIGSTOP)
        for server in servers:
            self.disks[server.name].cut()
        for server in servers:
            server.kill()
            self.disks[server.name].unmount()
            self.disks[server.name].mount()


@contextlib.contextmanager
def powered(folder: Path, sync: str) -> Iterator[PoweredCluster]:
    cluster = PoweredCluster(folder, sync)
    try:
        with cluster:
            yield cluster
    finally:
        for disk in cluster.disks.values():
            disk.unmount()


async def all_at_once(cluster: PoweredCluster, hammer: Hammer) -> None:
    await hammer.go_on(500)
    await asyncio.to_thread(cluster.lose_power, cluster.servers)
    cluster.start()


async def one_while_another_is_stopped(cluster: PoweredCluster, hammer: Hammer) -> None:
    """Leaves what was acknowledged to a server that has lost power and one that was not there, without the leader."""
    leader = await asyncio.to_thread(cluster.leader, name_of(LANE))
    stopped, other = (server for server in cluster.servers if server is not leader)
    stopped.signal(signal.SIGSTOP)
    await hammer.go_on(500)
    await asyncio.to_thread(cluster.lose_power, [other])
    leader.kill()
    stopped.signal(signal.SIGCONT)
    other.start()


Loss: TypeAlias = Callable[[PoweredCluster, Hammer], Awaitable[None]]


@pytest.mark.parametrize("loss", [all_at_once, one_while_another_is_stopped])
def test_what_is_acknowledged_outlasts_a_power_cut(tmp_path: Path, loss: Loss) -> None:
    async def scenario(cluster: PoweredCluster) -> None:
        async with hammering(cluster) as hammer:
            await loss(cluster, hammer)
            await hammer.go_on(50)
            cluster.start()
        await check(cluster, hammer.writers)

    with powered(tmp_path, "always") as cluster:
        asyncio.run(scenario(cluster))


@pytest.mark.parametrize("loss", [all_at_once, one_while_another_is_stopped])
def test_a_power_cut_loses_what_servers_do_not_sync(tmp_path: Path, loss: Loss) -> None:
    """Shows that the test before this one sees what is lost, and why nodes refuse such servers."""

    async def scenario(cluster: PoweredCluster) -> None:
        async with hammering(cluster) as hammer:
            await loss(cluster, hammer)
        acknowledged = {body: seq for writer in hammer.writers for body, seq in writer.places.items()}
        there = {body: seq for seq, body in await read_what_is_there(cluster)}
        lost = acknowledged.items() - there.items()
        print(f"{len(lost)} of {len(acknowledged)} acknowledged are lost")
        assert lost

    with powered(tmp_path, NEVER) as cluster:
        asyncio.run(scenario(cluster))


async def read_what_is_there(cluster: NatsCluster) -> list[tuple[int, bytes]]:
    """All that the servers have, as far as there is a stream."""
    running = next(number for number, server in enumerate(cluster.servers) if server.is_running)
    async with asyncio.timeout(120):
        while True:
            with contextlib.suppress(ClusterRefused, NoAnswer):
                async with connected(cluster, running) as connection:
                    (stream,) = await streams.find(connection, 1)
                return [] if stream is None else await read_replica(cluster, running)
            await asyncio.sleep(0.1)
