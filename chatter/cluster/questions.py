"""Questions: what one node asks another. An answer may take its time, and may be lost: nothing of it is in the log."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
from nats.aio.msg import Msg

from chatter.cluster.connection import Connection, NotSent
from chatter.cluster.errors import NoAnswer
from chatter.cluster.nodes import Nodes

logger = logging.getLogger(__name__)

ASK_TIMEOUT = 1.0
"""Seconds for another node to answer what it knows at once."""

MAX_UNDER_WAY = 1_000
"""Questions of one kind that a node answers at the same time, unless that kind has another bound."""

RETRY_PAUSE = 0.2
"""Seconds after which a question is sent again that has surely reached nobody, while the node counts as living."""

CLOSING = 1.0
"""Seconds for what is under way when this node or the one that is asked ends."""

_TOO_MANY = b""
"""The answer of a node that answers as many as it may."""

Answerer = Callable[[bytes], Awaitable[bytes]]


class Questions:
    """Asks other nodes, and answers what they ask this one."""

    def __init__(self, connection: Connection, nodes: Nodes) -> None:
        self.name = nodes.author.name
        self._nodes = nodes
        self._connection = connection
        self._answerers: dict[str, tuple[Answerer, int]] = {}
        self._counts: Counter[str] = Counter()  # of the questions that are being answered, by kind
        self._answering: set[asyncio.Task[None]] = set()
        self._asking: dict[asyncio.Task[Msg], str] = {}  # with the name of the node

    def lives(self, name: str) -> bool:
        """Returns whether another node lives."""
        return name in self._nodes.others

    def may_answer(self, name: str) -> bool:
        """Returns whether another node may answer: it lives, or leaves and ends what it has begun."""
        return self._nodes.may_answer(name)

    def answer(self, kind: str, on_question: Answerer, *, most: int = MAX_UNDER_WAY) -> None:
        """Has `on_question` answer what others ask, `most` at the same time. To be called before `open`."""
        self._answerers[kind] = on_question, most

    async def ask(self, kind: str, name: str, body: bytes, *, timeout: float = ASK_TIMEOUT) -> bytes:
        """Asks one other node. Raises `NoAnswer`, as soon as it turns out that the node does not live any more."""
        subject = f"chatter.node.{name}.{kind}"
        try:
            async with asyncio.timeout(timeout):
                while True:
                    with contextlib.suppress(NotSent):
                        return await self._request(subject, name, body, timeout)
                    if not self.lives(name):
                        raise NoAnswer(f"{name} does not live")
                    await asyncio.sleep(RETRY_PAUSE)
        except TimeoutError as error:
            raise NoAnswer(f"no answer on {subject} in time") from error

    def tell(self, kind: str, name: str, body: bytes) -> None:
        """Tells one other node what it does not answer."""
        self._start(self._connection.publish(f"chatter.node.{name}.{kind}", body))

    def give_up(self, name: str) -> None:
        """Has nobody wait for a node that has ended, or is silent. What it has answered may be about to be read."""
        for asking in [asking for asking, asked in self._asking.items() if asked == name]:
            asyncio.get_running_loop().call_later(CLOSING, asking.cancel)

    async def open(self) -> None:
        """Begins to answer."""
        for kind in self._answerers:
            await self._connection.subscribe(f"chatter.node.{self.name}.{kind}", self._on_question)

    async def close(self) -> None:
        """Leaves what is under way a moment, and ends it."""
        under_way: set[asyncio.Task[None] | asyncio.Task[Msg]] = {*self._answering, *self._asking}
        if under_way:
            await asyncio.wait(under_way, timeout=CLOSING)
        for task in under_way:
            task.cancel()

    async def _request(self, subject: str, name: str, body: bytes, timeout: float) -> bytes:
        asking = asyncio.ensure_future(self._connection.request(subject, body, timeout=timeout))
        self._asking[asking] = name
        asking.add_done_callback(self._asking.pop)
        try:
            await asyncio.wait([asking])
        finally:
            asking.cancel()
        if asking.cancelled():
            raise NoAnswer(f"{name} does not live any more")
        answer = asking.result().data
        if answer == _TOO_MANY:
            raise NoAnswer(f"{name} answers as many as it may")
        return answer

    def _on_question(self, message: Msg) -> None:
        kind = message.subject.rsplit(".", 1)[-1]
        answerer, most = self._answerers[kind]
        if message.reply and self._counts[kind] >= most:
            logger.info("another node is not answered on %s: %d answers are under way", kind, most)
            self._start(self._connection.publish(message.reply, _TOO_MANY))
        else:
            self._counts[kind] += 1
            self._start(self._answer(kind, answerer, message))

    async def _answer(self, kind: str, answerer: Answerer, message: Msg) -> None:
        try:
            answer = await answerer(message.data)
            if message.reply:
                await self._connection.publish(message.reply, answer)
        except msgspec.MsgspecError as error:  # of a newer node
            logger.warning("a question of another node is not understood: %s", error)
        except Exception:
            logger.exception("another node is not answered")
        finally:
            self._counts[kind] -= 1

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
