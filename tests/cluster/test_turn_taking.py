"""Who appends first where several nodes want to: nobody is passed over for long, and nobody waits for nothing."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatter.cluster.connection import OnMessage
from chatter.cluster.errors import Conflict
from chatter.cluster.frames import GENESIS, PlacedTurn
from chatter.cluster.turn_taking import SLOT, TurnTaking
from tests.cluster.lanes import HeardLane
from tests.support.log_model import LogModel
from tests.support.virtual_time import run, seconds

ON_ITS_WAY = 0.002
"""Seconds for which a message is on its way from one node to another, or to the log."""

DURATION = 15.0
"""Seconds for which nodes talk, on the loop's clock."""


class Wire:
    """Wire carries what nodes tell each other beside the log."""

    def __init__(self) -> None:
        self.said = 0
        self._hearers: list[OnMessage] = []

    async def subscribe(self, _subject: str, on_message: OnMessage) -> None:
        self._hearers.append(on_message)

    async def publish(self, subject: str, payload: bytes) -> None:
        self.said += 1
        for hear in self._hearers:
            message: Any = SimpleNamespace(subject=subject, data=payload)
            asyncio.get_running_loop().call_later(ON_ITS_WAY, hear, message)


class Speaker(HeardLane):
    """Speaker is a node that takes `decides_in()` seconds to decide what it says in a turn."""

    def __init__(self, name: str, model: LogModel, wire: Any, decides_in: Callable[[], float]) -> None:
        super().__init__(model, name)
        self.name = name
        self.passed_over: list[int] = []  # for each of its turns: those of others since it wanted it
        self.waited: list[float] = []
        self.is_dead = self.is_done = False
        self.log._on_turn = self._take
        self._decides_in = decides_in
        self.turn_taking = TurnTaking(wire, name, [0])

    async def open(self) -> None:
        await self.log.open(0, GENESIS)
        await self.turn_taking.open()

    async def say_one(self) -> None:
        """Says something, however often others are first."""
        heard, since = self.log.head, await seconds()
        while not self.is_done:
            await self.turn_taking.wait(0)
            head = self.log.head
            await asyncio.sleep(self._decides_in())
            try:
                seq = await self.log.append(b"", head)
            except Conflict:
                continue
            self.passed_over.append(seq - heard - 1)
            self.waited.append(await seconds() - since)
            return

    async def claim_and_die(self) -> None:
        """Wants a turn, which is the last that is heard of it."""
        await self.turn_taking.wait(0)
        self.is_dead = True
        await asyncio.sleep(2 * ON_ITS_WAY)

    async def talk(self) -> None:
        """Says one thing after another, until it is done."""
        self.is_done = False
        while not self.is_done:
            await self.say_one()
        self.is_done = False

    def _take(self, turn: PlacedTurn) -> None:
        self.turns.append(turn)
        if not self.is_dead:
            self.turn_taking.heard(turn)


async def speakers(*decide_in: Callable[[], float]) -> tuple[LogModel, Wire, list[Speaker]]:
    """Nodes that share a lane."""
    model, wire = LogModel(), Wire()
    model.delay = ON_ITS_WAY
    nodes = [Speaker(f"node{number}", model, wire, each) for number, each in enumerate(decide_in)]
    for node in nodes:
        await node.open()
    return model, wire, nodes


async def talk_for(duration: float, nodes: list[Speaker]) -> None:
    """Has all of them say one thing after another."""
    talking = [asyncio.create_task(node.talk()) for node in nodes]
    await asyncio.sleep(duration)
    for node in nodes:
        node.is_done = True
    await asyncio.gather(*talking)


def at_once() -> float:
    return 0.001


@pytest.mark.parametrize("quick", [1, 2])
@pytest.mark.parametrize("slowness", [0.5 * SLOT, 1.2 * SLOT, 4 * SLOT, 10 * SLOT])
def test_a_slow_node_is_passed_over_a_few_times_only(slowness: float, quick: int) -> None:
    async def scenario() -> None:
        _, _, nodes = await speakers(*[at_once] * quick, lambda: slowness)
        await talk_for(DURATION, nodes)
        slow = nodes[-1]
        assert len(slow.passed_over) >= DURATION / (quick + 1) / (slowness + SLOT) / 2
        assert max(slow.passed_over) <= 8 * quick
        assert sorted(slow.passed_over)[len(slow.passed_over) // 2] <= quick

    run(scenario())


def test_nodes_that_are_alike_have_turns_alike_and_no_conflicts() -> None:
    async def scenario() -> None:
        model, _, nodes = await speakers(*[at_once] * 3)
        await talk_for(5.0, nodes)
        assert model.last >= 500  # of at most 1,000: each takes 1 ms to decide, and 4 ms to append
        for node in nodes:
            assert max(node.passed_over) <= 3
            assert node.log.counts.conflicts <= 3
        authors = [turn.by for turn in nodes[0].turns]
        assert all(one != other for one, other in pairwise(authors[10:]))

    run(scenario())


def test_a_node_that_is_quick_again_is_waited_for_no_longer_than_others() -> None:
    async def scenario() -> None:
        slowness = [10 * SLOT]
        _, _, nodes = await speakers(at_once, lambda: slowness[0])
        await talk_for(DURATION, nodes)
        slowness[0] = at_once()
        await talk_for(1.0, nodes)
        await nodes[0].say_one()
        await nodes[1].claim_and_die()
        await nodes[0].say_one()
        assert nodes[0].waited[-1] < 1.5 * SLOT

    run(scenario())


def test_a_node_that_is_alone_claims_nothing() -> None:
    async def scenario() -> None:
        _, wire, nodes = await speakers(at_once, at_once)
        await talk_for(1.0, nodes[:1])
        assert wire.said == 0
        assert max(nodes[0].passed_over) == 0

    run(scenario())


def test_a_node_that_catches_up_claims_once_for_all_turns_of_one_reading() -> None:
    async def scenario() -> None:
        _, wire, (ann, bo) = await speakers(at_once, at_once)
        for _ in range(20):
            await bo.say_one()
        late = TurnTaking(cast(Any, wire), "late", [0])
        await late.wait(0)
        before = wire.said
        for turn in ann.turns:
            late.heard(turn)
        await asyncio.sleep(ON_ITS_WAY)
        assert wire.said == before + 1

    run(scenario())


def test_nobody_waits_for_a_node_that_has_nothing_to_say_after_all() -> None:
    async def scenario() -> None:
        _, _, (ann, bo) = await speakers(at_once, at_once)
        await ann.say_one()
        await bo.turn_taking.wait(0)
        await asyncio.sleep(2 * ON_ITS_WAY)
        saying = asyncio.create_task(ann.say_one())
        await asyncio.sleep(2 * ON_ITS_WAY)
        assert not saying.done()
        bo.turn_taking.rest(0)
        await saying
        assert ann.waited[-1] < SLOT / 2

    run(scenario())


def test_a_node_that_is_killed_while_it_waits_is_waited_for_once() -> None:
    async def scenario() -> None:
        _, _, (ann, bo) = await speakers(at_once, at_once)
        await ann.say_one()
        await bo.claim_and_die()
        for _ in range(5):
            await ann.say_one()
        assert SLOT <= ann.waited[1] < 1.5 * SLOT
        assert max(ann.waited[2:]) < SLOT / 2

    run(scenario())


def test_what_is_no_claim_is_not_waited_for() -> None:
    async def scenario() -> None:
        _, wire, (ann, _bo) = await speakers(at_once, at_once)
        for payload in (b"", b"zoe", b"zoe x", b"zoe -1", b"zoe nan", b"\xff\xff"):
            await wire.publish("chatter.waits.0", payload)
            await wire.publish("chatter.waits.7", payload)
            await wire.publish("chatter.waits.x", payload)
        await asyncio.sleep(2 * ON_ITS_WAY)
        await ann.say_one()
        assert ann.waited[-1] < SLOT / 2

    run(scenario())
