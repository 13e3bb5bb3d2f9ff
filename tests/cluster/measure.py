"""How nodes share a lane: `python -m tests.cluster.measure [--servers 3] [--seconds 5]`.

Nodes that always have something to say in one lane append (a) at once, and decide anew when they were refused,
(b) after they were granted the turn by the lane's owner, (c) by the ring of those who wait, as Chatter does.
All nodes are in this process, the servers on this machine: only ratios carry over.
"""

import argparse
import asyncio
import functools
import statistics
import tempfile
import time
from collections import deque
from pathlib import Path

from nats.aio.msg import Msg

from chatter.cluster import streams
from chatter.cluster.cluster import ClusterLog, ClusterSettings, Position
from chatter.cluster.errors import NoAnswer
from chatter.cluster.frames import GENESIS, PlacedTurn
from chatter.cluster.nodes import rendezvous
from tests.support.nats import NatsCluster, until

BODY = b"x" * 200
GRANT_LASTS = 1.0
LANE = 0


class Nobody:
    """Way (a): nobody waits."""

    async def wait(self, number: int) -> None:
        """Returns at once."""

    def rest(self, number: int) -> None:
        """Does nothing."""

    def heard(self, turn: PlacedTurn) -> None:
        """Does nothing."""


class Grants:
    """Way (b): the owner of a lane, the same for all by rendezvous, grants one node after another the turn."""

    def __init__(self, log: ClusterLog, names: list[str]) -> None:
        self._log = log
        self._name = log.author.name
        self._owner = rendezvous(f"lane {LANE}", names)
        self._holder: str | None = None
        self._until = 0.0
        self._queue: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._answers: set[asyncio.Future[None]] = set()

    async def open(self) -> None:
        """Begins to answer requests."""
        await self._log.connection.subscribe(f"chatter.node.{self._name}.grant", self._asked)

    async def wait(self, number: int) -> None:
        """Returns when this node has the turn. A silent owner is asked again."""
        if self._owner == self._name:
            granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._enqueue(self._name, granted)
            await granted
            return
        while True:
            try:
                subject = f"chatter.node.{self._owner}.grant"
                await self._log.connection.request(subject, self._name.encode(), timeout=GRANT_LASTS)
            except NoAnswer:
                continue
            return

    def rest(self, number: int) -> None:
        """Does nothing: all always have something to say."""

    def heard(self, turn: PlacedTurn) -> None:
        """The grant ends with its holder's turn."""
        if turn.by == self._holder:
            self._holder = None
            self._grant()

    def _asked(self, message: Msg) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(message.data.decode(), granted)
        self._answers.add(task := asyncio.ensure_future(self._answer(message.reply, granted)))
        task.add_done_callback(self._answers.discard)

    async def _answer(self, reply: str, granted: "asyncio.Future[None]") -> None:
        await granted
        await self._log.connection.publish(reply, b"")

    def _enqueue(self, name: str, granted: "asyncio.Future[None]") -> None:
        self._queue.append((name, granted))
        self._grant()

    def _grant(self) -> None:
        if self._queue and (self._holder is None or time.monotonic() > self._until):
            self._holder, granted = self._queue.popleft()
            self._until = time.monotonic() + GRANT_LASTS
            granted.set_result(None)


async def measure(cluster: NatsCluster, servers: int, way: str, nodes: int, seconds: float) -> None:
    """Runs one case on streams of its own, and prints its line."""
    names = [f"n{number}" for number in range(nodes)] + (["listener"] if nodes == 1 else [])
    started: dict[tuple[str, int], float] = {}
    delays: list[float] = []
    placed = 0

    def heard(listener: str, turn: PlacedTurn) -> None:
        nonlocal placed
        placed += listener == turn.by
        if listener == names[names.index(turn.by) - 1] and (turn.by, turn.n) in started:
            delays.append(time.perf_counter() - started[turn.by, turn.n])

    logs = []
    for name in names:
        settings = ClusterSettings(cluster.urls, name, lanes=1, replicas=servers, monitors=cluster.monitors)
        logs.append(ClusterLog(settings, on_turn=functools.partial(heard, name)))
    connection = logs[0].settings.connection()
    await connection.open()
    await streams.create(connection, lanes=1, replicas=servers, max_bytes=1 << 28)
    for log in logs:
        await log.open([Position(0, GENESIS)])
        if way == "optimistic":
            log.turn_taking = Nobody()  # type: ignore[assignment]
        elif way == "grants":
            grants = Grants(log, names)
            await grants.open()
            log.turn_taking = grants  # type: ignore[assignment]
    await until(lambda: all(len(log.nodes.live()) == len(names) for log in logs))
    end = time.monotonic() + seconds

    async def talk(log: ClusterLog) -> None:
        while time.monotonic() < end:
            since = time.perf_counter()

            def decide(since: float = since) -> bytes:
                started[log.author.name, log.lanes[LANE]._appends + 1] = since
                return BODY

            await log.say(LANE, decide)

    await asyncio.gather(*(talk(log) for log in logs[:nodes]))
    conflicts = sum(log.lanes[LANE].counts.conflicts for log in logs)
    tries = conflicts + placed
    percentiles = statistics.quantiles(delays, n=20)
    print(
        f"| {way} | {nodes} | {placed / seconds:.0f} | {percentiles[9] * 1e3:.1f} | {percentiles[18] * 1e3:.1f} "
        f"| {conflicts / tries:.1%} |",
        flush=True,
    )
    for log in logs:
        await log.leave()
        await log.close()
    await connection.request(f"$JS.API.STREAM.DELETE.CHATTER_{LANE}", b"", timeout=10)
    await connection.close()


async def main() -> None:
    """Runs all cases, one after another, so that all have the same machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ways", nargs="+", default=["optimistic", "grants", "ring"])
    arguments = parser.parse_args()
    print("| way | nodes | turns/s | heard p50 ms | p95 ms | refused |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, NatsCluster(Path(folder), arguments.servers) as cluster:
        for nodes in arguments.nodes:
            for way in arguments.ways:
                await measure(cluster, arguments.servers, way, nodes, arguments.seconds)


if __name__ == "__main__":
    asyncio.run(main())
