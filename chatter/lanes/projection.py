"""A projection: has the turns of one lane written to the database, while this node is the one that does it.

Which node that is follows from which nodes live. Two that write at once cost time, and nothing else: a lane's position
in the database is moved only from where it was. Where it is not where it was expected, the database is asked, and what
is not in memory any more is read from the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

import pykka

from chatter.cluster.errors import LaneStopped, NoAnswer
from chatter.cluster.frames import History
from chatter.lanes.projector import PositionRead, Project, ReadPosition, Untold
from chatter.lanes.turns import RoomTurn, turn_of
from chatter.messages import NotSaved
from chatter.outage import Outage
from schema import Moved

logger = logging.getLogger(__name__)

MAX_TURNS = 200
"""Turns in one transaction."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two tries of a transaction that failed, doubled each time."""

LOOK_INTERVAL = 5.0
"""Seconds after which a lane in which nothing is said is looked up: the database may have been restored from before."""

INTERVAL = 0.05
"""Seconds between two transactions of a lane: nobody waits for them, and fewer and larger ones cost less."""


class Hole(Exception):
    """The log does not have turns any more that the database lacks. The message is one line for a person."""


class Turns(Protocol):
    """The turns of a lane that may not be in the database, as `LaneRooms` keeps them."""

    def unsaved_after(self, seq: int, limit: int) -> Sequence[RoomTurn] | None:
        """Returns up to `limit` turns that come after `seq`; None where they are not kept any more."""

    def tell_voids(self, voids: Sequence[tuple[str, NotSaved]]) -> None:
        """Has the log told of void places."""

    def on_saved(self, through: int) -> None:
        """The database has all turns up to `through`, and the log has told of what is void there."""


class _Position(NamedTuple):
    """How far the database has a lane."""

    head: int
    chain: bytes


class Projection:
    """Owns how far the database is with one lane, as this node knows it. Lives on the loop."""

    def __init__(
        self,
        lane: int,
        turns: Turns,
        *,
        ask: Callable[[Project | ReadPosition], Awaitable[Any]],
        read_log: Callable[[int], Awaitable[Sequence[tuple[int, bytes]]]],
        find_first: Callable[[], Awaitable[int]],
        is_mine: Callable[[], bool],
        on_saved: Callable[[int], None] = lambda _through: None,
    ) -> None:
        """`ask` asks the projector. `read_log` reads some frames after a turn, `find_first` says with which it begins.

        `is_mine` says whose work it is now.

        `on_saved` is told up to which turn the database has everything.
        """
        self.fault: str | None = None  # why the database gets nothing more of this lane
        self._lane = lane
        self._turns = turns
        self._ask = ask
        self._read_log = read_log
        self._find_first = find_first
        self._is_mine = is_mine
        self._on_saved = on_saved
        self._position: _Position | None = None  # None while another node writes, or may have written
        self._untold: list[Untold] = []
        self._outage = Outage(logger, f"lane {lane} cannot be written to the database")
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def saved_through(self) -> int | None:
        """The turn up to which the database has everything and all voids are told of; None if another node knows."""
        if self._position is None:
            return None
        return min((each.turn - 1 for each in self._untold), default=self._position.head)

    def open(self) -> None:
        """Begins to write, as soon as that falls to this node."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def look(self) -> None:
        """Looks at once: there are more turns, or other nodes."""
        self._more.set()

    async def close(self) -> None:
        """Ends. What is under way in the database may still be committed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            self._more.clear()
            try:
                has_written = await self._write_some()
            except (Moved, pykka.ActorDeadError) as error:
                logger.info("the projection of lane %d begins anew: %s", self._lane, error)
                self._position = None
            except (Hole, LaneStopped) as error:
                self.fault = str(error)
                logger.critical("the database gets nothing more of lane %d: %s", self._lane, error)
                return
            except Exception as error:
                self._outage.failed(error)
                self._position = None  # it may be committed
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                self._outage.end()
                await (asyncio.sleep(INTERVAL) if has_written else self._wait_for_more())

    async def _wait_for_more(self) -> None:
        try:
            async with asyncio.timeout(LOOK_INTERVAL):
                await self._more.wait()
        except TimeoutError:
            self._position = None

    async def _write_some(self) -> bool:
        """Writes some turns; returns whether there were any."""
        if not self._is_mine():
            self._position = None
            return False
        head, chain = self._position or await self._find_position()
        turns = self._turns.unsaved_after(head, MAX_TURNS)
        if turns is None:
            turns = await self._read_turns(head, chain)
        if not turns:
            return False
        untold: Sequence[Untold] = await self._ask(Project(self._lane, turns))
        self._position = _Position(turns[-1].seq, turns[-1].chain)
        told = {(slug, void.void.seq) for turn in turns for slug, void in turn.voids}
        self._untold = [each for each in self._untold if (each.slug, each.not_saved.void.seq) not in told]
        self._tell(untold)
        return True

    async def _read_turns(self, head: int, chain: bytes) -> Sequence[RoomTurn]:
        """Reads from the log what the database lacks and memory has dropped: the database is one of before."""
        frames = await self._read_log(head)
        if not frames or frames[0][0] != head + 1:
            raise await self._why_not_read(head)
        history = History(self._lane, head, chain)
        return [turn_of(history.place(seq, frame)) for seq, frame in frames]

    async def _why_not_read(self, head: int) -> Exception:
        """Returns why the log does not give the turn after `head`.

        The database may have it by now: another node wrote it, and the log was trimmed. So the database is asked after
        the log has said where it begins, and not before: what is in neither then is nowhere.
        """
        first = await self._find_first()
        if first <= head + 1:
            return NoAnswer(f"turns after {head} are not to be read now")
        read: PositionRead = await self._ask(ReadPosition(self._lane))
        if first <= read.head + 1:
            return Moved(self._lane, head)
        return Hole(f"the database ends at turn {read.head}, and the log begins at {first}")

    async def _find_position(self) -> _Position:
        read: PositionRead = await self._ask(ReadPosition(self._lane))
        self._position, self._untold = _Position(read.head, read.chain), []
        self._tell(read.untold)
        return self._position

    def _tell(self, untold: Sequence[Untold]) -> None:
        """Has the log told of what is new to it, and rooms of what the database has."""
        self._untold += untold
        self._turns.tell_voids([(each.slug, each.not_saved) for each in untold])
        if (through := self.saved_through) is not None:
            self._turns.on_saved(through)
            self._on_saved(through)
