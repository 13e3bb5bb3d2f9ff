"""Operations: edits, deletions, reactions and pins, from their arrival until they have a place in the log.

Each is judged by its target as it is now, before it has a number. Where the room's memory does not have the target, the
database is asked (`LoadTarget`): the operation waits for that, with all later ones of the same target, and the room
does not. Reactions are counted at the end of a turn: those to one message with one key are one entry. Who has reacted
to a message is asked here too, as that waits for the same answers.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeAlias, assert_never

from chatter.charter import Author
from chatter.clock import to_iso
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Change,
    Delete,
    Deleted,
    Edit,
    Edited,
    Entry,
    ListReactors,
    LoadTarget,
    Operation,
    Owner,
    Person,
    Pin,
    Pinned,
    Posted,
    Purge,
    Purged,
    React,
    Reacted,
    ReactionCount,
    ReactionsDue,
    Refused,
    RoomRef,
    TargetLoaded,
    Unpinned,
    label_of,
    owner_of,
)
from chatter.room.authorship import refusal
from chatter.room.context import RoomContext
from chatter.room.fold import target_of
from chatter.room.judge import may_delete_as_moderator
from chatter.room.powers import PLAIN
from chatter.room.reactions import Reactors, net_changes, told_changes
from chatter.room.recent_entries import RecentEntries
from chatter.room.refusals import OVERLOADED
from chatter.room.sequencer import Sequencer, new_id
from chatter.room.targets import Targets
from chatter.storage.purging import places_of

MAX_WAITING = 128
"""Operations on one message that wait while the database is asked for it."""

MAX_WAITING_READERS = 64
"""Of these, those that ask who has reacted: a crowd that reads leaves room for who does something."""

MAX_UNCOUNTED = 10_000
"""Reactions of one room that wait to be counted."""

CROWD = 100
"""In a room with more subscribers, reactions are counted once in `reaction_interval`."""


Request: TypeAlias = Operation | ListReactors
"""What is about one message."""


class Operations:
    """Owns the operations of one room that have no place yet."""

    __slots__ = (
        "_context",
        "_is_scheduled",
        "_max_counted",
        "_pinned",
        "_purges",
        "_recent",
        "_recounts",
        "_room",
        "_sequencer",
        "_slug",
        "_targets",
        "_uncounted",
        "_uncounted_number",
        "_waiting",
    )

    def __init__(
        self,
        slug: str,
        context: RoomContext,
        *,
        room: RoomRef,
        recent: RecentEntries,
        targets: Targets,
        sequencer: Sequencer,
        max_counted: int = MAX_UNCOUNTED,
    ) -> None:
        """`room` is told what the database answers. So many reactions are counted in one turn: `max_counted`."""
        self._slug = slug
        self._context = context
        self._room = room
        self._recent = recent
        self._targets = targets
        self._sequencer = sequencer
        self._max_counted = max_counted
        self._waiting: dict[int, list[Request]] = {}  # by target, for which the database is asked
        self._uncounted: dict[int, list[React]] = {}  # by target
        self._uncounted_number = 0
        self._recounts: set[int] = set()  # targets whose reactions are to be counted anew
        self._purges: dict[int, Purge] = {}  # by the entry, which is not committed yet
        self._pinned = set(recent.pinned)
        self._is_scheduled = False

    @property
    def undecided(self) -> list[Request | ReactionsDue]:
        """Operations that have no place yet, those on one target in their order, and what is to be counted anew."""
        due = [ReactionsDue(tuple(self._recounts))] if self._recounts else []
        waiting: Iterator[Request] = (
            each for kept in (self._waiting, self._uncounted) for of in kept.values() for each in of
        )
        return [*waiting, *due]

    @property
    def is_settled(self) -> bool:
        """Whether every operation has a place or was refused."""
        return not (self._waiting or self._uncounted or self._recounts)

    def receive(self, message: Request | Purge | TargetLoaded | ReactionsDue) -> None:
        """Carries out a request, or refuses it, now or once its target is known."""
        match message:
            case Purge():
                self._purge(message)
            case TargetLoaded():
                self._target_loaded(message)
            case ReactionsDue():
                self._count_all()
                for target in {*self._recounts, *message.anew}:
                    self._ask_to_recount(target)
            case _:
                self._operate(message)

    def end_turn(self, subscribers: int) -> None:
        """Adds the reactions of the turn to the log; in a large room once in a while."""
        if self._uncounted:
            if subscribers > CROWD:
                self._schedule()
            else:
                self._count_all()

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        waiting, uncounted = ({of: [*each] for of, each in kept.items()} for kept in (self._waiting, self._uncounted))
        number, recounts, purges, pinned = self._uncounted_number, {*self._recounts}, {**self._purges}, {*self._pinned}

        def restore() -> None:
            self._waiting, self._uncounted, self._uncounted_number = waiting, uncounted, number
            self._recounts, self._purges, self._pinned = recounts, purges, pinned

        return restore

    def saved(self, through: int) -> None:
        """Answers the purges that are committed, and forgets targets that were read long ago."""
        for seq in [seq for seq in self._purges if seq <= through]:
            self._purges.pop(seq).answer(True)
        self._trim_targets()

    def on_voided(self, gone: Entry) -> None:
        """Takes back what an entry has done that became void. What was purged from memory stays so."""
        if gone.seq in self._purges:
            self._purges.pop(gone.seq).answer(False)
        self._pinned.discard(gone.seq)
        target = target_of(gone)
        if target is None:
            return
        self._recent.rebuild_state(target)
        self._targets.forget(target)
        if isinstance(gone, Reacted):
            self._ask_to_recount(target)
        elif isinstance(gone, Pinned | Unpinned | Deleted):
            posted = self._targets.find(target)  # None where it is no longer in memory
            was_pinned = isinstance(gone, Unpinned) if posted is None else _is_pinned(posted)
            self._note_pin(target, is_pinned=was_pinned)

    def recount_after(self, void: int) -> None:
        """Has reactions counted anew that a predecessor counted with what became void."""
        for target in {each.target for each in self._recent.reactions_after(void)}:
            self._ask_to_recount(target)

    def _purge(self, purge: Purge) -> None:
        """Adds a purge to the log. Posts come first: it is done later where much is not saved yet."""
        if self._context.backlog.is_half_full:
            purge.answer(False)
            return
        seq, at, nth = self._place()
        about = (purge.account, purge.erases, purge.targets, purge.touched, purge.labels)
        purged = Purged(seq, new_id(), at, nth, *about)
        self._sequencer.append(purged)
        self._purges[seq] = purge
        self._note_pins(purged)

    def _operate(self, request: Request) -> None:
        if self._is_too_much(request):
            self._sequencer.refuse(request, OVERLOADED)
        else:
            self._decide_or_wait(request)

    def _is_too_much(self, request: Request) -> bool:
        waiting = len(self._waiting.get(request.target, ()))
        if isinstance(request, ListReactors):
            return waiting >= MAX_WAITING_READERS
        if self._context.backlog.is_half_full or waiting >= MAX_WAITING:
            return True
        return isinstance(request, React) and self._uncounted_number >= MAX_UNCOUNTED

    def _decide_or_wait(self, request: Request) -> None:
        """Decides a request, or has it wait behind the question for its target."""
        if (queued := self._waiting.get(request.target)) is not None:
            queued.append(request)
        elif self._must_ask(request):
            self._waiting[request.target] = [request]
            self._recent.begin_read((request.target,))
            self._context.history.tell(self._question(request))
        else:
            self._decide(request)

    def _target_loaded(self, loaded: TargetLoaded) -> None:
        """Decides the request for which the database was asked, then those that waited behind it."""
        waiting = self._waiting.pop(loaded.target, None)
        if waiting is None:
            return  # asked by a predecessor too, whose answer was passed on
        try:
            self._decide_waiting(loaded, waiting)
        except Exception:
            self._waiting[loaded.target] = waiting  # the hand-over has all that are left
            raise
        self._trim_targets()  # nothing may be saved for long where people only read

    def _trim_targets(self) -> None:
        self._targets.trim({*self._waiting, *self._uncounted})

    # ------------------------------------------------------------ judging

    def _question(self, request: Request) -> LoadTarget:
        client = request.sender.client
        if isinstance(request, React | ListReactors):
            return LoadTarget(self._room, self._slug, request.target, client, with_reactions=True)
        id = request.id if request.repeat else None
        return LoadTarget(self._room, self._slug, request.target, client, id, _owner(request))

    def _decide_waiting(self, loaded: TargetLoaded, waiting: list[Request]) -> None:
        self._targets.learn(loaded)
        self._recent.end_read((loaded.target,))
        if loaded.target in self._recounts:
            self._recount(loaded)
        first, is_first = loaded.first, True
        while waiting:
            request = waiting[0]
            if loaded.failed:
                self._sequencer.refuse(request, OVERLOADED)
            elif not is_first:
                self._decide_or_wait(request)
            elif first is not None and not isinstance(request, React | ListReactors):
                self._sequencer.answer_repeat(request, first)
            else:
                self._decide(request)
            is_first = False
            del waiting[0]

    def _must_ask(self, request: Request) -> bool:
        """Returns whether memory cannot tell what the target is, who reacted to it, or whether it was done before."""
        if not self._targets.is_known(request.target):
            return True
        posted = self._targets.find(request.target)
        if posted is None:
            return False
        if isinstance(request, React | ListReactors):
            return self._targets.reactors(posted) is None
        return request.repeat and self._first(request, posted) is None

    def _first(self, operation: Edit | Delete | Pin, posted: Posted) -> Entry | None:
        """Returns what has the operation's id in memory.

        A guest's edit or deletion has the name of the message, or what its sender was called by then.
        """
        if operation.id is None:
            return None
        owner = _owner(operation)
        owners = (operation.sender.guest_name(posted.name), posted.name) if owner is None else (owner,)
        for each in owners:
            first = self._recent.change_by_client_id(each, operation.id) or self._recent.by_client_id(
                each, operation.id
            )
            if first is not None:
                return first
        return None

    def _decide(self, request: Request) -> None:
        posted = self._targets.find(request.target)
        if posted is None:
            self._sequencer.refuse(request, Refused("not_found"))
        elif isinstance(request, ListReactors):
            self._list_reactors(request, posted)
        else:
            self._decide_operation(request, posted)

    def _decide_operation(self, operation: Operation, posted: Posted) -> None:
        first = None if isinstance(operation, React) else self._first(operation, posted)
        if first is not None:
            self._sequencer.answer_repeat(operation, first)
        elif (refused := self._refusal_by_charter(operation, posted)) is not None:
            self._sequencer.refuse(operation, refused)
        elif posted.is_deleted:
            self._sequencer.refuse(operation, Refused("gone"))
        else:
            self._judge(operation, posted)

    def _refusal_by_charter(self, operation: Operation, posted: Posted) -> Refused | None:
        government = self._sequencer.government
        return None if government is None else government.refusal_of(operation, posted)

    def _judge(self, operation: Operation, posted: Posted) -> None:
        match operation:
            case Edit():
                self._edit(operation, posted)
            case Delete():
                self._delete(operation, posted)
            case React():
                self._react(operation)
            case Pin():
                self._pin(operation, posted)
            case _:
                assert_never(operation)

    def _edit(self, edit: Edit, posted: Posted) -> None:
        settings = self._context.settings
        edits = posted.state.edits if posted.state else 0
        refused = self._refusal(edit, posted, settings.edit_window)
        if refused is None and edit.if_changed is not None and edit.if_changed != posted.changed:
            refused = Refused("conflict", changed=posted.changed)
        if refused is None and edits >= settings.max_edits:
            refused = Refused("full", limit=settings.max_edits)
        if refused is not None:
            self._sequencer.refuse(edit, refused)
        elif edit.message == posted.message:
            self._answer_already_so(edit, posted.changed)
        else:
            seq, at, nth = self._place()
            id = edit.id or new_id()
            by = _name(edit, posted)
            government = self._sequencer.government
            mentions = None if government is None else government.mentions_of_edit(edit, posted)
            entry = Edited(seq, id, by, posted.seq, at, nth, edit.message, edits + 1, mentions, author=edit.author)
            self._append(edit, entry)

    def _delete(self, delete: Delete, posted: Posted) -> None:
        refused = self._refusal(delete, posted, self._context.settings.delete_window)
        government = self._sequencer.government
        charter = government.charter if government is not None else None
        server_role = self._context.server_role
        is_moderator = refused is not None and may_delete_as_moderator(charter or PLAIN, delete, posted, server_role)
        if refused is not None and not is_moderator:
            self._sequencer.refuse(delete, refused)
            return
        seq, at, nth = self._place()
        id = delete.id or new_id()
        by = _name(delete, posted)
        entry = Deleted(seq, id, by, posted.seq, at, nth, delete.reason, is_moderator, author=delete.author)
        self._append(delete, entry)

    def _refusal(self, operation: Edit | Delete, posted: Posted, window: float) -> Refused | None:
        return refusal(operation, posted, window, self._context.clock)

    def _pin(self, pin: Pin, posted: Posted) -> None:
        most = self._context.settings.max_pins
        if _is_pinned(posted) == pin.is_pinned:
            self._answer_already_so(pin, posted.changed)
        elif pin.is_pinned and len(self._pinned) >= most:
            self._sequencer.refuse(pin, Refused("full", limit=most))
        else:
            seq, at, nth = self._place()
            kind = Pinned if pin.is_pinned else Unpinned
            self._append(pin, kind(seq, pin.id or new_id(), pin.name, posted.seq, at, nth, author=pin.author))

    def hear(self, change: Change | Purged) -> None:
        """Does what an entry does that is in the shared log already."""
        self._sequencer.hear(change)
        self._note_pins(change)

    def learn(self, change: Change | Purged) -> None:
        """Notes an entry that is not saved yet, of the past that was loaded."""
        self._note_pins(change)

    def _note_pins(self, change: Change | Purged) -> None:
        match change:
            case Pinned():
                self._pinned.add(change.target)
            case Unpinned() | Deleted():
                self._pinned.discard(change.target)
            case Purged() if change.erases:
                self._pinned -= places_of(change.targets)

    def _note_pin(self, seq: int, *, is_pinned: bool) -> None:
        if is_pinned:
            self._pinned.add(seq)
        else:
            self._pinned.discard(seq)

    # ------------------------------------------------------------ reactions

    def _react(self, react: React) -> None:
        self._uncounted.setdefault(react.target, []).append(react)
        self._uncounted_number += 1

    def _list_reactors(self, request: ListReactors, posted: Posted) -> None:
        """Tells who has reacted: what has a place in the log, saved or not."""
        government, reactors = self._sequencer.government, self._targets.reactors(posted)
        refused = None if government is None else government.refusal_to_read(request)
        if refused is None and posted.is_deleted:
            refused = Refused("gone")
        if refused is not None:
            self._sequencer.refuse(request, refused)
        elif reactors is None:  # what was loaded did not say, as it was asked for something else
            self._decide_or_wait(request)
        else:
            most = self._context.settings.max_listed_reactors
            self._sequencer.answer(request, reactors.listed(request.key, request.person, most))

    def _count_all(self) -> None:
        """Counts what waits, as far as a turn has room for it; the rest is due later."""
        uncounted, self._uncounted, self._uncounted_number = self._uncounted, {}, 0
        room_for = self._max_counted
        for target, requests in uncounted.items():
            if room_for > 0:
                self._count(target, requests[:room_for])
            for request in requests[max(room_for, 0) :]:
                self._react(request)
            room_for -= len(requests)
        if room_for < 0:
            self._schedule()

    def _count(self, target: int, requests: list[React]) -> None:
        """Adds one entry for each key with which people have reacted to a message."""
        posted = self._targets.find(target)
        reactors = None if posted is None or posted.is_deleted else self._targets.reactors(posted)
        if posted is None or reactors is None:  # deleted, voided, or out of memory since: they were accepted, and wait
            for request in requests:
                self._decide_or_wait(request)
            return
        by_key: dict[str, list[React]] = {}
        for request in requests:
            by_key.setdefault(request.key, []).append(request)
        most = self._context.settings.max_reactions
        for key in sorted(by_key, key=lambda key: key not in reactors):  # first those of which one may go
            if key not in reactors and len(reactors) >= most:
                for request in by_key[key]:
                    self._sequencer.refuse(request, Refused("full", limit=most))
            else:
                self._count_key(posted, reactors, by_key[key])

    def _count_key(self, posted: Posted, reactors: Reactors, requests: list[React]) -> None:
        key = requests[0].key
        told = told_changes(reactors, requests)
        added, removed = net_changes(reactors, requests)
        entry = self._add_reacted(posted.seq, reactors, key, added, removed) if added or removed else None
        in_entry = {owner_of(person) for person in (*added, *removed)}
        for request, changed in told:
            if entry is not None and changed and owner_of(request.person) in in_entry:
                self._acknowledge(request, entry)
            else:  # it was so, or came and went in this turn
                since = reactors.entry_of(key, request.person) or self._changed(posted.seq)
                self._answer_already_so(request, since, duplicate=not changed)

    def _add_reacted(
        self, target: int, reactors: Reactors, key: str, added: tuple[Person, ...], removed: tuple[Person, ...]
    ) -> Reacted:
        seq, at, nth = self._place()
        reactors.change(key, added, removed, seq)
        first = (added or removed)[0]
        author = first if isinstance(first, Author) else None
        by, counts = label_of(first), reactors.counts()
        entry = Reacted(seq, new_id(), by, target, at, nth, key, added, removed, counts, author=author)
        self._sequencer.append(entry)
        return entry

    def _changed(self, target: int) -> int:
        """Returns the last entry that touched a message, also in this turn."""
        posted = self._targets.find(target)
        return target if posted is None else posted.changed

    def _ask_to_recount(self, target: int) -> None:
        """Has the reactions counted anew: those that came after the void one were counted with it."""
        self._recounts.add(target)
        if target not in self._waiting:
            self._waiting[target] = []
            self._recent.begin_read((target,))
            self._context.history.tell(LoadTarget(self._room, self._slug, target, self._slug, with_reactions=True))

    def _recount(self, loaded: TargetLoaded) -> None:
        """Counts the reactions to a message anew. It is asked again where the answer does not say who has reacted."""
        target = loaded.target
        if loaded.failed:
            self._schedule()
            return
        posted = self._targets.find(target)
        if posted is None or posted.is_deleted:
            self._recounts.discard(target)
        elif (reactors := self._targets.reactors(posted)) is None:
            self._ask_to_recount(target)
        else:
            self._recounts.discard(target)
            self._tell_counts(posted, reactors.counts())

    def _tell_counts(self, posted: Posted, counts: tuple[ReactionCount, ...]) -> None:
        """Adds an entry for each key whose count is another than what was told."""
        told = posted.state.reactions if posted.state else ()
        keys = {each.key for each in {*counts} ^ {*told}}
        for key in sorted(keys):
            seq, at, nth = self._place()
            self._sequencer.append(Reacted(seq, new_id(), "chatter", posted.seq, at, nth, key, (), (), counts))

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(self._context.settings.reaction_interval, self._due)

    def _due(self) -> None:
        self._is_scheduled = False
        if self._room.is_alive():
            self._room.tell(ReactionsDue())

    # ------------------------------------------------------------ answers

    def _place(self) -> tuple[int, str, int]:
        """Returns the next place in the log, the time, and the number of messages."""
        return self._recent.newest + 1, to_iso(self._context.clock()), self._recent.newest_nth

    def _append(self, operation: Operation, entry: Edited | Deleted | Pinned | Unpinned) -> None:
        self._sequencer.append(entry)
        self._note_pins(entry)
        self._acknowledge(operation, entry)

    def _acknowledge(self, operation: Operation, entry: Entry) -> None:
        answer = Acknowledged(entry.id, entry.seq, entry.inserted_at)
        self._sequencer.acknowledgements.answer_when_committed(operation, answer)

    def _answer_already_so(self, operation: Operation, seq: int, *, duplicate: bool = True) -> None:
        self._sequencer.acknowledgements.answer_when_committed(operation, AlreadySo(seq, duplicate))


def _owner(operation: Edit | Delete | Pin) -> Owner | None:
    """Returns whose an operation's id is; None for a guest's that has the name of the message."""
    if operation.author is not None:
        return operation.author.id
    return operation.name if isinstance(operation, Pin) else None


def _name(operation: Edit | Delete, posted: Posted) -> str:
    """Returns who changes a message; whoever said it may be called otherwise since."""
    if operation.author is None:
        return operation.sender.guest_name(posted.name)
    return operation.sender.person_name or posted.name


def _is_pinned(posted: Posted) -> bool:
    return posted.state is not None and posted.state.pinned_at is not None
