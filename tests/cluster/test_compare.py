"""Six writers append to one lane at once, as fast as they can: the compare of the servers alone keeps the order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from chatter.cluster.jetstream import name_of
from tests.cluster.hammer import LANE, Hammer, check, connected, hammering
from tests.support.nats import NatsCluster

pytestmark = pytest.mark.nats

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
        await check(three, hammer.writers)

    asyncio.run(scenario())


@pytest.mark.chaos
@pytest.mark.parametrize("fault", [nothing, leader_steps_down, leader_killed, leader_stopped])
def test_six_writers_in_one_lane_have_one_dense_order_whatever_fails(three: NatsCluster, fault: Fault) -> None:
    async def scenario() -> None:
        async with hammering(three) as hammer:
            for _ in range(5):
                await hammer.go_on(100)
                await fault(three, hammer)
        await check(three, hammer.writers)

    asyncio.run(scenario())
