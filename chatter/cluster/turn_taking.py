"""Whose turn it is to try an append, where several nodes have something to say in one lane.

Only for speed: two nodes that try at once cost a refused append, never an order. Who must wait says so on
`chatter.waits.<lane>`. After each turn those who wait follow in the ring of their names, beginning after the node
whose turn it was. Nobody gives turns out: the log itself passes them on. docs/cluster.md has the numbers.
"""

import asyncio
import time
from collections.abc import Sequence

from nats.aio.msg import Msg

from chatter.cluster.connection import Connection
from chatter.cluster.frames import PlacedTurn

SLOT = 0.1
"""Seconds that a node waits for each one before it in the ring. Who lets its slot pass has nothing to say."""

WAITS_FOR = 1.0
"""Seconds for which it counts that a node said that it waits."""

BUSY = 0.2
"""Seconds after another node's turn in which this one says that it waits, too."""


class _Lane:
    """What is known of who wants to say something in one lane."""

    def __init__(self) -> None:
        self.last_by = ""
        self.last_at = 0.0
        self.waiting: dict[str, float] = {}  # by name: when it said so
        self.moved: asyncio.Future[None] | None = None


class TurnTaking:
    """Keeps the nodes from racing for a lane."""

    def __init__(self, connection: Connection, name: str, lanes: Sequence[int]) -> None:
        self._connection = connection
        self._name = name
        self._lanes = {lane: _Lane() for lane in lanes}

    async def open(self) -> None:
        """Begins to hear who waits."""
        await self._connection.subscribe("chatter.waits.*", self._hear)

    def heard(self, turn: PlacedTurn) -> None:
        """Takes a turn as the log has it: its author waits no more."""
        lane = self._lanes[turn.lane]
        lane.last_by, lane.last_at = turn.by, time.monotonic()
        lane.waiting.pop(turn.by, None)
        if lane.moved is not None and not lane.moved.done():
            lane.moved.set_result(None)

    async def wait(self, number: int) -> None:
        """Returns when this node may try: at once where nobody else waits, after at most a slot for each who does."""
        lane, has_said = self._lanes[number], False
        while before := self._before_me(lane):
            if not has_said:
                await self._say(number)
                has_said = True
            if not await self._next_turn(lane, len(before) * SLOT):
                for name in before:
                    lane.waiting.pop(name, None)
        if not has_said and lane.last_by != self._name and time.monotonic() - lane.last_at < BUSY:
            await self._say(number)

    def _before_me(self, lane: _Lane) -> list[str]:
        """Who waits and comes before this node in the ring."""
        deadline = time.monotonic() - WAITS_FOR
        names = [name for name, said_at in lane.waiting.items() if said_at > deadline]
        return [name for name in names if self._place(lane, name) < self._place(lane, self._name)]

    @staticmethod
    def _place(lane: _Lane, name: str) -> tuple[bool, str]:
        return (name <= lane.last_by, name)

    async def _next_turn(self, lane: _Lane, timeout: float) -> bool:
        if lane.moved is None or lane.moved.done():
            lane.moved = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait({lane.moved}, timeout=timeout)
        return bool(done)

    async def _say(self, number: int) -> None:
        await self._connection.publish(f"chatter.waits.{number}", self._name.encode())

    def _hear(self, message: Msg) -> None:
        lane = self._lanes.get(int(number)) if (number := message.subject.rsplit(".", 1)[-1]).isdigit() else None
        name = message.data.decode(errors="replace")
        if lane is not None and name != self._name:
            lane.waiting[name] = time.monotonic()
