"""Which nodes live, and what they have heard: a heartbeat each half second on `chatter.alive`.

The heads in it mend what no gap shows: the last turn of a lane, lost on its way here.
"""

import asyncio
import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec
from nats.aio.msg import Msg

from chatter.cluster.connection import Connection
from chatter.cluster.errors import ClusterRefused, NoAnswer
from chatter.cluster.frames import Author
from chatter.cluster.lane import LaneLog

ALIVE = "chatter.alive"

HELLO = "chatter.hello"
"""What a node that starts says: the others answer with a heartbeat at once."""

INTRODUCTION = 0.2
"""Seconds in which they do."""

HEARTBEAT = 0.5
"""Seconds between two heartbeats."""

DEAD_AFTER = 3.0
"""Seconds of silence after which a node counts as dead."""

LEAVING = 10.0
"""Seconds after a bye in which a node may still answer: it ends what it has begun."""

NEWS = 2.5
"""Seconds for which heartbeats tell of a head that has moved."""


class Heartbeat(msgspec.Struct, array_like=True, frozen=True):
    """What a node says of itself."""

    name: str
    boot: int
    version: str
    lanes: int
    heads: dict[int, int]  # of the lanes that have changed lately
    extra: bytes = b""  # the application's own
    is_bye: bool = False


class Node(msgspec.Struct, frozen=True):
    """A node that lives, as its last heartbeat says."""

    name: str
    boot: int
    version: str
    extra: bytes
    heard_at: float  # by time.monotonic


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Heartbeat).decode


class Nodes:
    """The nodes of the cluster, with this one."""

    def __init__(
        self,
        connection: Connection,
        author: Author,
        lanes: Mapping[int, LaneLog],
        *,
        version: str,
        extra: Callable[[], bytes] = lambda: b"",
        on_beat: Callable[[Node], None] = lambda _node: None,
        on_change: Callable[[], None] = lambda: None,
        on_name_taken: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_beat` gets each heartbeat of another node. `on_change` is called when a node comes or goes.

        `on_name_taken` is called where an older start has this name.
        """
        self.author = author
        self.on_lost: Callable[[str], None] = lambda _name: None  # gets who answers no more: it has ended, or is silent
        self._connection = connection
        self._lanes = lanes
        self._version = version
        self._extra = extra
        self._on_beat = on_beat
        self._on_change = on_change
        self._on_name_taken = on_name_taken
        self._others: dict[str, Node] = {}
        self._left_at: dict[str, float] = {}  # who has said bye, by time.monotonic
        self._is_leaving = False
        self._beating: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Raises ClusterRefused where a living node has this name. Then all hear of each other."""
        mine = f"chatter.node.{self.author.name}.name"
        with contextlib.suppress(NoAnswer):
            answer = await self._connection.request(mine, b"", timeout=1.0)
            raise ClusterRefused(
                f"the node name {self.author.name} is taken: a node that started at {answer.data.decode()} lives"
            )
        await self._connection.subscribe(mine, self._answer_name)
        await self._connection.subscribe(ALIVE, self._hear)
        await self._connection.subscribe(HELLO, self._answer_hello)
        await self._connection.flush()
        await self._connection.publish(HELLO, self.author.name.encode())
        await asyncio.sleep(INTRODUCTION)  # who does not know the others takes all work for its own
        self._beating = asyncio.create_task(self._beat())

    async def leave(self) -> None:
        """Says bye: the others do not wait for a silence."""
        self._is_leaving = True
        if self._beating is not None:
            self._beating.cancel()
        await self._say(is_bye=True)

    async def close(self) -> None:
        """Says bye again, if it has done so before: it answers nothing any more."""
        if self._is_leaving:
            await self._say(is_bye=True)

    @property
    def others(self) -> Mapping[str, Node]:
        """The other nodes that live, by name."""
        return self._others

    def may_answer(self, name: str) -> bool:
        """Whether another node may answer a question: it lives, or has left a short time ago."""
        return name in self._others or time.monotonic() - self._left_at.get(name, -math.inf) < LEAVING

    def live(self) -> list[str]:
        """The names of all nodes that live, in order; without this one once it leaves."""
        return sorted([*self._others, *([] if self._is_leaving else [self.author.name])])

    def owner(self, key: str) -> str | None:
        """The node to which `key` falls: all nodes that see the same nodes agree, and few keys move with a node."""
        return rendezvous(key, self.live())

    async def _beat(self) -> None:
        while True:
            await self._say()
            await asyncio.sleep(HEARTBEAT)
            self._bury()

    async def _say(self, *, is_bye: bool = False) -> None:
        since = asyncio.get_running_loop().time() - NEWS
        heads = {number: lane.head for number, lane in self._lanes.items() if lane.changed_at > since}
        name, boot = self.author
        beat = Heartbeat(name, boot, self._version, len(self._lanes), heads, self._extra(), is_bye)
        await self._connection.publish(ALIVE, _encode(beat))

    def _hear(self, message: Msg) -> None:
        try:
            beat = _decode(message.data)
        except msgspec.MsgspecError:
            return
        if beat.name == self.author.name:
            if beat.boot < self.author.boot and not beat.is_bye:
                self._on_name_taken()
            return
        if beat.is_bye:
            self._hear_bye(beat.name)
            return
        self._left_at.pop(beat.name, None)
        known = self._others.get(beat.name)
        if known is not None and known.boot != beat.boot:
            self.on_lost(beat.name)
        node = self._others[beat.name] = Node(beat.name, beat.boot, beat.version, beat.extra, time.monotonic())
        for lane, head in beat.heads.items():
            if lane in self._lanes:
                self._lanes[lane].hear_head(head)
        self._on_beat(node)
        if known is None:
            self._on_change()

    def _hear_bye(self, name: str) -> None:
        """Forgets a node that leaves. It may answer until its second bye."""
        if self._others.pop(name, None) is not None:
            self._left_at[name] = time.monotonic()
            self._on_change()
        else:
            self._left_at.pop(name, None)
            self.on_lost(name)

    def _bury(self) -> None:
        deadline = time.monotonic() - DEAD_AFTER
        dead = [name for name, node in self._others.items() if node.heard_at < deadline]
        for name in dead:
            del self._others[name]
            self.on_lost(name)
        if dead:
            self._on_change()

    def _answer_hello(self, message: Msg) -> None:
        if message.data.decode(errors="replace") != self.author.name and not self._is_leaving:
            self._introducing = asyncio.ensure_future(self._say())

    def _answer_name(self, message: Msg) -> None:
        if message.reply:
            started = time.strftime("%H:%M:%S UTC", time.gmtime(self.author.boot / 1e9))
            self._answering = asyncio.ensure_future(self._connection.publish(message.reply, started.encode()))


async def listen(connection: Connection, seconds: float = 3 * HEARTBEAT) -> list[Node]:
    """Returns the nodes that live, in the order of their names, for somebody who is none."""
    heard: dict[str, Node] = {}

    def hear(message: Msg) -> None:
        with contextlib.suppress(msgspec.MsgspecError):
            beat = _decode(message.data)
            heard[beat.name] = Node(beat.name, beat.boot, beat.version, beat.extra, time.monotonic())

    await connection.subscribe(ALIVE, hear)
    await asyncio.sleep(seconds)
    return [heard[name] for name in sorted(heard)]


def rendezvous(key: str, names: Iterable[str]) -> str | None:
    """Returns the name with the highest hash together with `key`; None where there is no name."""
    return max(names, key=lambda name: hashlib.blake2b(f"{name}|{key}".encode(), digest_size=8).digest(), default=None)
