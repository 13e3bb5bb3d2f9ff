"""A room's memory: its latest entries, their ids, and the last `seq` of each epoch."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from copy import copy
from functools import reduce
from itertools import islice
from operator import attrgetter
from typing import NamedTuple, TypeVar, cast

import msgspec

from chatter.charter import Author
from chatter.messages import (
    Deleted,
    Entry,
    Loaded,
    MemberAs,
    MembersChanged,
    Owner,
    Posted,
    PostState,
    Purged,
    Reacted,
    RoomChanged,
)
from chatter.room.context import RoomSettings
from chatter.room.fold import fold, shown, target_of
from chatter.storage.purging import Purging
from chatter.storage.records import blanked

_SEQ = attrgetter("seq")

_CHANGING = (
    "_by_client_id",
    "_changes_by_client_id",
    "_deletions",
    "_entries",
    "_older",
    "_reads",
    "_rejected",
    "_saved",
    "_states",
    "_voids",
)

EntryT = TypeVar("EntryT", bound=Entry)


def _drop_first(ids: dict[tuple[Owner, str], EntryT], surplus: int) -> None:
    # One pass for all: an iteration from the start passes the slots of all keys that were deleted before.
    for key in list(islice(ids, max(surplus, 0))):
        del ids[key]


def _called_now(entry: Entry, account: Author, name: str) -> Entry:
    """Returns an entry with the handle that an account has now. One that is gone has no name in rooms either."""
    if isinstance(entry, MembersChanged) and any(each.who.id == account.id for each in entry.members):
        entry = msgspec.structs.replace(entry, members=tuple(_as_now(each, account, name) for each in entry.members))
    author = entry.author
    if author is None or author.id != account.id or author.handle == account.handle:
        return entry
    if isinstance(entry, MembersChanged | RoomChanged) and not account.handle:
        return msgspec.structs.replace(entry, author=account, name=name)
    return msgspec.structs.replace(entry, author=account)


def _as_now(member: MemberAs, account: Author, name: str) -> MemberAs:
    if member.who.id != account.id:
        return member
    return MemberAs(account, member.name if account.handle else name)


def _subject_of(entry: Entry) -> int | None:
    """Returns the message that an entry is, or that it is about."""
    return entry.seq if isinstance(entry, Posted) else target_of(entry)


def _blank_ids(ids: dict[tuple[Owner, str], EntryT], seq: int) -> None:
    """Removes the texts of a message and of its edits, of which there may be no more in memory than their ids."""
    for of, entry in ids.items():
        if _subject_of(entry) == seq:
            ids[of] = cast(EntryT, blanked(entry))


def _after(posted: Posted, entry: Entry | Purging) -> Posted:
    return entry.message(posted) if isinstance(entry, Purging) else shown(posted, fold(posted.state, entry))


class RejectedPost(NamedTuple):
    """A post that could not be saved."""

    message: str
    first: Entry | None  # what its sender had said before under the same id


class RecentEntries:
    """Holds the latest entries of a room, contiguous by `seq`, and the ids of more of them.

    It keeps `ring_size` entries, as many messages, and every entry that is not saved yet. While the database is asked
    for what is older, nothing is dropped that its answer may lack. It knows the senders' ids of the latest
    `id_memory_size` messages, and of as many other entries, and the void places that a client may ask for.
    Entries stay as they were said; what a message is now is a state of its own.
    """

    __slots__ = (
        "_by_client_id",
        "_changes_by_client_id",
        "_deletions",
        "_entries",
        "_epoch_ends",
        "_older",
        "_reads",
        "_rejected",
        "_saved",
        "_settings",
        "_states",
        "_voids",
        "pinned",
    )

    def __init__(self, settings: RoomSettings) -> None:
        self._settings = settings
        self._entries: list[Entry] = []
        self._older: Sequence[Posted] = ()  # messages before these, where few of the entries are messages
        self._by_client_id: dict[
            tuple[Owner, str], Posted
        ] = {}  # by owner and id, in the order in which they were said
        self._changes_by_client_id: dict[tuple[Owner, str], Entry] | None = None  # most rooms never have any
        self._states: dict[int, PostState] | None = None  # of messages that something has touched; likewise
        self._deletions: dict[int, int] | None = None  # messages by the entry that deletes them, until that is saved
        self._reads: dict[Hashable, int] | None = None  # the oldest entry as each of them began; in their order
        self._saved = 0  # the last entry that is known to be
        self._voids: list[int] = []  # in ascending order
        self._rejected: dict[tuple[Owner, str], RejectedPost] = {}
        self._epoch_ends: dict[int, int] = {}  # the last seq of each, as far as it is known
        self.pinned: Sequence[int] = ()  # the pinned messages of the past that was loaded

    @property
    def newest(self) -> int:
        """The last `seq` of the room; 0 in an empty room."""
        return self._entries[-1].seq if self._entries else 0

    @property
    def newest_nth(self) -> int:
        """How many messages the room has had."""
        return self._entries[-1].nth if self._entries else 0

    @property
    def oldest(self) -> int:
        """The lowest `seq` from which on all entries are in memory; 1 in an empty room."""
        return self._entries[0].seq if self._entries else 1

    @property
    def has_every_id(self) -> bool:
        """Whether the id of every message of the room is in memory."""
        first = next(iter(self._by_client_id.values()), None)  # none where all messages are void
        return self.newest == 0 or (first is not None and first.seq == 1)

    @property
    def voids(self) -> list[int]:
        """The void places, also those older than the entries in memory, but not those that nobody can ask for."""
        return self._voids

    def voids_near(self, seq: int, limit: int) -> list[int]:
        """Returns the void places at or below `seq`, down to `max_recovery_gap` below; of more than `limit` the latest.

        A client that was there may have heard them as messages. It cannot have left with others: a place becomes void
        when it should be saved, and what waits for that is near the newest entry.
        """
        first = bisect_right(self._voids, seq - self._settings.max_recovery_gap)
        return self._voids[first : bisect_right(self._voids, seq)][-limit:]

    def load(self, loaded: Loaded) -> None:
        """Fills the memory with the room's past."""
        self._entries.extend(loaded.recent)
        self._saved = self.newest
        self._older = tuple(loaded.older)
        self._by_client_id.update(((posted.owner, posted.id), posted) for posted in self._older)
        for entry in self._entries:
            self._remember_id(entry)
        if loaded.states:
            self._states = dict(loaded.states)
        oldest = self._oldest_void
        self._voids += (seq for seq in loaded.voids if seq >= oldest)
        self._epoch_ends.update(loaded.epochs)
        self.pinned = loaded.pinned
        for entry in loaded.unsaved:
            if entry.seq > self.newest:
                self._learn(entry)

    def _learn(self, entry: Entry) -> None:
        if isinstance(entry, Posted):
            self.add(entry)
        else:
            self.add_change(entry)

    def add(self, posted: Posted) -> None:
        """Adds the newest message."""
        self._entries.append(posted)
        owner = posted.name if posted.author is None else posted.author.id  # `posted.owner`, in a third of its time
        self._by_client_id[owner, posted.id] = posted
        if posted.state is not None:
            self._touch(posted)

    def add_change(self, change: Entry) -> None:
        """Adds the newest entry, which is no message, and folds it into the state of the one that it is about."""
        self._entries.append(change)
        self._remember_id(change)
        if isinstance(change, Purged):
            self._purge(change)
            return
        self._touch(change)
        if isinstance(change, Deleted):
            self._deletions = {**(self._deletions or {}), change.seq: change.target}

    def void(self, place: Posted, first: Entry | None) -> Entry | None:
        """Puts the void `place` where an entry could not be saved, and returns that; `first` has its id already."""
        if not self.oldest <= place.seq <= self.newest:
            return None
        gone = self._entries[place.seq - self.oldest]
        self._entries[place.seq - self.oldest] = place
        self._add_void(place.seq)
        if self._states is not None:
            self._states.pop(place.seq, None)
        if self._deletions:
            self._deletions.pop(place.seq, None)
        self._rejected[gone.owner, gone.id] = RejectedPost(getattr(gone, "message", ""), first)
        ids = self._by_client_id if isinstance(gone, Posted) else self._changes_by_client_id or {}
        if ids.get((gone.owner, gone.id)) is gone:
            del ids[gone.owner, gone.id]
        return gone

    def rename(self, account: Author, name: str) -> None:
        """Gives the entries of an account, and those about it, the handle that it has now."""
        for place, entry in enumerate(self._entries):
            now = _called_now(entry, account, name)
            if now is not entry:
                self._entries[place] = self._replaced(entry, now)
        self._older = tuple(cast(Posted, _called_now(each, account, name)) for each in self._older)

    def by_epoch(self, current: int) -> list[tuple[int, list[Entry]]]:
        """Returns the entries in memory with the epoch of each, oldest first; `current` is the server's."""
        ends = sorted((last, epoch) for epoch, last in self._epoch_ends.items())
        found: dict[int, list[Entry]] = {}
        for entry in self._entries:
            epoch = next((epoch for last, epoch in ends if entry.seq <= last), current)
            found.setdefault(epoch, []).append(entry)
        return list(found.items())

    def begin_read(self, read: Hashable) -> None:
        """Keeps from here on what the database may leave out of what it answers: all that is in memory."""
        if self._reads is None:
            self._reads = {}
        self._reads[read] = self.oldest

    def end_read(self, read: Hashable) -> None:
        """Ends a read, which has its answer or that nobody waits for any longer."""
        if self._reads is not None:
            self._reads.pop(read, None)

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        kept = {name: copy(getattr(self, name)) for name in _CHANGING}

        def restore() -> None:
            for name, value in kept.items():
                setattr(self, name, value)

        return restore

    def trim(self, saved: int = 0) -> None:
        """Drops what exceeds the sizes, but no entry that is not saved, and the texts of what is deleted for good.

        `saved` is the last entry that is; without it, as far as that is known already.
        """
        self._saved = saved = max(saved, self._saved)
        if self._deletions:
            self._blank_deleted(saved)
        end = saved + 1
        if self._reads:
            end = min(end, next(iter(self._reads.values())))
        surplus = min(len(self._entries) - self._settings.ring_size, end - self.oldest)
        if surplus > 0:
            dropped = self._entries[:surplus]
            del self._entries[:surplus]
            if self._changes_by_client_id is not None or self._older:
                self._keep_older(dropped)
            if self._states:
                self._drop_states()
        ids = self._settings.id_memory_size
        while len(self._rejected) > ids:
            del self._rejected[next(iter(self._rejected))]
        if self._voids:
            del self._voids[: bisect_left(self._voids, self._oldest_void)]
        _drop_first(self._by_client_id, len(self._by_client_id) - max(ids, len(self._entries)))
        if self._changes_by_client_id is not None:
            changes = self._changes_by_client_id
            _drop_first(changes, len(changes) - max(ids, len(self._entries)))

    def by_client_id(self, owner: Owner, id: str) -> Posted | None:
        """Returns the message that `owner` sent under that id."""
        return self._by_client_id.get((owner, id))

    @property
    def has_changes(self) -> bool:
        """Whether ids of other entries than messages are in memory."""
        return self._changes_by_client_id is not None

    def change_by_client_id(self, owner: Owner, id: str) -> Entry | None:
        """Returns the entry of another kind that `owner` sent under that id."""
        return self._changes_by_client_id.get((owner, id)) if self._changes_by_client_id else None

    def rejected(self, owner: Owner, id: str) -> RejectedPost | None:
        """Returns the post that `owner` sent under that id and that became void."""
        return self._rejected.get((owner, id))

    def end_of(self, epoch: int) -> int | None:
        """Returns the last `seq` that was said in `epoch` or before; None where the memory does not reach so far."""
        ended = [last for known, last in self._epoch_ends.items() if known <= epoch]
        if ended:
            return max(ended)
        return 0 if self.oldest == 1 else None

    # ------------------------------------------------------------ pages

    def after(self, seq: int, limit: int) -> tuple[Entry, ...] | None:
        """Returns up to `limit` entries newer than `seq`, oldest first; None where some are not in memory.

        Messages are as they are now.
        """
        if seq + 1 < self.oldest:
            return None
        start = max(seq + 1 - self.oldest, 0)
        found = self._entries[start : start + limit]
        return tuple(found) if self._states is None else tuple(map(self._entry_now, found))

    def latest(self, limit: int, is_wanted: Callable[[Posted], bool]) -> tuple[Posted, ...]:
        """Returns the newest messages and void places that are wanted, oldest first; fewer where memory has no more."""
        newest_first = map(self._now, self._messages_down_from(self.newest + 1))
        found = list(islice(filter(is_wanted, newest_first), limit))
        found.reverse()
        return tuple(found)

    def messages_before(self, end: int, limit: int) -> tuple[Posted, ...]:
        """Returns up to `limit` messages in memory before `end`, oldest first, as they are now; also void places."""
        found = list(islice(self._messages_down_from(end), limit))
        found.reverse()
        return tuple(found) if self._states is None else tuple(map(self._now, found))

    def messages_from(self, seq: int, limit: int) -> tuple[Posted, ...]:
        """Returns up to `limit` messages in memory from `seq` on, oldest first, as they are now; also void places."""
        entries = islice(self._entries, max(seq - self.oldest, 0), None)
        older = self._older[bisect_left(self._older, seq, key=_SEQ) :]
        found = islice((each for each in (*older, *entries) if isinstance(each, Posted)), limit)
        return tuple(map(self._now, found))

    def has_messages_before(self, seq: int) -> bool:
        """Returns whether the room may have messages before `seq`."""
        return seq > 1 and (not self.reaches_start or any(True for _ in self._messages_down_from(seq)))

    def reaches(self, seq: int) -> bool:
        """Returns whether all messages from `seq` on are in memory."""
        return self.reaches_start or seq >= (self._older[0].seq if self._older else self.oldest)

    def at(self, seq: int) -> Entry | None:
        """Returns the entry in that place, as it is now, where it is in memory."""
        if self.oldest <= seq <= self.newest:
            entry = self._entries[seq - self.oldest]
            return self._now(entry) if isinstance(entry, Posted) else entry
        place = bisect_left(self._older, seq, key=_SEQ)
        found = self._older[place : place + 1]
        return self._now(found[0]) if found and found[0].seq == seq else None

    def as_now(self, entries: Iterable[EntryT]) -> tuple[EntryT, ...]:
        """Returns what the database had as it is now: with what is not saved yet, or was saved since it was read."""
        later: dict[int, list[Entry | Purging]] = {}
        purges: list[Purging] = []
        for entry in self._entries:
            if isinstance(entry, Purged):
                purges.append(purging := Purging(entry))
                for place in purging.places:
                    later.setdefault(place, []).append(purging)
            elif (target := target_of(entry)) is not None:
                later.setdefault(target, []).append(entry)
        return tuple(self._entry_now(entry, later.get(_subject_of(entry) or 0, ()), purges) for entry in entries)

    # ------------------------------------------------------------ states

    def changes_of(self, seq: int) -> Iterator[Entry]:
        """Yields the entries in memory that are about a message, oldest first."""
        return (entry for entry in self._entries if target_of(entry) == seq)

    def reactions_after(self, seq: int) -> Iterator[Reacted]:
        """Yields the reactions in memory that are newer than `seq`, oldest first."""
        newer = islice(self._entries, max(seq + 1 - self.oldest, 0), None)
        return (entry for entry in newer if isinstance(entry, Reacted))

    def rebuild_state(self, seq: int) -> None:
        """Makes the state of a message anew, since an entry that was about it became void."""
        if self._states is not None and (posted := self.at(seq)) is not None and isinstance(posted, Posted):
            if seq >= self.oldest:  # then all that is about it is in memory
                said = cast(Posted, self._entries[seq - self.oldest])
                self._states.pop(seq, None)
                for entry in islice(self._entries, seq - self.oldest, None):
                    if target_of(entry) == seq:
                        self._states[seq] = fold(self._states.get(seq, said.state), entry)
                    elif isinstance(entry, Purged) and seq in (purging := Purging(entry)).places:
                        self._states[seq] = purging.state(self._states.get(seq, said.state), seq)
            else:
                self._older = self._older[bisect_right(self._older, seq, key=_SEQ) :]

    def _purge(self, purge: Purged) -> None:
        """Takes from all that is in memory what a purge takes from the database."""
        purging = Purging(purge)
        touched = [posted for seq in purging.places if isinstance(posted := self.at(seq), Posted) and not posted.void]
        self._entries = list(map(purging.entry, self._entries))
        self._older = tuple(cast(Posted, purging.entry(posted)) for posted in self._older)
        self._by_client_id = {of: cast(Posted, purging.entry(posted)) for of, posted in self._by_client_id.items()}
        if self._changes_by_client_id is not None:
            changes = self._changes_by_client_id
            self._changes_by_client_id = {of: purging.entry(change) for of, change in changes.items()}
        for of in [of for of in self._rejected if of[0] == purge.account]:
            del self._rejected[of]
        if touched and self._states is None:
            self._states = {}
        for posted in touched:
            assert self._states is not None
            self._states[posted.seq] = purging.state(posted.state, posted.seq)

    def _blank_deleted(self, saved: int) -> None:
        """Drops the texts of messages whose deletion is saved. Until then it may be refused, and is void then."""
        assert self._deletions is not None
        for deletion in [each for each in self._deletions if each <= saved]:
            self._blank(self._deletions.pop(deletion))

    def _blank(self, seq: int) -> None:
        """Removes the text of a message and of its edits."""
        for place, entry in enumerate(self._entries):
            if entry.seq == seq or (not isinstance(entry, Posted) and target_of(entry) == seq):
                self._entries[place] = self._blanked(entry)
        if seq < self.oldest:
            self._older = tuple(cast(Posted, blanked(each)) if each.seq == seq else each for each in self._older)
            _blank_ids(self._by_client_id, seq)
            _blank_ids(self._changes_by_client_id or {}, seq)

    def _blanked(self, entry: Entry) -> Entry:
        return self._replaced(entry, blanked(entry))

    def _replaced(self, entry: Entry, new: Entry) -> Entry:
        """Remembers an entry's id as that of the value which takes its place, and returns that."""
        if isinstance(new, Posted):
            if self._by_client_id.get((new.owner, new.id)) is entry:
                self._by_client_id[new.owner, new.id] = new
        elif self._changes_by_client_id is not None and (new.owner, new.id) in self._changes_by_client_id:
            self._changes_by_client_id[new.owner, new.id] = new
        return new

    def _touch(self, entry: Entry) -> None:
        target = target_of(entry)
        posted = None if target is None else self.at(target)
        if target is not None and isinstance(posted, Posted):
            if self._states is None:
                self._states = {}
            self._states[target] = fold(posted.state, entry)

    def _now(self, posted: Posted) -> Posted:
        return posted if self._states is None else shown(posted, self._states.get(posted.seq))

    def _entry_now(
        self, entry: EntryT, later: Iterable[Entry | Purging] = (), purges: Iterable[Purging] = ()
    ) -> EntryT:
        """Returns an entry as it is now. `later` is about the message that it is, or that it is about."""
        if isinstance(entry, Posted):
            held = self.at(entry.seq)
            now = held if isinstance(held, Posted) else reduce(_after, later, cast(Posted, entry))
            return cast(EntryT, now)
        is_deleted = any(isinstance(each, Deleted) for each in later) or (
            self._deletions is not None and target_of(entry) in self._deletions.values()
        )
        left = reduce(lambda now, purging: purging.entry(now), purges, cast(Entry, entry))
        return cast(EntryT, blanked(left) if is_deleted else left)

    def _remember_id(self, entry: Entry) -> None:
        if isinstance(entry, Posted):
            self._by_client_id[entry.owner, entry.id] = entry
            return
        if self._changes_by_client_id is None:
            self._changes_by_client_id = {}
        self._changes_by_client_id[entry.owner, entry.id] = entry

    # ------------------------------------------------------------ what is kept

    @property
    def reaches_start(self) -> bool:
        """Whether every message of the room is in memory."""
        first = self._older[0] if self._older else self._entries[0] if self._entries else None
        return first is None or first.seq == 1 or (isinstance(first, Posted) and not first.void and first.nth == 1)

    def _messages_down_from(self, end: int) -> Iterator[Posted]:
        """Yields the messages in memory before `end`, and void places, the newest first."""
        for entry in reversed(self._entries[: max(end - self.oldest, 0)]):
            if isinstance(entry, Posted):
                yield entry
        yield from reversed(self._older[: bisect_left(self._older, end, key=_SEQ)])

    def _keep_older(self, dropped: Sequence[Entry]) -> None:
        """Keeps messages that have left the ring, while that has fewer than its size."""
        kept = self._settings.ring_size - sum(isinstance(entry, Posted) for entry in self._entries)
        older = [*self._older, *(entry for entry in dropped if isinstance(entry, Posted) and not entry.void)]
        self._older = tuple(older[-kept:]) if kept > 0 else ()

    def _drop_states(self) -> None:
        """Drops the states of messages that are not in memory any more."""
        assert self._states is not None
        first = self._older[0].seq if self._older else self.oldest
        for seq in [seq for seq in self._states if seq < first]:
            del self._states[seq]

    @property
    def _oldest_void(self) -> int:
        """The lowest `seq` that `voids_near` may return: nobody recovers who has less than newest - gap."""
        return self.newest + 1 - 2 * self._settings.max_recovery_gap

    def _add_void(self, seq: int) -> None:
        """Adds a void place, unless the room that was rebuilt has loaded it."""
        at = bisect_left(self._voids, seq)
        if self._voids[at : at + 1] != [seq]:
            self._voids.insert(at, seq)
