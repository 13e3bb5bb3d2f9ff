"""History: the actor that reads from the database what is no longer in a room's memory.

Owns a connection that only reads. Hears `HistoryMessage`s from the read queue; tells rooms `Loaded`, `LoadFailed`,
`PageLoaded`, `MissedLoaded`, `LookedUp` and `TargetLoaded`.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import assert_never

import peewee
from msgspec.structs import replace

from chatter.actors import ThreadActor, tell_if_alive
from chatter.messages import Entry as LogEntry
from chatter.messages import (
    HistoryMessage,
    ListRooms,
    Load,
    Loaded,
    LoadMissed,
    LoadOwn,
    LoadPage,
    LoadTarget,
    LookedUp,
    LookUp,
    MissedLoaded,
    OwnPage,
    PageLoaded,
    Ping,
    Post,
    Posted,
    RoomListed,
    RoomsListed,
    TargetLoaded,
    View,
)
from chatter.storage.authors import entries_of, messages_of, people_of
from chatter.storage.charters import read_charter
from chatter.storage.own_messages import read_own_page
from chatter.storage.pages import filled
from chatter.storage.read_page import entries_after, read_page
from chatter.storage.read_queue import UNAVAILABLE, refuse
from chatter.storage.records import entry_of, state_of
from schema import Database, DatabaseLost, Entry, MessageRow, Room, timeline
from schema.errors import in_one_line

logger = logging.getLogger(__name__)


class History(ThreadActor):
    """Reads messages and rooms. A read that fails twice is answered with a refusal; the client will try again."""

    def __init__(
        self,
        database: Database,
        *,
        check_file: Callable[[], None] = lambda: None,
        check_commits: Callable[[], None] = lambda: None,
        guard: AbstractContextManager[None] | None = None,
        on_death: Callable[[], None] = lambda: None,
        on_lost: Callable[[DatabaseLost], None] = lambda _error: None,
    ) -> None:
        """`check_file` raises where the file has been moved away, so that a `Ping` fails. `guard` bounds each read.

        `check_commits` raises where commits are missing; `on_lost` is told of `DatabaseLost`. A `Ping` fails then, no
        room begins, which would give numbers a second time, nobody catches up, and nothing is known to be new.
        """
        super().__init__()
        self._database = database
        self._check_file = check_file
        self._check_commits = check_commits
        self._guard = guard or nullcontext()
        self._on_death = on_death
        self._on_lost = on_lost
        self._unreadable: str | None = None  # a room that could not be read

    def on_receive(self, message: HistoryMessage) -> RoomsListed | OwnPage | None:
        """Reads and tells the room, or returns what was asked for. An asker gets the exception of a failed read."""
        try:
            return self._read_again_if_it_fails(message)
        except Exception as error:
            self._database.close()  # the next read opens a new connection
            if isinstance(error, DatabaseLost):
                self._on_lost(error)
            if isinstance(message, LoadOwn | ListRooms | Ping):
                raise
            is_fault = not isinstance(error, peewee.PeeweeException)  # ours, and not the database's
            logger.error("room %s cannot be read: %s", message.slug, in_one_line(error), exc_info=is_fault)
            self._unreadable = message.slug
            refuse(message, UNAVAILABLE)
            return None

    def on_stop(self) -> None:
        """Closes the connection."""
        self._database.close()

    def on_failure(self, *_why: object) -> None:
        """Reports the death to the read queue, which starts another."""
        self._on_death()
        self._database.close()

    def _read_again_if_it_fails(self, message: HistoryMessage) -> RoomsListed | OwnPage | None:
        if isinstance(message, Ping):
            self._check_file()
        try:
            with self._guard:
                return self._read(message)
        except Exception as error:
            logger.info("a read failed and is tried once more: %s", error)
            self._database.close()  # a database that has restarted knows this connection no more
            with self._guard:
                return self._read(message)

    def _read(self, message: HistoryMessage) -> RoomsListed | OwnPage | None:
        match message:
            case Load():
                self._load(message)
            case LoadPage():
                self._load_page(message)
            case LoadMissed():
                self._load_missed(message)
            case LookUp():
                self._look_up(message)
            case LoadTarget():
                self._load_target(message)
            case LoadOwn():
                return read_own_page(message)
            case ListRooms():
                return self._list_rooms(message.limit)
            case Ping():
                self._ping()
            case _:
                assert_never(message)
        return None

    def _load(self, load: Load) -> None:
        slug, limit = load.slug, load.limit
        rows = Entry.latest(slug, limit)
        newest = rows[-1].seq if rows else 0
        first = max(newest - limit + 1, rows[0].seq) if rows else 1
        recent = tuple(filled(entries_of(rows), first, newest + 1))
        missing = limit - sum(isinstance(entry, Posted) for entry in recent)
        older = timeline.before(slug, first, missing) if missing and first > 1 else []
        states = timeline.states(slug, older[0].entry.seq if older else first) if recent else {}
        voids = Entry.voids(slug) if recent else ()
        ends = [(epoch, last) for epoch, last in Entry.epoch_ends(slug, first - 1)] if recent else ()
        said = {entry.seq: entry.state for entry in recent if isinstance(entry, Posted)}
        before = tuple(_as_said(older))
        said |= {posted.seq: posted.state for posted in before}
        loaded = Loaded(
            recent,
            ends,
            voids,
            _firsts(load, voids),
            older=before,
            states={seq: state_of(state, said.get(seq)) for seq, state in states.items()},
            pinned=tuple(timeline.pins(slug)) if recent else (),
            charter=read_charter(slug) if recent else None,
            unsaved=load.unsaved,
        )
        self._check_commits()  # last, so that it speaks for what was read; so below
        tell_if_alive(load.room, loaded)

    def _load_page(self, page: LoadPage) -> None:
        as_of, _ = Room.end(page.slug)  # first: a row that is newer has what comes after it
        tell_if_alive(page.room, PageLoaded(page.request, replace(read_page(page), as_of=as_of)))

    def _load_missed(self, missed: LoadMissed) -> None:
        slug = missed.slug
        base = missed.since if missed.epoch is None else Entry.end_of_epoch(slug, missed.epoch)
        start = min(missed.since, base)
        if missed.request.subscriber.view is View.LOG:
            newest, nth = Room.end(slug)
            rows = nth - Entry.nth_at(slug, start) + timeline.count_touched(slug, start, missed.max_rows + 1)
            entries = entries_after(slug, start, missed.limit) if newest - start <= missed.limit else ()
        else:
            rows, entries = 0, entries_after(slug, start, missed.limit)
        self._check_commits()
        tell_if_alive(missed.room, MissedLoaded(missed.request, base, entries, rows=rows))

    def _look_up(self, asked: LookUp) -> None:
        request, slug = asked.request, asked.slug
        first = Entry.by_client_id(slug, request.owner, request.id) if request.id is not None else None
        thread: list[Posted] = []
        if first is None and isinstance(request, Post) and request.reply_to is not None:
            thread += _messages_at(slug, [request.reply_to])
            thread += _messages_at(slug, [posted.state.root for posted in thread if posted.state and posted.state.root])
        self._check_commits()
        tell_if_alive(asked.room, LookedUp(request, first and entry_of(first), tuple(thread)))

    def _load_target(self, asked: LoadTarget) -> None:
        slug = asked.slug
        posted = next(iter(_messages_at(slug, [asked.target])), None)
        reactions = people_of(timeline.reactions(slug, asked.target)) if asked.with_reactions else None
        owner = asked.owner or (posted.name if posted else None)
        first = None
        if asked.id is not None and owner is not None:
            changed = None if asked.owner else Entry.change_by_guest(slug, asked.target, asked.id)
            first = changed or Entry.by_client_id(slug, owner, asked.id)
        self._check_commits()
        tell_if_alive(asked.room, TargetLoaded(asked.target, posted, reactions, first and entry_of(first)))

    def _list_rooms(self, limit: int) -> RoomsListed:
        rooms = [RoomListed(*row[:-1], bool(row.guests)) for row in Room.recently_active(limit)]
        return RoomsListed(rooms, frozenset(Room.unlisted()))

    def _ping(self) -> None:
        Room.recently_active(1)  # SQLite looks at its file only where a table is read
        self._check_commits()  # where nobody says anything, no commit does
        if self._unreadable is not None:
            Entry.latest(self._unreadable, 1_000)
            self._unreadable = None


def _messages_at(slug: str, seqs: Sequence[int]) -> list[Posted]:
    """Returns the messages in these places as they are now; in a void place is none."""
    return [posted for posted in messages_of(timeline.at(slug, seqs)) if not posted.void]


def _as_said(rows: Sequence[MessageRow]) -> list[Posted]:
    """Returns messages as they were said, whatever was done to them since."""
    return [posted for posted in entries_of([row.entry for row in rows]) if isinstance(posted, Posted)]


def _firsts(load: Load, voids: Sequence[int]) -> dict[int, LogEntry]:
    """Returns what has the ids of the unanswered entries that are void now, by their `seq`."""
    found = {seq: Entry.by_client_id(load.slug, *load.unanswered[seq]) for seq in voids if seq in load.unanswered}
    return {seq: entry_of(row) for seq, row in found.items() if row is not None}
