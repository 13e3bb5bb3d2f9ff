"""A channel: one client's subscription to one room, between its socket and the room."""

from array import array
from collections.abc import Coroutine, Hashable, Iterable
from typing import Any, Literal, Protocol

import pykka

from chatter.accounts.principal import Principal
from chatter.charter import Author, ServerRole
from chatter.messages import (
    ChangeMembers,
    Dismiss,
    Done,
    Event,
    Join,
    Leave,
    NotifyLagged,
    Position,
    Reason,
    Recovery,
    Ref,
    Refused,
    RoomMessage,
    RoomRef,
    View,
)
from web.channels.errands import OVERLOADED, ErrandUnderWay, Outcome
from web.channels.fields import InvalidPayload
from web.channels.guest_names import GuestNames, NameRefused
from web.channels.pending_joins import JoinRequest
from web.channels.personal_requests import Answering
from web.channels.requests import translate
from web.channels.room_requests import Errand, MakesLink, NamesPeople, RequestRefused
from web.channels.wire import NULL, Frame, Serializer, WebAnswer
from web.limits import Limits

MOST_SAID = 1_000
"""Messages of a connection in a room that it may change: the latest. Each takes 8 bytes."""


class Writer(Protocol):
    """Writes to one connection."""

    @property
    def takes_frames(self) -> bool:
        """Whether what is written now is sent, not dropped."""

    def write(self, frames: bytes) -> None:
        """Sends whole frames. Never blocks and never raises."""


class ChannelOwner(Hashable, Protocol):
    """The socket as its channels see it."""

    @property
    def serializer(self) -> Serializer:
        """What turns events into the client's bytes."""

    @property
    def writer(self) -> Writer:
        """What sends frames to the client."""

    @property
    def principal(self) -> Principal:
        """Who the connection is."""

    @property
    def guest_names(self) -> GuestNames | None:
        """What decides how the client is called, None for an account."""

    def refresh(self, frame: Frame, join_ref: Ref) -> bool:
        """Takes a newer secret, and answers it. Returns False where there are no accounts."""

    def ask_for_person(self, frame: Frame, slug: str, answer: Answering) -> bool:
        """Has answered what somebody asks about themselves in a room. Returns False where it is none of that."""

    def said_in(self, room: str) -> "array[int]":
        """Returns the latest messages that the connection has said in a room."""

    def forget(self, channel: "Channel") -> None:
        """Drops a channel that has ended; its topic may be joined again."""

    def ensure_room(self, slug: str) -> RoomRef:
        """Returns the living room of that name. Raises `pykka.ActorDeadError` when the server stops."""

    def refusal_to_open(self) -> Refused | None:
        """Counts a room that is opened, and returns why the client may not open it."""

    def run_errand(self, slug: str, errand: Errand) -> Coroutine[Any, Any, Outcome]:
        """Looks up or makes what a request to a room needs."""

    def receive_late(self, frame: Frame) -> None:
        """Handles a frame that came before, and had to wait for one of its channel."""


_LAST_FRAMES = {"closed": (b"phx_close", b"{}"), "crashed": (b"phx_error", b'{"reason":"channel_crash"}')}


class Channel:
    """Plays `chatter.messages.Subscriber` for a Phoenix client."""

    __slots__ = (
        "_errand",
        "_guest_names",
        "_join_ref",
        "_ref",
        "_room",
        "_socket",
        "_topic",
        "_writer",
        "can_resync",
        "sees_presence",
        "serializer",
    )

    def __init__(self, socket: ChannelOwner, join: JoinRequest) -> None:
        """`join` is what the client asked for, and may have."""
        self.can_resync = join.can_resync
        self.sees_presence = join.sees_presence
        self.serializer: Serializer = socket.serializer.viewing(join.view)
        self._topic = join.topic
        self._ref = join.ref
        self._join_ref = join.ref if join.join_ref == join.ref else join.join_ref  # nearly always one object for both
        self._socket = socket
        self._guest_names = socket.guest_names
        self._writer = socket.writer
        self._errand: ErrandUnderWay | None = None  # most channels never have any
        self._room: RoomRef = socket.ensure_room(join.topic.slug)

    @property
    def topic(self) -> str:
        """The name of its topic."""
        return self._topic.name

    @property
    def slug(self) -> str:
        """The name of its room."""
        return self._topic.slug

    # ------------------------------------------------------------ towards the room

    def join(self, name: str | None, replaces: "Channel | None", position: Position | None) -> None:
        """Asks the room for the subscription; the room answers."""
        self._room.tell(Join(self, name, replaces, position))

    def leave(self, ref: Ref | None = None) -> None:
        """Ends the subscription: with a `ref` because the client asked to, without because its connection is gone."""
        self._end_errand()
        self._tell(Leave(self, ref))

    def notify_lagged(self) -> None:
        """Has the room tell the client that events were dropped."""
        self._tell(NotifyLagged(self))

    def dismiss(self) -> None:
        """Ends the subscription and has the room tell the client so."""
        if unanswered := self._end_errand():
            self.write(unanswered)
        self._tell(Dismiss(self))

    def receive(self, frame: Frame, limits: Limits) -> None:
        """Passes a request of the client on to the room, or tells the client what is wrong with it."""
        if frame.join_ref not in (NULL, self._own_ref):
            return  # meant for an earlier join of the same topic: Phoenix drops it too
        if self._errand is not None:
            if not self._errand.hold(frame):
                self.write(self.answer(frame.ref, OVERLOADED))
            return
        if frame.event == "phx_leave":
            self._socket.forget(self)
            self.leave(frame.ref)
            return
        try:
            message = translate(frame.event, frame.payload, self, frame.ref, limits)
            if self._guest_names is not None:
                message = self._guest_names.checked(message, self.view)
        except (InvalidPayload, NameRefused, RequestRefused) as error:
            self.write(self.answer(frame.ref, error.answer))
            return
        if isinstance(message, NamesPeople | MakesLink):
            self._errand = ErrandUnderWay(self, frame, self._socket.run_errand(self._topic.slug, message))
        elif message is not None:
            self._tell(message)
        elif not (self._asks_for_person(frame) or self._is_refreshed(frame)):
            self.write(self.answer(frame.ref, Refused("unknown event")))

    def _is_refreshed(self, frame: Frame) -> bool:
        return frame.event == "access_token" and self._socket.refresh(frame, self._own_ref)

    def _asks_for_person(self, frame: Frame) -> bool:
        """Has a request answered that is about the person in this room, and not about the room."""

        def answer(answered: WebAnswer) -> None:
            self.write(self.answer(frame.ref, answered))

        try:
            return self._socket.ask_for_person(frame, self._topic.slug, answer)
        except InvalidPayload as error:
            answer(error.answer)
            return True

    def notify(self, event: bytes, payload: bytes) -> None:
        """Tells the client something that is not the room's. `payload` is JSON."""
        self.write(self.serializer.frame(self._own_ref, NULL, self._topic.json, event, payload))

    def on_errand_done(self, frame: Frame, outcome: Outcome, held: Iterable[Frame]) -> None:
        """Tells the room, or the client, what has become of an errand; then the frames come that have waited."""
        self._errand = None
        if isinstance(outcome, ChangeMembers):
            self._tell(outcome)
        else:
            self.write(self.answer(frame.ref, outcome))
        for each in held:
            self._socket.receive_late(each)

    def _end_errand(self) -> bytes:
        """Returns what the client is answered whose errand has lost its channel, to that and to all that has waited."""
        if self._errand is None:
            return b""
        frames, self._errand = self._errand.cancel(), None
        return b"".join(map(self._answer_without_channel, frames))

    def _answer_without_channel(self, frame: Frame) -> bytes:
        if frame.event == "phx_leave":
            return self.serializer.answer(frame.join_ref, frame.ref, self._topic.json, Done())
        return self.serializer.answer(NULL, frame.ref, self._topic.json, Refused("unmatched topic"))

    def _tell(self, message: RoomMessage) -> None:
        try:
            self._room.tell(message)
        except pykka.ActorDeadError:
            self._tell_successor(message)

    def _tell_successor(self, message: RoomMessage) -> None:
        try:
            self._room = self._socket.ensure_room(self._topic.slug)
            self._room.tell(message)
        except pykka.ActorDeadError:
            pass  # the server is stopping, and is about to close its connections

    # ------------------------------------------------------------ towards the client: `Subscriber`

    @property
    def client(self) -> Hashable:
        return self._socket

    @property
    def view(self) -> View:
        return self.serializer.view

    @property
    def author(self) -> Author | None:
        return self._socket.principal.author

    @property
    def person_name(self) -> str | None:
        return self._socket.principal.name

    def guest_name(self, name: str) -> str:
        return name if self._guest_names is None else self._guest_names.name_now(name)

    @property
    def server_role(self) -> ServerRole:
        return self._socket.principal.acting_role

    @property
    def takes_frames(self) -> bool:
        return self._writer.takes_frames

    def note_said(self, seq: int) -> None:
        said = self._socket.said_in(self._topic.slug)
        if len(said) >= MOST_SAID:
            del said[: MOST_SAID // 2]
        said.append(seq)

    def unnote_said(self, seq: int) -> None:
        said = self._socket.said_in(self._topic.slug)
        if seq in said:
            said.remove(seq)

    def has_said(self, seq: int) -> bool:
        return seq in self._socket.said_in(self._topic.slug)

    def welcome(self, recovery: Recovery) -> bytes:
        """Returns the frame that grants the join. It echoes the client's join_ref, even null."""
        return self.serializer.answer(self._join_ref, self._ref, self._topic.json, recovery)

    def refusal_to_open(self) -> Refused | None:
        return self._socket.refusal_to_open()

    def refuse(self, reason: Reason, retry_after_ms: int | None = None) -> bytes:
        """Returns the frame that refuses the join. A room that is not there for the client is no topic at all."""
        self._socket.forget(self)
        refused = Refused(reason, retry_after_ms)
        join_ref = NULL if reason == "unmatched topic" else self._join_ref
        return self.serializer.answer(join_ref, self._ref, self._topic.json, refused)

    def push(self, event: Event) -> bytes:
        return self.serializer.push(self._own_ref, self._topic.json, event)

    def answer(self, ref: Ref, answer: WebAnswer) -> bytes:
        return self.serializer.answer(self._own_ref, ref, self._topic.json, answer)

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        unanswered = self._end_errand()
        self._socket.forget(self)
        event, payload = _LAST_FRAMES[why]
        last = self.serializer.frame(self._join_ref, self._join_ref, self._topic.json, event, payload)
        return last + unanswered

    def write(self, frames: bytes) -> None:
        self._writer.write(frames)

    @property
    def _own_ref(self) -> Ref:
        """The join_ref of this channel; the join's ref where the client sent null, as in Phoenix."""
        return self._ref if self._join_ref == NULL else self._join_ref
