"""A socket: the channels of one connected client, over any transport (Phoenix: `Phoenix.Socket`)."""

import functools
import logging
import math
from array import array
from collections.abc import Callable, Coroutine, Mapping, Set
from typing import Any, Protocol

import msgspec

from chatter.accounts.principal import GUEST, Principal
from chatter.charter import RoomRole, is_private_slug
from chatter.messages import Done, Ref, Refused, RoomRef, View
from web.channels import wire
from web.channels.authorization import PendingVerdict, Verdict
from web.channels.channel import Channel, Writer
from web.channels.endpoint import Endpoint
from web.channels.errands import Outcome
from web.channels.fields import (
    Fields,
    InvalidPayload,
    fields_of,
    flag_of,
    position_of,
    sender_name,
    string_of,
    view_of,
)
from web.channels.guest_names import GuestNames, NameRefused
from web.channels.identification import Identification
from web.channels.me import MeChannel
from web.channels.pending_joins import JoinRequest, PendingJoins
from web.channels.personal_requests import Answering, is_personal
from web.channels.rate_limits import ClientLimiter, JointLimiter
from web.channels.requests import Topic, action_of, topic_of
from web.channels.room_requests import Errand
from web.channels.rooms_wait import RoomsWait
from web.channels.wire import ME, NULL, BadFrame, Frame, Invalid, Serializer, WebAnswer
from web.identity.credentials import MAX_SECRET, Credentials
from web.io.rfc6455 import CloseCode
from web.limits import Limits

logger = logging.getLogger(__name__)

_NO_BAR = frozenset({"not_found", "archived"})
"""Why somebody becomes no member of a public room, and is let in as anybody is."""


class Transport(Protocol):
    """Carries frames to one client. It calls `Socket.overflowed` and `Socket.drained` as its client reads."""

    @property
    def serializer(self) -> Serializer:
        """What turns events into the client's bytes."""

    @property
    def writer(self) -> Writer:
        """What sends frames to the client."""

    @property
    def has_unsent(self) -> bool:
        """Whether what is written now waits, and may be dropped."""

    def close(self, code: CloseCode) -> None:
        """Ends the connection, and tells the client `code` as far as the transport can. It is `Closable`."""


class Socket:
    """Owns the channels by topic. Answers what concerns no channel, passes on the rest."""

    __slots__ = (
        "_channels",
        "_endpoint",
        "_gate",
        "_has_overflowed",
        "_identification",
        "_limiter",
        "_missed_channel_change",
        "_pending",
        "_rooms_wait",
        "_said",
        "_transport",
        "_url_name",
        "principal",
    )

    def __init__(
        self,
        transport: Transport,
        params: Mapping[str, str],
        endpoint: Endpoint,
        credentials: Credentials | None = None,
    ) -> None:
        """`params` are those of the connection's URL: a `name` there counts for every join that gives none."""
        self.principal: Principal = GUEST  # read for each message: a property would take 0.1 µs
        self._identification: Identification | None = None  # guests have none
        self._gate: Callable[[Frame], bool] | None = None  # what may keep a frame from being handled now
        self._url_name = _name_in_url(params, endpoint.limits)
        self._endpoint = endpoint
        self._rooms_wait: RoomsWait | None = None  # until the rooms of the account are loaded
        self._channels: dict[str, Channel | MeChannel] = {}
        self._pending: PendingJoins | None = None  # most sockets never have any, and none for long
        self._said: dict[str, array[int]] | None = None  # by room, the latest messages; most only listen
        self._transport = transport
        self._limiter: ClientLimiter | JointLimiter = ClientLimiter(endpoint.rates)
        self._has_overflowed = False  # what is written is dropped
        self._missed_channel_change = False  # a channel began or ended while something was unsent
        if credentials is not None and endpoint.identity is not None:
            self._identification = Identification(self, credentials, endpoint.identity)
            self._gate = self._identification.hold
            self._identification.begin()

    @property
    def serializer(self) -> Serializer:
        return self._transport.serializer

    @property
    def writer(self) -> Writer:
        return self._transport.writer

    def receive(self, frame: Frame) -> None:
        """Handles one frame. Raises `wire.BadFrame` where the payload turns out to be no JSON."""
        if self._gate is not None and self._gate(frame):
            return
        wait = self._limiter.take(frame.event)
        if wait:
            self._refuse_rate(frame, wait)
            return
        self._dispatch(frame)

    def _dispatch(self, frame: Frame) -> None:
        topic = frame.topic
        channel = self._channels.get(topic) if isinstance(topic, str) else None
        if frame.event == "phx_join":
            if not self._waits_for_rooms(frame):
                self._join(frame, channel)
        elif (
            self._pending is not None and (pending := self._pending.find(topic)) and _concerns(frame, pending, channel)
        ):
            self._receive_undecided(frame, pending, channel)
        elif channel is not None:
            channel.receive(frame, self._endpoint.limits)
        elif topic == "phoenix" and frame.event == "heartbeat":
            self._answer(NULL, frame, Done())
        elif frame.event == "phx_leave":
            self._answer(frame.join_ref, frame, Done())
        elif topic != "phoenix" or frame.event != "access_token" or not self.refresh(frame, NULL):
            self._answer(NULL, frame, Refused("unmatched topic"))

    def on_closed(self) -> None:
        """Ends the channels: the connection is gone."""
        if self._identification is not None:
            self._end_identification(self._identification)
        if self._rooms_wait is not None:
            self._rooms_wait.end()
            self._rooms_wait = None
        if self._pending is not None:
            self._pending.take_all()
            self._pending = None
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.leave()

    def overflowed(self) -> None:
        """A slow reader: what is written to it is dropped until `drained`. A client that cannot resync is closed."""
        self._has_overflowed = True
        if not (self._channels and all(channel.can_resync for channel in self._channels.values())):
            self._transport.close(CloseCode.TRY_AGAIN_LATER)

    def drained(self) -> None:
        """Nothing is unsent any more. A client that overflowed is told so in each channel.

        If a channel began or ended meanwhile, the news of that may have been dropped: then the client is closed.
        """
        had_overflowed, self._has_overflowed = self._has_overflowed, False
        was_unsettled, self._missed_channel_change = self._missed_channel_change, False
        if not had_overflowed:
            return
        for channel in self._channels.values():
            channel.notify_lagged()
        if was_unsettled:
            self._transport.close(CloseCode.TRY_AGAIN_LATER)

    # ------------------------------------------------------------ who it is: `LiveSocket`, `identification.Owner`

    def may_become(self, principal: Principal) -> bool:
        """Returns whether that is the same person. A guest may become anybody before it has joined a room."""
        mine, other = self.principal.author, principal.author
        if mine is None or other is None:
            return not self._channels and self._pending is None
        return mine.id == other.id

    def become(self, principal: Principal) -> None:
        """Takes over who it is from now on, with other rights: it loses the rooms that it may not read any more."""
        assert self._endpoint.identity is not None
        assert self._identification is not None
        if principal.author is not None and self.principal.author is None:
            self._said = None  # it was a guest's, whose person may be another one
            self._endpoint.identity.live.add(principal.author.id, self)
            shared = self._endpoint.account_limiter(principal.author.id)
            self._limiter = JointLimiter(ClientLimiter(self._endpoint.rates), shared)
        self.principal = principal
        self._update_gate()
        self._identification.watch_end(principal.expires_at)
        for channel in list(self._channels.values()):
            if self._endpoint.rights.authorize(principal, channel.slug, "read") is not None:
                self._dismiss(channel)
            elif isinstance(channel, MeChannel):
                channel.become()

    def look_again(self) -> None:
        """Finds out anew whose the secret is, since it may be nobody's by now."""
        if self._identification is not None:
            self._identification.look_again()

    def sign_out(self, reason: str) -> None:
        """Tells each channel that the person is signed out here, and ends the connection."""
        self.notify(b"signed_out", wire.encode({"reason": reason}))
        self.close(CloseCode.SIGNED_OUT)

    def notify(self, event: bytes, payload: bytes) -> None:
        """Pushes an event that is no room's to each channel."""
        for channel in self._channels.values():
            channel.notify(event, payload)

    def refuse_pending(self, refused: Refused) -> None:
        """Refuses the joins that are not decided."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            for request in pending.take_all():
                self._refuse_join(request.join_ref, request.ref, request.topic, refused)

    def close(self, code: CloseCode) -> None:
        """Ends the connection."""
        self._transport.close(code)

    def receive_held(self, frame: Frame) -> None:
        """Handles a frame that has waited until it was known who sends it."""
        if not self._endpoint.is_accepting:
            return  # as a frame that comes now
        self._receive_through(self._open_gate if self._rooms_wait is None else self._rooms_wait.hold, frame)

    def refuse_held(self, frame: Frame, refused: Refused) -> None:
        """Answers a frame that has waited in vain."""
        self._answer(frame.join_ref, frame, refused)

    def _receive_through(self, gate: Callable[[Frame], bool] | None, frame: Frame) -> None:
        """Handles a frame that has waited, unless something else keeps it."""
        former, self._gate = self._gate, gate
        try:
            self.receive(frame)
        except BadFrame:
            self._transport.close(CloseCode.INTERNAL_ERROR)
        if self._identification is not None:  # else the connection has ended
            self._gate = former

    @property
    def _open_gate(self) -> Callable[[Frame], bool] | None:
        """What keeps frames when nothing is waited for: what a token is not for."""
        return self._refuse_forbidden if self._endpoint.rights.restricts(self.principal) else None

    def _update_gate(self) -> None:
        identification = self._identification
        if identification is not None and identification.is_holding:
            self._gate = identification.hold
        else:
            self._gate = self._open_gate if self._rooms_wait is None else self._rooms_wait.hold

    def _refuse_forbidden(self, frame: Frame) -> bool:
        """Refuses what the principal's token is not for. Joins are decided with their rooms."""
        action = action_of(frame)
        decision = None if action is None else self._endpoint.rights.authorize(self.principal, None, action)
        if decision is None:
            return False
        self._answer(frame.join_ref, frame, Refused(decision))
        return True

    def _end_identification(self, identification: Identification) -> None:
        self._identification = self._gate = None
        identification.end()
        if self.principal.author is not None and self._endpoint.identity is not None:
            self._endpoint.identity.live.remove(self.principal.author.id, self)

    # ------------------------------------------------------------ what channels ask for: `ChannelOwner`

    @property
    def guest_names(self) -> GuestNames | None:
        return None if self.principal.author is not None else self._endpoint.guest_names

    def refresh(self, frame: Frame, join_ref: Ref) -> bool:
        if self._endpoint.identity is None:
            return False
        answer = functools.partial(self._answer, join_ref, frame)
        try:
            text = string_of(fields_of(frame.payload), "access_token", MAX_SECRET)
        except InvalidPayload as error:
            answer(error.answer)
            return True
        if self._identification is None:
            self._identification = Identification(self, None, self._endpoint.identity)
        self._identification.refresh(Credentials(text), answer)
        return True

    def forget(self, channel: Channel | MeChannel) -> None:
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]
            self._missed_channel_change |= self._transport.has_unsent

    def ask_for_person(self, frame: Frame, slug: str, answer: Answering) -> bool:
        requests, author = self._endpoint.personal_requests, self.principal.author
        if requests is None or not is_personal(frame.event):
            return False
        if author is None:
            answer(Refused("sign_in"))
            return True
        return requests.receive(frame.event, frame.payload, self.principal, slug, answer)

    @property
    def joined_rooms(self) -> Set[str]:
        return {channel.slug for channel in self._channels.values() if channel.slug is not None}

    def said_in(self, room: str) -> "array[int]":
        if self._said is None:
            self._said = {}
        return self._said.setdefault(room, array("q"))

    def ensure_room(self, slug: str) -> RoomRef:
        return self._endpoint.supervisor.ensure_room(slug)

    def refusal_to_open(self) -> Refused | None:
        wait = self._endpoint.room_wait(self._transport)
        if wait:
            return Refused("rate_limited", retry_after_ms=math.ceil(1_000 * wait))
        return None if self._endpoint.may_open_rooms(self.principal) else Refused("unmatched topic")

    def run_errand(self, slug: str, errand: Errand) -> Coroutine[Any, Any, Outcome]:
        assert self._endpoint.errands is not None, "guests have none"
        return self._endpoint.errands.run(slug, errand)

    # ------------------------------------------------------------ waiting for the rooms of the account

    def _waits_for_rooms(self, join: Frame) -> bool:
        """Returns whether a join has to wait, and what comes behind it, since it is not known who is in that room."""
        memberships, author = self._endpoint.memberships, self.principal.author
        if memberships is None or author is None or not isinstance(join.topic, str):
            return False
        if join.topic != ME and not self._depends_on_rooms(join.topic.removeprefix("chat_room:")):
            return False
        if memberships.known(author.id) is not None:
            return False
        if self._rooms_wait is not None and self._rooms_wait.refused is not None:
            self._answer(join.join_ref, join, self._rooms_wait.refused)
        else:
            self._begin_wait().load(memberships, author.id, join)
        return True

    def _depends_on_rooms(self, slug: str) -> bool:
        """Returns whether it has to be known for a join in which rooms the account is, and as what."""
        claims, principal = self._endpoint.room_claims, self.principal
        if not principal.reaches(slug):
            return False
        return is_private_slug(slug) or (claims is not None and claims.given(slug, principal) is not None)

    def _begin_wait(self) -> RoomsWait:
        if self._rooms_wait is None:
            self._rooms_wait = RoomsWait(self)
            self._update_gate()
        return self._rooms_wait

    def join_late(self, join: Frame, refused: Refused | None) -> None:
        if refused is None:
            self.receive_late(join)
        elif self._endpoint.is_accepting:
            self._answer(join.join_ref, join, refused)

    def brought_in(self, request: JoinRequest, refused: Refused | None) -> None:
        if not self._endpoint.is_accepting:
            return  # as a frame that comes now
        if refused is None or (refused.reason in _NO_BAR and not is_private_slug(request.topic.slug)):
            self._decided(request, None, is_brought_in=True)
        elif refused.reason == "not_found":
            self._refuse_join(NULL, request.ref, request.topic, Refused("unmatched topic"))
        else:
            self._refuse_join(request.join_ref, request.ref, request.topic, refused)

    def receive_waited(self, frame: Frame) -> None:
        if self._endpoint.is_accepting:  # else as a frame that comes now
            self._receive_through(self._open_gate, frame)

    def receive_late(self, frame: Frame) -> None:
        if not self._endpoint.is_accepting:
            return  # as a frame that comes now
        try:
            self._dispatch(frame)
        except BadFrame:
            self._transport.close(CloseCode.INTERNAL_ERROR)

    def on_rooms_settled(self) -> None:
        self._rooms_wait = None
        self._update_gate()

    # ------------------------------------------------------------ joining

    def _join(self, frame: Frame, earlier: Channel | MeChannel | None) -> None:
        if frame.topic == ME and self._endpoint.memberships is not None:
            self._join_me(frame, earlier)
            return
        topic = topic_of(frame.topic) if isinstance(frame.topic, str) else None
        if topic is None:
            self._answer(NULL, frame, Refused("unmatched topic"))
            return
        if self._pending is not None:
            self._end_pending(topic.name)
        if earlier is None and self._is_full:
            self._answer(frame.join_ref, frame, Refused("too many channels joined"))
            return
        try:
            params = self._join_params(frame)
            position = position_of(params)
            can_resync, asks_for_presence = flag_of(params, "resync"), flag_of(params, "presence")
            view = view_of(params, counts=can_resync or position is not None)
            name = self._name(params, view)
        except (InvalidPayload, NameRefused) as error:
            self._refuse_join(frame.join_ref, frame.ref, topic, error.answer)
            return
        decision = self._endpoint.rights.authorize(self.principal, None, "join")
        if decision is not None:
            self._refuse_join(frame.join_ref, frame.ref, topic, Refused(decision))
            return
        if self._hides(topic.slug):
            self._refuse_join(NULL, frame.ref, topic, Refused("unmatched topic"))
            return
        sees_presence = name is not None or asks_for_presence
        request = JoinRequest(frame.join_ref, frame.ref, topic, name, position, can_resync, sees_presence, view)
        verdict = self._endpoint.authorization.decide(topic.slug, params, self.principal)
        if isinstance(verdict, PendingVerdict):
            self._wait_for(request, verdict)
        else:
            self._decided(request, verdict)

    def _join_me(self, frame: Frame, earlier: Channel | MeChannel | None) -> None:
        """Joins what is the person's own. A second join ends the first, as in rooms."""
        endpoint = self._endpoint
        assert endpoint.memberships is not None
        assert endpoint.personal_requests is not None
        decision = endpoint.rights.authorize(self.principal, None, "join")
        refused: WebAnswer | None = None if decision is None else Refused(decision)
        if refused is None and self.principal.author is None:
            refused = Refused("sign_in")
        elif refused is None and earlier is None and self._is_full:
            refused = Refused("too many channels joined")
        if refused is None:
            try:
                self._join_params(frame)
            except InvalidPayload as error:
                refused = error.answer
        author = self.principal.author
        if refused is None and author is not None and (wait := endpoint.list_wait(author.id)):
            refused = Refused("rate_limited", retry_after_ms=math.ceil(1_000 * wait))
        if refused is not None:
            self._answer(frame.join_ref, frame, refused)
        else:
            channel = self._channels[ME] = MeChannel(
                self,
                frame,
                memberships=endpoint.memberships,
                requests=endpoint.personal_requests,
                server=endpoint.described,
            )
            self._missed_channel_change |= self._transport.has_unsent
            channel.join()
        if earlier is not None:
            self._dismiss(earlier)

    @property
    def _is_full(self) -> bool:
        pending = 0 if self._pending is None else len(self._pending)
        return len(self._channels) + pending >= self._endpoint.settings.max_channels

    def _wait_for(self, request: JoinRequest, verdict: PendingVerdict) -> None:
        if self._pending is None:
            self._pending = PendingJoins()
        self._pending.add(request, verdict)
        verdict.then(functools.partial(self._on_verdict, request))

    def _on_verdict(self, request: JoinRequest, verdict: Verdict) -> None:
        self._take_pending(request.topic.name)
        if not self._endpoint.is_accepting:
            return  # as a frame that comes now
        try:
            self._decided(request, verdict)
        except Exception:
            logger.exception("a join could not be carried out")
            self._transport.close(CloseCode.INTERNAL_ERROR)

    def _decided(self, request: JoinRequest, verdict: Verdict, *, is_brought_in: bool = False) -> None:
        """Carries out a join, or refuses it. Who is to be a member of the room first has it wait for that."""
        topic = request.topic
        if verdict is None:  # an async hook takes its time: rights may have changed meanwhile
            verdict = self._endpoint.rights.authorize(self.principal, topic.slug, "join")
        if self._identification is not None and self._identification.is_expiring:
            verdict = "unauthorized"  # until a newer secret comes: it would not hear that the old one has ended
        if self._hides(topic.slug):
            self._refuse_join(NULL, request.ref, topic, Refused("unmatched topic"))
            return
        if verdict is not None:
            self._refuse_join(request.join_ref, request.ref, topic, Refused(verdict))
            return
        role = None if is_brought_in else self._role_due(topic.slug)
        if role is not None:
            assert self._endpoint.room_claims is not None
            opens = self._endpoint.may_open_rooms(self.principal)
            self._begin_wait().bring_in(self._endpoint.room_claims, self.principal, request, role, opens=opens)
            return
        earlier = self._channels.get(topic.name)
        assert not isinstance(earlier, MeChannel), "its topic is no room's"
        channel = self._channels[topic.name] = Channel(self, request)
        self._missed_channel_change |= self._transport.has_unsent
        channel.join(request.name, earlier, request.position)

    def _hides(self, slug: str) -> bool:
        """Returns whether a room is none for the person, and none that a token brings them into."""
        return self._endpoint.hides(slug, self.principal) and self._role_due(slug) is None

    def _role_due(self, slug: str) -> RoomRole | None:
        claims = self._endpoint.room_claims
        return None if claims is None else claims.due(slug, self.principal)

    def _refuse_join(self, join_ref: Ref, ref: Ref, topic: Topic, refused: WebAnswer) -> None:
        self.writer.write(self.serializer.answer(join_ref, ref, topic.json, refused))
        earlier = self._channels.get(topic.name)
        if earlier is not None:  # a second join of a topic ends the first even when it is refused
            self._dismiss(earlier)

    def _dismiss(self, channel: Channel | MeChannel) -> None:
        self.forget(channel)
        channel.dismiss()

    # ------------------------------------------------------------ while a join is not decided

    def _receive_undecided(self, frame: Frame, pending: JoinRequest, earlier: Channel | MeChannel | None) -> None:
        """Answers a push to a topic whose join is not decided. A leave ends the join, and an earlier one with it."""
        if frame.event != "phx_leave":
            self._answer(NULL, frame, Refused("unmatched topic"))
        elif frame.join_ref in (NULL, pending.own_ref):
            self._answer(pending.own_ref, frame, Done())
            self._end_pending(pending.topic.name)
            if earlier is not None:
                self._dismiss(earlier)

    def _end_pending(self, topic: str) -> None:
        """Gives up a join that is not decided, and tells the client so."""
        request = self._take_pending(topic)
        if request is not None:
            join_ref = request.join_ref
            self.writer.write(self.serializer.frame(join_ref, join_ref, request.topic.json, b"phx_close", b"{}"))
            self._missed_channel_change |= self._transport.has_unsent

    def _take_pending(self, topic: str) -> JoinRequest | None:
        if self._pending is None:
            return None
        request = self._pending.take(topic)
        if not self._pending:
            self._pending = None
        return request

    # ------------------------------------------------------------ the parameters of a join

    def _join_params(self, frame: Frame) -> Fields:
        """Returns the join's payload; null counts as no parameters, as in Phoenix."""
        if isinstance(frame.payload, msgspec.Raw) and bytes(frame.payload) == NULL:
            return {}
        largest = self._endpoint.settings.max_join_bytes
        if isinstance(frame.payload, msgspec.Raw) and len(frame.payload) > largest:
            raise InvalidPayload("payload", f"expected at most {largest} bytes, got {len(frame.payload)}")
        return fields_of(frame.payload)

    def _name(self, params: Fields, view: View) -> str | None:
        """Returns the name of who is to be shown as present; None for nobody.

        An account is shown under its own name, whatever name it gives; one that gives none only listens.
        """
        author = self.principal.author
        if author is not None:
            return (self.principal.name or author.handle) if params.get("name") is not None else None
        if params.get("name") is not None:
            name = sender_name(params, self._endpoint.limits)
        elif isinstance(self._url_name, Invalid):
            raise InvalidPayload(self._url_name.field, self._url_name.message)
        elif self._url_name is None:
            return None
        else:
            name = self._url_name
        names = self._endpoint.guest_names
        return name if names is None else names.name_for(name, view)

    # ------------------------------------------------------------ answers

    def _refuse_rate(self, frame: Frame, wait: float) -> None:
        self._answer(frame.join_ref, frame, Refused("rate_limited", retry_after_ms=math.ceil(1_000 * wait)))
        if self._limiter.consecutive_ignored >= self._endpoint.settings.max_ignored_refusals:
            self._transport.close(CloseCode.POLICY_VIOLATION)

    def _answer(self, join_ref: Ref, frame: Frame, answer: WebAnswer) -> None:
        self.writer.write(self.serializer.answer(join_ref, frame.ref, wire.encode(frame.topic), answer))


def _concerns(frame: Frame, pending: JoinRequest, earlier: Channel | MeChannel | None) -> bool:
    """Returns whether a frame is for the join that is not decided, rather than for an `earlier` one that lives on."""
    return earlier is None or frame.join_ref == pending.own_ref or (frame.event, frame.join_ref) == ("phx_leave", NULL)


def _name_in_url(params: Mapping[str, str], limits: Limits) -> str | Invalid | None:
    """Returns the one parameter that is needed later, or what is wrong with it. The others are not kept."""
    try:
        return sender_name(dict(params), limits) if "name" in params else None
    except InvalidPayload as error:
        return error.answer
