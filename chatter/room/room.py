"""A room: who listens and who is here, from its beginning to its end.

Owns the subscribers, those on their way in, and the presence. Hears `RoomMessage`s: posts and what becomes of them are
its `Conversation`'s, and what its subscribers hear is said by its `Voice`. Says `Load` to the backlog or to history,
`ReadPage` and `ReadMissed` to history, and tells its keeper when it is empty, counted anew or dead.
"""

import asyncio
import dataclasses
import logging
from collections import deque
from typing import Any, Protocol, assert_never

import pykka

from chatter.actors import LoopActor
from chatter.clock import SECOND, Clock, wall_clock
from chatter.messages import (
    ContinueDelivery,
    Dismiss,
    Done,
    GraceEnded,
    HistoryRead,
    Join,
    Lagged,
    Leave,
    Load,
    Loaded,
    LoadFailed,
    LookedUp,
    MissedRead,
    NotSaved,
    PauseEnded,
    People,
    Post,
    ReadHistory,
    ReadMissed,
    ReadPage,
    Refused,
    Relay,
    Relayed,
    Resync,
    Retire,
    RoomMessage,
    Saved,
    Subscriber,
    Sync,
    Type,
    Typed,
)
from chatter.room.broadcaster import Voice
from chatter.room.handover import Handover
from chatter.room.presence import Presence
from chatter.room.recent_messages import Ring
from chatter.room.recovery import CatchUp, CaughtUp
from chatter.room.sequencer import Conversation
from chatter.storage.backlog import Backlog

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class RoomSettings:
    """What can be set about rooms."""

    ring_size: int = 200  # recent messages kept in memory for joins and history
    greeting_size: int = 10  # messages pushed after a join, as the tutorial has it
    idle_timeout: float = 60.0  # seconds that an empty room stays before it retires: for the supervisor
    id_memory_size: int = 1_000  # recent messages whose ids are compared before one is said
    recovery_page: int = 500  # most messages pushed to one who comes back
    recovery_gap: int = 5_000  # most messages that one who comes back may have missed
    presence_grace: float = 10.0  # seconds that people are shown as here after a restart, until they come back
    listed_people: int = 100  # most people that clients are told the names of
    presence_interval: float = 2.0  # seconds at most between two news of who came and went


class RoomSupervisor(Protocol):
    """Who looks after rooms, as a room sees it: the supervisor. Called on the loop."""

    def counted(self, slug: str, people: int) -> None:
        """The number of people in a room has changed."""

    def rests(self, slug: str) -> None:
        """Nobody needs a room; if that lasts, it is to be told `Retire`."""

    def wakes(self, slug: str) -> None:
        """Somebody needs it again."""

    def retired(self, slug: str) -> None:
        """A room that nobody listens to ends now; a new one may take its place at once."""

    def died(self, slug: str, handover: Handover | None) -> bool:
        """A room failed. Without a handover its listeners have been told; what it told the backlog is being saved.

        Returns whether another takes its place; otherwise all listeners have been told.
        """

    def ended(self, slug: str, people: People) -> None:
        """A room that is stopped had these people in it."""

    def forward(self, slug: str, message: RoomMessage) -> None:
        """Pass on what came too late for a room that is gone."""


SMALL, PAUSE = 10, 0.01
"""A room with more listeners than this is told who came and went only so often: a hundredth of a second later for each
of them. News for n people then take a thousandth of the server's time, however many come."""

_NOBODY: deque[RoomMessage] = deque(maxlen=0)
"""Who waits for a room that has begun; an empty deque of its own would take 0.6 kB."""

_CONTINUE_DELIVERY = ContinueDelivery()


class Room(LoopActor):
    """One room. It lives as long as somebody listens or something is unsaved, and a while more."""

    def __init__(
        self,
        slug: str,
        *,
        epoch: int,
        keeper: RoomSupervisor,
        backlog: Backlog,
        history: pykka.ActorRef[Any],
        settings: RoomSettings,
        handover: Handover | None = None,
        is_rebuilt: bool = False,
        expected: People | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        """A room that is rebuilt asks for its past by way of the backlog, where its predecessor's words may still be.

        `handover` is what the predecessor left; `expected` are people who were here when the server stopped.
        """
        super().__init__()
        self._slug = slug
        self._epoch = epoch
        self._keeper = keeper
        self._backlog = backlog
        self._history = history
        self._settings = settings
        self._clock = clock
        self._is_rebuilt = is_rebuilt
        self._subscribers = handover.subscribers if handover else {}  # in the order of their coming
        self._presence = handover.presence if handover else Presence(settings.listed_people)
        if expected:
            self._presence.expect(expected)
        self._waiting: deque[RoomMessage] = deque(handover.letters) if handover else deque()  # until the past is loaded
        self._has_begun = False
        self._people = 0
        self._has_moved = True  # somebody came or went in this turn
        self._voice = Voice(slug)
        self._conversation = Conversation(
            slug,
            room=self.actor_ref,
            epoch=epoch,
            voice=self._voice,
            ring=Ring(settings.ring_size, settings.id_memory_size),
            unanswered=handover.unanswered if handover else {},
            backlog=backlog,
            history=history,
            clock=clock,
        )
        self._arriving: dict[Subscriber, Join] = {}  # the database is asked what they missed
        self._asked: dict[int, Sync | ReadHistory] = {}  # what else of the past it is asked, by the request's identity
        self._has_successor = True
        self._handled: RoomMessage | None = None  # the message in hand, for the case that the room fails
        self._rests = False  # nobody needs it at the moment
        self._pausing = False  # nobody is told who comes and goes

    def on_start(self) -> None:
        """Ask for the past; until it is there, everything else waits."""
        loader = self._backlog if self._is_rebuilt else self._history
        loader.tell(Load(self.actor_ref, self._slug, self._settings.ring_size))
        if len(self._presence) > 0:
            asyncio.get_running_loop().call_later(self._settings.presence_grace, self._tell_myself, GraceEnded())

    def on_receive(self, message: RoomMessage) -> None:
        """The table of contents."""
        if not self._has_begun and not isinstance(message, Loaded | LoadFailed):
            self._waiting.append(message)
            return
        self._handled = message
        match message:
            case Post():
                self._conversation.say(message)
            case Saved():
                self._conversation.acknowledge(message)
            case Join():
                self._welcome(message)
            case Leave() | Dismiss():
                self._forget(message)
            case Resync():
                self._tell_lagged(message.subscriber)
            case Type():
                self._show_typing(message)
            case Sync():
                self._bring_up_to_date(message)
            case Relay():
                self._relay(message)
            case ReadHistory():
                self._read_history(message)
            case HistoryRead():
                self._history_read(message)
            case MissedRead():
                self._missed_read(message)
            case LookedUp():
                self._conversation.decide(message)
            case NotSaved():
                self._conversation.void(message)
            case Loaded():
                self._begin(message)
            case LoadFailed():
                self._turn_away()
            case ContinueDelivery():
                pass  # the end of the turn does
            case PauseEnded():
                self._pausing = False
            case GraceEnded():
                self._presence.expect_nobody()
                self._has_moved = True
            case Retire():
                self._retire()
            case _:
                assert_never(message)

    def on_turn_end(self) -> None:
        """Have the turn saved and heard, then see who is left."""
        self._handled = None
        self._conversation.save_turn()
        self._deliver_turn()
        if self._has_moved:
            self._count()
        self._rest_or_wake()

    def on_stop(self) -> None:
        """What was said before the stop is still saved and heard."""
        self._finish_turn()
        if len(self._presence) > 0:
            self._keeper.ended(self._slug, self._presence.people)

    def on_failure(self, *_why: object) -> None:
        """Leave everything to a successor, or tell the listeners, whose clients come back by themselves."""
        failed_message, self._handled = self._handled, None
        asked = [*self._arriving.values(), *self._asked.values(), *self._conversation.undecided]
        letters = [*([failed_message] if failed_message else []), *asked, *self._waiting]
        handover = Handover(self._subscribers, self._presence, self._conversation.unanswered, letters, failed_message)
        if failed_message is not None and self._can_finish_turn():
            self._has_successor = self._keeper.died(self._slug, handover)
        else:
            self._has_successor = self._keeper.died(self._slug, None)
            handover.crash()

    def on_dead_letter(self, message: RoomMessage) -> None:
        """Whoever takes this room's place hears it instead.

        Those who were told that the room has crashed come back and say everything again in order: what they said before
        must not be said ahead of that.
        """
        if self._has_successor or isinstance(message, Join):
            self._keeper.forward(self._slug, message)

    def _deliver_turn(self) -> None:
        was_delivering = self._voice.is_delivering
        if not was_delivering:
            self._tell_presence()
        is_left = self._voice.deliver(self._subscribers)
        if is_left or (was_delivering and not self._pausing and self._presence.has_news):
            self.actor_ref.tell(_CONTINUE_DELIVERY)

    def _tell_presence(self) -> None:
        """What changed since it was last told. In a large room that is a while: where n people come in a moment, n²
        news would make a storm of it.
        """
        if self._pausing or not self._presence.has_news:
            return
        changes = self._presence.changes()
        for change in changes:
            self._voice.say(change)
        listeners = len(self._subscribers)
        if changes and listeners > SMALL:
            self._pausing = True
            pause = min(listeners * PAUSE, self._settings.presence_interval)
            asyncio.get_running_loop().call_later(pause, self._tell_myself, PauseEnded())

    def _finish_turn(self) -> None:
        """All of it, at once."""
        self._conversation.save_turn()
        self._tell_presence()
        self._voice.finish(self._subscribers)

    def _can_finish_turn(self) -> bool:
        try:
            self._finish_turn()
        except Exception:
            logger.exception("room %s cannot even say what was said before it failed", self._slug)
            return False
        return True

    # ------------------------------------------------------------ beginning and end

    def _begin(self, loaded: Loaded) -> None:
        if self._has_begun:
            return  # persistence was told twice to have it loaded
        self._has_begun = True
        self._conversation.load(loaded)
        while self._waiting:
            self.on_receive(self._waiting.popleft())
        self._waiting = _NOBODY

    def _turn_away(self) -> None:
        """Without its past the room would give out numbers a second time."""
        for message in self._waiting:
            if isinstance(message, Join):
                self._voice.tell(message.subscriber, message.subscriber.refuse("unavailable"))
        for subscriber in self._subscribers:
            self._voice.tell(subscriber, subscriber.ended("crashed"))
        self._keeper.retired(self._slug)
        self.stop()

    def _rest_or_wake(self) -> None:
        rests = self._has_begun and not (
            self._subscribers
            or self._arriving
            or self._asked
            or self._voice.is_delivering
            or not self._conversation.is_settled
        )
        if rests and not self._rests:
            self._keeper.rests(self._slug)
        elif self._rests and not rests:
            self._keeper.wakes(self._slug)
        self._rests = rests

    def _retire(self) -> None:
        if self._rests and self.actor_inbox.empty():
            self._keeper.retired(self._slug)
            self.stop()
        else:
            self._rests = False  # somebody came, or may be about to

    def _tell_myself(self, message: PauseEnded | GraceEnded) -> None:
        if self.actor_ref.is_alive():
            self.actor_ref.tell(message)

    # ------------------------------------------------------------ coming and going

    def _welcome(self, join: Join) -> None:
        caught_up = self._catch_up.from_memory(join.position)
        if caught_up is None:
            self._arriving[join.subscriber] = join
            self._ask_for_missed(join)
        else:
            self._let_in(join, caught_up)

    def _let_in(self, join: Join, caught_up: CaughtUp) -> None:
        subscriber = join.subscriber
        recovery, missed = caught_up
        self._subscribers[subscriber] = None
        self._has_moved = True
        self._voice.begin(subscriber)
        self._voice.tell(subscriber, subscriber.welcome(recovery))
        if join.replaces is not None:
            self._forget(Dismiss(join.replaces), told_to=subscriber)
        for posted in missed:
            self._voice.tell(subscriber, subscriber.push(posted))
        if join.name is not None:
            self._presence.track(subscriber, join.name, self._clock() // SECOND)
            self._list_people(subscriber)

    def _tell_lagged(self, subscriber: Subscriber) -> None:
        """What it missed of people coming and going it cannot ask for, so it gets the list anew."""
        self._voice.tell(subscriber, subscriber.push(Lagged(self._conversation.ring.newest)))
        if self._presence.tracks(subscriber):
            self._list_people(subscriber)

    def _list_people(self, subscriber: Subscriber) -> None:
        self._voice.tell(subscriber, subscriber.push(self._presence.listed(subscriber)))
        if self._presence.is_crowded:
            self._voice.tell(subscriber, subscriber.push(self._presence.counted()))

    def _forget(self, parting: Leave | Dismiss, *, told_to: Subscriber | None = None) -> None:
        subscriber = parting.subscriber
        if subscriber not in self._subscribers and subscriber not in self._arriving:
            return
        self._subscribers.pop(subscriber, None)
        self._arriving.pop(subscriber, None)
        self._presence.untrack(subscriber)
        self._has_moved = True
        self._voice.end(subscriber)
        match parting:
            case Leave(ref=None):
                return
            case Leave(ref=bytes(ref)):
                self._voice.tell(subscriber, subscriber.answer(ref, Done()))
        self._voice.tell(told_to or subscriber, subscriber.ended("closed"))

    def _count(self) -> None:
        self._has_moved = False
        people = len(self._presence) + len(self._subscribers) - self._presence.connections
        if people != self._people:
            self._people = people
            self._keeper.counted(self._slug, people)

    # ------------------------------------------------------------ what is heard and forgotten

    def _show_typing(self, request: Type) -> None:
        self._voice.say(Typed(request.name), but=request.sender)
        self._voice.tell(request.sender, request.sender.answer(request.ref, Done()))

    def _relay(self, request: Relay) -> None:
        self._voice.say(Relayed(request.data))
        self._voice.tell(request.sender, request.sender.answer(request.ref, Done()))

    # ------------------------------------------------------------ the past

    def _bring_up_to_date(self, sync: Sync) -> None:
        caught_up = self._catch_up.from_memory(sync.position)
        if caught_up is None:
            self._asked[id(sync)] = sync
            self._ask_for_missed(sync)
        else:
            self._tell_missed(sync, caught_up)

    def _tell_missed(self, sync: Sync, caught_up: CaughtUp) -> None:
        recovery, missed = caught_up
        self._voice.tell(sync.subscriber, sync.subscriber.answer(sync.ref, recovery))
        for posted in missed:
            self._voice.tell(sync.subscriber, sync.subscriber.push(posted))

    def _ask_for_missed(self, request: Join | Sync) -> None:
        position = request.position
        assert position is not None
        epoch = None if self._catch_up.is_current(position) else position.epoch
        above, page = self._catch_up.furthest, self._settings.recovery_page
        self._history.tell(ReadMissed(self.actor_ref, self._slug, position.since, epoch, above, page, request))

    def _missed_read(self, read: MissedRead) -> None:
        request = read.request
        if isinstance(request, Join):
            if self._arriving.pop(request.subscriber, None) is None:
                return  # it left before it was in
            if read.messages is None:
                self._voice.tell(request.subscriber, request.subscriber.refuse("unavailable"))
                return
        else:
            if self._asked.pop(id(request), None) is None:
                return  # answered already: an earlier room asked too
            if read.messages is None:
                self._voice.tell(request.subscriber, request.subscriber.answer(request.ref, Refused("unavailable")))
                return
        assert request.position is not None
        caught_up = self._catch_up.from_database(request.position, read.base, read.messages)
        if isinstance(request, Join):
            self._let_in(request, caught_up)
        else:
            self._tell_missed(request, caught_up)

    def _read_history(self, request: ReadHistory) -> None:
        page = (
            self._conversation.ring.page_before(request.before, request.limit)
            if request.after is None
            else self._conversation.ring.page_after(request.after, request.limit)
        )
        if page is None:
            self._asked[id(request)] = request
            self._history.tell(ReadPage(self.actor_ref, self._slug, self._conversation.ring.newest, request))
        else:
            self._voice.tell(request.reader, request.reader.answer(request.ref, page))

    def _history_read(self, read: HistoryRead) -> None:
        request = read.request
        if self._asked.pop(id(request), None) is not None:  # else answered already: an earlier room asked too
            self._voice.tell(request.reader, request.reader.answer(request.ref, read.answer))

    @property
    def _catch_up(self) -> CatchUp:
        settings = self._settings
        return CatchUp(
            self._conversation.ring,
            self._epoch,
            greeting=settings.greeting_size,
            page=settings.recovery_page,
            gap=settings.recovery_gap,
        )
