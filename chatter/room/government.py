"""The government of a room that is somebody's: its charter in memory, who changes it, and who may do what.

Most rooms have none. It is made with the first request to change the room, or where a charter is loaded.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec.structs import replace

from chatter.charter import Author, Charter, RoomView, ServerRole
from chatter.clock import to_iso
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    By,
    Change,
    Deleted,
    Describe,
    Edit,
    Edited,
    Entry,
    Governing,
    Join,
    ListReactors,
    LookedUp,
    LookUp,
    MemberAs,
    MembersChanged,
    Mentions,
    Operation,
    Post,
    Posted,
    Purged,
    Refused,
    RoomDescribed,
    RoomEntry,
    RoomMessage,
    RoomRef,
    Subscriber,
    View,
)
from chatter.room.admission import Admission
from chatter.room.amendments import Amendments
from chatter.room.broadcaster import Broadcaster
from chatter.room.context import RoomContext
from chatter.room.decisions import NOT_FOUND, Limits, decide
from chatter.room.floors import floor_of, is_hidden
from chatter.room.judge import Judge
from chatter.room.mentions import absent, handles_in
from chatter.room.powers import PLAIN, may, powers_of
from chatter.room.recent_entries import RecentEntries
from chatter.room.refusals import OVERLOADED
from chatter.room.sequencer import Sequencer, new_id
from chatter.storage.pages import void_place
from schema.purge import DELETED_ACCOUNT
from schema.slugs import kind_of

MAX_WAITING = 128
"""Requests that wait while history is asked whether the first of them is a repeat."""


class Government:
    """Owns the charter of one room, and the requests to change it that wait for history."""

    __slots__ = (
        "_admission",
        "_amendments",
        "_changed",
        "_context",
        "_expel",
        "_recent",
        "_room",
        "_sequencer",
        "_slug",
        "_subscribers",
        "_waiting",
        "judge",
    )

    def __init__(
        self,
        slug: str,
        context: RoomContext,
        *,
        room: RoomRef,
        broadcaster: Broadcaster,
        recent: RecentEntries,
        sequencer: Sequencer,
        subscribers: Collection[Subscriber],
        charter: Charter | None,
        expel: Callable[[Collection[int] | None], None],
    ) -> None:
        """`expel` ends the subscriptions of these accounts, or with None of all who may not be here any more."""
        self._slug = slug
        self._context = context
        self._room = room
        self._recent = recent
        self._sequencer = sequencer
        self._subscribers = subscribers
        self._expel = expel
        self._amendments = Amendments(slug, charter)
        self._changed = recent.newest  # the last entry that changed the charter, or one after it
        self._waiting: list[Governing] = []  # history is asked for the first
        self.judge = Judge(context.clock, subscribers)
        self._admission = Admission(self.judge, broadcaster)

    @property
    def charter(self) -> Charter | None:
        """What is settled about the room; None while it is plain. One that is not public is nobody's until founded."""
        return self._amendments.charter or self._amendments.unfounded

    @property
    def is_needed(self) -> bool:
        """Whether the room is not plain, or will not be once history has answered."""
        return self.charter is not None or bool(self._waiting)

    @property
    def undecided(self) -> list[Governing]:
        """Requests that have no place yet, in their order."""
        return list(self._waiting)

    @property
    def is_settled(self) -> bool:
        """Whether no request waits for history."""
        return not self._waiting

    def receive(self, message: Governing | Describe) -> None:
        """Carries out a request, or refuses it."""
        match message:
            case Describe():
                self._sequencer.answer(message, self._description(message.by))
            case _:
                self._decide_or_wait(message)

    def looked_up(self, looked_up: LookedUp) -> None:
        """Decides the request that history was asked for, then those that waited behind it."""
        if not self._waiting or self._waiting[0] is not looked_up.request:
            return  # asked by a predecessor too, whose answer was passed on
        request = self._waiting[0]
        self._recent.end_read(id(request))
        if looked_up.first is not None:
            self._sequencer.answer_repeat(request, looked_up.first)
        elif looked_up.failed:
            self._sequencer.refuse(request, OVERLOADED)
        else:
            self._decide(request)
        self._resume(self._waiting[1:])

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        restores = (self._amendments.snapshot(), self.judge.snapshot())
        changed, waiting = self._changed, [*self._waiting]

        def restore() -> None:
            for each in restores:
                each()
            self._changed, self._waiting = changed, waiting

        return restore

    def saved(self, through: int) -> None:
        """Keeps the changes that are committed."""
        self._amendments.on_saved(through)
        if self.charter is not None:
            self._context.memberships.on_saved(self._slug, through)

    def take_back(self, seq: int) -> None:
        """Undoes what an entry did that could not be saved; who is here only by that has to go."""
        had_charter = self._amendments.charter is not None
        gone = self._amendments.take_back(seq)
        if had_charter:
            self._context.memberships.on_voided(self._slug, seq, self._amendments.charter)
        if gone is not None:
            self._expel(None)

    def tell_begun(self, voids: Sequence[int]) -> None:
        """Tells memberships what a predecessor could not: all is committed, but for these places, which are void."""
        charter = self._amendments.charter
        for seq in voids:
            self._context.memberships.on_voided(self._slug, seq, charter)
        self._context.memberships.on_saved(self._slug, self._recent.newest)

    def tell_begun_here(self, entries: Sequence[Entry], saved: int) -> None:
        """Tells memberships what they may have missed while the room was on other nodes only."""
        if self.charter is not None:
            self._context.memberships.on_begun(self._slug, entries, self.charter, saved)

    def view(self, author: Author | None) -> RoomView | None:
        """Returns the room as somebody sees it; None for a plain one."""
        charter = self.charter
        if charter is None:
            return None
        member = charter.members.get(author.id) if author is not None else None
        return RoomView(
            kind=charter.kind,
            title=charter.title,
            topic=charter.topic,
            settings=charter.rules,
            archived=charter.archived_at is not None,
            role=None if member is None else member.role,
            members=len(charter.members),
            joined_seq=None if member is None else member.joined_seq,
            muted_until=None if member is None else member.muted_until,
        )

    # ------------------------------------------------------------ who is no stranger

    def screened(self, message: RoomMessage) -> RoomMessage | None:
        """Returns a message for the room to handle; None where it came from somebody who may not be here any more."""
        charter = self.charter
        return message if charter is None else self._admission.screened(charter, message)

    def of_join(self, join: Join) -> Refused | None:
        """Returns why somebody may not join: of a room that is not public, because it is not there for them."""
        charter = self.charter
        return None if charter is None else self._admission.refusal(charter, join.subscriber)

    def strangers(self, accounts: Collection[int] | None) -> list[Subscriber]:
        """Returns the subscribers who may not be here any more: of some accounts, or of all."""
        charter = self.charter
        return [] if charter is None else self._admission.strangers(charter, self._subscribers, accounts)

    # ------------------------------------------------------------ what is said

    def judged(self, post: Post) -> Refused | Mentions | None:
        """Returns why something may not be said, or else whom it calls; None for nobody."""
        charter = self.charter
        if charter is None:
            return None
        return self.judge.of_stranger(charter, post.author, post.sender.server_role) or self.judge.of_post(
            charter, post
        )

    def refusal_of(self, operation: Operation, posted: Posted) -> Refused | None:
        """Returns why nothing may be done to a message. Who may delete it is asked besides."""
        charter = self.charter
        if charter is None:
            return None
        stranger = self.judge.of_stranger(charter, operation.author, operation.sender.server_role)
        return stranger or self.judge.of_operation(charter, operation, posted)

    def refusal_to_read(self, asked: ListReactors) -> Refused | None:
        """Returns why somebody may not hear of a message: it was said before they came, or they have left."""
        charter = self.charter
        if charter is None:
            return None
        hidden = Refused("not_found") if asked.target <= self.floor_of(asked.author) else None
        return self.judge.of_stranger(charter, asked.author, asked.sender.server_role) or hidden

    def mentions_of_edit(self, edit: Edit, posted: Posted) -> Mentions | None:
        """Returns whom the new text of a message calls."""
        return None if self.charter is None else self.judge.mentions_of_edit(self.charter, edit, posted)

    def joins_by_posting(self, post: Post) -> bool:
        """Returns whether somebody becomes a member of a public room because they say something there."""
        charter, author = self.charter, post.author
        return charter is not None and author is not None and charter.is_public and author.id not in charter.members

    def join_by_posting(self, post: Post) -> None:
        """Adds somebody to the members."""
        assert post.author is not None
        members = (MemberAs(post.author, post.name),)
        self._append(MembersChanged(0, "", post.name, "", 0, "joined", members, "member", author=post.author))

    def on_said(self, post: Post, posted: Posted) -> None:
        """Notes that something was said."""
        charter = self.charter
        if charter is not None:
            self.judge.note_said(charter, post)
            self._context.memberships.on_said(self._slug, posted, charter)

    def on_heard(self, posted: Posted) -> None:
        """Notes that something was said on another node."""
        charter = self.charter
        if charter is not None:
            self.judge.note_heard(charter, posted.author)
            self._context.memberships.on_said(self._slug, posted, charter)

    def on_changed(self, change: Change | Purged) -> None:
        """Notes that messages have other texts, are gone or are nobody's."""
        if isinstance(change, Edited | Deleted | Purged) and self.charter is not None:
            self._context.memberships.on_changed(self._slug, change, self.charter)

    def not_here(self, post: Post) -> tuple[str, ...]:
        """Returns the handles in a message that call nobody, since they are not in this room."""
        charter = self.charter
        return () if charter is None or charter.is_public else absent(handles_in(post.message), charter)

    def floor_of(self, author: Author | None) -> int:
        """Returns the `seq` up to which the past is hidden from somebody."""
        return floor_of(self.charter, author)

    def hidden_from(self, change: Change) -> Mapping[Subscriber, bytes]:
        """Returns who must not hear of a change, since it is about what was said before they came, and what they do."""
        charter = self.charter
        if charter is None or charter.rules.history == "all":
            return {}
        void = void_place(change.seq, change.inserted_at)
        return {
            each: b"" if each.view is View.MESSAGES else each.push(void)
            for each in self._subscribers
            if is_hidden(change, floor_of(charter, each.author))
        }

    # ------------------------------------------------------------ what is changed

    def _decide_or_wait(self, request: Governing) -> None:
        """Decides a request, or has it wait behind the question whether one is a repeat."""
        first = self._first(request)
        if len(self._waiting) >= MAX_WAITING or self._context.backlog.is_full:
            self._sequencer.refuse(request, OVERLOADED)
        elif self._waiting:
            self._waiting.append(request)
        elif first is not None:
            self._sequencer.answer_repeat(request, first)
        elif request.repeat and request.id is not None:
            self._waiting.append(request)
            self._recent.begin_read(id(request))
            self._context.history.tell(LookUp(self._room, self._slug, request))
        else:
            self._decide(request)

    def _resume(self, waiting: list[Governing]) -> None:
        """Decides what waited, up to the next that is asked about. Where the room fails, the hand-over has the rest."""
        self._waiting = []
        try:
            while waiting:
                self._decide_or_wait(waiting[0])
                del waiting[0]
        except Exception:
            self._waiting += waiting
            raise

    def _first(self, request: Governing) -> Entry | None:
        if request.id is None:
            return None
        recent = self._recent
        return recent.change_by_client_id(request.owner, request.id) or recent.by_client_id(request.owner, request.id)

    def _decide(self, request: Governing) -> None:
        charter = self._amendments.charter
        muted = None if charter is None else self.judge.of_change(charter, request)
        decided = muted or decide(
            charter,
            request,
            kind=kind_of(self._slug),
            is_new=self._recent.newest == 0,
            is_open=bool(self._subscribers),
            limits=Limits(self._context.settings, self._context.memberships.count_of),
        )
        if isinstance(decided, Refused):
            self._sequencer.refuse(request, decided)
        elif not decided:
            self._sequencer.acknowledgements.answer_when_committed(request, AlreadySo(self._changed))
        else:
            first, *others = decided
            entry = self._append(first, request.id)
            for draft in others:
                self._append(draft)
            self._acknowledge(request, entry)
            self._expel_the_gone((first, *others))

    def _append(self, draft: RoomEntry, id: str | None = None) -> RoomEntry:
        """Gives a draft its place: from here on it is done."""
        recent = self._recent
        at = to_iso(self._context.clock())
        entry = replace(draft, seq=recent.newest + 1, id=id or new_id(), inserted_at=at, nth=recent.newest_nth)
        self._amend(entry, self._sequencer.append)
        return entry

    def hear(self, entry: RoomEntry) -> None:
        """Does what an entry does that is in the shared log already."""
        self._amend(entry, self._sequencer.hear)
        self._expel_the_gone((entry,))

    def learn(self, entry: RoomEntry) -> None:
        """Notes an entry that is not saved yet, of the past that was loaded."""
        self._amendments.add(entry)
        self._changed = entry.seq

    def _amend(self, entry: RoomEntry, add: Callable[[RoomEntry], None]) -> None:
        charter = self._amendments.add(entry)
        self._changed = entry.seq
        add(entry)
        if isinstance(entry, MembersChanged):
            self._context.memberships.on_members_changed(self._slug, entry, charter)
        else:
            self._context.memberships.on_room_changed(self._slug, entry, charter)

    def _acknowledge(self, request: Governing, entry: RoomEntry) -> None:
        """Answers once the entry is committed; who leaves is answered at once, since the channel may end now."""
        answer = Acknowledged(entry.id, entry.seq, entry.inserted_at)
        if isinstance(entry, MembersChanged) and entry.change == "left":
            self._sequencer.answer(request, answer)
        else:
            self._sequencer.acknowledgements.answer_when_committed(request, answer)

    def _expel_the_gone(self, entries: Collection[RoomEntry]) -> None:
        for entry in entries:
            if isinstance(entry, MembersChanged):
                if entry.change in ("left", "removed", "banned"):
                    self._expel({each.who.id for each in entry.members})
            elif entry.rules is not None and entry.rules.guests is False:
                self._expel(None)

    def _description(self, by: By | None) -> RoomDescribed | Refused:
        author = None if by is None else by.author
        role: ServerRole = "guest" if by is None else by.role
        charter = self.charter
        is_there = charter is not None or self._recent.newest > 0
        charter = charter or PLAIN
        if not is_there or not may("read", charter, author, role):
            is_banned = charter.is_public and author is not None and author.id in charter.banned
            return Refused("banned") if is_banned else NOT_FOUND
        members = tuple(charter.members[account] for account in sorted(charter.members))
        banned = tuple(sorted(charter.banned)) if may("ban", charter, author, role) else ()
        powers = powers_of(charter, author, role)
        if self.judge.is_muted(charter, author):
            powers -= {"invite", "make_link"}
        return RoomDescribed(self.view(author), members, banned, powers)

    def note_account(self, author: Author, name: str) -> None:
        """Calls a member as the account is called now; one that is gone leaves."""
        charter = self.charter
        if charter is None or author.id not in charter.members:
            return
        if author.handle:
            self._amendments.rename(author, name)
        else:
            gone = (MemberAs(author, DELETED_ACCOUNT),)
            self._append(MembersChanged(0, "", DELETED_ACCOUNT, "", 0, "left", gone, author=author))
            self._name_heir(author)
            self._expel({author.id})

    def _name_heir(self, gone: Author) -> None:
        """Has a private room that has lost its last owner be somebody's: the longest of its moderators or members."""
        charter = self.charter
        if charter is None or charter.kind != "private" or charter.has_owner or not charter.members:
            return
        heir = min(charter.members.values(), key=lambda member: (member.role != "moderator", member.joined_seq))
        members = (MemberAs(heir.author, heir.name),)
        self._append(MembersChanged(0, "", DELETED_ACCOUNT, "", 0, "role", members, "owner", author=gone))
