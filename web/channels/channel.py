"""A channel: one client's place in one room, as the room and the socket see it."""

from typing import Literal, Protocol

import pykka

from chatter.messages import Answer, Dismiss, Event, Join, Leave, Position, Recovery, Ref, Refused, Resync, RoomRef
from web.channels.requests import InvalidPayload, Limits, Topic, translate
from web.channels.wire import NULL, Dialect, Frame, Invalid


class Connection(Protocol):
    """What a channel needs of the socket that it belongs to."""

    @property
    def dialect(self) -> Dialect:
        """How the client wants to hear."""

    @property
    def outbox(self) -> "Outbox":
        """Where frames for the client go."""

    def forget(self, channel: "Channel") -> None:
        """The channel has ended; its topic may be joined anew."""

    def find_room(self, slug: str) -> RoomRef:
        """The living room of that name. Raises `pykka.ActorDeadError` when the server stops."""


class Outbox(Protocol):
    """The way out of a connection."""

    def write(self, frames: bytes) -> None:
        """Send whole frames. Never blocks and never raises."""


_ENDS = {"closed": (b"phx_close", b"{}"), "crashed": (b"phx_error", b'{"reason":"channel_crash"}')}


class Channel:
    """Implements `chatter.messages.Subscriber` for a Phoenix client."""

    __slots__ = ("_join_ref", "_outbox", "_ref", "_room", "_socket", "_topic", "can_resync", "dialect")

    def __init__(self, socket: Connection, topic: Topic, join: Frame, can_resync: bool) -> None:
        """`join` is the frame that asks for this channel; `can_resync`: its client said `resync`."""
        self.can_resync = can_resync
        self.dialect: Dialect = socket.dialect
        self._topic = topic
        self._ref = join.ref
        self._join_ref = join.ref if join.join_ref == join.ref else join.join_ref  # nearly always one object for both
        self._socket = socket
        self._outbox = socket.outbox
        self._room: RoomRef = socket.find_room(topic.slug)

    @property
    def topic(self) -> str:
        """Its name."""
        return self._topic.name

    # ------------------------------------------------------------ towards the room

    def join(self, name: str | None, replaces: "Channel | None", position: Position | None) -> None:
        """Ask for the place; the room answers."""
        self._room.tell(Join(self, name, replaces, position))

    def leave(self, ref: Ref | None = None) -> None:
        """Give the place up: with a `ref` because the client asked to, without because its connection is gone."""
        self._tell(Leave(self, ref))

    def resync(self) -> None:
        """Have the client told that it was not sent everything."""
        self._tell(Resync(self))

    def dismiss(self) -> None:
        """Have the place given up, and the client told so."""
        self._tell(Dismiss(self))

    def receive(self, frame: Frame, limits: Limits) -> None:
        """Pass on what the client says to the room, or tell it what is wrong with that."""
        if frame.join_ref not in (NULL, self._own_ref):
            return  # meant for an earlier join of the same topic: Phoenix drops it too
        if frame.event == "phx_leave":
            self._socket.forget(self)
            self.leave(frame.ref)
            return
        try:
            message = translate(frame.event, frame.payload, self, frame.ref, limits)
        except InvalidPayload as error:
            self.write(self.answer(frame.ref, error.answer))
            return
        if message is None:
            self.write(self.answer(frame.ref, Refused("unknown event")))
        else:
            self._tell(message)

    def _tell(self, message: object) -> None:
        try:
            self._room.tell(message)
        except pykka.ActorDeadError:
            self._tell_successor(message)

    def _tell_successor(self, message: object) -> None:
        try:
            self._room = self._socket.find_room(self._topic.slug)
            self._room.tell(message)
        except pykka.ActorDeadError:
            pass  # the server stops, and its connections are closed in a moment

    # ------------------------------------------------------------ towards the client

    def welcome(self, recovery: Recovery) -> bytes:
        """The frame that grants the join: it echoes the client's join_ref, even null."""
        return self.dialect.answer(self._join_ref, self._ref, self._topic.json, recovery)

    def refuse(self, reason: str) -> bytes:
        """Give up the place; the frame that refuses the join."""
        self._socket.forget(self)
        return self.dialect.answer(self._join_ref, self._ref, self._topic.json, Refused(reason))

    def push(self, event: Event) -> bytes:
        """`event` as a frame for this client alone."""
        return self.dialect.push(self._own_ref, self._topic.json, event)

    def answer(self, ref: Ref, answer: Answer | Invalid) -> bytes:
        """The answer to the request `ref`."""
        return self.dialect.answer(self._own_ref, ref, self._topic.json, answer)

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        """Give up the place; the frame that says so."""
        self._socket.forget(self)
        event, payload = _ENDS[why]
        return self.dialect.frame(self._join_ref, self._join_ref, self._topic.json, event, payload)

    def write(self, frames: bytes) -> None:
        """Send whole frames."""
        self._outbox.write(frames)

    @property
    def _own_ref(self) -> Ref:
        """A client that joined with join_ref null is addressed by the join's ref from then on, as Phoenix does."""
        return self._ref if self._join_ref == NULL else self._join_ref
