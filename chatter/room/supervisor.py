"""The supervisor: starts, finds, rebuilds and retires rooms.

Death, on one page.

A room whose handler raises is stopped by Pykka, which logs why.
- Who notices: the room itself, at once, in `on_failure`. It still delivers what was said before, and hands over its
  subscribers, its presence, the unanswered posts and its mail to a new room, which takes its place at once.
- What subscribers are told: nothing; they notice a pause while the new room loads its past. Where that is impossible
  (the room cannot even finish its turn, or rooms of that name fail again and again) they are told
  `phx_error {reason: "channel_crash"}`, and Phoenix clients join again by themselves, as after a crash in Phoenix.
- The message at which the room failed is handled once more by the new one. A message at which a room fails twice is
  quarantined: logged whole, answered with `quarantined`, and not handled again.
- What is lost: nothing that was heard and nothing that was acknowledged. The backlog has a message before anybody hears
  it. The new room loads its past through the backlog and so waits for the last commit, continues `seq`, and answers
  the posts that were committed or became void meanwhile.

The backlog (`chatter/storage/backlog.py`) notices the death of a persistence actor, starts another, and tells it again
what was not committed. Rooms notice nothing; acknowledgements come later.

A history actor answers a failed read with a refusal and lives on; it has nothing to lose.
"""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections import deque
from collections.abc import Callable, Container, Mapping
from itertools import islice

import pykka

from chatter.actors import Tellable
from chatter.charter import Author, ServerRole
from chatter.messages import Dismiss, Join, Leave, People, Recall, RefreshNames, Retire, RoomMessage, RoomRef, Save
from chatter.room.context import NO_MEMBERSHIPS, Log, Memberships, RoomContext, RoomSettings, SharedLog, no_staff
from chatter.room.handover import Handover
from chatter.room.refusals import QUARANTINED, refuse
from chatter.room.room import Room
from chatter.room.shared_room import SharedRoom

logger = logging.getLogger(__name__)

MAX_FAILURES, WITHIN_SECONDS = 6, 10.0
"""The sixth failure within ten seconds gets no successor: the subscribers are told to join again.

A message at which a room and its successor fail counts as two failures."""

TOLD_AT_ONCE = 64
"""Rooms that are told to retire, or of a new name, before the loop serves others: 2 ms."""


class Supervisor:
    """Owns the list of living rooms. Not an actor: it is called on the loop, where rooms live, and answers at once."""

    def __init__(
        self,
        backlog: Log,
        history: Tellable,
        epoch: int,
        epochs: Container[int],
        settings: RoomSettings | None = None,
        *,
        expected: Mapping[str, People] | None = None,
        memberships: Memberships = NO_MEMBERSHIPS,
        server_role: Callable[[int], ServerRole] = no_staff,
        log_of: Callable[[str], SharedLog] | None = None,
    ) -> None:
        """`epochs` are all starts on this database, of which this one is `epoch`.

        `log_of` returns the log of a room that other nodes add to as well; without it rooms tell the `backlog`.

        `expected` are the people who were present in each room when the server stopped. `server_role` returns what an
        account is on the server.
        """
        settings = settings or RoomSettings()
        self._context = RoomContext(
            settings=settings,
            epoch=epoch,
            epochs=epochs,
            supervisor=self,
            backlog=backlog,
            history=history,
            memberships=memberships,
            server_role=server_role,
        )
        self._log_of = log_of
        self._contexts: dict[SharedLog, RoomContext] = {}  # of rooms whose log is shared
        self._rooms: dict[str, RoomRef] = {}
        self._people_counts: dict[str, int] = {}
        self._idle_since: dict[str, float] = {}  # by the loop's clock, the longest idle first
        self._retirement: asyncio.TimerHandle | None = None  # one timer for all rooms
        self._awaiting_rebuild: set[str] = set()  # rooms that failed and have no successor yet
        self._failures: dict[str, deque[float]] = {}  # when rooms of a name failed, the latest last
        self._failed_messages: dict[str, RoomMessage | None] = {}  # the message at which a room failed last
        self._is_stopping = False
        self._may_retire = True
        self._expected = dict(expected or {})
        self._expected_until = time.monotonic() + settings.presence_grace
        self._people_at_stop: dict[str, People] = {}

    @property
    def people_counts(self) -> Mapping[str, int]:
        """How many people are in each room that has any."""
        return self._people_counts

    def find_room(self, slug: str) -> RoomRef | None:
        """Returns the room of that name, if it lives."""
        return self._rooms.get(slug)

    def ensure_room(self, slug: str) -> RoomRef:
        """Finds or starts the room of that name. To be used at once: it may retire at the end of its turn.

        Raises `pykka.ActorDeadError` once all rooms are stopped.
        """
        room = self._rooms.get(slug)
        if room is None:
            if self._is_stopping:
                raise pykka.ActorDeadError(f"room {slug} is stopped")
            room = self._rooms[slug] = self._start(slug)
        return room

    async def empty_mailboxes(self) -> None:
        """Waits until no room has mail: the backlog has then been told everything that was said."""
        while not all(room.actor_inbox.empty() for room in self._rooms.values()):
            await asyncio.sleep(0)  # rooms take their turns

    def keep_rooms(self) -> None:
        """Lets no more rooms retire, since what they remember is needed."""
        self._may_retire = False
        self._idle_since.clear()

    async def recall(self) -> list[Save]:
        """Returns all messages that rooms remember. A room that was told to retire before may do so meanwhile."""
        found: list[Save] = []
        for room in list(self._rooms.values()):
            with contextlib.suppress(pykka.ActorDeadError):
                found += await room.ask(Recall(), block=False) or ()
        return found

    def refresh_names(self, account: Author, name: str) -> None:
        """Has all rooms show names as they are now: an account is new, is gone, or has another name."""
        self._refresh_next(RefreshNames(account, name), list(self._rooms))

    async def stop(self) -> Mapping[str, People]:
        """Stops all rooms once they have handled their mail, and returns who was present in them."""
        self._is_stopping = True
        self._idle_since.clear()
        rooms = list(self._rooms.values())
        for room in rooms:
            room.stop(block=False)
        while any(room.is_alive() for room in rooms):
            await asyncio.sleep(0)
        self._rooms.clear()
        return self._people_at_stop

    # ------------------------------------------------------------ what rooms report: `RoomSupervisor`

    def on_people_count(self, slug: str, people: int) -> None:
        if people:
            self._people_counts[slug] = people
        else:
            self._people_counts.pop(slug, None)

    def on_idle(self, slug: str) -> None:
        if self._is_stopping or not self._may_retire:
            return
        self._idle_since[slug] = asyncio.get_running_loop().time()
        self._schedule_retirement()

    def on_busy(self, slug: str) -> None:
        self._idle_since.pop(slug, None)

    def on_retired(self, slug: str) -> None:
        self._rooms.pop(slug, None)
        self._people_counts.pop(slug, None)
        self._idle_since.pop(slug, None)
        self._failures.pop(slug, None)
        self._failed_messages.pop(slug, None)

    def on_crashed(self, slug: str, handover: Handover | None) -> bool:
        """Starts a successor with the hand-over. Without one, a room is started when somebody joins."""
        self._rooms.pop(slug, None)
        self._idle_since.pop(slug, None)
        self._people_counts.pop(slug, None)
        self._awaiting_rebuild.add(slug)
        if handover is None:
            self._forget_people(slug)
            return False
        if self._fails_too_often(slug) or self._is_stopping:
            self._forget_people(slug)
            handover.tell_crashed()
            return False
        self._quarantine_if_repeated(slug, handover)
        self._rooms[slug] = self._start(slug, handover)
        return True

    def on_stopped(self, slug: str, people: People) -> None:
        if self._is_stopping:
            self._people_at_stop[slug] = people

    def forward(self, slug: str, message: RoomMessage) -> None:
        try:
            self.ensure_room(slug).tell(message)
        except pykka.ActorDeadError:
            pass  # the server is stopping, and is about to close its connections

    def _refresh_next(self, message: RefreshNames, slugs: list[str]) -> None:
        """Tells some rooms, and the others when the loop has served others. A room that begins later knows."""
        for slug in slugs[:TOLD_AT_ONCE]:
            if slug in self._rooms:
                self._rooms[slug].tell(message)
        if len(slugs) > TOLD_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._refresh_next, message, slugs[TOLD_AT_ONCE:])

    # ------------------------------------------------------------ retirement

    def _schedule_retirement(self) -> None:
        if self._idle_since and self._retirement is None:
            at = next(iter(self._idle_since.values())) + self._context.settings.room_idle_timeout
            self._retirement = asyncio.get_running_loop().call_at(at, self._ask_idle_rooms_to_retire, at)

    def _ask_idle_rooms_to_retire(self, at: float) -> None:
        """Tells those that are due at `at`, or by now. A timer may come before its time, by what a float rounds."""
        self._retirement = None
        now, timeout = max(at, asyncio.get_running_loop().time()), self._context.settings.room_idle_timeout
        for slug in [slug for slug, since in islice(self._idle_since.items(), TOLD_AT_ONCE) if since + timeout <= now]:
            del self._idle_since[slug]
            self._rooms[slug].tell(Retire())
        self._schedule_retirement()

    # ------------------------------------------------------------ start and failure

    def _start(self, slug: str, handover: Handover | None = None) -> RoomRef:
        is_rebuilt = slug in self._awaiting_rebuild
        if is_rebuilt:
            self._awaiting_rebuild.discard(slug)
            logger.warning("room %s is rebuilt", slug)
        expected = self._take_expected(slug)
        if self._log_of is None:
            return Room.start(slug, self._context, handover=handover, is_rebuilt=is_rebuilt, expected=expected)
        log = self._log_of(slug)
        context = self._contexts.setdefault(log, dataclasses.replace(self._context, backlog=log))
        return SharedRoom.start(slug, context, log=log, handover=handover, is_rebuilt=is_rebuilt, expected=expected)

    def _forget_people(self, slug: str) -> None:
        """Has nobody be shown as present elsewhere by a room that has failed."""
        if self._log_of is not None:
            self._log_of(slug).forget_people(slug)

    def _take_expected(self, slug: str) -> People | None:
        if time.monotonic() > self._expected_until:
            self._expected.clear()
        return self._expected.pop(slug, None)

    def _fails_too_often(self, slug: str) -> bool:
        now = asyncio.get_running_loop().time()
        failures = self._failures.setdefault(slug, deque(maxlen=MAX_FAILURES))
        failures.append(now)
        return len(failures) == MAX_FAILURES and now - failures[0] < WITHIN_SECONDS

    def _quarantine_if_repeated(self, slug: str, handover: Handover) -> None:
        message = handover.failed_message
        if message is None or message is not self._failed_messages.get(slug):
            self._failed_messages[slug] = message
            return
        logger.error("room %s failed twice at the same message, which is quarantined: %r", slug, message)
        place = next(place for place, each in enumerate(handover.mail) if each is message)
        handover.mail[place : place + 1] = _partings_after(message)
        refuse(message, QUARANTINED)


def _partings_after(quarantined: RoomMessage) -> list[RoomMessage]:
    """Returns what takes the message's place: a join may have half succeeded, and ends an earlier one."""
    if not isinstance(quarantined, Join):
        return []
    replaced = quarantined.replaces
    return [Leave(quarantined.subscriber), *([] if replaced is None else [Dismiss(replaced)])]
