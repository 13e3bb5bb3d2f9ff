"""The sequencer: gives each post of a room the next `seq`, and says a post once however often it is sent.

It adds posts to the room's memory, broadcasts them as `Posted`, and tells the backlog `Save` at the end of the turn.
Where memory cannot tell whether a post is a repeat, it asks history (`LookUp`), and the sender's later posts wait.
"""

import os
from bisect import bisect_right
from collections.abc import Collection

from chatter.clock import to_iso
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
from chatter.room.acknowledgements import Acknowledgements, Unanswered
from chatter.room.broadcaster import Broadcaster
from chatter.room.context import RoomContext
from chatter.room.recent_messages import RecentMessages
from chatter.room.refusals import OVERLOADED
from chatter.room.repeaters import Repeaters

MAX_WAITING_POSTS = 128
"""Posts of one client that wait while history is asked for the first of them: more than message_rate lets come at once.
They are not said yet, so the backlog does not count them."""


def new_id() -> str:
    """Makes an id for a message that came without one: 96 bits that nobody can foresee, in a fifth of `uuid4`'s time.

    The kernel makes them. Those of `random` follow from the ids before, 0.5 µs sooner: another client could take them.
    """
    return os.urandom(12).hex()


class Sequencer:
    """Owns the posts of one room, from their arrival until their senders are answered."""

    __slots__ = (
        "_acknowledgements",
        "_broadcaster",
        "_context",
        "_looking_up",
        "_recent",
        "_repeaters",
        "_room",
        "_slug",
        "_unsaved",
    )

    def __init__(
        self,
        slug: str,
        context: RoomContext,
        *,
        room: RoomRef,
        broadcaster: Broadcaster,
        recent: RecentMessages,
        unanswered: Unanswered,
        committed_through: int,
    ) -> None:
        """`room` is told what the storage answers; the last two are what its predecessor handed over."""
        self._slug = slug
        self._context = context
        self._room = room
        self._broadcaster = broadcaster
        self._recent = recent
        self._acknowledgements = Acknowledgements(broadcaster, unanswered, committed_through)
        self._unsaved: list[Posted] = []  # said in this turn, not yet told to the backlog
        self._repeaters: Repeaters | None = None  # most rooms never have any
        self._looking_up: dict[Subscriber, list[Post]] = {}  # history is asked for the first; the later ones wait

    @property
    def is_settled(self) -> bool:
        """Whether all messages are committed and all posts are answered."""
        acknowledgements = self._acknowledgements
        return not (
            acknowledgements.unanswered or self._looking_up or acknowledgements.committed_through < self._recent.newest
        )

    @property
    def unanswered(self) -> Unanswered:
        """The posts that wait for a commit."""
        return self._acknowledgements.unanswered

    @property
    def committed_through(self) -> int:
        """The `seq` up to which the room knows its messages to be committed."""
        return self._acknowledgements.committed_through

    @property
    def unanswered_ids(self) -> dict[int, tuple[str, str]]:
        """Name and id of the messages whose commit posts wait for, by `seq`."""
        return {seq: (posts[0][0].name, posts[0][1].id) for seq, posts in self.unanswered.items()}

    @property
    def undecided(self) -> list[Post]:
        """Posts that wait for history to say whether they are repeats; each sender's in their order."""
        return [post for posts in self._looking_up.values() for post in posts]

    def loaded(self, loaded: Loaded, subscribers: Collection[Subscriber] = ()) -> None:
        """Begins with the room's past. It answers the posts of a predecessor, which are committed or void by now."""
        self._recent.load(loaded.recent, loaded.epochs, loaded.voids)
        if subscribers or self.unanswered:  # else there is nobody to tell
            for seq in loaded.voids[bisect_right(loaded.voids, self.committed_through) :]:
                self._tell_void(seq, loaded.firsts.get(seq), subscribers)
        self._acknowledgements.on_committed(self._recent.newest)

    def post(self, post: Post) -> None:
        """Says a post, or answers it where it is a repeat."""
        queued = self._looking_up.get(post.sender)
        if queued is not None:
            if len(queued) < MAX_WAITING_POSTS:
                queued.append(post)
            else:
                self._refuse(post, OVERLOADED)
            return
        if post.id is None:
            self._accept(post)
            return
        first = self._recent.by_client_id(post.name, post.id)
        rejected = self._recent.rejected(post.name, post.id)
        if first is not None:
            self._answer_repeat(post, first)
        elif rejected is not None and (rejected.first is not None or rejected.message == post.message):
            self._answer_rejected(post, rejected.first)
        elif (post.repeat or (self._repeaters and post.sender in self._repeaters)) and not self._recent.has_every_id:
            self._looking_up[post.sender] = [post]
            self._context.history.tell(LookUp(self._room, self._slug, post))
        else:
            self._accept(post)

    def looked_up(self, looked_up: LookedUp) -> None:
        """Decides the post that history was asked for, then the sender's posts that waited behind it."""
        post = looked_up.post
        posts = self._looking_up.get(post.sender)
        if posts is None or posts[0] is not post:
            return  # asked by a predecessor too, whose answer was passed on
        first = looked_up.first or self._recent.by_client_id(post.name, post.id or "")
        if first is not None:
            self._answer_repeat(post, first)
        elif looked_up.failed:
            self._refuse(post, OVERLOADED)
        else:
            self._accept(post)
        self._resume_queued(post.sender, self._looking_up.pop(post.sender)[1:])

    def save_turn(self) -> None:
        """Tells the backlog what was said in this turn. This comes before anybody hears it."""
        if self._unsaved:
            self._context.backlog.tell(Save(self._room, self._slug, self._context.epoch, tuple(self._unsaved)))
            self._unsaved.clear()

    def saved(self, saved: Saved) -> None:
        """Acknowledges the posts that are committed, and trims the memory."""
        self._acknowledgements.on_committed(saved.through)
        if self._repeaters is not None:
            self._repeaters.on_committed(saved.through)
        self._recent.trim(saved.through)

    def not_saved(self, not_saved: NotSaved, subscribers: Collection[Subscriber] = ()) -> None:
        """Voids a place, and tells its senders and the `subscribers`."""
        self._recent.void(not_saved.void, not_saved.first)
        self._tell_void(not_saved.void.seq, not_saved.first, subscribers)

    def forget(self, subscriber: Subscriber) -> None:
        """Drops what is known of a client that has left."""
        if self._repeaters is not None:
            self._repeaters.forget(subscriber)

    def _tell_void(self, seq: int, first: Posted | None, subscribers: Collection[Subscriber]) -> None:
        """Broadcasts that a place is void, and answers its senders with the first one's answer or an error.

        Those of them who are `subscribers`, and used an id that was taken, are looked up from now on.
        """
        self._broadcaster.broadcast(Voided(seq))
        posts = self._acknowledgements.take(seq)
        for post in posts:
            self._answer_rejected(post, first)
        if first is not None:
            self._made_repeaters.on_taken(seq, (post.sender for post in posts), subscribers)

    def _accept(self, post: Post) -> None:
        """Gives the post its `seq`: from here on it is said."""
        backlog, clock = self._context.backlog, self._context.clock
        if backlog.is_full:
            self._refuse(post, OVERLOADED)
            return
        posted = Posted(self._recent.newest + 1, post.id or new_id(), post.name, post.message, to_iso(clock()))
        backlog.count(size_of(posted))
        self._recent.add(posted)
        self._unsaved.append(posted)
        self._broadcaster.broadcast(posted)
        self._acknowledgements.answer_when_committed(post, Acknowledged(posted.id, posted.seq, posted.inserted_at))
        if post.ack == "room":
            self._made_repeaters.add_said(posted.seq, post.sender)

    @property
    def _made_repeaters(self) -> Repeaters:
        if self._repeaters is None:
            self._repeaters = Repeaters()
        return self._repeaters

    def _resume_queued(self, sender: Subscriber, posts: list[Post]) -> None:
        """Says the posts that waited. If one makes the room fail, the hand-over has all that are left."""
        try:
            while posts:
                self.post(posts[0])
                del posts[0]
        except Exception:
            self._looking_up[sender] = posts
            raise

    def _answer_repeat(self, post: Post, first: Posted) -> None:
        if first.message != post.message:
            self._refuse(post, Refused("id_taken"))
        elif self._acknowledgements.is_crowded(first.seq):
            self._refuse(post, OVERLOADED)
        else:
            answer = Acknowledged(first.id, first.seq, first.inserted_at, duplicate=True)
            self._acknowledgements.answer_when_committed(post, answer)

    def _answer_rejected(self, post: Post, first: Posted | None) -> None:
        """Answers a post that cannot be saved: its id is taken by `first`, or the database refuses it."""
        if first is None:
            self._refuse(post, Refused("not_saved"))
        else:
            self._answer_repeat(post, first)

    def _refuse(self, post: Post, refused: Refused) -> None:
        self._broadcaster.push(post.sender, post.sender.answer(post.ref, refused))
