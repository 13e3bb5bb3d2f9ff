"""Six writers append to one lane at once, as fast as they can: the compare of the servers alone keeps the order."""

import asyncio
import contextlib
import itertools
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest

from chatter.cluster.connection import Connection
from chatter.cluster.errors import NoAnswer
from chatter.cluster.jetstream import JetStreamLane, name_of
from chatter.cluster.stream import Behind, NotPlaced, Placed, Unknown
from tests.cluster.talk import create_log, settings
from tests.support.nats import NatsCluster, until

pytestmark = pytest.mark.nats

LANE = 0
WRITERS = 6
PAUSE = 0.01
"""Seconds before a writer asks again where nobody has answered."""

Log: TypeAlias = list[tuple[int, bytes]]


class Writer:
    """Writer appends one body after another, each under the last sequence of which a server has told it."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.places: dict[bytes, int] = {}
        self.undecided: set[bytes] = set()  # nobody has said whether these have a place: they are not said again
        self.times_refused = 0
        self._name = name
        self._lane = JetStreamLane(connection, LANE)
        self._head = 0

    async def write(self, stopped: asyncio.Event) -> None:
        """Appends until it is stopped."""
        for number in itertools.count():
            if stopped.is_set():
                return
            await self._append(f"{self._name} {number}".encode())

    async def _append(self, body: bytes) -> None:
        while body not in self.places and body not in self.undecided:
            match await self._lane.append(body, self._head):
                case Placed(seq):
                    assert seq == self._head + 1, f"appended under {self._head}, and placed at {seq}"
                    self.places[body] = self._head = seq
                case Behind(last):
                    self.times_refused += 1
                    self._head = await self._last() if last is None else last
                case NotPlaced():
                    await asyncio.sleep(PAUSE)
                case Unknown():
                    self.undecided.add(body)
                    self._head = await self._last()
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
    """Has six writers append all the time; at the end all that they were told is compared with each replica."""
    await create_log(cluster)
    stopped = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(cluster, number)) for number in range(WRITERS)]
        hammer = Hammer([Writer(f"writer {number}", connection) for number, connection in enumerate(connections)])
        async with asyncio.TaskGroup() as tasks:
            for writer in hammer.writers:
                tasks.create_task(writer.write(stopped))
            yield hammer
            stopped.set()
        await check(cluster, hammer.writers)


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
        while len(log) < last:
            with contextlib.suppress(NoAnswer):
                log += await lane.read(log[-1][0] if log else 0)
    return log


Fault: TypeAlias = Callable[[NatsCluster, Hammer], Awaitable[None]]


async def nothing(_cluster: NatsCluster, hammer: Hammer) -> None:
    await hammer.go_on(1_000)


async def leader_steps_down(cluster: NatsCluster, hammer: Hammer) -> None:
    async with connected(cluster, 0) as connection:
        await connection.publish(f"$JS.API.STREAM.LEADER.STEPDOWN.{name_of(LANE)}", b"")
    await hammer.go_on(100)


async def leader_killed(cluster: NatsCluster, hammer: Hammer) -> None:
    await asyncio.to_thread(lambda: cluster.leader(name_of(LANE)).kill())
    await hammer.go_on(100)
    cluster.start()
    await asyncio.to_thread(cluster.wait_until_ready)


async def leader_stopped(cluster: NatsCluster, hammer: Hammer) -> None:
    leader = await asyncio.to_thread(cluster.leader, name_of(LANE))
    leader.signal(signal.SIGSTOP)
    await hammer.go_on(100)
    leader.signal(signal.SIGCONT)


def test_six_writers_in_one_lane_have_one_dense_order(three: NatsCluster) -> None:
    async def scenario() -> None:
        async with hammering(three) as hammer:
            await hammer.go_on(300)

    asyncio.run(scenario())


@pytest.mark.chaos
@pytest.mark.parametrize("fault", [nothing, leader_steps_down, leader_killed, leader_stopped])
def test_six_writers_in_one_lane_have_one_dense_order_whatever_fails(three: NatsCluster, fault: Fault) -> None:
    async def scenario() -> None:
        async with hammering(three) as hammer:
            for _ in range(5):
                await hammer.go_on(100)
                await fault(three, hammer)

    asyncio.run(scenario())
