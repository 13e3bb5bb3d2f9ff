"""The channel of the topic `me`: what is one person's own, on one connection. It is no room's.

Its join answer is a snapshot, so it needs no log: where pushes were lost, the snapshot is pushed once more.
"""

from collections.abc import Mapping, Set
from typing import Any, Protocol

from chatter.accounts.principal import Principal
from chatter.memberships.memberships import Memberships
from chatter.messages import Done, Ref, Refused
from web.channels.channel import Writer
from web.channels.fields import InvalidPayload
from web.channels.personal_requests import PersonalRequests
from web.channels.wire import ME, ME_JSON, NULL, Frame, Me, MyState, Serializer, WebAnswer, encode
from web.limits import Limits


class MeOwner(Protocol):
    """The socket as this channel sees it."""

    @property
    def serializer(self) -> Serializer:
        """What turns events into the client's bytes."""

    @property
    def writer(self) -> Writer:
        """What sends frames to the client."""

    @property
    def principal(self) -> Principal:
        """Who the connection is: an account."""

    @property
    def joined_rooms(self) -> Set[str]:
        """The slugs of the rooms that the connection has joined."""

    def refresh(self, frame: Frame, join_ref: Ref) -> bool:
        """Takes a newer secret, and answers it."""

    def forget(self, channel: "MeChannel") -> None:
        """Drops the channel, which has ended."""


class MeChannel:
    """Plays `chatter.memberships.values.Listener` for a Phoenix client."""

    __slots__ = (
        "_account",
        "_join_ref",
        "_memberships",
        "_reached",
        "_ref",
        "_requests",
        "_server",
        "_socket",
        "serializer",
    )

    slug = None  # it is no room's
    topic = ME
    can_resync = True

    def __init__(
        self,
        socket: MeOwner,
        join: Frame,
        *,
        memberships: Memberships,
        requests: PersonalRequests,
        server: Mapping[str, Any],
    ) -> None:
        """`server` is what the client is told of limits and features."""
        self.serializer = socket.serializer
        self._socket = socket
        self._ref = join.ref
        self._join_ref = join.join_ref
        self._memberships = memberships
        self._requests = requests
        self._server = server
        self._account = self._me
        self._reached = socket.principal.rooms  # None for all

    # ------------------------------------------------------------ its life

    def join(self) -> None:
        """Begins to listen, and answers with the snapshot. The rooms of the account are known."""
        self._memberships.listen(self._account.id, self)
        self.write(self.serializer.answer(self._join_ref, self._ref, ME_JSON, self._state))

    def leave(self) -> None:
        """Ends it: the connection is gone."""
        self._memberships.unlisten(self._account.id, self)

    def dismiss(self) -> None:
        """Ends it, and tells the client so."""
        self.leave()
        self.write(self.serializer.frame(self._join_ref, self._join_ref, ME_JSON, b"phx_close", b"{}"))

    def notify_lagged(self) -> None:
        """Pushes the snapshot once more: pushes were dropped, or were of other rooms."""
        self.notify(b"snapshot", encode(self._state))

    def become(self) -> None:
        """Tells the client if its account is called something else, has another role, or other rooms to know of."""
        if self._me != self._account:
            self._account = self._me
            self.notify(b"account", encode(self._account))
        reached, self._reached = self._reached, self._socket.principal.rooms
        if self._reached != reached:
            self.notify_lagged()

    def receive(self, frame: Frame, _limits: Limits) -> None:
        """Answers a request of the client."""
        if frame.join_ref not in (NULL, self._own_ref):
            return  # meant for an earlier join
        if frame.event == "phx_leave":
            self._socket.forget(self)
            self._answer(frame.ref, Done())
            self.dismiss()
            return

        def answer(answered: WebAnswer) -> None:
            self._answer(frame.ref, answered)

        try:
            if self._requests.receive(frame.event, frame.payload, self._socket.principal, None, answer):
                return
        except InvalidPayload as error:
            answer(error.answer)
            return
        if frame.event != "access_token" or not self._socket.refresh(frame, self._own_ref):
            answer(Refused("unknown event"))

    def notify(self, event: bytes, payload: bytes) -> None:
        """Pushes an event. `payload` is JSON."""
        self.write(self.serializer.frame(self._own_ref, NULL, ME_JSON, event, payload))

    # ------------------------------------------------------------ `Listener`

    def reaches(self, slug: str) -> bool:
        return self._socket.principal.reaches(slug)

    def to_be_told_of(self, slugs: Set[str]) -> Set[str]:
        joined, reached = self._socket.joined_rooms, self._socket.principal.rooms
        if reached is not None:
            slugs = slugs & reached.keys()
        return slugs - joined if joined else slugs

    def write(self, frames: bytes) -> None:
        self._socket.writer.write(frames)

    # ------------------------------------------------------------ what it says

    @property
    def _me(self) -> Me:
        principal = self._socket.principal
        assert principal.author is not None, "guests have none"
        author = principal.author
        return Me(author.id, author.handle, principal.name or author.handle, principal.role)

    @property
    def _state(self) -> MyState:
        page = self._memberships.rooms(self._account.id, only=self._socket.principal.rooms)
        return MyState(self._account, page.rooms, self._server, page.more)

    def _answer(self, ref: Ref, answer: WebAnswer) -> None:
        self.write(self.serializer.answer(self._own_ref, ref, ME_JSON, answer))

    @property
    def _own_ref(self) -> Ref:
        """The join_ref of this channel; the join's ref where the client sent null, as in Phoenix."""
        return self._ref if self._join_ref == NULL else self._join_ref
