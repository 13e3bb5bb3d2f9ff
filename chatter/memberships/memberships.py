"""Memberships: the rooms of everybody who is here, kept in memory and changed in the turn in which rooms change.

Not an actor: it is called on the loop, where rooms live, and answers at once. The edge asks it before a join, and the
topic `me` is made of it. An account's rooms are loaded when they are first needed, by one read beside which nothing is
missed (`overlay.py`), and dropped when nobody has used them for a while.
"""

import asyncio
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from chatter.accounts.store import TransactionQueue
from chatter.accounts.values import AccountRefused
from chatter.charter import Author, Charter, Member
from chatter.clock import Clock, to_iso, wall_clock
from chatter.memberships import elsewhere, loading
from chatter.memberships.marks import Marks
from chatter.memberships.membership import Membership
from chatter.memberships.news import News
from chatter.memberships.overlay import Noted, Overlay
from chatter.memberships.person import Person
from chatter.memberships.room import ListedRoom
from chatter.memberships.values import (
    Companion,
    Level,
    LevelSet,
    Listener,
    Read,
    RoomAdded,
    RoomAltered,
    RoomRemoved,
    Rooms,
)
from chatter.messages import Deleted, Edited, MembersChanged, Posted, Purged, RoomChanged, called
from chatter.messages import Entry as LogEntry
from chatter.storage.purging import places_of
from schema import Entry, latest_of, rooms_of, unread_from

KEPT = 60.0
"""Seconds for which the rooms of an account are kept that nobody asks for and nothing listens to."""

PAGE = 500
"""Rooms in one page of somebody's list."""


class NotThere(Exception):
    """The account is not in the room, or there is no such room."""


class SharedRooms(Protocol):
    """The rooms of all nodes."""

    def watch(self) -> AbstractContextManager[Mapping[str, Set[int]]]:
        """Collects the rooms in which something was said that a read may miss which begins now.

        With each are the accounts that come, go or are something else in it.
        """

    def wake(self, slug: str) -> None:
        """Has a room live here, which tells then what was said in it."""

    def tell_marks(self, body: bytes) -> None:
        """Tells the other nodes how far people have read."""

    def hear_marks(self, on_marks: Callable[[bytes], None]) -> None:
        """Has `on_marks` get what other nodes tell of that."""


class Memberships:
    """Owns what is known of people and their rooms. `chatter/room/context.py` has what rooms call."""

    def __init__(
        self, transactions: TransactionQueue, *, shared: SharedRooms | None = None, clock: Clock = wall_clock
    ) -> None:
        """`shared` is for rooms that live on other nodes too."""
        self._transactions = transactions
        self._shared = shared
        self._clock = clock
        self._people: dict[int, Person] = {}
        self._rooms: dict[str, ListedRoom] = {}  # those of these people
        self._loads: dict[int, asyncio.Task[None]] = {}
        self._unfilled: dict[str, int] = {}  # rooms whose latest message is looked for once they are committed so far
        self._fills: set[asyncio.Task[None]] = set()  # look for it
        self._overlay = Overlay()
        self._marks = Marks(transactions, self._is_current)
        self._news = News(self._people, clock)
        self._sweep: asyncio.TimerHandle | None = None
        if shared is not None:
            shared.hear_marks(self._on_marked_elsewhere)

    async def close(self, timeout: float) -> None:
        """Writes the marks that are not written yet; takes at most `timeout` seconds."""
        self._news.close()
        if self._sweep is not None:
            self._sweep.cancel()
        for task in (*self._loads.values(), *self._fills):
            task.cancel()
        await self._marks.close(timeout)

    # ------------------------------------------------------------ what the edge asks

    def known(self, account: int) -> Mapping[str, Membership] | None:
        """Returns the rooms of an account by slug; None where they have to be loaded."""
        person = self._people.get(account)
        if person is None:
            return None
        person.used_at = asyncio.get_running_loop().time()
        return person.rooms

    def is_member(self, account: int, slug: str) -> bool | None:
        """Returns whether an account is in a room; None where that has to be loaded."""
        rooms = self.known(account)
        return None if rooms is None else slug in rooms

    async def of(self, account: int) -> Mapping[str, Membership]:
        """Returns the rooms of an account, loaded if need be. Raises `AccountRefused`."""
        return (await self._person(account)).rooms

    def listen(self, account: int, listener: Listener) -> None:
        """Has a connection hear what becomes of the rooms of an account, which are known."""
        person = self._people[account]
        person.listeners[listener] = None
        self._news.follow(person.rooms.values())

    def unlisten(self, account: int, listener: Listener) -> None:
        """Ends that, if it was so."""
        person = self._people.get(account)
        if person is not None:
            person.listeners.pop(listener, None)
            person.used_at = asyncio.get_running_loop().time()
            self._schedule_sweep()

    def rooms(self, account: int, after: str = "", only: Collection[str] | None = None) -> Rooms:
        """Returns a page of the rooms of an account, which are known: those after a slug, and `only` of these."""
        slugs = sorted(slug for slug in self._people[account].rooms if slug > after and (only is None or slug in only))
        memberships = [self._people[account].rooms[slug] for slug in slugs[:PAGE]]
        return Rooms([each.shown(self._now) for each in memberships], len(slugs) > PAGE)

    # ------------------------------------------------------------ what people have read and want to notice

    async def mark_read(self, account: int, slug: str, seq: int, rev: int | None = None) -> Read:
        """Moves somebody's mark forward, as far as the log goes. Raises `NotThere` and `AccountRefused`.

        A report that does not know that the mark was set back, by its `rev`, changes nothing.
        """
        membership = await self._membership(account, slug)
        if seq > membership.read_seq and not _is_outdated(rev, membership):
            seq = min(seq, membership.room.last_seq)
            nth = membership.room.nth_at(seq)
            if nth is None:
                nth = await self._transactions.read(lambda: Entry.nth_at(slug, seq))
                self._check_is_current(membership)
            if not _is_outdated(rev, membership) and membership.read(seq, nth):
                self._note_marks(membership)
                self._news.follow([membership])
                self._people[account].tell(membership.mark())
        return membership.mark()

    async def mark_unread(self, account: int, slug: str, seq: int) -> Read:
        """Sets somebody's mark before a message, among what they may read. Raises `NotThere` and `AccountRefused`."""
        membership = await self._membership(account, slug)
        seq = max(min(seq, membership.room.last_seq + 1), membership.first_shown)
        with self._overlay.watch() as noted:
            before, mentions = await self._transactions.read(lambda: unread_from(slug, account, seq))
        self._check_is_current(membership)
        named = set(mentions)
        for each in noted:
            if each.slug == slug:
                _name_in(named, each.entry, account, membership.room)
        nth = membership.room.nth_at(seq - 1)
        membership.unread_from(seq, before if nth is None else nth, {place for place in named if place >= seq})
        self._note_marks(membership)
        self._people[account].tell(membership.mark())
        return membership.mark()

    async def mark_all_read(self, account: int, only: Collection[str] | None = None) -> int:
        """Moves somebody's marks, or `only` those of some rooms, to the ends; returns how many.

        Raises `AccountRefused`.
        """
        person = await self._person(account)
        rooms = [each for slug, each in person.rooms.items() if only is None or slug in only]
        moved = [each for each in rooms if each.read(each.room.last_seq, each.room.last_nth)]
        if moved:
            self._note_marks(*moved)
            self._news.follow(moved)
            person.tell(*(each.mark() for each in moved))
        return len(moved)

    async def set_level(
        self,
        account: int,
        slug: str,
        level: Level | None = None,
        until: str | None = None,
        is_hidden: bool | None = None,
    ) -> LevelSet:
        """Sets what somebody wants to notice of a room, perhaps until a time. None leaves what is.

        Raises `NotThere` and `AccountRefused`.
        """
        membership = await self._membership(account, slug)
        if level is not None:
            membership.level, membership.level_until = level, until
        if is_hidden is not None:
            membership.is_hidden = is_hidden
        self._note_marks(membership)
        self._news.follow([membership])
        event = membership.level_set(self._now)
        self._people[account].tell(event)
        return event

    def _note_marks(self, *memberships: Membership) -> None:
        """Has written what these are now, and told to the devices of their people that are on other nodes."""
        for membership in memberships:
            self._marks.change(membership)
        if self._shared is not None:
            self._shared.tell_marks(elsewhere.encode(memberships))

    def _on_marked_elsewhere(self, body: bytes) -> None:
        for marked in elsewhere.decode(body):
            person = self._people.get(marked.account)
            membership = None if person is None else person.rooms.get(marked.slug)
            if person is None or membership is None:
                continue
            if membership.take_mark(marked.read_seq, marked.read_nth, marked.rev, marked.mentions):
                person.tell(membership.mark())
            if membership.take_level(marked.level, marked.level_until, is_hidden=marked.is_hidden):
                person.tell(membership.level_set(self._now))
            self._news.follow([membership])

    # ------------------------------------------------------------ what rooms tell: `chatter.room.context.Memberships`

    def count_of(self, account: int) -> int | None:
        rooms = self.known(account)
        return None if rooms is None else len(rooms)

    def on_members_changed(self, slug: str, entry: MembersChanged, charter: Charter) -> None:
        self._take(Noted(slug, entry, charter))
        self._settle(slug, charter, [each.who.id for each in entry.members], entry)

    def on_room_changed(self, slug: str, entry: RoomChanged, charter: Charter) -> None:
        room = self._rooms.get(slug)
        before = None if room is None else room.described()
        self._take(Noted(slug, entry, charter))
        if room is None or before is None:
            return
        changed = [field for field, value in room.described().items() if value != before[field]]
        if changed:
            self._news.altered(room, changed)

    def on_said(self, slug: str, posted: Posted, charter: Charter) -> None:
        room = self._take(Noted(slug, posted, charter))
        if room is not None and posted.mentions is not None:
            for account in _named(posted, room):
                self._name(self._membership_in(room, account), posted.seq, is_named=True)
        if posted.author is not None:
            self._note_spoken(posted.author.id, slug, posted)

    def on_changed(self, slug: str, change: Edited | Deleted | Purged, charter: Charter) -> None:
        room = self._take(Noted(slug, change, charter))
        if room is None:
            return
        if isinstance(change, Purged):
            self._unname_all(room, _erased_by(change))
            return
        named = _named(change, room)
        for account in room.mentioned.union(named):
            membership = self._membership_in(room, account)
            self._name(membership, change.target, is_named=account in named)
            if membership is None or not membership.mentions:
                room.mentioned.discard(account)

    def on_begun(self, slug: str, entries: Sequence[LogEntry], charter: Charter, saved: int) -> None:
        for entry in entries:
            room = self._rooms.get(slug)
            is_new = entry.seq > (saved if room is None else room.applied)
            match entry:
                case MembersChanged() if is_new or room is None:
                    self.on_members_changed(slug, entry, charter)
                case RoomChanged() if is_new:
                    self.on_room_changed(slug, entry, charter)
                case Posted() if is_new and not entry.void:
                    self.on_said(slug, entry, charter)
                case Edited() | Deleted() | Purged() if is_new:
                    self.on_changed(slug, entry, charter)
        self.on_saved(slug, saved)

    def follows(self, slug: str, entries: Iterable[LogEntry]) -> bool:
        """Returns whether somebody who is known here has to be told of what was said in a room on another node."""
        if slug in self._rooms:
            return True
        changes = (entry for entry in entries if isinstance(entry, MembersChanged))
        return any(member.who.id in self._people for change in changes for member in change.members)

    def on_saved(self, slug: str, through: int) -> None:
        self._overlay.committed(slug, through)
        if self._unfilled and self._unfilled.get(slug, through + 1) <= through:
            del self._unfilled[slug]
            if (room := self._rooms.get(slug)) is not None:
                self._fill(room)

    def on_voided(self, slug: str, seq: int, charter: Charter | None) -> None:
        """Takes back what an entry did. Its number counts as before."""
        self._overlay.voided(slug, seq)
        room = self._rooms.get(slug)
        if room is not None:
            if charter is not None:
                room.settle(charter)
            self._news.altered(room, {**room.described(), **room.people_shown()})
            if room.hide(seq):
                self._news.active(room)
                self._fill(room)
            for account in room.accounts:
                self._name(self._membership_in(room, account), seq, is_named=False)
        self._settle(slug, charter, {**({} if room is None else room.accounts), **(charter.members if charter else {})})

    # ------------------------------------------------------------ what becomes of accounts

    def on_called(self, author: Author, name: str) -> None:
        """Calls somebody by another name where rooms are called by their people."""
        companion = Companion(author.id, author.handle, name)
        for room in self._rooms.values():
            if room.rename(companion):
                self._news.altered(room, room.people_shown())

    # ------------------------------------------------------------ loading

    async def _membership(self, account: int, slug: str) -> Membership:
        membership = (await self._person(account)).rooms.get(slug)
        if membership is None:
            raise NotThere
        return membership

    async def _person(self, account: int) -> Person:
        while (person := self._people.get(account)) is None:
            load = self._loads.get(account)
            if load is None:
                load = self._loads[account] = asyncio.get_running_loop().create_task(self._load(account))
                load.add_done_callback(functools.partial(self._loaded, account))
            await asyncio.shield(load)  # others may wait for it too
        person.used_at = asyncio.get_running_loop().time()
        return person

    def _loaded(self, account: int, load: asyncio.Task[None]) -> None:
        del self._loads[account]
        if not load.cancelled():
            load.exception()  # those who wait have it, if there are any

    async def _load(self, account: int) -> None:
        spoken = self._marks.spoken_by(account)
        with self._overlay.watch() as noted, self._watch_elsewhere() as said_elsewhere:
            loaded = await self._transactions.read(lambda: rooms_of(account))
        person = Person(account, asyncio.get_running_loop().time())
        loading.take_over(person, loaded, self._rooms)
        loading.take_over_spoken(person, spoken)
        self._people[account] = person
        has = {row.slug: row.last_seq for row in loaded.rooms}
        for each in noted:
            if each.entry.seq > has.get(each.slug, 0):
                self._replay(person, each)
        if self._shared is not None:
            for slug, changed in said_elsewhere.items():
                if slug in person.rooms or account in changed:
                    self._shared.wake(slug)
        self._schedule_sweep()

    def _watch_elsewhere(self) -> AbstractContextManager[Mapping[str, Set[int]]]:
        return nullcontext({}) if self._shared is None else self._shared.watch()

    def _replay(self, person: Person, noted: Noted) -> None:
        """Applies an entry that the load has missed, or may have missed where the person was in no such room."""
        slug, entry, charter = noted
        account = person.account
        room = self._rooms.get(slug)
        if room is not None and entry.seq > room.applied:
            room.apply(entry, charter)
        if isinstance(entry, MembersChanged) and any(each.who.id == account for each in entry.members):
            self._settle(slug, charter, [account], entry)
        membership = person.rooms.get(slug)
        if membership is None:
            return
        match entry:
            case Posted():
                membership.name(entry.seq, is_named=account in _named(entry, membership.room))
                if entry.author is not None and entry.author.id == account:
                    membership.read(entry.seq, entry.nth)
            case Edited() | Deleted():
                membership.name(entry.target, is_named=account in _named(entry, membership.room))
            case Purged():
                membership.unname(_erased_by(entry))

    def _fill(self, room: ListedRoom) -> None:
        """Looks for the latest message of a room that was not loaded, or lost the one it had."""

        async def fill() -> None:
            try:
                with self._overlay.watch() as noted:
                    latest = await self._transactions.read(lambda: latest_of(room.slug))
            except AccountRefused:
                return  # the next message shows itself
            if latest is not None and self._rooms.get(room.slug) is room:
                loading.show(room, latest)
                for each in noted:
                    if each.slug == room.slug:
                        room.revise(each.entry)
                self._news.active(room)

        task = asyncio.get_running_loop().create_task(fill())
        self._fills.add(task)
        task.add_done_callback(self._fills.discard)

    # ------------------------------------------------------------ who is in which room

    def _settle(
        self, slug: str, charter: Charter | None, accounts: Iterable[int], entry: MembersChanged | None = None
    ) -> None:
        """Has the rooms of these accounts be as the charter says, and tells them. `entry` is what has changed it."""
        for account in accounts:
            person = self._people.get(account)
            if person is None:
                continue
            member = None if charter is None else charter.members.get(account)
            membership = person.rooms.get(slug)
            if charter is not None and member is not None and membership is None:
                self._add(person, slug, charter, member, entry)
            elif member is None and membership is not None:
                self._remove(person, membership.room, entry)
            elif member is not None and membership is not None:
                self._change(person, membership, member)

    def _add(self, person: Person, slug: str, charter: Charter, member: Member, entry: MembersChanged | None) -> None:
        """Somebody is in a room now, with everything in it read."""
        room = self._rooms.get(slug)
        if room is None:
            room = self._rooms[slug] = ListedRoom(slug, member.joined_seq, 0 if entry is None else entry.nth)
            room.settle(charter)
            if not room.hides_past:
                self._unfilled[slug] = member.joined_seq  # what was said before it was anybody's is committed with that
        membership = Membership(person.account, room, member.role, member.joined_seq)
        membership.muted_until = member.muted_until
        membership.read(member.joined_seq, room.last_nth if entry is None else entry.nth)
        room.accounts[person.account] = None
        person.rooms[slug] = membership
        self._news.follow([membership])
        person.tell(RoomAdded(membership.shown(self._now)))

    def _change(self, person: Person, membership: Membership, member: Member) -> None:
        """Somebody is something else in a room."""
        changed: dict[str, object] = {}
        if membership.role != member.role:
            changed["role"] = membership.role = member.role
        if membership.muted_until != member.muted_until:
            changed["muted_until"] = membership.muted_until = member.muted_until
        membership.joined_seq = member.joined_seq
        if changed:
            person.tell(RoomAltered(membership.slug, changed))

    def _remove(self, person: Person, room: ListedRoom, entry: MembersChanged | None) -> None:
        """Somebody is not in a room any more."""
        why, reason = ("removed", None) if entry is None else (entry.change, entry.reason)
        del person.rooms[room.slug]
        room.forget(person.account)
        person.tell(RoomRemoved(room.slug, why, reason))
        self._drop_if_empty(room)

    def _drop_if_empty(self, room: ListedRoom) -> None:
        if not room.accounts:
            del self._rooms[room.slug]

    def _membership_in(self, room: ListedRoom, account: int) -> Membership | None:
        return self._people[account].rooms[room.slug] if account in room.accounts else None

    def _check_is_current(self, membership: Membership) -> None:
        if not self._is_current(membership):
            raise NotThere

    def _is_current(self, membership: Membership) -> bool:
        person = self._people.get(membership.account)
        return person is not None and person.rooms.get(membership.slug) is membership

    # ------------------------------------------------------------ what is said

    def _take(self, noted: Noted) -> ListedRoom | None:
        """Takes over an entry that a room has made; returns the room if it is known."""
        self._overlay.add(noted)
        room = self._rooms.get(noted.slug)
        if room is None:
            return None
        if room.apply(noted.entry, noted.charter):
            self._news.active(room)
        if isinstance(noted.entry, MembersChanged):
            self._news.altered(room, room.people_shown())
        return room

    def _name(self, membership: Membership | None, seq: int, *, is_named: bool) -> None:
        if membership is not None and membership.name(seq, is_named=is_named):
            self._news.called(membership)

    def _unname_all(self, room: ListedRoom, places: Collection[int]) -> None:
        """Has messages name nobody any more: they are erased."""
        for account in room.mentioned:
            membership = self._people[account].rooms[room.slug]
            if membership.unname(places):
                self._news.called(membership)

    def _note_spoken(self, account: int, slug: str, posted: Posted) -> None:
        """Moves the mark of who says something: nobody has to be told what they have said."""
        person = self._people.get(account)
        membership = None if person is None else person.rooms.get(slug)
        if membership is None:
            self._marks.spoke(account, slug, posted.seq, posted.nth)
        elif membership.read(posted.seq, posted.nth):
            self._marks.change(membership)
            self._news.marked(membership)

    @property
    def _now(self) -> str:
        return to_iso(self._clock())

    # ------------------------------------------------------------ what is not used

    def _schedule_sweep(self) -> None:
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEPT, self._drop_unused)

    def _drop_unused(self) -> None:
        """Drops the people whom nobody has asked about for a while. What is to be written is kept until it is."""
        self._sweep = None
        before = asyncio.get_running_loop().time() - KEPT
        unused = [each for each in self._people.values() if not each.listeners and each.used_at <= before]
        waiting = self._marks.accounts if unused else ()
        for person in unused:
            if person.account not in waiting:
                self._drop(person)
        if any(not each.listeners for each in self._people.values()):
            self._schedule_sweep()

    def _drop(self, person: Person) -> None:
        del self._people[person.account]
        for membership in person.rooms.values():
            membership.room.forget(person.account)
            self._drop_if_empty(membership.room)


def _is_outdated(rev: int | None, membership: Membership) -> bool:
    return rev is not None and rev < membership.read_rev


def _name_in(named: set[int], entry: object, account: int, room: ListedRoom) -> None:
    """Keeps the places of messages that name an account true with an entry."""
    match entry:
        case Posted() if account in _named(entry, room):
            named.add(entry.seq)
        case Edited() | Deleted():
            named.discard(entry.target)
            if account in _named(entry, room):
                named.add(entry.target)
        case Purged():
            named -= _erased_by(entry)


def _erased_by(purged: Purged) -> Set[int]:
    """Returns the places of the messages whose texts a purge has erased."""
    return places_of(purged.targets) if purged.erases else frozenset()


def _named(entry: Posted | Edited | Deleted, room: ListedRoom) -> Collection[int]:
    """Returns the accounts that a message names; its author is none of them."""
    mentions = None if isinstance(entry, Deleted) else entry.mentions
    return (
        () if mentions is None else called(mentions, room.accounts, None if entry.author is None else entry.author.id)
    )
