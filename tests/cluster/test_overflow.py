"""A node hears nothing while more is said than anybody keeps for it: its server cuts it off, and it reads the rest."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import pytest

from chatter.cluster.cluster import ClusterSettings
from chatter.cluster.connection import INCOMING
from tests.cluster.talk import TalkingNode, check, create_log, settings
from tests.support.nats import NatsCluster, until
from tests.support.server import PATIENCE
from tests.support.stalling_proxy import StallingProxy

pytestmark = [pytest.mark.nats, pytest.mark.chaos]

SIZE = 240 * 1024
TURNS = 2 * INCOMING // SIZE
"""Twice what a node lets wait, and a server keeps for a client that does not read (`max_pending`): 64 MiB."""

LANE_BYTES = 4 * INCOMING

_processes = multiprocessing.get_context("spawn")


class Heard(NamedTuple):
    """What a node has heard that was stopped."""

    seqs: list[int]
    chain: bytes | None  # a hash over all turns, in their order
    alarms: list[str]
    repaired: int


def _listen(chosen: ClusterSettings, pipe: Connection) -> None:
    """Listens in a process of its own until somebody says that it is the end, and tells what was heard."""

    async def listen() -> None:
        node = TalkingNode(chosen)
        await node.open()
        pipe.send("open")
        await until(lambda: b"the end" in node.said or bool(node.alarms))
        lane = node.log.lanes[0]
        repaired = lane.counts.gaps_read + lane.counts.tails_repaired + node.log.connection.counts["reconnects"]
        pipe.send(Heard([turn.seq for turn in node.turns[0]], lane.chain, node.alarms, repaired))
        await node.close()

    asyncio.run(listen())


@contextlib.contextmanager
def listening(chosen: ClusterSettings) -> Iterator[tuple[int, Connection]]:
    """Has a process listen that can be stopped; yields its id, and what it tells."""
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=_listen, args=(chosen, theirs))
    process.start()
    assert process.pid is not None
    try:
        yield process.pid, ours
        process.join(PATIENCE)
    finally:
        process.kill()
        process.join()


async def told(pipe: Connection) -> object:
    assert await asyncio.to_thread(pipe.poll, PATIENCE)
    return pipe.recv()


@contextlib.asynccontextmanager
async def speaker(cluster: NatsCluster) -> AsyncIterator[TalkingNode]:
    """A node that says something in a lane in which there is room for all of it."""
    await create_log(cluster, max_bytes=LANE_BYTES)
    node = TalkingNode(settings(cluster, "ann"))
    await node.open()
    yield node
    await node.close()


async def say_too_much(cluster: NatsCluster, node: TalkingNode) -> None:
    """Says more than the server keeps for who does not read, and returns when it has cut somebody off for that."""
    for number in range(TURNS):
        await node.say(0, b"%d " % number + bytes(SIZE))
    await until(lambda: cluster.servers[0].ask("/varz")["slow_consumers"])


async def say_more(node: TalkingNode) -> None:
    """Goes on for a while, so that what is said meets what is read, and ends."""
    for number in range(200):
        await node.say(0, b"more %d" % number)
    await node.say(0, b"the end")


def test_a_node_that_was_stopped_reads_what_no_one_has_kept_for_it(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with speaker(one) as ann:
            with listening(settings(one, "bo")) as (pid, pipe):
                assert await told(pipe) == "open"
                os.kill(pid, signal.SIGSTOP)
                await say_too_much(one, ann)
                os.kill(pid, signal.SIGCONT)
                await say_more(ann)
                heard = await told(pipe)
            log = await check(one, [ann])
            assert isinstance(heard, Heard)
            assert heard.alarms == []
            assert heard.seqs == [turn.seq for turn in log] == list(range(1, TURNS + 202))
            assert heard.chain == ann.log.lanes[0].chain
            assert heard.repaired > 0

    asyncio.run(scenario())


def test_a_node_whose_network_stalls_reads_what_no_one_has_kept_for_it(one: NatsCluster) -> None:
    async def scenario() -> None:
        with StallingProxy(one.servers[0].port) as proxy:
            async with speaker(one) as ann:
                bo = TalkingNode(settings(one, "bo", (f"nats://127.0.0.1:{proxy.port}",)))
                await bo.open()
                proxy.stall()
                await say_too_much(one, ann)
                proxy.resume()
                await say_more(ann)
                await until(lambda: b"the end" in bo.said or bool(bo.alarms))
                log = await check(one, [ann, bo])
                assert [turn.seq for turn in bo.turns[0]] == [turn.seq for turn in log] == list(range(1, TURNS + 202))
                await bo.say(0, b"I am back")
                await check(one, [ann, bo])
                await bo.close()

    asyncio.run(scenario())
