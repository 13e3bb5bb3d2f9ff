"""Nodes that talk through a real cluster, and the check that nothing was lost, doubled or reordered."""

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence

from nats.aio.msg import Msg

from chatter.cluster import streams
from chatter.cluster.cluster import ClusterLog, ClusterSettings, Position
from chatter.cluster.errors import LogFull, NoAnswer, Unavailable
from chatter.cluster.frames import GENESIS, History, PlacedTurn
from tests.support.nats import NatsCluster, until

LANES = 2
MAX_BYTES = 64 * 1024 * 1024


class TalkingNode:
    """A node whose application remembers every message, so that a repeat is never said twice."""

    def __init__(self, settings: ClusterSettings) -> None:
        self.alarms: list[str] = []
        self.turns: dict[int, list[PlacedTurn]] = defaultdict(list)
        self.said: dict[bytes, int] = {}
        self.acknowledged: dict[bytes, tuple[int, int]] = {}
        self.acknowledged_at: list[float] = []
        self.drops: Callable[[Msg], bool] = lambda _message: False
        self.log = _DroppingLog(self, settings, on_turn=self._take, on_stopped=self.alarms.append)

    async def open(self, positions: Sequence[Position] | None = None) -> list[streams.LaneStream]:
        return await self.log.open(positions or [Position(0, GENESIS)] * LANES)

    async def close(self) -> None:
        await self.log.leave()
        await self.log.close()

    async def say(self, lane: int, body: bytes, patience: float = 2.0) -> int:
        """Says it until it is said, as a client repeats what is not acknowledged."""
        while True:
            with contextlib.suppress(LogFull, Unavailable):
                seq = await self.log.say(lane, lambda: None if body in self.said else body, patience=patience)
                self.acknowledged[body] = (lane, seq if seq is not None else self.said[body])
                self.acknowledged_at.append(asyncio.get_running_loop().time())
                return self.acknowledged[body][1]
            await asyncio.sleep(0.05)

    async def talk(self, stopped: asyncio.Event, lane: int = 0) -> None:
        """Says one message after another."""
        number = 0
        while not stopped.is_set():
            await self.say(lane, f"{self.log.author.name} {lane} {number}".encode())
            number += 1

    def _take(self, turn: PlacedTurn) -> None:
        self.turns[turn.lane].append(turn)
        if not turn.is_void:
            assert turn.body not in self.said, f"{turn.body!r} is doubled"
            self.said[turn.body] = turn.seq


class _DroppingLog(ClusterLog):
    """Loses the republished turns that `drops` names, as core NATS may."""

    def __init__(self, node: TalkingNode, settings: ClusterSettings, **callbacks: Callable[..., None]) -> None:
        super().__init__(settings, **callbacks)  # type: ignore[arg-type]
        self._node = node

    def _hear(self, message: Msg) -> None:
        if not self._node.drops(message):
            super()._hear(message)


def settings(cluster: NatsCluster, name: str, urls: tuple[str, ...] | None = None) -> ClusterSettings:
    return ClusterSettings(
        urls or cluster.urls, name, lanes=LANES, replicas=len(cluster.servers), monitors=cluster.monitors, version="1"
    )


async def create_log(cluster: NatsCluster, max_bytes: int = MAX_BYTES, first_seq: int = 1) -> None:
    connection = settings(cluster, "operator").connection()
    await connection.open()
    try:
        await streams.create(
            connection,
            lanes=LANES,
            replicas=len(cluster.servers),
            max_bytes=max_bytes,
            first_seqs=[first_seq] * LANES,
        )
    finally:
        await connection.close()


async def opened(cluster: NatsCluster, *names: str) -> list[TalkingNode]:
    await create_log(cluster)
    nodes = [TalkingNode(settings(cluster, name)) for name in names]
    for node in nodes:
        await node.open()
    return nodes


async def read_log(cluster: NatsCluster, lane: int) -> list[PlacedTurn]:
    """The truth: all turns of a lane, read by somebody who was not there."""
    log = ClusterLog(settings(cluster, "reader"), on_turn=lambda _turn: None)
    await log.connection.open()
    last = (await streams.verify(log.connection, lanes=LANES, monitors=cluster.monitors, replicas=1))[lane].last
    history = History(lane, 0, GENESIS)
    turns: list[PlacedTurn] = []
    while history.head < last:
        with contextlib.suppress(NoAnswer):
            turns += [history.place(seq, frame) for seq, frame in await log.read(lane, history.head)]
    await log.connection.close()
    return turns


async def check(cluster: NatsCluster, nodes: Sequence[TalkingNode], lane: int = 0) -> list[PlacedTurn]:
    """Checks that all have heard one log, and that every acknowledged message is in it once, where it was said."""
    log = await read_log(cluster, lane)
    for node in nodes:
        await until(lambda node=node: node.log.lanes[lane].head >= len(log) or node.alarms)  # type: ignore[misc]
        assert node.alarms == []
        assert node.turns[lane] == log
    bodies = [turn.body for turn in log if not turn.is_void]
    assert len(set(bodies)) == len(bodies)
    for node in nodes:
        for body, (said_in, seq) in node.acknowledged.items():
            assert said_in != lane or log[seq - 1].body == body
    return log


def longest_silence(nodes: Sequence[TalkingNode], since: float) -> float:
    """The longest time after `since` in which no message of any node was acknowledged."""
    moments = sorted([since, *(at for node in nodes for at in node.acknowledged_at if at > since)])
    return max(after - before for before, after in itertools.pairwise(moments))
