"""One lane as one node sees it: hands over its turns in the log's order, each once, and appends with compare.

Order is the log's order. A turn is appended under the head that its author had when it decided what is in it; if
another turn came first the server refuses it, and the author decides anew. What was lost on the way here is read from
the stream. A hole that cannot be there stops the lane.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chatter.cluster.early_turns import EarlyTurns
from chatter.cluster.errors import Conflict, LaneStopped, LogFull, NoAnswer, Unavailable
from chatter.cluster.frames import Author, Frame, History, PlacedTurn, encode
from chatter.cluster.stream import Behind, Bounds, Full, NotPlaced, Placed, Stream, Unknown, Wrong

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5
"""Seconds between two tries, doubled each time: an election of a stream's leader takes 5 to 7 s after a kill -9."""

PATIENCE = 10.0
"""Seconds after which an append that no quorum has placed is `Unavailable`."""

TAIL_PATIENCE = 0.1
"""Seconds for a turn that another node has, to be heard here too, before it is read."""

LOST_AFTER = 5.0
"""Seconds for which the leader must say that it has less than this lane has heard, before the log counts as lost."""

STUCK_AFTER = 5.0
"""Seconds for which a lane may try to read before its node is not healthy."""

EMPTY_READS = 20
"""How often a replica may have nothing new before the leader is asked what there is."""


@dataclass
class Counts:
    """What has happened in a lane since the node started."""

    appended: int = 0
    conflicts: int = 0
    gaps_read: int = 0
    tails_repaired: int = 0
    undecided: int = 0
    invalid: int = 0


@dataclass(eq=False)
class _Pending:
    """An append that is not decided."""

    n: int
    head: int
    frame: bytes
    decided: "asyncio.Future[int | Exception]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    may_be_placed: bool = False
    task: "asyncio.Task[None] | None" = None

    def decide(self, outcome: int | Exception) -> None:
        if not self.decided.done():
            self.decided.set_result(outcome)


class LaneLog:
    """Follows and extends one lane."""

    def __init__(
        self,
        lane: int,
        stream: Stream,
        *,
        author: Author,
        on_turn: Callable[[PlacedTurn], None],
        on_stopped: Callable[[str], None] = lambda _why: None,
    ) -> None:
        """`on_turn` gets every turn, void ones too: each `seq` is one more than the one before."""
        self.lane = lane
        self.counts = Counts()
        self.stopped: str | None = None  # why the lane takes part no more
        self.is_open = False
        self.changed_at = 0.0  # when the head moved last, by the loop's clock
        self._stream = stream
        self._author = author
        self._on_turn = on_turn
        self._on_stopped = on_stopped
        self._history = History(lane, 0, None)
        self._known = 0  # the highest sequence of which this node has heard
        self._created: str | None = None
        self._appends = 0
        self._pending: _Pending | None = None
        self._undecided: _Pending | None = None  # the last one that nobody waits for any longer
        self._early = EarlyTurns()
        self._reader: asyncio.Task[None] | None = None
        self._reading_since = 0.0
        self._behind_since: float | None = None

    @property
    def head(self) -> int:
        """The sequence of the last turn that was handed over."""
        return self._history.head

    @property
    def chain(self) -> bytes | None:
        """The hash over all frames up to the head. None before the first, if the lane was opened without."""
        return self._history.chain

    @property
    def is_writable(self) -> bool:
        """Whether an append may be tried now."""
        return self.is_open and self.stopped is None and self._pending is None

    @property
    def is_stuck(self) -> bool:
        """Whether there are turns of which this lane could read none for `STUCK_AFTER` seconds."""
        is_reading = self._reader is not None and not self._reader.done()
        return is_reading and _now() - max(self.changed_at, self._reading_since) > STUCK_AFTER

    async def open(
        self,
        position: int,
        chain: bytes | None = None,
        find_position: Callable[[], Awaitable[tuple[int, bytes]]] | None = None,
    ) -> None:
        """Reads from `position` + 1 to the end, by the leader's word, and is ready.

        `chain` is the one that was kept with the position, or `GENESIS` for a new log. `find_position` finds both anew:
        others may have moved the position since, and the log may have been trimmed up to there. Waits while the stream
        has no leader. Raises LaneStopped where the log has not what it must have.
        """
        bounds = await self._ask_leader()
        while bounds.first > position + 1 and find_position is not None:
            before, (position, chain) = position, await find_position()  # after the log: what neither has is nowhere
            if position == before:
                break
            bounds = await self._ask_leader()  # the position is beyond the end that it told, perhaps
        self._history = History(self.lane, position, chain)
        self._created = bounds.created
        if bounds.last < position:
            self._stop(f"the log of lane {self.lane} is lost: expected turn {position}, it ends at {bounds.last}")
        self._check_start(bounds)
        if chain is None and bounds.first <= position:
            self._history = await self._before(position)
        await self._read_to(bounds.last)
        if self.stopped is not None:
            raise LaneStopped(self.stopped)
        self.is_open = True
        await self._read_to(self._known)

    def hear(self, seq: int, frame: bytes) -> None:
        """Takes a turn that the server republished. Until the lane is open only its sequence counts."""
        if seq <= self.head or self.stopped is not None:
            return
        self._known = max(self._known, seq)
        if not self.is_open:
            return
        if seq == self.head + 1:
            self._accept(seq, frame)
            self._accept_early()
            return
        self._early.put(seq, frame)
        if self._reader is None or self._reader.done():
            self.counts.gaps_read += 1
            self._start_reading()

    def hear_head(self, head: int) -> None:
        """Takes the head of another node. What is not heard here within `TAIL_PATIENCE` is read."""
        if self.is_open and head > self.head:
            asyncio.get_running_loop().call_later(TAIL_PATIENCE, self._repair_tail, head)

    async def refresh(self) -> None:
        """Asks the leader for the end and reads up to there: after a reconnect turns may be missing unnoticed."""
        if self.is_open and self.stopped is None:
            await self._read_to((await self._ask_leader()).last)

    async def look(self) -> None:
        """Asks the leader once what there is: where nothing is said nobody else notices a log that went back.

        Raises NoAnswer.
        """
        bounds = await self._stream.bounds()
        if self.is_open and self.stopped is None:
            self._check_going_on(bounds)
            self.hear_head(bounds.last)

    async def append(self, payload: bytes, head: int, *, kind: str = "turn", patience: float = PATIENCE) -> int:
        """Appends a turn that was decided at `head`, and returns its sequence once it was handed over.

        `head` must be taken before anything is decided, and nothing may be awaited between the last look at the
        application's state and this call. One append at a time. Raises Conflict, LogFull, Unavailable, LaneStopped.
        """
        if self.stopped is not None:
            raise LaneStopped(self.stopped)
        if not self.is_writable:
            raise Unavailable("an append before this one is not decided", undecided=False)
        if head != self.head or self._known > head:
            self.counts.conflicts += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._read_to(self._known)
            raise Conflict
        pending = self._begin(payload, kind)
        try:
            await asyncio.wait({pending.decided}, timeout=patience)
        finally:
            if not pending.decided.done():
                self._leave(pending)
        if not pending.decided.done():
            raise Unavailable("no quorum has answered in time", undecided=True)
        outcome = pending.decided.result()
        if isinstance(outcome, int):
            return outcome
        if isinstance(outcome, Conflict) and self._known > self.head:
            await self._read_to(self._known)
        raise outcome

    async def settled(self) -> int | None:
        """Waits until the last undecided append is decided. Returns its sequence; None if it is never placed."""
        if self._undecided is None:
            return None
        outcome = await asyncio.shield(self._undecided.decided)
        return outcome if isinstance(outcome, int) else None

    async def close(self) -> None:
        """Ends what goes on in the background. Nothing more is handed over."""
        self.is_open = False
        pending, self._pending = self._pending, None
        tasks = [task for task in (self._reader, None if pending is None else pending.task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if pending is not None:
            pending.decide(Unavailable("the lane was closed", undecided=pending.may_be_placed))

    def _begin(self, payload: bytes, kind: str) -> _Pending:
        """Starts an append in the background: it goes on where its caller does not wait any longer."""
        self._appends += 1
        n, head, chain = self._appends, self.head, self.chain
        if chain is None:
            raise LaneStopped(f"lane {self.lane} was opened at {head} without the chain up to there")
        name, boot = self._author
        frame = encode(Frame(self.lane, head, chain, name, boot, n, kind, payload))
        self._pending = pending = _Pending(n, head, frame)
        pending.task = asyncio.create_task(self._place(pending))
        return pending

    def _leave(self, pending: _Pending) -> None:
        """Gives up what has surely not been placed. What may be is undecided, and goes on."""
        if pending.may_be_placed:
            self.counts.undecided += 1
            self._undecided = pending
            logger.warning("an append to lane %d under %d is undecided", self.lane, pending.head)
            return
        assert pending.task is not None
        pending.task.cancel()
        self._settle(pending, Unavailable("the lane has no leader", undecided=False))

    async def _place(self, pending: _Pending) -> None:
        """Appends until it is decided: under one head one of all tries is placed, or another's turn is."""
        pause = FIRST_PAUSE
        while not pending.decided.done():
            was_unknown, pending.may_be_placed = pending.may_be_placed, True
            outcome = await self._stream.append(pending.frame, pending.head)
            pending.may_be_placed = was_unknown or isinstance(outcome, Unknown)
            if pending.decided.done():
                return
            match outcome:
                case Placed(seq) if seq == pending.head + 1:
                    self._known = max(self._known, seq)
                    self._accept(seq, pending.frame)
                case Placed(seq):
                    self._stop(f"lane {self.lane} is not dense: expected turn {pending.head + 1}, got {seq}")
                case Behind(last):
                    await self._read_what_came_first(pending, last)
                case Full() if not pending.may_be_placed:
                    self._settle(pending, LogFull())
                case Full():
                    pass  # the try before this one may still be placed, once there is room
                case Wrong(why):
                    self._stop(f"the server refuses turns of lane {self.lane}: {why}")
                case NotPlaced(why) | Unknown(why):
                    logger.debug("lane %d: %s", self.lane, why)
            if not pending.decided.done():
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _read_what_came_first(self, pending: _Pending, last: int | None) -> None:
        """Reads up to the turn that was first. Where there is none the server has less than this lane, or is busy."""
        if last is not None and last > pending.head:
            await self._read_to(last)
            return
        bounds = await self._ask_leader()
        if bounds.last > pending.head:
            await self._read_to(bounds.last)

    def _settle(self, pending: _Pending, outcome: int | Exception) -> None:
        if self._pending is pending:
            self._pending = None
        pending.decide(outcome)

    def _accept(self, seq: int, frame: bytes) -> None:
        """Hands the next turn over, and decides the append that wanted its place."""
        if seq <= self.head or self.stopped is not None:
            return
        try:
            turn = self._history.place(seq, frame)
        except LaneStopped as error:
            self._stop(str(error))
            return
        self._early.take(seq)
        self.changed_at = _now()
        self._behind_since = None
        if turn.is_void:
            self.counts.invalid += 1
            logger.error("turn %d of lane %d is void: it was not appended by the rules", seq, self.lane)
        try:
            self._on_turn(turn)
        except Exception as error:  # what the application has of this turn is not known
            logger.exception("turn %d of lane %d could not be applied", seq, self.lane)
            self._stop(f"turn {seq} of lane {self.lane} could not be applied: {error!r}")
        pending = self._pending
        if pending is None:
            return
        if (turn.by, turn.boot, turn.n) == (*self._author, pending.n):
            self.counts.appended += 1
            self._settle(pending, seq)
        else:
            self.counts.conflicts += 1
            self._settle(pending, Conflict())

    def _accept_early(self) -> None:
        while (frame := self._early.take(self.head + 1)) is not None and self.stopped is None:
            self._accept(self.head + 1, frame)

    def _stop(self, why: str) -> None:
        if self.stopped is not None:
            return
        self.stopped = why
        logger.critical("lane %d has stopped: %s", self.lane, why)
        if self._pending is not None:
            self._settle(self._pending, LaneStopped(why))
        self._on_stopped(why)

    def _repair_tail(self, head: int) -> None:
        if head > self.head and self.is_open:
            self.counts.tails_repaired += 1
            self._known = max(self._known, head)
            self._start_reading()

    async def _read_to(self, seq: int) -> None:
        self._known = max(self._known, seq)
        if self._known > self.head:
            await asyncio.shield(self._start_reading())

    def _start_reading(self) -> "asyncio.Task[None]":
        if self._reader is None or self._reader.done():
            self._reading_since = _now()
            self._reader = asyncio.create_task(self._read_on())
        return self._reader

    async def _read_on(self) -> None:
        """Reads until the lane has all of which it knows. A replica that is behind is asked again."""
        empty = 0
        while self.head < self._known and self.stopped is None:
            try:
                batch = await self._stream.read(self.head)
            except NoAnswer:
                batch = []
            fresh = [(seq, frame) for seq, frame in batch if seq > self.head]
            if fresh and fresh[0][0] == self.head + 1:
                empty = 0
                for seq, frame in fresh:
                    self._accept(seq, frame)
                self._accept_early()
                await asyncio.sleep(0)
                continue
            empty += 1
            if fresh or empty % EMPTY_READS == 0:
                bounds = await self._ask_leader()
                self._known = min(self._known, max(bounds.last, self.head))
                if fresh and empty > EMPTY_READS:
                    self._stop(f"lane {self.lane} is not dense: expected turn {self.head + 1}, got {fresh[0][0]}")
            await asyncio.sleep(min(FIRST_PAUSE * 2 ** min(empty, 6), LONGEST_PAUSE / 2))

    async def _ask_leader(self) -> Bounds:
        """Returns the bounds of the stream, and stops the lane where they show that its log is lost."""
        pause = FIRST_PAUSE
        while True:
            try:
                bounds = await self._stream.bounds()
            except NoAnswer:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            if self.is_open:
                self._check_going_on(bounds)
            return bounds

    def _check_start(self, bounds: Bounds) -> None:
        if bounds.first > self.head + 1:
            self._stop(
                f"the log of lane {self.lane} begins at {bounds.first}: "
                f"the turns from {self.head + 1} on are not in it any more: restore a later backup of the database, or "
                "begin another log behind what it has, with `chatter cluster create --log-lost`"
            )
        if self.stopped is not None:
            raise LaneStopped(self.stopped)

    def _check_going_on(self, bounds: Bounds) -> None:
        if bounds.created != self._created:
            self._stop(f"the stream of lane {self.lane} was created anew at {bounds.created}")
        elif bounds.first > self.head + 1:
            self._stop(
                f"the log of lane {self.lane} begins at {bounds.first}: "
                f"the turns from {self.head + 1} on are not in it any more"
            )
        elif bounds.last >= self.head:
            self._behind_since = None
        elif self._behind_since is None:  # a leader that was just elected may have to apply some
            self._behind_since = _now()
        elif _now() - self._behind_since > LOST_AFTER:
            self._stop(f"the log of lane {self.lane} went back: it ends at {bounds.last}, turn {self.head} was heard")

    async def _before(self, position: int) -> History:
        """Takes the chain from the turn at `position`, which the stream still has."""
        history = History(self.lane, position - 1, None)
        while history.head < position:
            try:
                batch = await self._stream.read(position - 1)
            except NoAnswer:
                batch = []
            if batch and batch[0][0] == position:
                history.place(*batch[0])
            else:
                await asyncio.sleep(FIRST_PAUSE)
        return history


def _now() -> float:
    return asyncio.get_running_loop().time()
