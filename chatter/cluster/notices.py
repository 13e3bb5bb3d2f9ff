"""Notices: what a node tells all others at once, and what may be lost: it is not in the log."""

import asyncio
from collections import deque
from collections.abc import Callable

from nats.aio.msg import Msg

from chatter.cluster.connection import Connection

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
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def open(self) -> None:
        """Begins to hear the others."""
        await self._connection.subscribe("chatter.notice.*.*", self._on_message)

    async def _send(self) -> None:
        while self._waiting:
            await self._connection.publish(*self._waiting.popleft())

    def _on_message(self, message: Msg) -> None:
        _, _, kind, name = message.subject.split(".")
        hearer = self._hearers.get(kind)
        if hearer is not None and name != self._name:
            hearer(name, message.data)
