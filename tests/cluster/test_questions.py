"""What nodes ask each other: answered later, bounded, and given up where nobody will answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from chatter.cluster import streams
from chatter.cluster.errors import NoAnswer
from chatter.cluster.questions import Questions
from tests.cluster.talk import LANES, TalkingNode, settings
from tests.support.nats import NatsCluster, until

pytestmark = pytest.mark.nats

LONG = 60.0


class Answering:
    """A node that answers once it is told so."""

    def __init__(self, cluster: NatsCluster, name: str) -> None:
        self.node = TalkingNode(settings(cluster, name))
        self.asked: list[bytes] = []
        self.may_answer = asyncio.Event()
        self.questions.answer("slow", self._answer, most=2)

    @property
    def questions(self) -> Questions:
        return self.node.log.questions

    async def _answer(self, body: bytes) -> bytes:
        self.asked.append(body)
        await self.may_answer.wait()
        return body.upper()


@contextlib.asynccontextmanager
async def two(cluster: NatsCluster) -> AsyncIterator[tuple[Answering, Answering]]:
    ann, bo = Answering(cluster, "ann"), Answering(cluster, "bo")
    connection = settings(cluster, "setup").connection()
    await connection.open()
    await streams.create(connection, lanes=LANES, replicas=1, max_bytes=1 << 24)
    await connection.close()
    for each in (ann, bo):
        await each.node.open()
    await until(lambda: ann.questions.lives("bo"))
    try:
        yield ann, bo
    finally:
        for each in (ann, bo):
            each.may_answer.set()
            await each.node.close()


def test_an_answer_may_take_its_time_and_others_are_answered_meanwhile(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with two(one) as (ann, bo):
            asking = [
                asyncio.ensure_future(ann.questions.ask("slow", "bo", body, timeout=LONG)) for body in (b"a", b"b")
            ]
            await until(lambda: len(bo.asked) == 2)
            bo.may_answer.set()
            assert await asyncio.gather(*asking) == [b"A", b"B"]

    asyncio.run(scenario())


def test_more_than_a_node_may_answer_at_once_is_refused_at_once(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with two(one) as (ann, bo):
            asking = [
                asyncio.ensure_future(ann.questions.ask("slow", "bo", body, timeout=LONG)) for body in (b"a", b"b")
            ]
            await until(lambda: len(bo.asked) == 2)
            with pytest.raises(NoAnswer, match="bo answers as many as it may"):
                await ann.questions.ask("slow", "bo", b"c", timeout=LONG)
            ann.questions.tell("slow", "bo", b"d")  # waits for nothing, and is what may end another
            await until(lambda: bo.asked == [b"a", b"b", b"d"])
            bo.may_answer.set()
            assert await asyncio.gather(*asking) == [b"A", b"B"]
            assert await ann.questions.ask("slow", "bo", b"e", timeout=LONG) == b"E"

    asyncio.run(scenario())


def test_a_node_that_does_not_live_is_not_waited_for(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with two(one) as (ann, _bo):
            with pytest.raises(NoAnswer, match="cy does not live"):
                await ann.questions.ask("slow", "cy", b"a", timeout=LONG)

    asyncio.run(scenario())


def test_a_node_that_leaves_answers_what_it_was_asked(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with two(one) as (ann, bo):
            asking = asyncio.ensure_future(ann.questions.ask("slow", "bo", b"a", timeout=LONG))
            await until(lambda: bool(bo.asked))
            await bo.node.log.leave()
            await until(lambda: not ann.questions.lives("bo"))
            assert ann.questions.may_answer("bo")
            bo.may_answer.set()
            assert await asking == b"A"

    asyncio.run(scenario())


def test_nobody_waits_for_a_node_that_has_left(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with two(one) as (ann, bo):
            asking = asyncio.ensure_future(ann.questions.ask("slow", "bo", b"a", timeout=LONG))
            await until(lambda: bool(bo.asked))
            await bo.node.close()
            assert not await answered(asking)
            assert not ann.questions.may_answer("bo")

    asyncio.run(scenario())


def test_nobody_waits_for_a_node_that_is_silent(one: NatsCluster) -> None:
    async def scenario() -> None:
        async with two(one) as (ann, bo):
            asking = asyncio.ensure_future(ann.questions.ask("slow", "bo", b"a", timeout=LONG))
            await until(lambda: bool(bo.asked))
            await bo.node.log.connection.close()
            assert not await answered(asking)
            assert not ann.questions.lives("bo")

    asyncio.run(scenario())


async def answered(asking: "asyncio.Future[bytes]") -> bool:
    """Returns whether a question gets its answer, once it is known."""
    async with asyncio.timeout(LONG / 2):
        try:
            await asking
        except NoAnswer:
            return False
        return True
