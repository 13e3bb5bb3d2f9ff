"""Nodes on one real nats-server."""

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.msg import Msg

from chatter.cluster import streams
from chatter.cluster.cluster import Position
from chatter.cluster.connection import Connection
from chatter.cluster.errors import LogFull, NoAnswer
from chatter.cluster.frames import GENESIS
from chatter.cluster.jetstream import JetStreamLane, outcome_of
from chatter.cluster.stream import Behind, Full, Outcome, Placed, Unknown, Wrong
from tests.cluster.lanes import frame
from tests.cluster.talk import LANES, TalkingNode, check, create_log, opened, settings
from tests.support.nats import NatsCluster, until
from tests.support.server import PATIENCE
from tests.support.stalling_proxy import StallingProxy

pytestmark = pytest.mark.nats


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ('{"stream":"CHATTER_0","seq":7}', Placed(7)),
        ('{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 101"},"seq":0}', Behind(101)),
        ('{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"seq":0}', Behind(None)),
        ('{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"seq":0}', Full()),
        ('{"error":{"code":503,"err_code":10077,"description":"disk error"}}', Unknown("10077 disk error")),
        ('{"error":{"code":400,"err_code":10060,"description":"expected stream"}}', Wrong("expected stream")),
        ('{"error":{"code":500,"err_code":99999,"description":"new"}}', Unknown("99999 new")),
    ],
)
def test_every_answer_to_an_append_has_a_meaning(answer: str, outcome: Outcome) -> None:
    assert outcome_of(answer.encode()) == outcome


def test_an_answer_that_is_none_decides_nothing() -> None:
    assert isinstance(outcome_of(b"?"), Unknown)


@pytest.mark.parametrize(
    ("replicas", "counts"),
    [
        ([{"current": True, "active": 100_000_000}, {"current": False, "active": 60_000_000_000}], True),
        ([{"current": False, "active": 100_000_000}, {"current": False, "active": 0}], True),
        ([{"current": True, "active": 0}, {"current": False, "active": 0}], True),
        ([{"current": False, "active": 0}, {"current": False, "active": 0}], False),  # it has heard of nobody, ever
        ([{"current": True, "active": 60_000_000_000}, {"current": False, "active": 0}], False),
        ([], True),
    ],
)
def test_a_leader_counts_that_has_heard_of_most_replicas(replicas: list[dict[str, Any]], *, counts: bool) -> None:
    class Leader:
        async def request(self, *_asked: Any, **_options: Any) -> Any:
            info = {"state": {"first_seq": 1, "last_seq": 7}, "cluster": {"leader": "n0", "replicas": replicas}}
            return SimpleNamespace(data=json.dumps(info).encode())

        def answered(self, _leader: str) -> None:
            pass

    leader: Any = Leader()
    if counts:
        assert asyncio.run(JetStreamLane(leader, 0).bounds()).last == 7
    else:
        with pytest.raises(NoAnswer, match="its leader hears of 0 of 2 replicas"):
            asyncio.run(JetStreamLane(leader, 0).bounds())


def test_a_read_ends_where_the_log_was_trimmed_or_an_answer_was_lost_meanwhile() -> None:
    class Replica:
        async def stream(self, *_asked: Any, **_options: Any) -> Any:
            numbers = (4, 5, 8, 9)
            frames = [SimpleNamespace(headers={"Nats-Sequence": str(seq)}, data=b"%d" % seq) for seq in numbers]
            return [*frames, SimpleNamespace(headers={"Status": "204"}, data=b"")]

    replica: Any = Replica()
    assert asyncio.run(JetStreamLane(replica, 0).read(3)) == [(4, b"4"), (5, b"5")]
    assert asyncio.run(JetStreamLane(replica, 0).read(1)) == [(4, b"4"), (5, b"5")]  # what is missing shows


def test_two_nodes_that_both_append_have_one_dense_order(one: NatsCluster) -> None:
    async def scenario() -> None:
        nodes = await opened(one, "ann", "bo")
        stopped = asyncio.Event()
        talking = [asyncio.create_task(node.talk(stopped, lane)) for node in nodes for lane in range(LANES)]
        await until(lambda: min(node.log.lanes[0].head for node in nodes) > 200)
        stopped.set()
        await asyncio.gather(*talking)
        for lane in range(LANES):
            log = await check(one, nodes, lane)
            assert [turn.seq for turn in log] == list(range(1, len(log) + 1))
            assert {turn.by for turn in log} == {"ann", "bo"}
        assert sum(node.log.lanes[0].counts.conflicts for node in nodes) > 0
        for node in nodes:
            await node.close()

    asyncio.run(scenario())


def test_a_lost_last_turn_is_read_within_heartbeats(one: NatsCluster) -> None:
    async def scenario() -> None:
        ann, bo = await opened(one, "ann", "bo")
        bo.drops = lambda _message: True
        await ann.say(0, b"hello")
        said_at = asyncio.get_running_loop().time()
        await until(lambda: b"hello" in bo.said)
        # A heartbeat each 0.5 s and 0.1 s of patience; the rest is for a slow machine.
        assert asyncio.get_running_loop().time() - said_at < 3
        assert bo.log.lanes[0].counts.tails_repaired == 1
        await check(one, [ann, bo])
        await ann.close()
        await bo.close()

    asyncio.run(scenario())


def test_lost_turns_are_read_when_a_later_one_is_heard(one: NatsCluster) -> None:
    async def scenario() -> None:
        ann, bo = await opened(one, "ann", "bo")
        bo.drops = lambda message: message.headers is not None and int(message.headers["Nats-Sequence"]) < 100
        for number in range(100):
            await ann.say(0, b"%d" % number)
        await until(lambda: bo.log.lanes[0].head == 100)
        counts = bo.log.lanes[0].counts
        assert counts.gaps_read + counts.tails_repaired >= 1  # a heartbeat may have told of them before
        await check(one, [ann, bo])
        await ann.close()
        await bo.close()

    asyncio.run(scenario())


def test_a_turn_put_in_by_hand_counts_for_nobody(one: NatsCluster) -> None:
    async def scenario() -> None:
        ann, bo = await opened(one, "ann", "bo")
        await ann.say(0, b"before")
        await ann.log.connection.request("chatter.log.0", frame(7, b"by hand"), timeout=PATIENCE)
        await ann.log.connection.request("chatter.log.0", b"not even a frame", timeout=PATIENCE)
        assert await bo.say(0, b"after") == 4
        log = await check(one, [ann, bo])
        assert [turn.body for turn in log if not turn.is_void] == [b"before", b"after"]
        assert [node.log.lanes[0].counts.invalid for node in (ann, bo)] == [2, 2]
        await ann.close()
        await bo.close()

    asyncio.run(scenario())


def test_a_turn_of_another_history_stops_every_node(one: NatsCluster) -> None:
    async def scenario() -> None:
        ann, bo = await opened(one, "ann", "bo")
        await ann.say(0, b"before")
        await ann.log.connection.request("chatter.log.0", frame(1, b"by hand", chain=b"?" * 16), timeout=PATIENCE)
        await until(lambda: bool(ann.alarms and bo.alarms))
        assert ann.alarms[0].startswith("turn 2 of lane 0, by node by hand, follows another history: expected chain ")
        assert not ann.log.is_healthy
        assert await bo.say(1, b"other lanes go on") == 1
        await ann.close()
        await bo.close()

    asyncio.run(scenario())


def test_a_full_stream_refuses_and_loses_nothing(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one, max_bytes=300_000)
        ann, bo = TalkingNode(settings(one, "ann")), TalkingNode(settings(one, "bo"))
        await ann.open()
        await bo.open()
        for number in range(7):
            await ann.say(0, bytes([number]) * 30_000)
        with pytest.raises(LogFull):
            await ann.log.say(0, lambda: bytes(100_000))
        log = await check(one, [ann, bo])
        assert len(log) == 7
        await ann.log.purge(0, before=7)
        assert await bo.say(0, bytes(100_000)) == 8
        await until(lambda: bytes(100_000) in ann.said)
        await ann.close()
        await bo.close()

    asyncio.run(scenario())


def test_a_node_notices_that_the_log_was_made_anew_while_nobody_speaks(one: NatsCluster) -> None:
    async def scenario() -> None:
        (ann,) = await opened(one, "ann")
        await ann.say(0, b"hello")
        connection = settings(one, "operator").connection()
        await connection.open()
        await streams.delete(connection, LANES)
        await connection.close()
        await create_log(one)
        await until(lambda: len(ann.alarms) == LANES)
        assert sorted(alarm.split(" at ")[0] for alarm in ann.alarms) == [
            f"the stream of lane {lane} was created anew" for lane in range(LANES)
        ]
        assert not ann.log.is_healthy
        await ann.close()

    asyncio.run(scenario())


def test_numbers_go_on_after_all_was_purged(one: NatsCluster) -> None:
    async def scenario() -> None:
        (ann,) = await opened(one, "ann")
        for number in range(5):
            await ann.say(0, b"%d" % number)
        await ann.log.purge(0, before=6)
        positions = [Position(5, ann.log.lanes[0].chain), Position(0, GENESIS)]
        await ann.close()
        bo = TalkingNode(settings(one, "bo"))
        await bo.open(positions)
        assert await bo.say(0, b"5") == 6
        await bo.close()
        cy = TalkingNode(settings(one, "cy"))
        await cy.open([Position(5, None), Position(0, GENESIS)])
        assert [turn.body for turn in cy.turns[0]] == [b"5"]
        await cy.close()

    asyncio.run(scenario())


def test_a_log_keeps_what_is_young_and_not_more_than_half_of_its_stream(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one, max_bytes=1_000_000)
        node = TalkingNode(settings(one, "ann"))
        await node.open([Position(0, GENESIS)] * LANES)

        async def first() -> int:
            return (await node.log.read(0, 0))[0][0]

        for word in (b"one", b"two", b"three"):
            await node.say(0, word)
        await node.log.trim(0, saved=3, age=60.0)
        assert await first() == 1
        await node.log.trim(0, saved=2, age=0.0)
        assert await first() == 3
        for number in range(3):
            await node.say(0, b"%d" % number * 200_000)
        await node.log.trim(0, saved=4, age=60.0)
        assert await first() == 5
        await node.close()

    asyncio.run(scenario())


class LosingConnection(Connection):
    """LosingConnection loses the first answer to each request that changes a stream."""

    lost: frozenset[str] = frozenset()

    async def request(
        self, subject: str, payload: bytes, *, timeout: float, headers: Mapping[str, str] | None = None
    ) -> Msg:
        answer = await super().request(subject, payload, timeout=timeout, headers=headers)
        if ".INFO." in subject or subject in self.lost:
            return answer
        self.lost |= {subject}
        await asyncio.sleep(timeout)
        raise NoAnswer(f"no answer on {subject}")


@pytest.mark.parametrize("number", [1, 3])
def test_a_log_is_made_and_deleted_where_the_first_answers_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(streams, "CHANGE_TIMEOUT", 1.0)

    async def scenario(cluster: NatsCluster) -> None:
        connection = LosingConnection(cluster.urls, name="operator")
        await connection.open()
        most = 1_600 * 1024 * 1024  # of 2 GiB, which are not taken twice
        made = await streams.create(connection, lanes=1, replicas=number, max_bytes=most)
        assert [(stream.first, stream.replicas) for stream in made] == [(1, number)]
        await streams.delete(connection, lanes=1)
        assert await streams.find(connection, 1) == [None]
        assert len(connection.lost) == 2
        await connection.close()

    with NatsCluster(tmp_path, number) as cluster:
        asyncio.run(scenario(cluster))


def test_a_log_may_begin_at_the_position_of_the_database(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one, first_seq=1001)
        ann = TalkingNode(settings(one, "ann"))
        await ann.open([Position(1000, GENESIS)] * LANES)
        assert await ann.say(0, b"hello") == 1001
        await ann.close()

    asyncio.run(scenario())


def test_a_node_whose_connection_stalls_says_so_and_then_catches_up(one: NatsCluster) -> None:
    async def scenario() -> None:
        with StallingProxy(one.servers[0].port) as proxy:
            (ann,) = await opened(one, "ann")
            bo = TalkingNode(settings(one, "bo", (f"nats://127.0.0.1:{proxy.port}",)))
            await bo.open()
            stopped = asyncio.Event()
            talking = asyncio.create_task(ann.talk(stopped))
            proxy.stall()
            saying = asyncio.create_task(bo.say(0, b"hello"))
            await until(lambda: not bo.log.is_healthy)
            assert ann.log.is_healthy
            proxy.resume()
            await until(lambda: bo.log.is_healthy)
            await saying
            stopped.set()
            await talking
            log = await check(one, [ann, bo])
            assert b"hello" in [turn.body for turn in log]
            await bo.close()
            await ann.close()

    asyncio.run(scenario())


def test_a_server_that_is_killed_and_started_again_has_all_that_was_acknowledged(one: NatsCluster) -> None:
    async def scenario() -> None:
        nodes = await opened(one, "ann", "bo")
        stopped = asyncio.Event()
        talking = [asyncio.create_task(node.talk(stopped)) for node in nodes]
        await until(lambda: nodes[0].log.lanes[0].head > 50)
        one.servers[0].kill()
        await until(lambda: not any(node.log.is_healthy for node in nodes))
        heard = nodes[0].log.lanes[0].head
        one.start()
        await until(lambda: nodes[0].log.lanes[0].head > heard + 50)
        stopped.set()
        await asyncio.gather(*talking)
        await check(one, nodes)
        for node in nodes:
            await node.close()

    asyncio.run(scenario())


def test_nodes_hear_who_lives_and_who_has_left(one: NatsCluster) -> None:
    async def scenario() -> None:
        ann, bo = await opened(one, "ann", "bo")
        await until(lambda: ann.log.nodes.live() == bo.log.nodes.live() == ["ann", "bo"])
        keys = [f"lane {number}" for number in range(20)]
        assert [ann.log.nodes.owner(key) for key in keys] == [bo.log.nodes.owner(key) for key in keys]
        assert {ann.log.nodes.owner(key) for key in keys} == {"ann", "bo"}
        await bo.close()
        await until(lambda: ann.log.nodes.live() == ["ann"])
        assert {ann.log.nodes.owner(key) for key in keys} == {"ann"}
        await ann.close()

    asyncio.run(scenario())


def test_a_node_that_falls_silent_counts_as_dead(one: NatsCluster) -> None:
    async def scenario() -> None:
        ann, bo = await opened(one, "ann", "bo")
        await until(lambda: ann.log.nodes.live() == ["ann", "bo"])
        await bo.log.close()  # without a bye
        await until(lambda: ann.log.nodes.live() == ["ann"])
        await ann.close()

    asyncio.run(scenario())


def test_a_paused_server_makes_nodes_unhealthy_until_it_goes_on(one: NatsCluster) -> None:
    async def scenario() -> None:
        (ann,) = await opened(one, "ann")
        one.servers[0].signal(signal.SIGSTOP)
        await until(lambda: not ann.log.is_healthy)
        one.servers[0].signal(signal.SIGCONT)
        await until(lambda: ann.log.is_healthy)
        assert await ann.say(0, b"hello") == 1
        await ann.close()

    asyncio.run(scenario())
