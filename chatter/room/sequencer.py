"""The sequencer: gives each entry of a room the next `seq`, and says a post once however often it is sent.

It adds entries to the room's memory, broadcasts them, and tells the backlog `Save` at the end of the turn. Where memory
cannot tell whether a post is a repeat, or what it answers, it asks history (`LookUp`), and the sender's later posts
wait.
"""

import os
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from chatter.charter import Charter
from chatter.clock import to_iso
from chatter.messages import (
    Acknowledged,
    Answer,
    Change,
    ChangeMembers,
    ChangeRoom,
    Describe,
    Edit,
    Entry,
    Found,
    ListReactors,
    Loaded,
    LookedUp,
    LookUp,
    MembersChanged,
    Mentions,
    NotSaved,
    Operation,
    Owner,
    Post,
    Posted,
    PostState,
    Purged,
    Refused,
    RoomChanged,
    RoomEntry,
    RoomRef,
    Save,
    Saved,
    Subscriber,
    Voided,
    size_of,
)
from chatter.room.acknowledgements import Acknowledgements, Request, Unanswered
from chatter.room.broadcaster import Broadcaster
from chatter.room.context import RoomContext
from chatter.room.recent_entries import RecentEntries
from chatter.room.refusals import OVERLOADED
from chatter.room.repeaters import Repeaters
from chatter.room.repeats import is_repeat
from chatter.room.targets import Targets

MAX_WAITING_POSTS = 128
"""Posts of one client that wait while history is asked for the first of them: more than message_rate lets come at once.
They are not said yet, so the backlog does not count them."""


def new_id() -> str:
    """Makes an id for a message that came without one: 96 bits that nobody can foresee, in a fifth of `uuid4`'s time.

    The kernel makes them. Those of `random` follow from the ids before, 0.5 µs sooner: another client could take them.
    """
    return os.urandom(12).hex()


class Government(Protocol):
    """What is settled about a room, as what is said there needs it; `chatter/room/government.py` has it."""

    @property
    def charter(self) -> Charter | None:
        """What is settled about the room; None while it is plain."""

    def refusal_of(self, operation: Operation, posted: Posted) -> Refused | None:
        """Returns why nothing may be done to a message."""

    def refusal_to_read(self, asked: ListReactors) -> Refused | None:
        """Returns why somebody may not hear of a message."""

    def mentions_of_edit(self, edit: Edit, posted: Posted) -> Mentions | None:
        """Returns whom the new text of a message calls."""

    def judged(self, post: Post) -> Refused | Mentions | None:
        """Returns why something may not be said, or else whom it calls; None for nobody."""

    def joins_by_posting(self, post: Post) -> bool:
        """Returns whether somebody becomes a member of a public room because they say something there."""

    def join_by_posting(self, post: Post) -> None:
        """Adds somebody to the members."""

    def on_said(self, post: Post, posted: Posted) -> None:
        """Notes that something was said."""

    def on_heard(self, posted: Posted) -> None:
        """Notes that something was said on another node."""

    def on_changed(self, change: Change | Purged) -> None:
        """Notes that messages have other texts, are gone or are nobody's."""

    def not_here(self, post: Post) -> tuple[str, ...]:
        """Returns the handles in a message that call nobody, since they are not in this room."""

    def hidden_from(self, change: Change) -> Mapping[Subscriber, bytes]:
        """Returns who must not hear of a change, and the frame that each gets in its place."""


class Sequencer:
    """Owns the posts of one room, from their arrival until their senders are answered."""

    __slots__ = (
        "_broadcaster",
        "_context",
        "_looking_up",
        "_recent",
        "_repeaters",
        "_room",
        "_slug",
        "_unsaved",
        "acknowledgements",
        "government",
        "targets",
    )

    def __init__(
        self,
        slug: str,
        context: RoomContext,
        *,
        room: RoomRef,
        broadcaster: Broadcaster,
        recent: RecentEntries,
        targets: Targets,
        unanswered: Unanswered,
        committed_through: int,
    ) -> None:
        """`room` is told what the storage answers; the last two are what its predecessor handed over."""
        self._slug = slug
        self._context = context
        self._room = room
        self._broadcaster = broadcaster
        self._recent = recent
        self.targets = targets
        self.acknowledgements = Acknowledgements(broadcaster, unanswered, committed_through)
        self.government: Government | None = None  # of a room that is somebody's
        self._unsaved: list[Entry] = []  # said in this turn, not yet told to the backlog
        self._repeaters: Repeaters | None = None  # most rooms never have any
        self._looking_up: dict[Subscriber, list[Post]] = {}  # history is asked for the first; the later ones wait

    @property
    def is_settled(self) -> bool:
        """Whether all entries are committed and all requests are answered."""
        acknowledgements = self.acknowledgements
        return not (
            acknowledgements.unanswered or self._looking_up or acknowledgements.committed_through < self._recent.newest
        )

    @property
    def unanswered(self) -> Unanswered:
        """The requests that wait for a commit."""
        return self.acknowledgements.unanswered

    @property
    def committed_through(self) -> int:
        """The `seq` up to which the room knows its entries to be committed."""
        return self.acknowledgements.committed_through

    @property
    def unanswered_ids(self) -> dict[int, tuple[Owner, str]]:
        """Owner and id of what waits for a commit, by `seq`. Those of operations follow from their targets."""
        firsts = ((seq, *requests[0]) for seq, requests in self.unanswered.items())
        return {
            seq: (request.owner, answer.id)
            for seq, request, answer in firsts
            if isinstance(request, Post | Found | ChangeRoom | ChangeMembers) and isinstance(answer, Acknowledged)
        }

    @property
    def undecided(self) -> list[Post]:
        """Posts that wait for history to say whether they are repeats; each sender's in their order."""
        return [post for posts in self._looking_up.values() for post in posts]

    def loaded(self, loaded: Loaded, subscribers: Collection[Subscriber] = ()) -> Sequence[int]:
        """Begins with the room's past. It answers the posts of a predecessor, which are committed or void by now.

        Returns the places that have become void since it was there.
        """
        self._recent.load(loaded)
        voids = loaded.voids[bisect_right(loaded.voids, self.committed_through) :]
        if subscribers or self.unanswered:  # else there is nobody to tell
            for seq in voids:
                self._tell_void(seq, loaded.firsts.get(seq), subscribers)
        self.acknowledgements.on_committed(self._recent.newest)
        return voids

    def post(self, post: Post) -> None:
        """Says a post, or answers it where it is a repeat."""
        queued = self._looking_up.get(post.sender)
        if queued is not None:
            if len(queued) < MAX_WAITING_POSTS:
                queued.append(post)
            else:
                self.refuse(post, OVERLOADED)
            return
        if post.id is None:
            self._accept(post)
            return
        owner = post.name if post.author is None else post.author.id  # `post.owner`, in a third of its time
        first: Entry | None = self._recent.by_client_id(owner, post.id)
        if first is None and self._recent.has_changes:
            first = self._recent.change_by_client_id(owner, post.id)
        rejected = self._recent.rejected(owner, post.id)
        if first is not None:
            self.answer_repeat(post, first)
        elif rejected is not None and (rejected.first is not None or rejected.message == post.message):
            self._answer_rejected(post, rejected.first)
        elif (post.repeat or (self._repeaters and post.sender in self._repeaters)) and not self._recent.has_every_id:
            self._look_up(post)
        else:
            self._accept(post)

    def looked_up(self, looked_up: LookedUp) -> None:
        """Decides the post that history was asked for, then the sender's posts that waited behind it."""
        post = looked_up.request
        if not isinstance(post, Post):
            return
        posts = self._looking_up.get(post.sender)
        if posts is None or posts[0] is not post:
            return  # asked by a predecessor too, whose answer was passed on
        first = looked_up.first or self._recent.by_client_id(post.owner, post.id or "")
        self.targets.add(looked_up.thread)
        if first is not None:
            self.answer_repeat(post, first)
        elif looked_up.failed:
            self.refuse(post, OVERLOADED)
        else:
            self._accept(post, is_looked_up=True)
        self._recent.end_read(id(post))
        self._resume_queued(post.sender, self._looking_up.pop(post.sender)[1:])

    def save_turn(self) -> None:
        """Tells the backlog what was said in this turn. This comes before anybody hears it."""
        if self._unsaved:
            self._context.backlog.tell(self.take_unsaved())

    @property
    def unsaved(self) -> Sequence[Entry]:
        """What was said since the last `take_unsaved`."""
        return self._unsaved

    def take_unsaved(self) -> Save:
        """Returns what was said since the last call, which is something."""
        save = Save(self._room, self._slug, self._context.epoch, tuple(self._unsaved))
        self._unsaved.clear()
        return save

    def unnote_said(self, save: Save) -> None:
        """Has connections forget that they have said what a proposal contains."""
        for entry in save.entries:
            if isinstance(entry, Posted) and (sender := self._sender_of(entry.seq)) is not None:
                sender.unnote_said(entry.seq)

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        restore_acknowledgements = self.acknowledgements.snapshot()
        looking_up = {sender: [*posts] for sender, posts in self._looking_up.items()}
        repeaters = None if self._repeaters is None else self._repeaters.copy()

        def restore() -> None:
            restore_acknowledgements()
            self._looking_up, self._repeaters = looking_up, repeaters
            self._unsaved.clear()

        return restore

    def append(self, entry: Change | Purged | RoomEntry) -> None:
        """Adds an entry that is no message to the log: from here on it is done."""
        self._context.backlog.count(size_of(entry))
        self._unsaved.append(entry)
        self._add_change(entry)

    def hear(self, entry: Entry) -> None:
        """Adds an entry that is in the shared log already."""
        if not isinstance(entry, Posted):
            self._add_change(entry)
            return
        self._add(entry)
        if self.government is not None:
            self.government.on_heard(entry)

    def _add(self, posted: Posted) -> None:
        self._recent.add(posted)
        if posted.state is not None:
            self.targets.apply(posted)
        self._broadcaster.broadcast(posted)

    def _add_change(self, entry: Change | Purged | RoomEntry) -> None:
        self._recent.add_change(entry)
        if isinstance(entry, MembersChanged | RoomChanged):
            self._broadcaster.broadcast(entry)
            return
        self.targets.apply(entry)
        government = self.government
        hidden = None if government is None or isinstance(entry, Purged) else government.hidden_from(entry)
        if hidden:
            self._broadcaster.broadcast_but(hidden, entry)
        else:
            self._broadcaster.broadcast(entry)
        if government is not None:
            government.on_changed(entry)

    def acknowledge(self, through: int) -> None:
        """Answers the requests up to and including the `seq` `through`, which the shared log has."""
        self.acknowledgements.on_placed(through)

    def saved(self, saved: Saved) -> None:
        """Acknowledges the requests that are committed, and trims the memory."""
        self.acknowledgements.on_committed(saved.through)
        if self._repeaters is not None:
            self._repeaters.on_committed(saved.through)
        self._recent.trim(saved.through)

    def not_saved(self, not_saved: NotSaved, subscribers: Collection[Subscriber] = ()) -> Entry | None:
        """Voids a place, and tells its senders and the `subscribers`. Returns what had it."""
        gone = self._recent.void(not_saved.void, not_saved.first)
        self._tell_void(not_saved.void.seq, not_saved.first, subscribers)
        return gone

    def forget(self, subscriber: Subscriber) -> None:
        """Drops what is known of a client that has left."""
        if self._repeaters is not None:
            self._repeaters.forget(subscriber)

    def _sender_of(self, seq: int) -> Subscriber | None:
        early = None if self._repeaters is None else self._repeaters.sender_of(seq)
        if early is not None:
            return early
        request, _ = next(iter(self.unanswered.get(seq, ())), (None, None))
        return request.sender if isinstance(request, Post) else None

    def _look_up(self, post: Post) -> None:
        self._looking_up[post.sender] = [post]
        self._recent.begin_read(id(post))
        self._context.history.tell(LookUp(self._room, self._slug, post))

    def _tell_void(self, seq: int, first: Entry | None, subscribers: Collection[Subscriber]) -> None:
        """Broadcasts that a place is void, and answers its senders with the first one's answer or an error.

        Those of them who are `subscribers`, and used an id that was taken, are looked up from now on.
        """
        self._broadcaster.broadcast(Voided(seq))
        requests = self.acknowledgements.take(seq)
        for request in requests:
            self._answer_rejected(request, first)
        if first is not None:
            self._made_repeaters.on_taken(seq, (request.sender for request in requests), subscribers)

    def _accept(self, post: Post, *, is_looked_up: bool = False) -> None:
        """Gives the post its `seq`: from here on it is said."""
        backlog, clock = self._context.backlog, self._context.clock
        if backlog.is_full:
            self.refuse(post, OVERLOADED)
            return
        recent, government = self._recent, self.government
        seq, nth = recent.newest + 1, recent.newest_nth + 1
        joins, mentions = False, None
        if government is not None:
            verdict = government.judged(post)
            if isinstance(verdict, Refused):
                self.refuse(post, verdict)
                return
            mentions = verdict
            if joins := government.joins_by_posting(post):
                seq += 1
        nth = seq if nth == seq else nth  # one number for both takes half of the memory
        state = None
        if post.reply_to is not None:
            reply = self._reply(post, seq, is_looked_up=is_looked_up)
            if not isinstance(reply, PostState):
                if reply is not None:
                    self.refuse(post, reply)
                return
            state = reply
        if joins and government is not None:
            government.join_by_posting(post)
        at = to_iso(clock())
        posted = Posted(seq, post.id or new_id(), post.name, post.message, at, False, nth, state, post.author, mentions)
        backlog.count(size_of(posted))
        self._unsaved.append(posted)
        self._add(posted)
        post.sender.note_said(seq)
        answer = Acknowledged(posted.id, seq, posted.inserted_at)
        if government is not None:
            government.on_said(post, posted)
            if absent := government.not_here(post):
                answer = replace(answer, not_here=absent)
        self.acknowledgements.answer_when_committed(post, answer)
        if post.ack == "room":
            self._made_repeaters.add_said(seq, post.sender)

    def _reply(self, post: Post, seq: int, *, is_looked_up: bool) -> PostState | Refused | None:
        """Returns what makes a post a reply, or why it cannot be one; None once history is asked for the thread."""
        targets = self.targets
        assert post.reply_to is not None
        answered = targets.find(post.reply_to)
        root = answered and (targets.find(answered.state.root) if answered.state and answered.state.root else answered)
        if root is None and not is_looked_up and post.reply_to < seq:
            self._look_up(post)
            return None
        if answered is None:
            return Refused("not_found")
        if answered.is_deleted:
            return Refused("gone")
        if root is None:  # it is void: what is answered begins another thread
            root = answered
        replies = root.state.replies if root.state else 0
        if replies >= self._context.settings.max_replies:
            root, replies = answered, answered.state.replies if answered.state else 0
        return PostState(changed=seq, reply_to=post.reply_to, root=root.seq, root_replies=replies + 1)

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

    def answer_repeat(self, request: Request, first: Entry) -> None:
        """Answers a request whose id `first` has: it is the same one again, or the id is taken."""
        if not is_repeat(request, first):
            self.refuse(request, Refused("id_taken"))
        elif self.acknowledgements.is_crowded(first.seq):
            self.refuse(request, OVERLOADED)
        else:
            answer = Acknowledged(first.id, first.seq, first.inserted_at, duplicate=True)
            self.acknowledgements.answer_when_committed(request, answer)

    def _answer_rejected(self, request: Request, first: Entry | None) -> None:
        """Answers a request that cannot be saved: its id is taken by `first`, or the database refuses it."""
        if first is None:
            self.refuse(request, Refused("not_saved"))
        else:
            self.answer_repeat(request, first)

    def refuse(self, request: Request | ListReactors, refused: Refused) -> None:
        """Answers a request that is not carried out."""
        self.answer(request, refused)

    def answer(self, request: Request | ListReactors | Describe, answer: Answer) -> None:
        """Answers a request now."""
        self._broadcaster.push(request.sender, request.sender.answer(request.ref, answer))
