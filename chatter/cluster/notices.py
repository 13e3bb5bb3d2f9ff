"""Notices: what a node tells all others at once, or is asked by one. Any of it may be lost: it is not in the log."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec
from nats.aio.msg import Msg

from chatter.cluster.connection import Connection

logger = logging.getLogger(__name__)

ASK_TIMEOUT = 1.0
"""Seconds for another node to answer."""

MAX_WAITING = 10_000
"""Notices that wait to be sent; beyond that the oldest are dropped."""


class Notices:
    """Sends this node's notices in their order, and hands over those of the others."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._answerers: dict[str, Callable[[bytes], bytes]] = {}
        self._hearers: dict[str, Callable[[str, bytes], None]] = {}
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=MAX_WAITING)
        self._sender: asyncio.Task[None] | None = None

    def hear(self, kind: str, on_notice: Callable[[str, bytes], None]) -> None:
        """Has `on_notice` get the name of the node, and what it tells, with each notice of a kind."""
        self._hearers[kind] = on_notice

    def answer(self, kind: str, on_question: Callable[[bytes], bytes]) -> None:
        """Has `on_question` answer what another node asks this one. To be called before `open`."""
        self._answerers[kind] = on_question

    async def ask(self, kind: str, name: str, body: bytes) -> bytes:
        """Asks one other node. Raises `NoAnswer`."""
        message = await self._connection.request(f"chatter.node.{name}.{kind}", body, timeout=ASK_TIMEOUT)
        return message.data

    def tell(self, kind: str, body: bytes) -> None:
        """Tells all other nodes."""
        self._waiting.append((f"chatter.notice.{kind}.{self._name}", body))
        self._wake()

    async def open(self) -> None:
        """Begins to hear the others."""
        await self._connection.subscribe("chatter.notice.*.*", self._on_message)
        for kind in self._answerers:
            await self._connection.subscribe(f"chatter.node.{self._name}.{kind}", self._on_question)

    def _wake(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            await self._connection.publish(*self._waiting.popleft())

    def _on_message(self, message: Msg) -> None:
        _, _, kind, name = message.subject.split(".")
        hearer = self._hearers.get(kind)
        if hearer is None or name == self._name:
            return
        try:
            hearer(name, message.data)
        except msgspec.MsgspecError as error:  # of a newer node
            logger.warning("a notice of %s is not understood: %s", name, error)

    def _on_question(self, message: Msg) -> None:
        answerer = self._answerers[message.subject.rsplit(".", 1)[-1]]
        try:
            answer = answerer(message.data)
        except msgspec.MsgspecError as error:
            logger.warning("a question of another node is not understood: %s", error)
            return
        self._waiting.append((message.reply, answer))
        self._wake()
