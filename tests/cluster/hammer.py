"""Six writers that append to one lane at once, as fast as they can, and the check of what they were told."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from typing import TypeAlias

from chatter.cluster.connection import Connection
from chatter.cluster.errors import NoAnswer
from chatter.cluster.jetstream import JetStreamLane, name_of
from chatter.cluster.stream import Behind, NotPlaced, Placed, Unknown
from tests.cluster.talk import create_log, settings
from tests.support.nats import NatsCluster, until
from tests.support.server import PATIENCE

LANE = 0
WRITERS = 6
PAUSE = 0.01
"""Seconds before a writer asks again where nobody has answered."""

Log: TypeAlias = list[tuple[int, bytes]]


class Writer:
    """Writer appends one body after another, each under the last sequence of which a server has told it."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.places: dict[bytes, int] = {}
        self.undecided: set[bytes] = set()  # nobody has said whether these have a place
        self.times_refused = 0
        self._name = name
        self._lane = JetStreamLane(connection, LANE)
        self._head = 0

    async def write(self) -> None:
        """Appends without end."""
        for number in itertools.count():
            await self._append(f"{self._name} {number}".encode())

    async def _append(self, body: bytes) -> None:
        self.undecided.add(body)
        while body in self.undecided:
            match await self._lane.append(body, self._head):
                case Placed(seq):
                    assert seq == self._head + 1, f"appended under {self._head}, and placed at {seq}"
                    self.undecided.remove(body)
                    self.places[body] = self._head = seq
                case Behind(last):
                    self.times_refused += 1
                    self._head = await self._last() if last is None else last
                case NotPlaced():
                    await asyncio.sleep(PAUSE)
                case Unknown():  # it stays so, and is not said again
                    self._head = await self._last()
                    return
                case other:
                    raise AssertionError(other)

    async def _last(self) -> int:
        while True:
            with contextlib.suppress(NoAnswer):
                return (await self._lane.bounds()).last
            await asyncio.sleep(PAUSE)


class Hammer:
    """Six writers in one lane."""

    def __init__(self, writers: list[Writer]) -> None:
        self.writers = writers

    @property
    def acknowledged(self) -> int:
        """How many appends have a place."""
        return sum(len(writer.places) for writer in self.writers)

    async def go_on(self, count: int) -> None:
        """Waits until so many more have a place."""
        goal = self.acknowledged + count
        await until(lambda: self.acknowledged >= goal)


@contextlib.asynccontextmanager
async def hammering(cluster: NatsCluster) -> AsyncIterator[Hammer]:
    """Has six writers append all the time, two at each server."""
    await create_log(cluster)
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(cluster, number)) for number in range(WRITERS)]
        hammer = Hammer([Writer(f"writer {number}", connection) for number, connection in enumerate(connections)])
        tasks = [asyncio.create_task(writer.write()) for writer in hammer.writers]
        try:
            yield hammer
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            for failure in (end for end in ends if isinstance(end, Exception)):
                raise failure


@contextlib.asynccontextmanager
async def connected(cluster: NatsCluster, number: int) -> AsyncIterator[Connection]:
    """Connects to one of the servers."""
    url = cluster.urls[number % len(cluster.urls)]
    connection = settings(cluster, f"hammer-{number}", (url,)).connection()
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def check(cluster: NatsCluster, writers: list[Writer]) -> None:
    """Checks that nothing is lost, doubled, differing or missing."""
    await asyncio.to_thread(cluster.wait_until_ready)
    await until(lambda: _replicas_are_equal(cluster))
    logs = [await read_replica(cluster, number) for number in range(len(cluster.servers))]
    assert all(log == logs[0] for log in logs)
    assert [seq for seq, _ in logs[0]] == list(range(1, len(logs[0]) + 1))
    placed = {body: seq for seq, body in logs[0]}
    assert len(placed) == len(logs[0]), [body for body, times in Counter(b for _, b in logs[0]).items() if times > 1]
    acknowledged = {body: seq for writer in writers for body, seq in writer.places.items()}
    assert acknowledged.items() <= placed.items()
    undecided = {body for writer in writers for body in writer.undecided}
    assert placed.keys() - acknowledged.keys() <= undecided
    refused = sum(writer.times_refused for writer in writers)
    print(f"{len(acknowledged)} acknowledged, {refused} refused, {len(undecided)} undecided")
    assert refused > len(acknowledged)  # else it was not at once


def _replicas_are_equal(cluster: NatsCluster) -> bool:
    states = [cluster.state(server, name_of(LANE)) for server in cluster.servers]
    ends = [state and (state["messages"], state["bytes"], state["last_seq"]) for state in states]
    return None not in ends and len(set(ends)) == 1


async def read_replica(cluster: NatsCluster, number: int) -> Log:
    """All that a server has, which answers who is connected to it from its own replica."""
    log: Log = []
    async with connected(cluster, number) as connection:
        lane = JetStreamLane(connection, LANE)
        last = (await lane.bounds()).last
        async with asyncio.timeout(PATIENCE):
            while len(log) < last:
                with contextlib.suppress(NoAnswer):
                    log += await lane.read(log[-1][0] if log else 0)
    return log
