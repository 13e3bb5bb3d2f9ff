"""One node's part of the log that all share: connection, lanes, the other nodes. Start and stop order are here."""

import asyncio
import contextlib
import logging
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from nats.aio.msg import Msg

from chatter.cluster import streams
from chatter.cluster.connection import Connection
from chatter.cluster.credentials import Credentials
from chatter.cluster.errors import Conflict, LaneStopped, NoAnswer
from chatter.cluster.frames import Author, PlacedTurn
from chatter.cluster.jetstream import JetStreamLane, said_subject, sequence_and_lane
from chatter.cluster.lane import PATIENCE, LaneLog
from chatter.cluster.monitors import find_danger
from chatter.cluster.nodes import Node, Nodes
from chatter.cluster.notices import Notices
from chatter.cluster.questions import Questions
from chatter.cluster.stream import LANES, REPLICAS
from chatter.cluster.turn_taking import TurnTaking

logger = logging.getLogger(__name__)

MAX_KEPT = 0.5
"""Share of a stream beyond which it keeps nothing that the database has: a stream that is full refuses what is said."""

WATCH_INTERVAL = 5.0
"""Seconds between two looks at the settings of the servers."""

_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,63}")  # a part of subjects


@dataclass(frozen=True)
class ClusterSettings:
    """What a node needs to know to take part."""

    servers: tuple[str, ...]  # URLs like nats://HOST:4222, with user and password or without
    node: str
    lanes: int = LANES
    replicas: int = REPLICAS
    monitors: tuple[str, ...] = ()  # the monitoring address of each server, like http://HOST:8222
    version: str = ""  # of this program, for the other nodes
    tls: ssl.SSLContext | None = None
    user: str | None = None
    password: str | None = None
    credentials: Credentials | None = None
    connect_timeout: float = 10.0  # seconds, at the start only

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.node):
            raise ValueError(f"expected a node name of 1 to 64 of a-z, 0-9, - and _, got {self.node!r}")

    def connection(self) -> Connection:
        """Returns a connection that is not open yet."""
        return Connection(
            self.servers,
            name=self.node,
            tls=self.tls,
            user=self.user,
            password=self.password,
            credentials=self.credentials,
        )


@dataclass(frozen=True)
class Position:
    """How far the database has one lane, and what it keeps beside that."""

    seq: int
    chain: bytes | None  # GENESIS for a new log; None takes it from the log
    created: str | None = None  # of the lane's stream; None accepts any


class ClusterLog:
    """The lanes of the cluster, as one node follows and extends them."""

    def __init__(
        self,
        settings: ClusterSettings,
        *,
        on_turn: Callable[[PlacedTurn], None],
        on_stopped: Callable[[str], None] = lambda _why: None,
        on_nodes: Callable[[], None] = lambda: None,
        on_beat: Callable[[Node], None] = lambda _node: None,
        extra: Callable[[], bytes] = lambda: b"",
    ) -> None:
        """`on_turn` gets every turn of every lane, in each lane's order. `on_stopped` is told why a lane stopped.

        `on_nodes` is called when a node comes or goes. `extra` is what other nodes get with each heartbeat, in
        `Node.extra`: `on_beat` gets theirs.
        """
        self.settings = settings
        self.connection = settings.connection()
        self.author = Author(settings.node, time.time_ns())
        self._on_turn = on_turn
        self._on_stopped = on_stopped
        self._streams = {lane: JetStreamLane(self.connection, lane) for lane in range(settings.lanes)}
        self.lanes = {
            lane: LaneLog(lane, stream, author=self.author, on_turn=self._heard, on_stopped=on_stopped)
            for lane, stream in self._streams.items()
        }
        self.turn_taking = TurnTaking(self.connection, settings.node, range(settings.lanes))
        self.nodes = Nodes(
            self.connection,
            self.author,
            self.lanes,
            version=settings.version,
            extra=extra,
            on_beat=on_beat,
            on_change=on_nodes,
            on_name_taken=self._lose_name,
        )
        self.notices = Notices(self.connection, settings.node)
        self.questions = Questions(self.connection, self.nodes)
        self.danger: str | None = None  # why a power cut could lose what is acknowledged
        self._name_is_lost = False
        self._watcher: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether every lane follows the log, and the leaders answer."""
        follows = all(lane.is_open and lane.stopped is None and not lane.is_stuck for lane in self.lanes.values())
        return follows and self.connection.is_answering and not self._name_is_lost

    async def open(
        self,
        positions: Sequence[Position],
        find_position: Callable[[int], Awaitable[tuple[int, bytes]]] | None = None,
    ) -> list[streams.LaneStream]:
        """Connects, checks the streams, reads every lane from its position to the end, and joins the others.

        `find_position` finds the position of a lane, and its chain, anew: where the log begins behind the known one.

        Returns the streams; the caller keeps `created` of each. Raises ClusterRefused or LaneStopped.
        """
        if len(positions) != len(self.lanes):
            raise ValueError(f"expected {len(self.lanes)} positions, one for each lane, got {len(positions)}")
        await self.connection.open(self.settings.connect_timeout)
        try:
            known = [position.created for position in positions]
            checked = await streams.verify(
                self.connection,
                lanes=self.settings.lanes,
                replicas=self.settings.replicas,
                created=[created for created in known if created is not None] if None not in known else None,
                positions=[position.seq for position in positions],
                monitors=self.settings.monitors,
            )
            await self.connection.subscribe(said_subject("*"), self._hear)
            await self.connection.flush()
            await asyncio.gather(
                *(
                    self.lanes[lane].open(position.seq, position.chain, find_position and partial(find_position, lane))
                    for lane, position in enumerate(positions)
                )
            )
            await self.turn_taking.open()
            await self.notices.open()
            await self.questions.open()
            await self.nodes.open()
        except BaseException:
            await self.close()
            raise
        self.nodes.on_lost = self.questions.give_up
        self.connection.on_reconnected = self._reconnected
        self.connection.probe = self._probe
        self._watcher = asyncio.create_task(self._watch_servers())
        return checked

    async def leave(self) -> None:
        """Says bye to the others. What is being appended goes on."""
        await self.nodes.leave()

    async def close(self) -> None:
        """Ends everything. What is undecided stays so: whoever reads the log will know."""
        for task in (self._watcher, self._refreshing):
            if task is not None:
                task.cancel()
        for lane in self.lanes.values():
            await lane.close()
        await self.questions.close()
        await self.nodes.close()
        await self.connection.close()

    async def say(self, lane: int, decide: Callable[[], bytes | None], *, patience: float = PATIENCE) -> int | None:
        """Appends what `decide` returns, and decides anew while other turns come first. Returns the sequence.

        `decide` looks at what `on_turn` has made of the lane up to now, and awaits nothing. Where it returns None
        there is nothing to say. Raises LogFull, Unavailable, LaneStopped.
        """
        log = self.lanes[lane]
        try:
            while True:
                await self.turn_taking.wait(lane)
                head = log.head
                payload = decide()
                if payload is None:
                    return None
                with contextlib.suppress(Conflict):
                    return await log.append(payload, head, patience=patience)
        finally:
            self.turn_taking.rest(lane)

    async def read(self, lane: int, after: int) -> list[tuple[int, bytes]]:
        """Returns some frames after `after`, for a reader with a `History` of its own. Raises NoAnswer."""
        return await self._streams[lane].read(after)

    async def first(self, lane: int) -> int:
        """Returns the first turn that the log of a lane has; where it is empty, that comes next. Raises NoAnswer."""
        return (await self._streams[lane].bounds()).first

    async def trim(self, lane: int, saved: int, age: float) -> None:
        """Drops turns up to `saved` from the log: those older than `age` seconds, or all where it is half full.

        Raises NoAnswer.
        """
        stream, before = self._streams[lane], saved + 1
        if (await stream.bounds()).fullness < MAX_KEPT:
            young = await stream.first_since(age)
            before = before if young is None else min(before, young)
        else:
            logger.warning("lane %d is half full: the log keeps nothing that the database has", lane)
        await streams.purge(self.connection, lane, before)

    async def purge(self, lane: int, before: int) -> None:
        """Drops the turns below `before` from the log. Raises NoAnswer."""
        await streams.purge(self.connection, lane, before)

    def _hear(self, message: Msg) -> None:
        place = sequence_and_lane(message)
        if place is not None and place[1] in self.lanes:
            self.lanes[place[1]].hear(place[0], message.data)

    def _heard(self, turn: PlacedTurn) -> None:
        self.turn_taking.heard(turn)
        self._on_turn(turn)

    def _reconnected(self) -> None:
        """Reads what was said while nothing could be heard."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.ensure_future(_all(lane.refresh() for lane in self.lanes.values()))

    async def _probe(self, stream: str) -> None:
        """Asks the leader of a lane that has not answered lately, which is any in which nothing is said."""
        try:
            await self.lanes[int(stream.rsplit("_", 1)[1])].look()
        except NoAnswer as error:
            logger.info("%s", error)

    async def _watch_servers(self) -> None:
        """Looks whether servers write to their disks before they answer: one may come back with other settings."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            danger, before = await find_danger(self.settings.monitors), self.danger
            self.danger = danger
            if danger is not None and danger != before:
                logger.critical("%s", danger)
            elif danger is None and before is not None:
                logger.warning("all NATS servers that answer write to their disks before they acknowledge, again")

    def _lose_name(self) -> None:
        if not self._name_is_lost:
            self._name_is_lost = True
            why = f"another node has the name {self.author.name} and started before this one"
            logger.critical("%s", why)
            self._on_stopped(why)


async def _all(work: "Sequence[Awaitable[None]] | object") -> None:
    for result in await asyncio.gather(*work, return_exceptions=True):  # type: ignore[misc]
        if isinstance(result, BaseException) and not isinstance(result, LaneStopped):
            logger.error("a lane could not be read after a reconnect: %r", result)
