"""Lane rooms: the rooms of one lane on this node, for which it plays the log.

Rooms in which requests wait ask for the turn. When this node has it they decide, on the log as it is, and what results
is one turn of the lane. Everybody hears of it once the log has it: the rooms of this node and of all others, turn by
turn in the lane's order.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import pykka
from msgspec.structs import replace

from chatter.actors import Tellable, tell_if_alive
from chatter.cluster.errors import Conflict, LaneStopped, LogFull, Unavailable
from chatter.cluster.frames import MAX_BODY, PlacedTurn
from chatter.lanes.people import People
from chatter.lanes.turns import SAID, VOIDED, RoomTurn, said_body, turn_of, voided_body
from chatter.messages import (
    Entry,
    Heard,
    Load,
    MembersChanged,
    Meta,
    NotPlaced,
    NotSaved,
    Placed,
    Propose,
    Relayed,
    RoomMessage,
    RoomRef,
    Save,
    Saved,
    StartedTyping,
    size_of,
)

logger = logging.getLogger(__name__)

PATIENCE = 0.5
"""Seconds after which rooms go on without knowing what became of their turn. Until then they answer nobody."""

MAX_TURN_BYTES = 128 * 1024
"""Past so much no further room is asked what it has for a turn. What one room has may be as much again."""

MAX_LAG_BYTES = 128 * 1024 * 1024
"""Bytes of turns that the database may lack of a lane, if nothing else is said. Past that nobody says anything there.

Where 1,000 messages of 100 characters are said a second that is seven minutes without a database.
"""

TURN_BYTES = 1_000
"""What a turn takes beside its body."""

MAX_VOIDS = 100
"""Void places of which one turn tells."""

FULL_PAUSE = 1.0
"""Seconds after which it is tried again to say something in a lane whose stream is full."""


class Lane(Protocol):
    """A lane of the log, as `LaneLog` is one."""

    @property
    def head(self) -> int:
        """The last turn that was handed over."""

    async def append(self, payload: bytes, head: int, *, kind: str, patience: float) -> int:
        """Appends a turn that was decided at `head`; raises `Conflict`, `LogFull`, `Unavailable`, `LaneStopped`."""

    async def settled(self) -> int | None:
        """Waits until the last append that was undecided is decided."""

    async def refresh(self) -> None:
        """Waits until the leader of the stream answers, and reads what it has."""


class Beside(Protocol):
    """The other nodes beside the log, as `Others` is one."""

    people: People

    def tell(self, slug: str, event: StartedTyping | Relayed) -> None:
        """Has the room's other nodes broadcast what is never saved."""


class LaneRooms:
    """Owns what the rooms of one lane wait for, and the turns that the database does not have yet."""

    def __init__(
        self,
        lane: Lane,
        *,
        wait_for_turn: Callable[[], Awaitable[None]],
        rest: Callable[[], None],
        find_room: Callable[[str], RoomRef | None],
        history: Tellable,
        others: Beside,
        on_said_elsewhere: Callable[[str, Sequence[Entry]], None] = lambda _slug, _entries: None,
        max_lag_bytes: int = MAX_LAG_BYTES,
    ) -> None:
        """`find_room` returns the room of a name that lives here. `history` loads a room's past from the database.

        `rest` is called when nothing waits any more, or nothing can be said.

        `on_said_elsewhere` is told what is said in rooms that do not live here. `others` tells other nodes what is
        never saved.
        """
        self._lane = lane
        self._wait_for_turn = wait_for_turn
        self._rest = rest
        self._find_room = find_room
        self._history = history
        self._others = others
        self._on_said_elsewhere = on_said_elsewhere
        self._max_lag_bytes = max_lag_bytes
        self._watches: list[dict[str, set[int]]] = []
        self._waiting: dict[str, RoomRef] = {}
        self._proposed: list[Save] = []  # by rooms of this node, and on its way into the log
        self._voids: dict[tuple[str, int], NotSaved] = {}  # of which the log has to be told, by room and place
        self._unsaved: deque[RoomTurn] = deque()
        self._unsaved_of: dict[str, deque[Entry]] = {}
        self._unsaved_bytes = 0
        self._progress_at = 0.0  # when the database got something, or had everything
        self._saved_through = 0  # as the node says that writes to the database
        self._pump: asyncio.Task[None] | None = None
        self._is_unavailable = False

    # ------------------------------------------------------------ the log, as rooms see it

    @property
    def is_full(self) -> bool:
        """Whether nothing can be said: the log does not answer, is full, or the database is too far behind."""
        return self._is_unavailable or self.is_too_far_ahead

    @property
    def is_half_full(self) -> bool:
        """Whether rooms must refuse operations, so that messages find room for longer."""
        return self._is_unavailable or self._unsaved_share >= 0.5

    @property
    def is_too_far_ahead(self) -> bool:
        """Whether the database lacks so much that nothing can be said."""
        return self._unsaved_share >= 1

    @property
    def _unsaved_share(self) -> float:
        return (self._unsaved_bytes + TURN_BYTES * len(self._unsaved)) / self._max_lag_bytes

    @property
    def is_saying(self) -> bool:
        """Whether rooms have something to say that is not in the log."""
        return self._pump is not None and not self._pump.done()

    @property
    def unsaved(self) -> int:
        """How many turns the database may not have."""
        return len(self._unsaved)

    @property
    def saved_through(self) -> int:
        """The turn up to which the database has everything, as far as is known here."""
        return self._saved_through

    @property
    def stalled_for(self) -> float:
        """For how many seconds the database got nothing although there is something."""
        return time.monotonic() - self._progress_at if self._unsaved else 0.0

    def count(self, size: int) -> None:
        """Counts nothing: a turn counts once the log has it."""

    def tell(self, message: Save | Load) -> None:
        """Has a room's past loaded, with what the database does not have yet."""
        assert isinstance(message, Load), "a shared room saves nothing by itself"
        unsaved = tuple(self._unsaved_of.get(message.slug, ()))
        self._history.tell(replace(message, unsaved=unsaved))

    def ask_for_turn(self, room: RoomRef, slug: str) -> None:
        """Has a room asked what it has to say, once this node has the turn."""
        self._waiting[slug] = room
        self._start_pump()

    def tell_elsewhere(self, slug: str, event: StartedTyping | Relayed) -> None:
        """Has the room's other nodes broadcast what is never saved."""
        self._others.tell(slug, event)

    def tell_person(self, slug: str, name: str, meta: Meta, is_here: bool) -> None:
        """Has the other nodes show a connection of somebody as present, or as gone."""
        self._others.people.change(slug, name, meta, is_here=is_here)

    def people_elsewhere(self, slug: str) -> Iterable[tuple[str, Meta]]:
        """Returns the connections to the room on other nodes, with the names under which they are listed."""
        return self._others.people.elsewhere(slug)

    def forget_people(self, slug: str) -> None:
        """Has the other nodes show nobody of this node as present in the room."""
        self._others.people.forget(slug)

    # ------------------------------------------------------------ what this node says

    def tell_voids(self, voids: Sequence[tuple[str, NotSaved]]) -> None:
        """Has the log told of places, with their rooms, for which the database took nothing."""
        places = {(slug, not_saved.void.seq): not_saved for slug, not_saved in voids}
        for turn in self._unsaved if voids else ():
            for slug, told in turn.voids:
                places.pop((slug, told.void.seq), None)
        self._voids |= places
        self._start_pump()

    def _start_pump(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._say_all())

    async def _say_all(self) -> None:
        """Tells of void places, and gives the waiting rooms turns, until none waits."""
        try:
            while self._waiting or self._voids:
                await self._wait_for_turn()
                await self._say_some()
        finally:
            self._rest()

    async def _say_some(self) -> None:
        head = self._lane.head  # before anything is decided
        if self._voids:
            untold = islice(self._voids.items(), MAX_VOIDS)
            await self._append(voided_body((slug, each) for (slug, _), each in untold), head, VOIDED)
            return
        body = self._body_of(await self._proposals())
        if self._proposed:
            await self._append(body, head, SAID)

    async def _proposals(self) -> list[Save]:
        """Asks the rooms that wait what they have to say, as far as a turn has room for it."""
        saves: list[Save] = []
        size = 0
        while self._waiting and size < MAX_TURN_BYTES:
            slug = next(iter(self._waiting))
            room = self._waiting.pop(slug)
            try:
                save: Save | None = await room.ask(Propose(), block=False)
            except pykka.ActorDeadError:
                continue  # its successor asks anew
            if save is not None:
                saves.append(save)
                size += sum(map(size_of, save.entries))
        return saves

    def _body_of(self, saves: list[Save]) -> bytes:
        """Returns a turn of what was proposed. Rooms whose part there is no room for decide anew."""
        body = said_body(saves)
        while len(body) > MAX_BODY:
            save = saves.pop()
            _tell_not_placed(save, is_too_large=not saves)
            body = said_body(saves)
        self._proposed = saves
        return body

    async def _append(self, body: bytes, head: int, kind: str) -> None:
        try:
            await self._lane.append(body, head, kind=kind, patience=PATIENCE)
        except Conflict:
            self._take_back()
        except LogFull:
            self._take_back()
            logger.error("the log is full: nothing can be said")
            await self._pause(asyncio.sleep(FULL_PAUSE))
        except Unavailable:
            self._take_back()
            logger.warning("the log does not answer: nothing can be said")
            await self._pause(self._until_it_answers())
        except LaneStopped:
            self._take_back()
            self._is_unavailable = True
        except BaseException:
            self._take_back()
            raise

    async def _pause(self, until: Awaitable[object]) -> None:
        """Has all that is asked meanwhile refused."""
        self._is_unavailable = True
        self._rest()
        await until
        self._is_unavailable = False

    async def _until_it_answers(self) -> None:
        await self._lane.settled()
        await self._lane.refresh()

    def _take_back(self) -> None:
        proposed, self._proposed = self._proposed, []
        for save in proposed:
            _tell_not_placed(save)

    # ------------------------------------------------------------ what the log has

    def on_turn(self, placed: PlacedTurn, *, is_own: bool) -> None:
        """Hands a turn to the rooms that live here. `is_own` says that this node has appended it."""
        turn = turn_of(placed)
        self._keep(turn)
        proposers = {save.slug: save.room for save in self._proposed} if is_own else {}
        if proposers and turn.said:
            self._proposed = []
        for slug, entries in turn.said:
            self._tell(slug, entries, proposers.get(slug))
        for slug, not_saved in turn.voids:
            self._voids.pop((slug, not_saved.void.seq), None)
            if (room := self._find_room(slug)) is not None:
                tell_if_alive(room, not_saved)
        self._drop_saved()

    def on_saved(self, through: int) -> None:
        """The database has all turns up to `through`, and the log has told of what is void there."""
        self._saved_through = max(self._saved_through, through)
        self._drop_saved()

    def unsaved_after(self, seq: int, limit: int) -> Sequence[RoomTurn] | None:
        """Returns up to `limit` turns that come after `seq`; None where they are not kept here any more."""
        first = self._unsaved[0].seq if self._unsaved else self._lane.head + 1
        if seq + 1 < first:
            return None
        return tuple(islice(self._unsaved, seq + 1 - first, seq + 1 - first + limit))

    def _drop_saved(self) -> None:
        """Drops what the database has, once all that the log had by then is heard: voids are told of behind them."""
        if self._lane.head < self._saved_through:
            return
        saved: dict[str, int] = {}
        while self._unsaved and self._unsaved[0].seq <= self._saved_through:
            turn = self._unsaved.popleft()
            self._unsaved_bytes -= turn.size
            self._progress_at = time.monotonic()
            for slug, entries in turn.said:
                saved[slug] = entries[-1].seq
                of_room = self._unsaved_of[slug]
                while of_room and of_room[0].seq <= saved[slug]:
                    of_room.popleft()
                if not of_room:
                    del self._unsaved_of[slug]
        for slug, seq in saved.items():
            if (room := self._find_room(slug)) is not None:
                tell_if_alive(room, Saved(seq))

    @contextlib.contextmanager
    def watch(self, found: dict[str, set[int]]) -> Iterator[None]:
        """Adds the rooms of which the database may not have everything now, or in which something is said.

        With each are the accounts that come, go or are something else in it.
        """
        for slug, entries in self._unsaved_of.items():
            _add_to(found, slug, entries)
        self._watches.append(found)
        try:
            yield
        finally:
            self._watches[:] = [each for each in self._watches if each is not found]

    async def close(self) -> None:
        """Ends what is on its way. Rooms are put back to where the log is."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    def _keep(self, turn: RoomTurn) -> None:
        if not self._unsaved:
            self._progress_at = time.monotonic()
        self._unsaved.append(turn)
        self._unsaved_bytes += turn.size
        for slug, entries in turn.said:
            self._unsaved_of.setdefault(slug, deque()).extend(entries)

    def _tell(self, slug: str, entries: Sequence[Entry], proposer: RoomRef | None) -> None:
        """Tells the room that has proposed the entries that they are placed, and any other what was said."""
        for watch in self._watches:
            _add_to(watch, slug, entries)
        room = self._find_room(slug)
        if room is None:
            self._on_said_elsewhere(slug, entries)
            return
        is_proposer = proposer is not None and room.actor_urn == proposer.actor_urn
        message: RoomMessage = Placed(entries[-1].seq) if is_proposer else Heard(entries)
        tell_if_alive(room, message)


def _add_to(found: dict[str, set[int]], slug: str, entries: Iterable[Entry]) -> None:
    changed = found.setdefault(slug, set())
    for entry in entries:
        if isinstance(entry, MembersChanged):
            changed.update(member.who.id for member in entry.members)


def _tell_not_placed(save: Save, *, is_too_large: bool = False) -> None:
    if save.room is not None:
        tell_if_alive(save.room, NotPlaced(is_too_large))
