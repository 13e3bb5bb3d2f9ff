"""A room: who listens, and in what order things are said.

Owns the subscribers, the next `seq`, the ring of recent messages and what is not yet acknowledged. Hears
`RoomMessage`s; says events to its subscribers, `Save` and `Load` to persistence, `ReadPage` to history, and tells its
keeper when it is empty, counted anew or dead.
"""

import asyncio
import dataclasses
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol, assert_never

import pykka

from chatter.actors import LoopActor
from chatter.messages import (
    Acknowledged,
    Dismiss,
    Done,
    HistoryRead,
    Join,
    Leave,
    Load,
    Loaded,
    LoadFailed,
    Page,
    Post,
    Posted,
    ReadHistory,
    ReadPage,
    Relay,
    Relayed,
    Retire,
    RoomMessage,
    Save,
    Saved,
    Subscriber,
    Type,
    Typed,
)
from chatter.presence import Presence
from chatter.turn import Turn


@dataclasses.dataclass(frozen=True, slots=True)
class RoomSettings:
    """What can be set about rooms."""

    ring_size: int = 200  # recent messages kept in memory for joins and history
    greeting_size: int = 10  # messages pushed after a join, as the tutorial has it
    idle_timeout: float = 60.0  # how long an empty room stays before it retires


class Keeper(Protocol):
    """Who looks after rooms, as a room sees it: the supervisor. Called on the loop."""

    def counted(self, slug: str, people: int) -> None:
        """The number of people in a room has changed."""

    def retired(self, slug: str) -> None:
        """A room that nobody listens to ends now; a new one may take its place at once."""

    def died(self, slug: str) -> None:
        """A room failed. Its subscribers have been told; what it told persistence is being saved."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Room(LoopActor):
    """One room. It lives as long as somebody listens or something is unsaved, and `idle_timeout` more."""

    def __init__(
        self,
        slug: str,
        *,
        keeper: Keeper,
        persistence: pykka.ActorRef[Any],
        history: pykka.ActorRef[Any],
        loader: pykka.ActorRef[Any],
        settings: RoomSettings,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`loader` is asked for the room's past: history, or persistence where something may be on its way to it."""
        super().__init__()
        self._slug = slug
        self._keeper = keeper
        self._persistence = persistence
        self._history = history
        self._loader = loader
        self._settings = settings
        self._clock = clock
        self._subscribers: dict[Subscriber, None] = {}  # in the order of their coming
        self._presence = Presence()
        self._people = 0
        self._ring: deque[Posted] = deque()  # contiguous; holds whatever is unsaved, even beyond its size
        self._next_seq = 1
        self._unsaved: list[Posted] = []  # said in this turn, not yet told to persistence
        self._unacknowledged: deque[tuple[Posted, Post]] = deque()  # by seq
        self._turn = Turn(slug)
        self._waiting: list[RoomMessage] | None = []  # what came before the past was loaded; None once it is
        self._retirement: asyncio.TimerHandle | None = None

    def on_start(self) -> None:
        """Ask for the past; until it is there, everything else waits."""
        self._loader.tell(Load(self.actor_ref, self._slug, self._settings.ring_size))

    def on_receive(self, message: RoomMessage) -> None:
        """The table of contents."""
        if self._waiting is not None and not isinstance(message, Loaded | LoadFailed):
            self._waiting.append(message)
            return
        match message:
            case Post():
                self._say(message)
            case Saved():
                self._acknowledge(message)
            case Join():
                self._welcome(message)
            case Leave() | Dismiss():
                self._forget(message)
            case Type():
                self._show_typing(message)
            case Relay():
                self._relay(message)
            case ReadHistory():
                self._read_history(message)
            case HistoryRead():
                self._turn.tell(message.reader, message.reader.answer(message.ref, message.answer))
            case Loaded():
                self._begin(message)
            case LoadFailed():
                self._turn_away()
            case Retire():
                self._retire()
            case _:
                assert_never(message)

    def on_turn_end(self) -> None:
        """Have the turn saved and heard, then see who is left."""
        self._finish_turn()
        self._count()
        self._plan_retirement()

    def on_stop(self) -> None:
        """What was said before the stop is still saved and heard."""
        self._finish_turn()

    def on_failure(self, *_why: object) -> None:
        """Tell the keeper and then the listeners, whose clients come back by themselves to a room built anew."""
        self._keeper.died(self._slug)
        for subscriber in list(self._subscribers):
            subscriber.write(subscriber.ended("crashed"))
        for message in self._waiting or ():
            self.on_dead_letter(message)

    def on_dead_letter(self, message: RoomMessage) -> None:
        """One who was about to come hears of the end as the others did."""
        if isinstance(message, Join):
            message.subscriber.write(message.subscriber.ended("crashed"))

    def _finish_turn(self) -> None:
        """Have it saved, then heard: whoever hears a message knows that persistence has it."""
        if self._unsaved:
            self._persistence.tell(Save(self.actor_ref, self._slug, tuple(self._unsaved)))
            self._unsaved.clear()
        change = self._presence.changed()
        if change is not None:
            self._turn.say(change)
        turn, self._turn = self._turn, Turn(self._slug)
        turn.deliver(self._subscribers)

    # ------------------------------------------------------------ beginning and end

    def _begin(self, loaded: Loaded) -> None:
        self._ring.extend(loaded.recent)
        if self._ring:
            self._next_seq = self._ring[-1].seq + 1
        waiting, self._waiting = self._waiting, None
        for message in waiting or ():
            self.on_receive(message)

    def _turn_away(self) -> None:
        """Without its past the room would give out numbers a second time."""
        for message in self._waiting or ():
            if isinstance(message, Join):
                self._turn.tell(message.subscriber, message.subscriber.refuse("unavailable"))
        self._keeper.retired(self._slug)
        self.stop()

    def _plan_retirement(self) -> None:
        idle = not self._subscribers and not self._unacknowledged and self._waiting is None
        if idle and self._retirement is None:
            later = asyncio.get_running_loop().call_later
            self._retirement = later(self._settings.idle_timeout, self._propose_retirement)
        elif not idle and self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    def _propose_retirement(self) -> None:
        if self.actor_ref.is_alive():
            self.actor_ref.tell(Retire())

    def _retire(self) -> None:
        if self._retirement is None:
            return  # somebody came meanwhile
        self._retirement = None
        if not self.actor_inbox.empty():
            return  # somebody may be about to
        self._keeper.retired(self._slug)
        self.stop()

    # ------------------------------------------------------------ coming and going

    def _welcome(self, join: Join) -> None:
        subscriber = join.subscriber
        self._subscribers[subscriber] = None
        self._turn.begin(subscriber)
        self._turn.tell(subscriber, subscriber.welcome())
        if join.replaces is not None:
            self._forget(Dismiss(join.replaces), told_to=subscriber)
        self._greet(join)

    def _greet(self, join: Join) -> None:
        subscriber = join.subscriber
        start = max(0, len(self._ring) - self._settings.greeting_size)
        for posted in islice(self._ring, start, None):
            self._turn.tell(subscriber, subscriber.push(posted))
        if join.name is not None:
            self._presence.track(subscriber, join.name, int(self._clock().timestamp()))
            self._turn.tell(subscriber, subscriber.push(self._presence.listed()))

    def _forget(self, parting: Leave | Dismiss, *, told_to: Subscriber | None = None) -> None:
        subscriber = parting.subscriber
        if self._subscribers.pop(subscriber, self) is self:
            return
        self._presence.untrack(subscriber)
        self._turn.end(subscriber)
        match parting:
            case Leave(ref=None):
                return
            case Leave(ref=bytes(ref)):
                self._turn.tell(subscriber, subscriber.answer(ref, Done()))
        self._turn.tell(told_to or subscriber, subscriber.ended("closed"))

    def _count(self) -> None:
        people = len(self._presence) + len(self._subscribers) - self._presence.connections
        if people != self._people:
            self._people = people
            self._keeper.counted(self._slug, people)

    # ------------------------------------------------------------ talking

    def _say(self, post: Post) -> None:
        posted = Posted(self._next_seq, post.id or uuid.uuid4().hex, post.name, post.message, self._now())
        self._next_seq += 1
        self._ring.append(posted)
        self._unsaved.append(posted)
        self._unacknowledged.append((posted, post))
        self._turn.say(posted)

    def _acknowledge(self, saved: Saved) -> None:
        waiting = self._unacknowledged
        while waiting and waiting[0][0].seq <= saved.through:
            posted, post = waiting.popleft()
            answer = Acknowledged(posted.id, posted.seq, posted.inserted_at)
            self._turn.tell(post.sender, post.sender.answer(post.ref, answer))
        self._trim(saved.through)

    def _trim(self, saved_through: int) -> None:
        while len(self._ring) > self._settings.ring_size and self._ring[0].seq <= saved_through:
            self._ring.popleft()

    def _show_typing(self, request: Type) -> None:
        self._turn.say(Typed(request.name), but=request.sender)
        self._turn.tell(request.sender, request.sender.answer(request.ref, Done()))

    def _relay(self, request: Relay) -> None:
        self._turn.say(Relayed(request.data))
        self._turn.tell(request.sender, request.sender.answer(request.ref, Done()))

    def _read_history(self, request: ReadHistory) -> None:
        page = self._page_from_ring(request)
        if page is None:
            self._history.tell(ReadPage(self.actor_ref, self._slug, request.before or self._next_seq, request))
        else:
            self._turn.tell(request.reader, request.reader.answer(request.ref, page))

    def _page_from_ring(self, request: ReadHistory) -> Page | None:
        """The page, if the ring holds all of it."""
        if not self._ring:
            return Page((), more=False)
        first = self._ring[0].seq
        end = self._next_seq if request.before is None else min(request.before, self._next_seq)
        start = max(end - request.limit, 1)
        if start < first and end > 1:
            return None
        messages = tuple(islice(self._ring, max(start - first, 0), max(end - first, 0)))
        return Page(messages, more=start > 1)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
