"""The supervisor: starts, finds, rebuilds and retires rooms.

Death, on one page.

A room whose handler raises is stopped by Pykka, which logs why.
- Who notices: the room itself, in `on_failure`, in the same moment. It still says what was said before, and leaves its
  listeners, the people present, the unanswered posts and its mail to a new room, which takes its place at once.
- What listeners are told: nothing; they notice a pause while the new room reads its past. Where there is no such way
  (the room cannot even finish its turn, or rooms of that name die again and again) they are told
  `phx_error {reason: "channel_crash"}`, and Phoenix clients join again by themselves, as after a crash in Phoenix.
- The message at which the room died is handled once more by the new one. A message that kills twice is quarantined:
  logged whole, answered with `quarantined`, and not handled again.
- What is lost: nothing that was heard and nothing that was acknowledged. What had been said is with the backlog before
  anybody hears it; the new room asks for its past by way of the backlog and so waits for the last commit, continues
  `seq`, and answers the posts that were committed meanwhile.

A persistence actor that dies is noticed by the backlog (`chatter/storage/backlog.py`), which starts another and tells
it again what was not committed. Rooms notice nothing; acknowledgements come later.

A history actor answers a failed read with a refusal and lives on; it has nothing to lose.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

import pykka

from chatter.messages import People, Retire, RoomMessage, RoomRef
from chatter.room.handover import Handover, refuse
from chatter.room.room import Room, RoomSettings
from chatter.storage.backlog import Backlog

logger = logging.getLogger(__name__)

MAX_RESTARTS, PERIOD = 6, 10.0
"""So often, within so many seconds, the listeners of a room may be handed on; from then on they are told to come back.
One message that kills counts twice."""

RETIRED_AT_ONCE = 64
"""Rooms that are told to retire before others than rooms have their turn: 2 ms."""


class Supervisor:
    """Knows every living room. Not an actor: it is called on the loop, where rooms live, and answers at once."""

    def __init__(
        self,
        backlog: Backlog,
        history: pykka.ActorRef[Any],
        epoch: int,
        settings: RoomSettings | None = None,
        expected: Mapping[str, People] | None = None,
    ) -> None:
        """`expected` are the people who were in each room when the server stopped."""
        self._backlog = backlog
        self._history = history
        self._epoch = epoch
        self._settings = settings or RoomSettings()
        self._rooms: dict[str, RoomRef] = {}
        self._people: dict[str, int] = {}
        self._resting: dict[str, float] = {}  # since when nobody has needed a room, the longest first
        self._retirement: asyncio.TimerHandle | None = None  # one for all rooms
        self._bereaved: set[str] = set()  # rooms that died and were not rebuilt yet
        self._deaths: dict[str, deque[float]] = {}  # when rooms of a name died, of late
        self._suspects: dict[str, RoomMessage | None] = {}  # the message at which a room died last
        self._is_stopping = False
        self._expected = dict(expected or {})
        self._expected_until = time.monotonic() + self._settings.presence_grace
        self._people_left: dict[str, People] = {}  # who was in the rooms when they were stopped

    @property
    def people(self) -> Mapping[str, int]:
        """How many people are in each room that has any."""
        return self._people

    def room(self, slug: str) -> RoomRef:
        """The living room of that name, started if need be. Use it at once: it may retire at the end of its turn.

        Raises `pykka.ActorDeadError` once all rooms are stopped.
        """
        room = self._rooms.get(slug)
        if room is None:
            if self._is_stopping:
                raise pykka.ActorDeadError(f"room {slug} is stopped")
            room = self._rooms[slug] = self._start(slug)
        return room

    async def settle(self) -> None:
        """Return when no room has anything left to read: the backlog has been told everything that was said."""
        while not all(room.actor_inbox.empty() for room in self._rooms.values()):
            await asyncio.sleep(0)  # their turns come before ours

    async def stop(self) -> Mapping[str, People]:
        """Stop all rooms, and return who was in them. What was told to them before is handled first."""
        self._is_stopping = True
        self._resting.clear()
        rooms = list(self._rooms.values())
        for room in rooms:
            room.stop(block=False)
        while any(room.is_alive() for room in rooms):
            await asyncio.sleep(0)
        self._rooms.clear()
        return self._people_left

    def counted(self, slug: str, people: int) -> None:
        """A room's number of people has changed."""
        if people:
            self._people[slug] = people
        else:
            self._people.pop(slug, None)

    def rests(self, slug: str) -> None:
        """Nobody needs a room now. It is told to retire if that lasts."""
        if self._is_stopping:
            return
        self._resting[slug] = asyncio.get_running_loop().time()
        self._plan_retirement()

    def wakes(self, slug: str) -> None:
        """Somebody needs it again."""
        self._resting.pop(slug, None)

    def retired(self, slug: str) -> None:
        """A room ends because nobody needs it."""
        self._rooms.pop(slug, None)
        self._resting.pop(slug, None)
        self._deaths.pop(slug, None)
        self._suspects.pop(slug, None)

    def died(self, slug: str, handover: Handover | None) -> bool:
        """A room failed. It is built anew at once for its heirs, or when somebody comes."""
        self._rooms.pop(slug, None)
        self._resting.pop(slug, None)
        self._people.pop(slug, None)
        self._bereaved.add(slug)
        if handover is None:
            return False
        if self._dies_too_often(slug) or self._is_stopping:
            handover.crash()
            return False
        self._judge(slug, handover)
        self._rooms[slug] = self._start(slug, handover)
        return True

    def ended(self, slug: str, people: People) -> None:
        """A room that is stopped had these people in it."""
        self._people_left[slug] = people

    def forward(self, slug: str, message: RoomMessage) -> None:
        """Pass on what came too late for a room that is gone."""
        try:
            self.room(slug).tell(message)
        except pykka.ActorDeadError:
            pass  # the server stops, and its connections are closed in a moment

    def _plan_retirement(self) -> None:
        if self._resting and self._retirement is None:
            ends = next(iter(self._resting.values())) + self._settings.idle_timeout
            self._retirement = asyncio.get_running_loop().call_at(ends, self._retire_rooms)

    def _retire_rooms(self) -> None:
        self._retirement = None
        ended = asyncio.get_running_loop().time() - self._settings.idle_timeout
        for slug in [slug for slug, since in islice(self._resting.items(), RETIRED_AT_ONCE) if since <= ended]:
            del self._resting[slug]
            self._rooms[slug].tell(Retire())
        self._plan_retirement()

    def _start(self, slug: str, handover: Handover | None = None) -> RoomRef:
        is_rebuilt = slug in self._bereaved
        if is_rebuilt:
            self._bereaved.discard(slug)
            logger.warning("room %s is rebuilt", slug)
        return Room.start(
            slug,
            epoch=self._epoch,
            keeper=self,
            backlog=self._backlog,
            history=self._history,
            settings=self._settings,
            handover=handover,
            is_rebuilt=is_rebuilt,
            expected=self._take_expected(slug),
        )

    def _take_expected(self, slug: str) -> People | None:
        if time.monotonic() > self._expected_until:
            self._expected.clear()
        return self._expected.pop(slug, None)

    def _dies_too_often(self, slug: str) -> bool:
        now = asyncio.get_running_loop().time()
        deaths = self._deaths.setdefault(slug, deque(maxlen=MAX_RESTARTS))
        deaths.append(now)
        return len(deaths) == MAX_RESTARTS and now - deaths[0] < PERIOD

    def _judge(self, slug: str, handover: Handover) -> None:
        if handover.failed_message is not self._suspects.get(slug):
            self._suspects[slug] = handover.failed_message
            return
        logger.error("room %s died twice of the same message, which is quarantined: %r", slug, handover.failed_message)
        del handover.letters[0]
        refuse(handover.failed_message)
