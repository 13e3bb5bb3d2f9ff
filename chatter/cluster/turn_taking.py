"""Whose turn it is to try an append, where several nodes have something to say in one lane.

Only for speed: two nodes that try at once cost a refused append, never an order. Who wants a turn claims it on
`chatter.waits.<lane>`, with the time that it takes. After each turn those who claim one follow in the ring of their
names, beginning after the node whose turn it was. Nobody gives turns out: the log itself passes them on.

A node that was passed over while it tried claims at once twice the time, so that however slow it is, it is passed over
a few times only. docs/cluster.md has the numbers.
"""

import asyncio
import math
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from nats.aio.msg import Msg

from chatter.cluster.connection import Connection
from chatter.cluster.frames import PlacedTurn

SLOT, LONGEST_SLOT = 0.1, 2.0
"""Seconds that others wait for a node before them in the ring, by its claim. Who lets its slot pass is passed over."""

CLAIM_LASTS = 1.0
"""Seconds, with the slot, for which it counts that a node said that it wants a turn. It says so again in half of that.

It may have ended, or may have nothing to say any more.
"""

BUSY = 0.2
"""Seconds after another node's turn in which this one says that it wants one, too."""

TICK = 0.001
"""Seconds that are too few to wait for."""


class _Claim(NamedTuple):
    """Another node wants a turn."""

    slot: float
    said_at: float


class _Lane:
    """What is known of who wants to say something in one lane."""

    def __init__(self) -> None:
        self.last_by = ""
        self.last_at = -math.inf
        self.claims: dict[str, _Claim] = {}  # of the other nodes, by name
        self.moved: asyncio.Future[None] | None = None
        self.slot = SLOT  # what this node claims
        self.claimed_at: float | None = None  # None where it claims nothing
        self.claiming: asyncio.Task[None] | None = None
        self.tries_since: float | None = None  # when it came to be its turn; None where it tries nothing


class TurnTaking:
    """Keeps the nodes from racing for a lane."""

    def __init__(self, connection: Connection, name: str, lanes: Sequence[int]) -> None:
        self._connection = connection
        self._name = name
        self._lanes = {lane: _Lane() for lane in lanes}
        self._saying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begins to hear who wants a turn."""
        await self._connection.subscribe("chatter.waits.*", self._hear)

    def heard(self, turn: PlacedTurn) -> None:
        """Takes a turn as the log has it: its author claims none any more."""
        lane, now = self._lanes[turn.lane], _now()
        lane.last_by, lane.last_at = turn.by, now
        lane.claims.pop(turn.by, None)
        if turn.by == self._name:
            if lane.tries_since is not None:  # a node that was slow for a while is not so for ever
                lane.slot = max(SLOT, lane.slot / 2, min(lane.slot, 2 * (now - lane.tries_since)))
            lane.claimed_at = lane.tries_since = None
        elif lane.tries_since is not None:
            lane.slot = min(2 * lane.slot, LONGEST_SLOT)
            if lane.claiming is None or lane.claiming.done():  # once for all turns that one reading brings
                lane.claiming = self._spawn(self._claim(turn.lane, lane))
        self._wake(lane)

    async def wait(self, number: int) -> None:
        """Returns when this node may try: at once where nobody else waits, after at most a slot for each who does.

        Afterwards comes a turn of this node, the next `wait`, or `rest`.
        """
        lane, began = self._lanes[number], _now()
        lane.tries_since = None
        while before := self._before_me(lane):
            if lane.claimed_at is None or _now() - lane.claimed_at > CLAIM_LASTS / 2:
                await self._claim(number, lane)
            until = max(began, lane.last_at) + sum(lane.claims[name].slot for name in before if name in lane.claims)
            if (left := until - _now()) > TICK:
                await self._next_turn(lane, min(left, CLAIM_LASTS / 2))
            else:
                for name in before:
                    lane.claims.pop(name, None)
        is_contended = bool(lane.claims) or (lane.last_by != self._name and _now() - lane.last_at < BUSY)
        if is_contended and lane.claimed_at is None:
            await self._claim(number, lane)
        lane.tries_since = _now()

    def rest(self, number: int) -> None:
        """Says that this node has nothing more to say for now: others need not wait for it."""
        lane = self._lanes[number]
        lane.tries_since = None
        if lane.claimed_at is not None:
            lane.claimed_at = None
            self._spawn(self._say(number, 0.0))

    def _before_me(self, lane: _Lane) -> list[str]:
        """Who wants a turn and comes before this node in the ring."""
        deadline = _now() - CLAIM_LASTS
        names = [name for name, claim in lane.claims.items() if claim.said_at + claim.slot > deadline]
        return [name for name in names if self._place(lane, name) < self._place(lane, self._name)]

    @staticmethod
    def _place(lane: _Lane, name: str) -> tuple[bool, str]:
        return (name <= lane.last_by, name)

    async def _next_turn(self, lane: _Lane, timeout: float) -> None:
        if lane.moved is None or lane.moved.done():
            lane.moved = asyncio.get_running_loop().create_future()
        await asyncio.wait({lane.moved}, timeout=timeout)

    @staticmethod
    def _wake(lane: _Lane) -> None:
        if lane.moved is not None and not lane.moved.done():
            lane.moved.set_result(None)

    async def _claim(self, number: int, lane: _Lane) -> None:
        lane.claimed_at = _now()
        await self._say(number, lane.slot)

    async def _say(self, number: int, slot: float) -> None:
        await self._connection.publish(f"chatter.waits.{number}", f"{self._name} {slot:.3f}".encode())

    def _spawn(self, saying: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(saying)
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)
        return task

    def _hear(self, message: Msg) -> None:
        lane = self._lanes.get(int(number)) if (number := message.subject.rsplit(".", 1)[-1]).isdecimal() else None
        name, _, text = message.data.decode(errors="replace").partition(" ")
        if lane is None or name == self._name:
            return
        try:
            slot = min(float(text), LONGEST_SLOT)
        except ValueError:
            return
        if slot > 0:
            lane.claims[name] = _Claim(slot, _now())
        else:
            lane.claims.pop(name, None)
            self._wake(lane)


def _now() -> float:
    return asyncio.get_running_loop().time()
