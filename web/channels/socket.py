"""A socket: the channels of one connected client, whatever transport carries its frames (Phoenix: `Phoenix.Socket`)."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from chatter.messages import Done, Ref, Refused, RoomRef
from web.channels import wire
from web.channels.channel import Channel, Outbox
from web.channels.endpoint import Edge
from web.channels.rate_limits import ClientLimiter
from web.channels.requests import Fields, InvalidPayload, fields_of, resync, topic_of
from web.channels.wire import NULL, Dialect, Frame, Invalid
from web.io.rfc6455 import CloseCode


class Transport(Protocol):
    """What carries frames to one client."""

    @property
    def dialect(self) -> Dialect:
        """How the client wants to hear."""

    @property
    def outbox(self) -> Outbox:
        """Where frames for the client go."""

    @property
    def is_behind(self) -> bool:
        """Whether what is written now waits, and may be dropped."""

    def close(self, code: int) -> None:
        """End the connection for the reason that `code` names, as far as the transport can say it."""


class Socket:
    """Owns the channels by topic; answers what concerns no channel, passes on the rest."""

    __slots__ = ("_allowance", "_channels", "_edge", "_is_lagging", "_is_unsettled", "_params", "_transport")

    def __init__(self, transport: Transport, params: Mapping[str, str], edge: Edge) -> None:
        """`params` are those of the connection's URL: a `name` there counts for every join that gives none."""
        self._params = params
        self._edge = edge
        self._channels: dict[str, Channel] = {}
        self._transport = transport
        self._allowance = ClientLimiter(edge.rates)
        self._is_lagging = False  # nothing reaches the client
        self._is_unsettled = False  # a channel began or ended, and what says so may be waiting to be sent

    @property
    def dialect(self) -> Dialect:
        """How the client wants to hear."""
        return self._transport.dialect

    @property
    def outbox(self) -> Outbox:
        """Where frames for the client go."""
        return self._transport.outbox

    def receive(self, frame: Frame) -> None:
        """Deal with one frame. Raises `wire.BadFrame` where the payload turns out to be no JSON."""
        wait = self._allowance.take(frame.event)
        if wait:
            self._hold_back(frame, wait)
            return
        topic = frame.topic
        channel = self._channels.get(topic) if isinstance(topic, str) else None
        if frame.event == "phx_join":
            self._join(frame, channel)
        elif channel is not None:
            channel.receive(frame, self._edge.limits)
        elif topic == "phoenix" and frame.event == "heartbeat":
            self._answer(NULL, frame, Done())
        elif frame.event == "phx_leave":
            self._answer(frame.join_ref, frame, Done())
        else:
            self._answer(NULL, frame, Refused("unmatched topic"))

    def closed(self) -> None:
        """The connection is gone: so are its channels."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.leave()

    def overflowed(self) -> None:
        """The client reads too slowly: nothing reaches it until `drained`. One that cannot resync is closed."""
        self._is_lagging = True
        if not (self._channels and all(channel.can_resync for channel in self._channels.values())):
            self._transport.close(CloseCode.TRY_AGAIN_LATER)

    def drained(self) -> None:
        """Nothing waits to be sent any more. A client that lagged is told so in each channel.

        It could not know of a channel that began or ended meanwhile: then it is closed.
        """
        lagged, self._is_lagging = self._is_lagging, False
        unsettled, self._is_unsettled = self._is_unsettled, False
        if not lagged:
            return
        for channel in self._channels.values():
            channel.resync()
        if unsettled:
            self._transport.close(CloseCode.TRY_AGAIN_LATER)

    def forget(self, channel: Channel) -> None:
        """The channel has ended; its topic may be joined anew."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]
            self._is_unsettled |= self._transport.is_behind

    def find_room(self, slug: str) -> RoomRef:
        """The living room of that name. Raises `pykka.ActorDeadError` when the server stops."""
        return self._edge.supervisor.room(slug)

    def _hold_back(self, frame: Frame, wait: float) -> None:
        self._answer(frame.join_ref, frame, Refused("rate_limited", retry_after_ms=math.ceil(1_000 * wait)))
        if self._allowance.ignored >= self._edge.settings.max_ignored_refusals:
            self._transport.close(CloseCode.POLICY_VIOLATION)

    # ------------------------------------------------------------ joining

    def _join(self, frame: Frame, earlier: Channel | None) -> None:
        topic = topic_of(frame.topic) if isinstance(frame.topic, str) else None
        if topic is None:
            self._answer(NULL, frame, Refused("unmatched topic"))
            return
        if earlier is None and len(self._channels) >= self._edge.settings.max_channels:
            self._answer(frame.join_ref, frame, Refused("too many channels joined"))
            return
        try:
            params = self._join_params(frame)
            name, position = self._name(params), self._edge.limits.position(params)
            can_resync = resync(params)
        except InvalidPayload as error:
            self._refuse(frame, error.answer, earlier)
            return
        refusal = self._edge.refusal(topic.slug, params)
        if refusal is not None:
            self._refuse(frame, Refused(refusal), earlier)
            return
        channel = self._channels[topic.name] = Channel(self, topic, frame, can_resync)
        self._is_unsettled |= self._transport.is_behind
        channel.join(name, earlier, position)

    def _refuse(self, frame: Frame, refusal: Refused | Invalid, earlier: Channel | None) -> None:
        self._answer(frame.join_ref, frame, refusal)
        if earlier is not None:  # a second join of a topic ends the first even when it is refused
            self.forget(earlier)
            earlier.dismiss()

    def _join_params(self, frame: Frame) -> Fields:
        """Phoenix takes a payload of null for none; anything else than an object crashes its join."""
        if isinstance(frame.payload, msgspec.Raw) and bytes(frame.payload) == NULL:
            return {}
        return fields_of(frame.payload)

    def _name(self, params: Mapping[str, Any]) -> str | None:
        for source in (params, self._params):
            if source.get("name") is not None:
                return self._edge.limits.name(dict(source))
        return None

    def _answer(self, join_ref: Ref, frame: Frame, answer: Done | Refused | Invalid) -> None:
        self.outbox.write(self.dialect.answer(join_ref, frame.ref, wire.encode(frame.topic), answer))
