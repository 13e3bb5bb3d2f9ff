"""Acknowledgements: answers that wait for a commit. *ok* is sent here."""

from collections.abc import Callable
from itertools import takewhile
from typing import TypeAlias

from chatter.messages import Acknowledged, AlreadySo, Governing, Operation, Post
from chatter.room.broadcaster import Broadcaster

Request: TypeAlias = Post | Operation | Governing

Unanswered: TypeAlias = dict[int, list[tuple[Request, Acknowledged | AlreadySo]]]
"""By `seq`, in ascending order: the requests that are answered once that entry is committed."""


MAX_WAITING_REPEATS = 128
"""Requests for one entry that wait for its commit. The backlog counts the first alone."""


class Acknowledgements:
    """Owns the requests of one room that are not answered yet, and knows how far the room is committed."""

    __slots__ = ("_broadcaster", "committed_through", "unanswered")

    def __init__(self, broadcaster: Broadcaster, unanswered: Unanswered, committed_through: int) -> None:
        """`unanswered` and `committed_through`, a seq, are what the room's predecessor handed over."""
        self._broadcaster = broadcaster
        self.unanswered = unanswered
        self.committed_through = committed_through

    def answer_when_committed(self, request: Request, answer: Acknowledged | AlreadySo) -> None:
        """Answers once the entry of the answer's `seq` is committed; at once with `ack: "room"`."""
        is_early = isinstance(request, Post) and request.ack == "room"
        if is_early or answer.seq <= self.committed_through:
            self._answer(request, answer)
            return
        is_in_order = not self.unanswered or answer.seq >= next(reversed(self.unanswered))
        self.unanswered.setdefault(answer.seq, []).append((request, answer))
        if not is_in_order:  # a repeat of an older one, for which no answer was waiting
            in_order = sorted(self.unanswered.items())
            self.unanswered.clear()
            self.unanswered.update(in_order)

    def on_committed(self, through: int) -> None:
        """Answers the requests up to and including the `seq` `through`."""
        self.committed_through = max(through, self.committed_through)
        # One pass for all: a dict keeps the slots of popped keys, and each new iteration would walk over them.
        committed = list(takewhile(through.__ge__, self.unanswered))
        for seq in committed:
            for request, answer in self.unanswered.pop(seq):
                self._answer(request, answer)

    def on_placed(self, through: int) -> None:
        """Answers what is safe now that a shared log has the entries up to `through`.

        What is done to a room itself is answered once the database has it: links, lists and accounts read it there.
        """
        self.committed_through = max(through, self.committed_through)
        for seq in list(takewhile(through.__ge__, self.unanswered)):
            requests = self.unanswered[seq]
            for request, answer in requests:
                if not isinstance(request, Governing):
                    self._answer(request, answer)
            left = [each for each in requests if isinstance(each[0], Governing)]
            if left:
                self.unanswered[seq] = left
            else:
                del self.unanswered[seq]

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        unanswered, committed_through = {seq: [*each] for seq, each in self.unanswered.items()}, self.committed_through

        def restore() -> None:
            self.unanswered, self.committed_through = unanswered, committed_through

        return restore

    def is_crowded(self, seq: int) -> bool:
        """Returns whether as many requests as may do wait for the commit of `seq`."""
        return len(self.unanswered.get(seq, ())) >= MAX_WAITING_REPEATS

    def take(self, seq: int) -> list[Request]:
        """Removes and returns the requests that wait for the commit of `seq`, which will not come."""
        return [request for request, _ in self.unanswered.pop(seq, ())]

    def _answer(self, request: Request, answer: Acknowledged | AlreadySo) -> None:
        self._broadcaster.push(request.sender, request.sender.answer(request.ref, answer))
