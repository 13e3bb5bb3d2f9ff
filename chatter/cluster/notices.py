"""Notices: what a node tells all others at once. Any of it may be lost: it is not in the log."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec
from nats.aio.msg import Msg

from chatter.cluster.connection import Connection

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Notices that wait to be sent; beyond that the oldest are dropped."""


class Notices:
    """Sends this node's notices in their order, and hands over those of the others."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._hearers: dict[str, Callable[[str, bytes], None]] = {}
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=MAX_WAITING)
        self._sender: asyncio.Task[None] | None = None

    def hear(self, kind: str, on_notice: Callable[[str, bytes], None]) -> None:
        """Has `on_notice` get the name of the node, and what it tells, with each notice of a kind."""
        self._hearers[kind] = on_notice

    def tell(self, kind: str, body: bytes) -> None:
        """Tells all other nodes."""
        self._waiting.append((f"chatter.notice.{kind}.{self._name}", body))
        self._wake()

    async def open(self) -> None:
        """Begins to hear the others."""
        await self._connection.subscribe("chatter.notice.*.*", self._on_message)

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
