"""The joins of one socket that an async `authorize` hook has not decided yet."""

import msgspec

from chatter.messages import Position, Ref, View
from web.channels.authorization import PendingVerdict
from web.channels.requests import Topic
from web.channels.wire import NULL


class JoinRequest(msgspec.Struct, frozen=True):
    """What a client asks for with a join, without the parameters that only the hook needs."""

    join_ref: Ref
    ref: Ref
    topic: Topic
    name: str | None
    position: Position | None
    can_resync: bool
    sees_presence: bool
    view: View

    @property
    def own_ref(self) -> Ref:
        """The reference by which the client means this join; the join's ref where it sent null, as in Phoenix."""
        return self.ref if self.join_ref == NULL else self.join_ref


class PendingJoins:
    """Owns these joins by topic: one for each, since a later join takes the place of an earlier one."""

    __slots__ = ("_joins",)

    def __init__(self) -> None:
        self._joins: dict[str, tuple[JoinRequest, PendingVerdict]] = {}

    def __len__(self) -> int:
        return len(self._joins)

    def add(self, request: JoinRequest, verdict: PendingVerdict) -> None:
        """Adds a join. `take` removes it, decided or not."""
        self._joins[request.topic.name] = request, verdict

    def find(self, topic: object) -> JoinRequest | None:
        """Returns the join of that topic."""
        return self._joins[topic][0] if isinstance(topic, str) and topic in self._joins else None

    def take(self, topic: str) -> JoinRequest | None:
        """Removes and returns the join of that topic. Its hook is cancelled if it has not answered."""
        if topic not in self._joins:
            return None
        request, verdict = self._joins.pop(topic)
        verdict.cancel()
        return request

    def take_all(self) -> list[JoinRequest]:
        """Removes and returns all joins, and cancels their hooks."""
        taken = map(self.take, list(self._joins))
        return [request for request in taken if request is not None]
