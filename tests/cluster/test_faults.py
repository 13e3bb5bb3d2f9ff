"""Three nats-servers and two nodes that talk all the time, while servers are killed, stopped and started again."""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from chatter.cluster.errors import Unavailable
from tests.cluster.talk import LANES, TalkingNode, check, longest_silence, opened, settings
from tests.support.nats import NatsCluster, NatsServer, SeparableCluster, until

pytestmark = pytest.mark.nats


@contextlib.asynccontextmanager
async def talking(cluster: NatsCluster, *names: str) -> AsyncIterator[list[TalkingNode]]:
    """Nodes that say one message after another in each lane; at the end all logs are checked.

    A node that is added to the list only listens, and is checked too.
    """
    nodes = await opened(cluster, *names)
    talkers = tuple(nodes)
    stopped = asyncio.Event()
    tasks = [asyncio.create_task(node.talk(stopped, lane)) for node in nodes for lane in range(LANES)]
    try:
        await until(lambda: _heads(nodes) > 20 * LANES)
        yield nodes
        await goes_on(talkers)
        stopped.set()
        await asyncio.gather(*tasks)
        for lane in range(LANES):
            log = await check(cluster, nodes, lane)
            assert [turn.seq for turn in log] == list(range(1, len(log) + 1))
            assert not any(turn.is_void for turn in log)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for node in nodes:
            await node.close()


async def goes_on(nodes: Sequence[TalkingNode]) -> None:
    """Waits until every node has said something more, in every lane."""
    before = [len(node.acknowledged) for node in nodes]
    heads = {(node, lane): node.log.lanes[lane].head for node in nodes for lane in range(LANES)}
    await until(lambda: all(len(node.acknowledged) > count + 5 for node, count in zip(nodes, before, strict=True)))
    await until(lambda: all(node.log.lanes[lane].head > head + 2 for (node, lane), head in heads.items()))


async def in_thread(server: NatsServer, number: signal.Signals) -> None:
    await asyncio.to_thread(server.signal, number)


async def leader(cluster: NatsCluster, lane: int = 0) -> NatsServer:
    return await asyncio.to_thread(cluster.leader, f"CHATTER_{lane}")


def now() -> float:
    return asyncio.get_running_loop().time()


def _heads(nodes: Sequence[TalkingNode]) -> int:
    return min(sum(node.log.lanes[lane].head for lane in range(LANES)) for node in nodes)


def test_a_killed_leader_loses_nothing(three: NatsCluster) -> None:
    async def scenario() -> None:
        async with talking(three, "ann", "bo") as nodes:
            since = now()
            await in_thread(await leader(three), signal.SIGKILL)
            await goes_on(nodes)
            three.start()
        print(f"leader killed: {longest_silence(nodes, since):.1f} s without any acknowledgement")

    asyncio.run(scenario())


def test_without_quorum_nothing_is_acknowledged_and_with_it_all_is_decided(three: NatsCluster) -> None:
    async def scenario() -> None:
        async with talking(three, "ann", "bo") as nodes:
            last = await leader(three)  # it goes on to take what it can no longer have decided
            for server in three.servers:
                if server is not last:
                    await in_thread(server, signal.SIGKILL)
            await until(lambda: not any(node.log.is_healthy for node in nodes))
            await until(lambda: any(node.log.lanes[0].counts.undecided for node in nodes))
            acknowledged = [len(node.acknowledged) for node in nodes]
            undecided = next(node.log.lanes[0] for node in nodes if not node.log.lanes[0].is_writable)
            with pytest.raises(Unavailable):
                await undecided.append(b"more", undecided.head)
            assert acknowledged == [len(node.acknowledged) for node in nodes]
            three.start()
            await until(lambda: all(node.log.is_healthy for node in nodes))

    asyncio.run(scenario())


@pytest.mark.chaos
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_leaders_end_one_after_another(three: NatsCluster, number: signal.Signals) -> None:
    async def scenario() -> None:
        silences = []
        async with talking(three, "ann", "bo") as nodes:
            for turn in range(4):
                since = now()
                await in_thread(await leader(three, turn % LANES), number)
                await goes_on(nodes)
                silences.append(round(longest_silence(nodes, since), 2))
                three.start()
                await asyncio.to_thread(three.wait_until_ready)
        print(f"leaders ended by {number.name}: {silences} s without any acknowledgement")

    asyncio.run(scenario())


@pytest.mark.chaos
def test_a_killed_follower_is_not_noticed(three: NatsCluster) -> None:
    async def scenario() -> None:
        async with talking(three, "ann", "bo") as nodes:
            leaders = [await leader(three, lane) for lane in range(LANES)]
            follower = next(server for server in three.servers if server not in leaders)
            await in_thread(follower, signal.SIGKILL)
            await goes_on(nodes)
            three.start()
            await asyncio.to_thread(three.wait_until_ready)

    asyncio.run(scenario())


@pytest.mark.chaos
def test_all_servers_killed_at_once_lose_nothing(three: NatsCluster) -> None:
    async def scenario() -> None:
        async with talking(three, "ann", "bo"):
            await asyncio.gather(*(in_thread(server, signal.SIGKILL) for server in three.servers))
            three.start()

    asyncio.run(scenario())


@pytest.mark.chaos
def test_a_paused_leader_comes_back_with_nothing_of_its_own(three: NatsCluster) -> None:
    async def scenario() -> None:
        async with talking(three, "ann", "bo") as nodes:
            paused = await leader(three)
            paused.signal(signal.SIGSTOP)
            await goes_on(nodes)
            paused.signal(signal.SIGCONT)

    asyncio.run(scenario())


@pytest.mark.chaos
def test_a_node_whose_server_is_cut_off_goes_to_another(tmp_path: Path) -> None:
    async def scenario(cluster: SeparableCluster) -> None:
        async with talking(cluster, "ann", "bo") as nodes:
            cut = TalkingNode(settings(cluster, "cut", cluster.urls[:1]))  # it learns of the others from the first
            await cut.open()
            since = now()
            cluster.separate()
            await until(lambda: cut.log.connection.counts["forced"] > 0)
            await until(lambda: cut.log.is_healthy)
            print(f"a node whose server was cut off is healthy again after {now() - since:.1f} s")
            await cut.say(0, b"hello")
            await goes_on(nodes)
            cluster.join()
            await asyncio.to_thread(cluster.wait_until_ready)
            nodes.append(cut)

    with SeparableCluster(tmp_path) as cluster:
        asyncio.run(scenario(cluster))


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2))
def test_one_fault_after_another(three: NatsCluster, seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        async with talking(three, "ann", "bo", "cy") as nodes:
            for _ in range(10):
                fault = chance.choice(["leader", "follower", "pause", "step down", "drop", "reconnect", "late joiner"])
                lane, node = chance.randrange(LANES), chance.choice(nodes)
                at = await leader(three, lane)
                if fault in ("leader", "follower"):
                    victim = at if fault == "leader" else next(each for each in three.servers if each is not at)
                    await in_thread(victim, signal.SIGKILL)
                    await goes_on(nodes)
                    three.start()
                elif fault == "pause":
                    at.signal(signal.SIGSTOP)
                    await goes_on(nodes)
                    at.signal(signal.SIGCONT)
                elif fault == "step down":
                    subject = f"$JS.API.STREAM.LEADER.STEPDOWN.CHATTER_{lane}"
                    await node.log.connection.publish(subject, b"")
                elif fault == "drop":
                    node.drops = lambda _message: chance.random() < 0.3
                elif fault == "reconnect":
                    await node.log.connection.force_reconnect()
                else:
                    late = TalkingNode(settings(three, "late"))
                    await late.open()
                    await until(lambda late=late: late.log.is_healthy)  # type: ignore[misc]
                    await late.close()
                await goes_on(nodes)
                node.drops = lambda _message: False
                await asyncio.to_thread(three.wait_until_ready)

    asyncio.run(scenario())
