"""Acknowledgements: answers that wait for a commit. *ok* is sent here."""

from itertools import takewhile
from typing import TypeAlias

from chatter.messages import Acknowledged, Post
from chatter.room.broadcaster import Broadcaster

Unanswered: TypeAlias = dict[int, list[tuple[Post, Acknowledged]]]
"""By `seq`, in ascending order: the posts that are answered once that message is committed."""


MAX_WAITING_REPEATS = 128
"""Posts of one message that wait for its commit. The backlog counts the first alone."""


class Acknowledgements:
    """Owns the posts of one room that are not answered yet, and knows how far the room is committed."""

    __slots__ = ("_broadcaster", "committed_through", "unanswered")

    def __init__(self, broadcaster: Broadcaster, unanswered: Unanswered, committed_through: int) -> None:
        """`unanswered` and `committed_through`, a seq, are what the room's predecessor handed over."""
        self._broadcaster = broadcaster
        self.unanswered = unanswered
        self.committed_through = committed_through

    def answer_when_committed(self, post: Post, answer: Acknowledged) -> None:
        """Answers `post` once the message of the answer's `seq` is committed; at once with `ack: "room"`."""
        if post.ack == "room" or answer.seq <= self.committed_through:
            self._answer(post, answer)
            return
        is_in_order = not self.unanswered or answer.seq >= next(reversed(self.unanswered))
        self.unanswered.setdefault(answer.seq, []).append((post, answer))
        if not is_in_order:  # a repeat of an older message, for which no answer was waiting
            in_order = sorted(self.unanswered.items())
            self.unanswered.clear()
            self.unanswered.update(in_order)

    def on_committed(self, through: int) -> None:
        """Answers the posts up to and including the `seq` `through`."""
        self.committed_through = through
        # One pass for all: a dict keeps the slots of popped keys, and each new iteration would walk over them.
        committed = list(takewhile(through.__ge__, self.unanswered))
        for seq in committed:
            for post, answer in self.unanswered.pop(seq):
                self._answer(post, answer)

    def is_crowded(self, seq: int) -> bool:
        """Returns whether as many posts as may do wait for the commit of `seq`."""
        return len(self.unanswered.get(seq, ())) >= MAX_WAITING_REPEATS

    def take(self, seq: int) -> list[Post]:
        """Removes and returns the posts that wait for the commit of `seq`, which will not come."""
        return [post for post, _ in self.unanswered.pop(seq, ())]

    def _answer(self, post: Post, answer: Acknowledged) -> None:
        self._broadcaster.push(post.sender, post.sender.answer(post.ref, answer))
