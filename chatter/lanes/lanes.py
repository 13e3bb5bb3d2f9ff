"""The lanes of one node: the log of a cluster, with the rooms at its one end and the database at the other."""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any, Self

import msgspec
import pykka

from chatter.actors import Tellable, stop_thread
from chatter.cluster.cluster import ClusterLog, ClusterSettings, Position
from chatter.cluster.errors import NoAnswer
from chatter.cluster.frames import PlacedTurn
from chatter.cluster.nodes import Node
from chatter.cluster.questions import Questions
from chatter.health import Health
from chatter.lanes.others import Others
from chatter.lanes.projection import Projection
from chatter.lanes.projector import PositionRead, Project, ReadPosition
from chatter.lanes.rooms import MAX_LAG_BYTES, LaneRooms
from chatter.messages import Entry, Forget, RoomRef, Save, Tidy
from chatter.outage import Outage
from schema import Lane, LaneRow

logger = logging.getLogger(__name__)

STALLED_AFTER = 10.0
"""Seconds without progress, although the database lacks turns, after which the node says so.

A node that writes and is killed is missed after 3 s.
"""

CATCH_UP = 2.0
"""Seconds that a read waits for the database to have what was acknowledged. It is behind by some 10 ms usually."""

TIDY_INTERVAL = 60.0
"""Seconds between two looks at what was deleted, and at what the log need not keep any more."""

POLL = 0.02
"""Seconds between two looks at whether what was said is in the log, or in the database."""


class Report(msgspec.Struct, array_like=True, frozen=True):
    """What a node tells of itself with each heartbeat."""

    saved: dict[int, int]  # of the lanes that it writes: the turn up to which the database has everything
    conflicts: int = 0  # appends that another turn came before, since the node started
    repaired: int = 0  # gaps and lost ends that were read from the log
    fault: str | None = None  # why it is not healthy
    people: int = 0  # the last change of who is where that it has told


_encode = msgspec.msgpack.Encoder().encode
report_of = msgspec.msgpack.Decoder(Report).decode
"""Reads the report of a node. Raises `msgspec.MsgspecError` for what is none."""


def work_of(lane: int) -> str:
    """Returns the name of the work of writing a lane to the database, as `Lanes.is_mine` knows it."""
    return f"lane {lane}"


class DatabaseBehind(Exception):
    """The database was restored and does not have again yet what it had. The message is one line for a person."""


class Lanes:
    """Owns the rooms' ends of all lanes, and their projections. Lives on the loop."""

    def __init__(
        self,
        settings: ClusterSettings,
        rows: Sequence[LaneRow],
        *,
        find_room: Callable[[str], RoomRef | None],
        wake_room: Callable[[str], None],
        on_said_elsewhere: Callable[[str, Sequence[Entry]], None],
        history: Tellable,
        start_projector: Callable[[], pykka.ActorRef[Any]],
        log_hours: float = 24.0,
        max_lag_bytes: int = MAX_LAG_BYTES,
    ) -> None:
        """`rows` say how far the database has each lane. `find_room` returns a room that lives on this node.

        `wake_room` has one live here. `on_said_elsewhere` is told what is said in those that do not.

        The log keeps what the database has for `log_hours`.
        """
        self._rows = rows
        self._log_age = 3_600 * log_hours
        self._wake_room = wake_room
        self._start_projector = start_projector
        self._projector = start_projector()
        self._cluster = cluster = ClusterLog(
            settings, on_turn=self._on_turn, on_nodes=self._on_nodes, on_beat=self._on_beat, extra=self._report
        )
        self._others = Others(cluster.notices, cluster.questions, find_room)
        self._rooms = [
            LaneRooms(
                lane,
                wait_for_turn=partial(cluster.turn_taking.wait, number),
                rest=partial(cluster.turn_taking.rest, number),
                find_room=find_room,
                on_said_elsewhere=on_said_elsewhere,
                others=self._others,
                history=history,
                max_lag_bytes=max_lag_bytes,
            )
            for number, lane in cluster.lanes.items()
        ]
        self._projections = [
            Projection(
                number,
                rooms,
                ask=self._ask,
                read_log=partial(cluster.read, number),
                find_first=partial(cluster.first, number),
                is_mine=partial(self.is_mine, work_of(number)),
                on_saved=partial(self._tell_saved, number),
            )
            for number, rooms in enumerate(self._rooms)
        ]
        cluster.notices.hear("saved", lambda _node, body: self._hear_saved(report_of(body).saved))
        cluster.notices.hear("forget", self._hear_forget)
        self._is_open = False
        self._tidying: asyncio.Task[None] | None = None
        self._keeping = Outage(logger, "what was deleted is not dropped yet")

    async def open(self) -> None:
        """Joins the cluster, with every lane read to its end. Raises `ClusterRefused` and `LaneStopped`."""
        positions = [Position(row.head, bytes.fromhex(row.chain), row.created) for row in self._rows]
        await self._cluster.open(positions, self._find_position)
        self._is_open = True
        for projection in self._projections:
            projection.open()
        self._tidying = asyncio.get_running_loop().create_task(self._tidy())

    @property
    def shared(self) -> Self:
        """The log is shared with other nodes."""
        return self

    def log_of(self, slug: str) -> LaneRooms:
        """Returns the log of a room."""
        return self._rooms[zlib.crc32(slug.encode()) % len(self._rooms)]

    @contextlib.contextmanager
    def watch(self) -> Iterator[Mapping[str, Set[int]]]:
        """Collects the rooms of which the database may not have everything now, or in which something is said.

        With each are the accounts that come, go or are something else in it.
        """
        found: dict[str, set[int]] = {}
        with contextlib.ExitStack() as stack:
            for rooms in self._rooms:
                stack.enter_context(rooms.watch(found))
            yield found

    def wake(self, slug: str) -> None:
        """Has a room live here."""
        self._wake_room(slug)

    def tell_changes(self) -> None:
        """Tells the other nodes that accounts have changed: they look at once, and not within a second."""
        self._cluster.notices.tell("changes", b"")

    def hear_changes(self, on_changes: Callable[[], None]) -> None:
        """Has `on_changes` called where another node tells so."""
        self._cluster.notices.hear("changes", lambda _node, _body: on_changes())

    def tell_marks(self, body: bytes) -> None:
        """Tells the other nodes how far people have read."""
        self._cluster.notices.tell("marks", body)

    def hear_marks(self, on_marks: Callable[[bytes], None]) -> None:
        """Has `on_marks` get what other nodes tell of that."""
        self._cluster.notices.hear("marks", lambda _node, body: on_marks(body))

    @property
    def peers(self) -> Questions:
        """What asks the other nodes, and answers them."""
        return self._cluster.questions

    def is_mine(self, work: str) -> bool:
        """Returns whether work that one node has to do, by its name, falls to this one."""
        nodes = self._cluster.nodes
        return self._is_open and nodes.owner(work) == nodes.author.name

    def check_commits(self) -> None:
        """Raises `DatabaseBehind` where the database lacks turns that it had. Called on the thread of history."""
        had = [rooms.saved_through for rooms in self._rooms]  # first: more may be committed behind what is read
        for row in Lane.rows():
            if row.head < had[row.number]:
                raise DatabaseBehind(
                    f"it has lane {row.number} up to turn {row.head}, and had it up to {had[row.number]}"
                )

    def health(self, database: str | None) -> Health:
        """Returns what is wrong with the node, where that is what is wrong with the `database`.

        People talk without it, and all nodes share it: a load balancer that left one for that would have none left.
        """
        return Health(self._fault, database or self._trouble)

    @property
    def _fault(self) -> str | None:
        if any(lane.stopped is not None for lane in self._cluster.lanes.values()):
            return "this node cannot follow the log of the cluster any more"
        if not self._cluster.is_healthy:
            return "the log of the cluster does not answer"
        if any(rooms.is_too_far_ahead for rooms in self._rooms):
            return "the database is too far behind: nothing more can be said in some rooms"
        return None

    @property
    def _trouble(self) -> str | None:
        if self._cluster.danger is not None:
            return "a power cut could lose what is said: a NATS server acknowledges before it writes to its disk"
        if any(projection.fault is not None for projection in self._projections):
            return "the database does not get everything that is in the log"
        behind = max(self._rooms, key=lambda rooms: rooms.stalled_for)
        if behind.stalled_for > STALLED_AFTER:
            return f"saving is behind: {behind.unsaved} turns wait, since {behind.stalled_for:.0f} s"
        return None

    @property
    def _reason(self) -> str | None:
        """What has stopped a lane or its projection, in words for an operator."""
        stopped = (lane.stopped for lane in self._cluster.lanes.values())
        faults = (projection.fault for projection in self._projections)
        return next((why for why in (*stopped, *faults) if why is not None), None)

    async def flush(self) -> None:
        """Waits until the database has everything that is in the log now."""
        ends = [lane.head for lane in self._cluster.lanes.values()]
        while any(rooms.saved_through < end for rooms, end in zip(self._rooms, ends, strict=True)):
            await asyncio.sleep(POLL)

    async def catch_up(self) -> None:
        """Waits until the database has what was acknowledged; not longer than `CATCH_UP`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP):
                await self.flush()

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what the files of all nodes have of an account that has left. Raises what goes wrong on this one."""
        self._cluster.notices.tell("forget", msgspec.msgpack.encode((account, erases)))
        await self._ask(Forget(account, erases))

    async def settle(self, timeout: float, _thread_timeout: float) -> None:
        """Leaves the cluster: the others go on with what this node did. Waits for what its rooms still have to say."""
        await self._cluster.leave()
        try:
            async with asyncio.timeout(timeout):
                while any(rooms.is_saying for rooms in self._rooms):
                    await asyncio.sleep(POLL)
        except TimeoutError:
            logger.error("the log did not take everything in time; whoever said it is not answered, and says it again")

    def give_up(self) -> None:
        """Nothing is tried here that could not be done by another node."""

    async def close(self, thread_timeout: float, _remembered: Sequence[Save] = ()) -> None:
        """Ends everything. What is in the log is written to the database by whoever is left."""
        if self._tidying is not None:
            self._tidying.cancel()
        for projection in self._projections:
            await projection.close()
        for rooms in self._rooms:
            await rooms.close()
        await self._cluster.close()
        if not await stop_thread(self._projector, thread_timeout):
            logger.error("a database call has not returned within %g s and is left behind", thread_timeout)

    # ------------------------------------------------------------ the log and the other nodes

    def _on_turn(self, turn: PlacedTurn) -> None:
        is_own = (turn.by, turn.boot) == self._cluster.author
        self._rooms[turn.lane].on_turn(turn, is_own=is_own)
        self._projections[turn.lane].look()

    def _on_nodes(self) -> None:
        self._others.people.keep_only(self._cluster.nodes.others)
        for projection in self._projections:
            projection.look()

    def _on_beat(self, node: Node) -> None:
        report = report_of(node.extra)
        self._others.people.hear_beat(node.name, report.people)
        self._hear_saved(report.saved)

    def _tell_saved(self, lane: int, through: int) -> None:
        """Tells other nodes at once what heartbeats tell anyway: what is done to rooms is answered then."""
        self._cluster.notices.tell("saved", _encode(Report({lane: through})))

    def _hear_saved(self, saved: Mapping[int, int]) -> None:
        for lane, through in saved.items():
            if 0 <= lane < len(self._rooms):
                self._rooms[lane].on_saved(through)

    def _hear_forget(self, _node: str, body: bytes) -> None:
        account, erases = msgspec.msgpack.decode(body, type=tuple[int, bool])
        self._forgetting = asyncio.get_running_loop().create_task(self._try(Forget(account, erases)))

    def _report(self) -> bytes:
        known = ((number, projection.saved_through) for number, projection in enumerate(self._projections))
        counts = [lane.counts for lane in self._cluster.lanes.values()]
        report = Report(
            {number: through for number, through in known if through is not None},
            conflicts=sum(each.conflicts for each in counts),
            repaired=sum(each.gaps_read + each.tails_repaired for each in counts),
            fault=self._reason or self._fault or self._cluster.danger or self._trouble,
            people=self._others.people.number,
        )
        return _encode(report)

    # ------------------------------------------------------------ the database

    async def _ask(self, message: Project | ReadPosition | Tidy | Forget) -> Any:
        if not self._projector.is_alive():
            logger.error("the projector died and is started again")
            self._projector = self._start_projector()
        return await self._projector.ask(message, block=False)

    async def _find_position(self, lane: int) -> tuple[int, bytes]:
        read: PositionRead = await self._ask(ReadPosition(lane))
        return read.head, read.chain

    async def _try(self, message: Tidy | Forget) -> None:
        """Has something dropped. A projector that were told, and not asked, would die of a database that is away."""
        try:
            await self._ask(message)
        except Exception as error:
            self._keeping.failed(error)
        else:
            self._keeping.end()

    async def _tidy(self) -> None:
        """Has deleted texts dropped by one node, and each lane's old turns by the one that writes it."""
        while True:
            await asyncio.sleep(TIDY_INTERVAL)
            if self.is_mine("tidy"):
                await self._try(Tidy())
            for number, projection in enumerate(self._projections):
                if (saved := projection.saved_through) is not None:
                    await self._trim(number, saved)

    async def _trim(self, lane: int, saved: int) -> None:
        """Drops what the log need not keep. It has to be tried again whatever goes wrong: a full log refuses all."""
        try:
            await self._cluster.trim(lane, saved, self._log_age)
        except NoAnswer as error:
            logger.info("the log of lane %d is not trimmed yet: %s", lane, error)
        except Exception:
            logger.exception("the log of lane %d is not trimmed, which will be tried again", lane)
