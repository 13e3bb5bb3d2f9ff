"""A room: the actor that knows who subscribes and who is present, from its start to its end.

What is said goes through its `Sequencer`, what is done to messages through its `Operations`, what was said through its
`CatchUpRequests`, and everything that subscribers hear through its `Broadcaster`. It asks the storage to load its past,
and tells its supervisor when it is idle, has another number of people, or fails.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from chatter.actors import LoopActor
from chatter.charter import Charter, is_private_slug
from chatter.clock import SECOND
from chatter.messages import (
    ChangeMembers,
    ChangeRoom,
    ContinueDelivery,
    Delete,
    Describe,
    Dismiss,
    Done,
    Edit,
    Found,
    Governing,
    Heard,
    Join,
    Lagged,
    Leave,
    ListReactors,
    Load,
    Loaded,
    LoadFailed,
    LookedUp,
    MissedLoaded,
    NotifyLagged,
    NotPlaced,
    NotSaved,
    Overheard,
    PageLoaded,
    People,
    PeopleMoved,
    Pin,
    Placed,
    Post,
    PresenceGraceEnded,
    PresencePauseEnded,
    Propose,
    Purge,
    React,
    ReactionsDue,
    ReadHistory,
    Recall,
    RefreshNames,
    Refused,
    Relay,
    Relayed,
    Retire,
    RoomMessage,
    Save,
    Saved,
    ShowTyping,
    StartedTyping,
    Subscriber,
    Sync,
    TargetLoaded,
    View,
)
from chatter.room.broadcaster import Broadcaster
from chatter.room.catch_up import CatchUpRequests
from chatter.room.context import RoomContext
from chatter.room.government import Government
from chatter.room.handover import Handover
from chatter.room.operations import MAX_UNCOUNTED, Operations
from chatter.room.presence import Presence, called
from chatter.room.recent_entries import RecentEntries
from chatter.room.recovery import CatchUp
from chatter.room.refusals import OVERLOADED, refuse
from chatter.room.sequencer import Sequencer
from chatter.room.targets import Targets

logger = logging.getLogger(__name__)

UNPAUSED_SUBSCRIBERS, PAUSE = 10, 0.01
"""In a room with more subscribers, a presence broadcast is followed by a pause of `PAUSE` seconds for each of them.

The broadcasts of n arrivals to n people then take a thousandth of the server's time, however large n is."""

_NO_MAIL: deque[RoomMessage] = deque(maxlen=0)
"""The mail that waits in a room that has begun; an empty deque of its own would take 0.6 kB."""

MAX_WAITING_MAIL = 1_000
"""Mail that waits while the past is loaded, beyond which posts and other requests are refused as `overloaded`."""

REFRESHED_AT_ONCE = 100
"""People whose names a room looks at in one turn: of new ones each takes 5 to 20 µs."""

_ASKED_FOR = (
    Post
    | Relay
    | ShowTyping
    | Sync
    | ReadHistory
    | ListReactors
    | Edit
    | Delete
    | React
    | Pin
    | Found
    | ChangeRoom
    | ChangeMembers
    | Describe
)
"""What may be refused while the past is loaded."""

_CONTINUE_DELIVERY = ContinueDelivery()


OfOthers: TypeAlias = Heard | Overheard | PeopleMoved | Propose | Placed | NotPlaced
"""What only a room hears that lives on several nodes."""


class Room(LoopActor):
    """One room. It lives while it has subscribers or unsaved messages, and `room_idle_timeout` longer."""

    MAX_COUNTED = MAX_UNCOUNTED
    """Reactions that are counted in one turn."""

    def __init__(
        self,
        slug: str,
        context: RoomContext,
        *,
        handover: Handover | None = None,
        is_rebuilt: bool = False,
        expected: People | None = None,
    ) -> None:
        """`handover` comes from a predecessor that failed; `expected` people were present when the server stopped.

        A room that is rebuilt loads its past through the backlog, where its predecessor's messages may still be.
        """
        super().__init__()
        settings = context.settings
        self._slug = slug
        self._context = context
        self._is_rebuilt = is_rebuilt
        self._subscribers = handover.subscribers if handover else {}  # in the order in which they joined
        self._presence = (
            handover.presence if handover else Presence(settings.max_listed_people, settings.max_listed_connections)
        )
        if expected:
            self._presence.expect(expected)
        self._waiting_mail = deque(handover.mail) if handover else deque()  # until the past is loaded
        self._broadcaster = Broadcaster(slug)
        recent = self._recent = RecentEntries(settings)
        targets = Targets(recent)
        self._sequencer = Sequencer(
            slug,
            context,
            room=self.actor_ref,
            broadcaster=self._broadcaster,
            recent=recent,
            targets=targets,
            unanswered=handover.unanswered if handover else {},
            committed_through=handover.committed_through if handover else 0,
        )
        self._operations: Operations | None = None  # most rooms never have any
        self._government: Government | None = None  # nor are they somebody's
        self._catch_up = CatchUpRequests(
            slug, context, room=self.actor_ref, broadcaster=self._broadcaster, recent=recent
        )
        self._has_begun = False
        self._people_count = 0
        self._people_changed = True  # somebody came or went in this turn
        self._presence_paused = False
        self._is_idle = False
        self._has_successor = True
        self._current_message: RoomMessage | None = None  # for the case that the room fails at it

    def on_start(self) -> None:
        """Asks for the past. Until it is loaded, all other messages wait."""
        settings = self._context.settings
        loader = self._context.backlog if self._is_behind_log else self._context.history
        loader.tell(Load(self.actor_ref, self._slug, settings.ring_size, self._sequencer.unanswered_ids))
        if len(self._presence) > 0:
            asyncio.get_running_loop().call_later(settings.presence_grace, self._tell_self, PresenceGraceEnded())

    def on_receive(self, message: RoomMessage) -> list[Save] | Save | None:
        """Dispatches one message. Until the past is loaded, all messages but that one wait."""
        if not self._has_begun and not isinstance(message, Loaded | LoadFailed):
            self._wait_for_past(message)
            return None
        self._current_message = message
        if self._government is not None:
            screened = self._government.screened(message)
            if screened is None:
                return None
            message = screened
        match message:
            case Post():
                self._sequencer.post(message)
            case Saved():
                self._saved(message)
            case Join():
                self._join(message)
            case Leave() | Dismiss():
                self._end_subscription(message)
            case NotifyLagged():
                self._notify_lagged(message.subscriber)
            case ShowTyping():
                self._show_typing(message)
            case Edit() | Delete() | React() | Pin() | ListReactors() | Purge() | ReactionsDue():
                self._made_operations.receive(message)
            case Found() | ChangeRoom() | ChangeMembers() | Describe():
                self._govern(message)
            case Sync():
                self._catch_up.sync(message)
            case Relay():
                self._relay(message)
            case ReadHistory():
                self._catch_up.history(message)
            case PageLoaded() | MissedLoaded() | LookedUp() | TargetLoaded():
                self._answered(message)
                self._recent.trim()
            case NotSaved():
                self._not_saved(message)
            case Heard() | Overheard() | PeopleMoved() | Propose() | Placed() | NotPlaced():
                return self._hear_of_log(message)
            case Loaded() | LoadFailed():
                self._begin(message)
            case ContinueDelivery() | PresencePauseEnded() | PresenceGraceEnded() | RefreshNames():
                self._wake(message)
            case Recall():
                return self._recall()
            case Retire():
                self._retire()
            case _:
                assert_never(message)
        return None

    def _wake(self, message: ContinueDelivery | PresencePauseEnded | PresenceGraceEnded | RefreshNames) -> None:
        """Does what the room has told itself, or was told about everybody; the end of the turn delivers."""
        if isinstance(message, PresencePauseEnded):
            self._presence_paused = False
        elif isinstance(message, RefreshNames):
            self._refresh_names(message)
        elif isinstance(message, PresenceGraceEnded):
            self._drop_expected()

    def _govern(self, message: Governing | Describe) -> None:
        government = self._government or self._govern_by(None)
        government.receive(message)
        if not government.is_needed:  # a plain room stays one
            self._government = self._sequencer.government = self._catch_up.government = None

    def on_turn_end(self) -> None:
        """Has the turn saved, then delivered, then reports what changed to the supervisor."""
        self._current_message = None
        self._close_turn()
        self._deliver_turn()
        if self._people_changed:
            self._report_people_count()
        self._report_idle_or_busy()

    def on_stop(self) -> None:
        """Has everything that was said before the stop saved and delivered."""
        self._finish_turn()
        pass_on = self.unhandled_to()
        for message in self._waiting_mail:  # what has come since all were refused
            pass_on(message)
        if len(self._presence) > 0:
            self._context.supervisor.on_stopped(self._slug, self._presence.people)
        self._untie()

    def on_failure(self, *_why: object) -> None:
        """Hands over to a successor, or tells the subscribers, whose clients then join again."""
        failed_message, self._current_message = self._current_message, None
        mail = self._undecided(failed_message)
        sequencer = self._sequencer
        handover = Handover(
            self._subscribers,
            self._presence,
            sequencer.unanswered,
            self._recent.newest,
            sequencer.committed_through,
            mail,
            failed_message,
        )
        if failed_message is not None and self._can_finish_turn():
            self._has_successor = self._context.supervisor.on_crashed(self._slug, handover)
        else:
            self._has_successor = self._context.supervisor.on_crashed(self._slug, None)
            handover.tell_crashed()
        self._untie()

    def _untie(self) -> None:
        """Ends the circles between the parts of a room, with which it would stay until the collector comes."""
        self._government = self._sequencer.government = self._catch_up.government = None

    def _undecided(self, failed_message: RoomMessage | None) -> list[RoomMessage]:
        """Returns all that a successor has to do, with the message at which the room has failed first."""
        return [
            *([failed_message] if failed_message else []),
            *self._catch_up.pending,
            *self._sequencer.undecided,
            *(self._operations.undecided if self._operations is not None else ()),
            *(self._government.undecided if self._government is not None else ()),
            *self._waiting_mail,
        ]

    def unhandled_to(self) -> Callable[[RoomMessage], None]:
        """Returns what forwards mail that came too late to the room that takes this one's place.

        Clients that were told of a crash say everything again, in order. What they said before the crash must not be
        said ahead of that, so without a successor only joins are forwarded.
        """
        forward = partial(self._context.supervisor.forward, self._slug)
        return forward if self._has_successor else partial(_forward_join, forward)

    def _looked_up(self, looked_up: LookedUp) -> None:
        if isinstance(looked_up.request, Post):
            self._sequencer.looked_up(looked_up)
        elif self._government is not None:
            self._government.looked_up(looked_up)

    def _hear_of_log(self, message: OfOthers) -> Save | None:
        """Hook: hears from a log that rooms of other nodes add to as well."""
        raise RuntimeError(f"the log of room {self._slug} is its own: {message!r}")

    # ------------------------------------------------------------ the end of a turn

    def _close_turn(self) -> None:
        """Gives the reactions of the turn their places, and has all of it saved."""
        self._count_reactions()
        self._sequencer.save_turn()

    def _count_reactions(self) -> None:
        if self._operations is not None:
            self._operations.end_turn(len(self._subscribers))

    def _deliver_turn(self) -> None:
        was_delivering = self._broadcaster.is_delivering
        if not was_delivering:
            self._broadcast_presence()
        is_left = self._broadcaster.deliver(self._subscribers)
        if is_left or (was_delivering and not self._presence_paused and self._presence.has_news):
            self.actor_ref.tell(_CONTINUE_DELIVERY)

    def _broadcast_presence(self) -> None:
        """Broadcasts the presence changes. A large room then pauses: n arrivals told to n people are n² writes."""
        if self._presence_paused or not self._presence.has_news:
            return
        changes = self._presence.changes()
        for change in changes:
            self._broadcaster.broadcast(change)
        subscribers = len(self._subscribers)
        if changes and subscribers > UNPAUSED_SUBSCRIBERS:
            self._presence_paused = True
            pause = min(subscribers * PAUSE, self._context.settings.presence_interval)
            asyncio.get_running_loop().call_later(pause, self._tell_self, PresencePauseEnded())

    def _finish_turn(self) -> None:
        """Ends the turn without slices."""
        self._sequencer.save_turn()
        self._broadcast_presence()
        self._broadcaster.flush(self._subscribers)

    def _can_finish_turn(self) -> bool:
        try:
            self._finish_turn()
        except Exception:
            logger.exception("room %s cannot even say what was said before it failed", self._slug)
            return False
        return True

    def _report_people_count(self) -> None:
        self._people_changed = False
        people = len(self._presence) + len(self._subscribers) - self._presence.connections
        if people != self._people_count:
            self._people_count = people
            self._context.supervisor.on_people_count(self._slug, people)

    def _report_idle_or_busy(self) -> None:
        is_idle = self._has_nothing_to_do
        if is_idle and not self._is_idle:
            self._context.supervisor.on_idle(self._slug)
        elif self._is_idle and not is_idle:
            self._context.supervisor.on_busy(self._slug)
        self._is_idle = is_idle

    @property
    def _has_nothing_to_do(self) -> bool:
        return self._has_begun and not (
            self._subscribers
            or self._catch_up.is_pending
            or self._broadcaster.is_delivering
            or not self._sequencer.is_settled
            or (self._operations is not None and not self._operations.is_settled)
            or (self._government is not None and not self._government.is_settled)
        )

    # ------------------------------------------------------------ what is saved

    def _saved(self, saved: Saved) -> None:
        self._sequencer.saved(saved)
        if self._operations is not None:
            self._operations.saved(saved.through)
        if self._government is not None:
            self._government.saved(saved.through)

    def _not_saved(self, not_saved: NotSaved) -> None:
        gone = self._sequencer.not_saved(not_saved, self._subscribers)
        if gone is not None:
            self._made_operations.on_voided(gone)
        if self._government is not None:
            self._government.take_back(not_saved.void.seq)

    # ------------------------------------------------------------ start and end

    def _wait_for_past(self, message: RoomMessage) -> None:
        """Keeps mail until the past is loaded. Of what is only asked for, a bounded number: a database may hang."""
        if isinstance(message, _ASKED_FOR) and len(self._waiting_mail) >= MAX_WAITING_MAIL:
            refuse(message, OVERLOADED)
        else:
            self._waiting_mail.append(message)

    @property
    def _is_behind_log(self) -> bool:
        """Whether the past is to be loaded once all is saved that the log has been told."""
        return self._is_rebuilt

    def _begin(self, loaded: Loaded | LoadFailed) -> None:
        if self._has_begun:
            return  # a persistence actor that was restarted has passed the request on a second time
        if isinstance(loaded, LoadFailed):
            self._refuse_all_and_stop()
            return
        self._has_begun = True
        self._load(loaded)
        self._handle_waiting_mail()

    def _load(self, loaded: Loaded) -> None:
        voids = self._sequencer.loaded(loaded, self._subscribers)
        if voids and any(self._recent.reactions_after(voids[0])):  # it may have ended before it had counted anew
            self._made_operations.recount_after(voids[0])
        if loaded.charter is not None or is_private_slug(self._slug):
            government = self._govern_by(loaded.charter)
            if self._is_rebuilt:
                government.tell_begun(voids)
            self._expel(None)  # a predecessor may have failed before it had expelled all

    def _handle_waiting_mail(self) -> None:
        while self._waiting_mail:
            self.on_receive(self._waiting_mail.popleft())
        self._waiting_mail = _NO_MAIL

    def _refuse_all_and_stop(self) -> None:
        """Ends the room: without its past it would give out numbers a second time."""
        refused, self._waiting_mail = self._waiting_mail, deque()
        for message in refused:
            if isinstance(message, Join):
                self._broadcaster.push(message.subscriber, message.subscriber.refuse("unavailable"))
        for subscriber in self._subscribers:
            self._broadcaster.push(subscriber, subscriber.ended("crashed"))
        self._context.supervisor.on_retired(self._slug)
        self.stop()

    def _retire(self) -> None:
        if self._is_idle and self._has_nothing_to_do and self.actor_inbox.empty():  # a join may be of this turn
            self._context.supervisor.on_retired(self._slug)
            self.stop()
        else:
            self._is_idle = False  # so that the end of the turn reports anew if it is idle after all

    def _recall(self) -> list[Save]:
        said = self._recent.by_epoch(self._context.epoch)
        return [Save(None, self._slug, epoch, tuple(messages)) for epoch, messages in said]

    @property
    def _made_operations(self) -> Operations:
        if self._operations is None:
            self._operations = Operations(
                self._slug,
                self._context,
                room=self.actor_ref,
                recent=self._recent,
                targets=self._sequencer.targets,
                sequencer=self._sequencer,
                max_counted=self.MAX_COUNTED,
            )
        return self._operations

    def _govern_by(self, charter: Charter | None) -> Government:
        self._government = Government(
            self._slug,
            self._context,
            room=self.actor_ref,
            broadcaster=self._broadcaster,
            recent=self._recent,
            sequencer=self._sequencer,
            subscribers=self._subscribers,
            charter=charter,
            expel=self._expel,
        )
        self._sequencer.government = self._catch_up.government = self._government
        return self._government

    def _tell_self(self, message: PresencePauseEnded | PresenceGraceEnded) -> None:
        if self.actor_ref.is_alive():
            self.actor_ref.tell(message)

    # ------------------------------------------------------------ subscribers

    def _join(self, join: Join) -> None:
        refused = self._refusal_of_join(join)
        if refused is not None:
            self._broadcaster.push(join.subscriber, join.subscriber.refuse(refused.reason))
            self._end_replaced(join)
            self.actor_ref.tell(Retire())
            return
        if not self._is_open and (refused := join.subscriber.refusal_to_open()):
            self._refuse_to_open(join, refused)
            return
        catch_up = self._catch_up.join(join)
        if catch_up is not None:
            self._admit(join, catch_up)

    def _refusal_of_join(self, join: Join) -> Refused | None:
        return None if self._government is None else self._government.of_join(join)

    def _expel(self, accounts: Collection[int] | None) -> None:
        """Ends the subscriptions of accounts, or of all who may not be here; what they heard last is said before."""
        assert self._government is not None
        for subscriber in self._government.strangers(accounts):
            for each in self._remove(subscriber):
                self._broadcaster.push(each, each.ended("closed"))

    @property
    def _is_open(self) -> bool:
        """Whether somebody is here, or something was said. A join of any other room opens it, and that is limited."""
        return bool(self._subscribers) or self._recent.newest > 0 or len(self._presence) > 0

    def _refuse_to_open(self, join: Join, refused: Refused) -> None:
        refusal = join.subscriber.refuse(refused.reason, refused.retry_after_ms)
        self._broadcaster.push(join.subscriber, refusal)
        self.actor_ref.tell(Retire())  # in the next turn, unless somebody else is here by then

    def _answered(self, answer: PageLoaded | MissedLoaded | LookedUp | TargetLoaded) -> None:
        match answer:
            case PageLoaded():
                self._catch_up.page_loaded(answer)
            case MissedLoaded():
                self._missed_loaded(answer)
            case LookedUp():
                self._looked_up(answer)
            case TargetLoaded():
                self._made_operations.receive(answer)

    def _missed_loaded(self, loaded: MissedLoaded) -> None:
        match loaded.request:
            case Join() as join:
                catch_up = self._catch_up.joined(join, loaded)
                if catch_up is not None:
                    self._admit(join, catch_up)
                    self._catch_up.forget(join.subscriber)  # last: a room that fails before hands the join over
                elif loaded.refused is not None:
                    self._end_replaced(join)
            case Sync() as sync:
                self._catch_up.synced(sync, loaded)

    def _admit(self, join: Join, catch_up: CatchUp) -> None:
        subscriber = join.subscriber
        recovery, missed = catch_up
        self._subscribers[subscriber] = None
        self._people_changed = True
        self._broadcaster.add(subscriber)
        if self._government is not None and subscriber.view is View.LOG:
            recovery = replace(recovery, room=self._government.view(subscriber.author))
        self._broadcaster.push(subscriber, subscriber.welcome(recovery))
        self._end_replaced(join)
        self._broadcaster.push_later(subscriber, map(subscriber.push, missed))
        if join.name is not None:
            name, author = called(subscriber, join.name)  # the join may have waited while that has changed
            self._presence.track(subscriber, name, self._context.clock() // SECOND, author)
        if subscriber.sees_presence:
            self._push_presence(subscriber)

    def _end_replaced(self, join: Join) -> None:
        """Ends the client's earlier place, once its second join is granted or refused."""
        if join.replaces is not None:
            self._end_subscription(Dismiss(join.replaces), notify=join.subscriber)

    def _end_subscription(self, parting: Leave | Dismiss, *, notify: Subscriber | None = None) -> None:
        """Ends a subscription. Its end is told to `notify`, by default to the subscriber itself."""
        subscriber = parting.subscriber
        removed = self._remove(subscriber)
        if not removed:
            return
        match parting:
            case Leave(ref=None):
                return  # the connection is gone
            case Leave(ref=bytes(ref)):
                self._broadcaster.push(subscriber, subscriber.answer(ref, Done()))
        for each in removed:
            self._broadcaster.push(notify or subscriber, each.ended("closed"))

    def _remove(self, subscriber: Subscriber | None) -> list[Subscriber]:
        """Removes a subscriber and, if its join still waits, the one that it was to replace. Returns all of them."""
        removed: list[Subscriber] = []
        while subscriber is not None:
            waiting = self._catch_up.forget(subscriber)
            if waiting is None and subscriber not in self._subscribers:
                break
            self._subscribers.pop(subscriber, None)
            self._sequencer.forget(subscriber)
            self._presence.untrack(subscriber)
            self._people_changed = True
            self._broadcaster.remove(subscriber)
            removed.append(subscriber)
            subscriber = None if waiting is None else waiting.replaces
        return removed

    def _drop_expected(self) -> None:
        self._presence.drop_expected()
        self._people_changed = True

    def _refresh_names(self, message: RefreshNames) -> None:
        """Shows people as they are called now, a part of a crowd in each turn, and what an account said likewise."""
        left = message.left
        if left is None:
            self._recent.rename(message.account, message.name)
            self._sequencer.targets.rename(message.account)
            if self._government is not None:
                self._government.note_account(message.account, message.name)
            left = self._presence.subscribers
        for subscriber in left[:REFRESHED_AT_ONCE]:
            self._presence.refresh(subscriber)
        self._people_changed = True
        if len(left) > REFRESHED_AT_ONCE:
            self.actor_ref.tell(replace(message, left=left[REFRESHED_AT_ONCE:]))

    def _notify_lagged(self, subscriber: Subscriber) -> None:
        """Tells a client that events were dropped. Missed messages it can ask for; presence it is pushed again."""
        self._broadcaster.push(subscriber, subscriber.push(Lagged(self._recent.newest)))
        if subscriber.sees_presence:
            self._push_presence(subscriber)

    def _push_presence(self, subscriber: Subscriber) -> None:
        self._broadcaster.push_later(subscriber, map(subscriber.push, (self._presence.listed(subscriber),)))
        if self._presence.is_crowded:
            self._broadcaster.push(subscriber, subscriber.push(self._presence.counted()))

    # ------------------------------------------------------------ what is broadcast and never saved

    def _show_typing(self, request: ShowTyping) -> None:
        self._tell_all(StartedTyping(request.name, request.author), but=request.sender)
        self._broadcaster.push(request.sender, request.sender.answer(request.ref, Done()))

    def _relay(self, request: Relay) -> None:
        self._tell_all(Relayed(request.data))
        self._broadcaster.push(request.sender, request.sender.answer(request.ref, Done()))

    def _tell_all(self, event: StartedTyping | Relayed, but: Subscriber | None = None) -> None:
        self._broadcaster.broadcast(event, but=but)


def _forward_join(forward: Callable[[RoomMessage], None], message: RoomMessage) -> None:
    if isinstance(message, Join):
        forward(message)
