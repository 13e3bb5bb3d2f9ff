"""What is said in a room: each post from its arrival until its sender is answered.

Owns the ring of recent messages, and with it the next `seq`; what is not yet told to persistence, not saved, not
answered; and the posts of which the database is asked whether they were said before. Hears of the room's messages
`Post`, `LookedUp`, `Saved` and `NotSaved`. Says `Posted`, `Voided` and answers by the room's voice, `Save` to the
backlog and `LookUp` to history.
"""

import random
from itertools import takewhile
from typing import Any

import pykka

from chatter.clock import Clock, in_words
from chatter.messages import (
    Acknowledged,
    Loaded,
    LookedUp,
    LookUp,
    NotSaved,
    Post,
    Posted,
    Refused,
    RoomRef,
    Save,
    Saved,
    Subscriber,
    Voided,
    size_of,
)
from chatter.room.broadcaster import Voice
from chatter.room.recent_messages import Ring
from chatter.storage.backlog import Backlog

OVERLOADED = Refused("overloaded", retry_after_ms=1_000)
"""Too much waits to be saved, or the database does not say whether a repeat was said before."""


def new_id() -> str:
    """A name for a message whose sender gave it none: 96 random bits, for a tenth of what `uuid4` takes."""
    return random.randbytes(12).hex()


class Conversation:
    """The posts of one room, in their order."""

    __slots__ = (  # each room has one
        "_backlog",
        "_clock",
        "_epoch",
        "_history",
        "_looking",
        "_room",
        "_saved",
        "_slug",
        "_unsaved",
        "_voice",
        "ring",
        "unanswered",
    )

    def __init__(
        self,
        slug: str,
        *,
        room: RoomRef,
        epoch: int,
        voice: Voice,
        ring: Ring,
        unanswered: dict[int, list[tuple[Post, Acknowledged]]],
        backlog: Backlog,
        history: pykka.ActorRef[Any],
        clock: Clock,
    ) -> None:
        """`room` is told what the database answers; `unanswered` is what its predecessor left."""
        self._slug = slug
        self._room = room
        self._epoch = epoch
        self._voice = voice
        self._backlog = backlog
        self._history = history
        self._clock = clock
        self.ring = ring
        self.unanswered = unanswered  # by seq: what is answered when that is committed
        self._saved = 0  # everything up to this seq is committed
        self._unsaved: list[Posted] = []  # said in this turn, not yet told to persistence
        self._looking: dict[Subscriber, list[Post]] = {}  # the database is asked for the first; the later ones wait

    @property
    def is_settled(self) -> bool:
        """Whether all that was said is saved, and all posts are answered."""
        return not (self.unanswered or self._looking or self._saved < self.ring.newest)

    @property
    def undecided(self) -> list[Post]:
        """Posts that wait for the database to say whether they were said before; each sender's in their order."""
        return [post for posts in self._looking.values() for post in posts]

    def load(self, loaded: Loaded) -> None:
        """Begin with what was said in the past, and answer those who waited for it to be saved."""
        self.ring.load(loaded.recent, loaded.epochs, loaded.voids)
        for void in [posted for posted in loaded.recent if posted.void and posted.seq in self.unanswered]:
            self.void(NotSaved(void, None))
        self._answer_saved(self.ring.newest)

    def say(self, post: Post) -> None:
        """Have it heard, unless it is a repeat; the database is asked where memory cannot tell."""
        behind = self._looking.get(post.sender)
        if behind is not None:
            behind.append(post)
            return
        if post.id is None:
            self._place(post)
            return
        first = self.ring.named(post.name, post.id)
        refusal = self.ring.refusal(post.name, post.id)
        if first is not None:
            self._say_where(post, first)
        elif refusal is not None and (refusal.first is not None or refusal.message == post.message):
            self._say_why_not(post, refusal.first)
        elif post.repeat and not self.ring.knows_all_ids:
            self._looking[post.sender] = [post]
            self._history.tell(LookUp(self._room, self._slug, post))
        else:
            self._place(post)

    def decide(self, looked: LookedUp) -> None:
        """The database knows whether it was said before; now its sender's later posts have their turn."""
        post = looked.post
        posts = self._looking.get(post.sender)
        if posts is None or posts[0] is not post:
            return  # an earlier room asked too, and its answer was passed on
        first = looked.first or self.ring.named(post.name, post.id or "")
        if first is not None:
            self._say_where(post, first)
        elif looked.failed:
            self._voice.tell(post.sender, post.sender.answer(post.ref, OVERLOADED))
        else:
            self._place(post)
        self._say_behind(post.sender, self._looking.pop(post.sender)[1:])

    def save_turn(self) -> None:
        """Before it is heard: whoever hears a message knows that persistence has it."""
        if self._unsaved:
            self._backlog.tell(Save(self._room, self._slug, self._epoch, tuple(self._unsaved)))
            self._unsaved.clear()

    def acknowledge(self, saved: Saved) -> None:
        """Answer those whose posts are committed, and let go of what is old."""
        self._answer_saved(saved.through)
        self.ring.trim(saved.through)

    def void(self, refused: NotSaved) -> None:
        """Its place stays empty: everybody is told, and its senders get the first one's answer or an error."""
        self.ring.void(refused.void, refused.first)
        self._voice.say(Voided(refused.void.seq))
        for post, _ in self.unanswered.pop(refused.void.seq, ()):
            self._say_why_not(post, refused.first)

    def _place(self, post: Post) -> None:
        """The moment in which a message is said: it has its number, and everybody will hear it."""
        if self._backlog.is_full:
            self._voice.tell(post.sender, post.sender.answer(post.ref, OVERLOADED))
            return
        posted = Posted(self.ring.newest + 1, post.id or new_id(), post.name, post.message, in_words(self._clock()))
        self._backlog.take(size_of(posted))
        self.ring.add(posted)
        self._unsaved.append(posted)
        self._voice.say(posted)
        self._answer_in_time(post, Acknowledged(posted.id, posted.seq, posted.inserted_at))

    def _say_behind(self, sender: Subscriber, posts: list[Post]) -> None:
        """What waited. Should the room fail at one of them, its successor has all that are left."""
        try:
            while posts:
                self.say(posts[0])
                del posts[0]
        except Exception:
            self._looking[sender] = posts
            raise

    def _say_where(self, post: Post, first: Posted) -> None:
        """A repeat is not said again."""
        if first.message != post.message:
            self._voice.tell(post.sender, post.sender.answer(post.ref, Refused("id_taken")))
        else:
            self._answer_in_time(post, Acknowledged(first.id, first.seq, first.inserted_at, duplicate=True))

    def _say_why_not(self, post: Post, first: Posted | None) -> None:
        """It cannot be saved, because its id is taken, or for a reason that a client cannot mend."""
        if first is None:
            self._voice.tell(post.sender, post.sender.answer(post.ref, Refused("not_saved")))
        else:
            self._say_where(post, first)

    def _answer_in_time(self, post: Post, answer: Acknowledged) -> None:
        if post.ack == "room" or answer.seq <= self._saved:
            self._voice.tell(post.sender, post.sender.answer(post.ref, answer))
            return
        is_in_order = not self.unanswered or answer.seq >= next(reversed(self.unanswered))
        self.unanswered.setdefault(answer.seq, []).append((post, answer))
        if not is_in_order:  # a repeat of something older, of which nobody has waited for the answer
            in_order = sorted(self.unanswered.items())
            self.unanswered.clear()
            self.unanswered.update(in_order)

    def _answer_saved(self, through: int) -> None:
        self._saved = through
        saved = list(takewhile(through.__ge__, self.unanswered))  # one look for all: each passes what was popped before
        for seq in saved:
            for post, answer in self.unanswered.pop(seq):
                self._voice.tell(post.sender, post.sender.answer(post.ref, answer))
