"""History: the actor that reads from the database what is no longer in a room's memory.

Owns a connection that only reads. Hears `HistoryMessage`s from the read queue; tells rooms `Loaded`, `LoadFailed`,
`PageLoaded`, `MissedLoaded` and `LookedUp`.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import assert_never

from chatter.actors import ThreadActor, tell_if_alive
from chatter.messages import (
    HistoryMessage,
    ListRooms,
    Load,
    Loaded,
    LoadMissed,
    LoadPage,
    LookedUp,
    LookUp,
    MissedLoaded,
    Page,
    PageLoaded,
    Ping,
    Posted,
    RoomListed,
    end_of_page,
)
from chatter.storage.read_queue import UNAVAILABLE, refuse
from chatter.storage.records import posted_of
from schema import Database, DatabaseLost, Message, MessageRow, Room, void_row

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

        `check_commits` raises `DatabaseLost` where commits are missing, and `on_lost` is told. A `Ping` fails then, and
        no room begins: it would give numbers a second time.
        """
        super().__init__()
        self._database = database
        self._check_file = check_file
        self._check_commits = check_commits
        self._guard = guard or nullcontext()
        self._on_death = on_death
        self._on_lost = on_lost
        self._unreadable: str | None = None  # a room that could not be read

    def on_receive(self, message: HistoryMessage) -> list[RoomListed] | None:
        """Reads and tells the room, or returns what was asked for. An asker gets the exception of a failed read."""
        try:
            return self._read_again_if_it_fails(message)
        except Exception as error:
            self._database.close()  # the next read opens a new connection
            if isinstance(error, DatabaseLost):
                self._on_lost(error)
            if isinstance(message, ListRooms | Ping):
                raise
            logger.exception("room %s cannot be read", message.slug)
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

    def _read_again_if_it_fails(self, message: HistoryMessage) -> list[RoomListed] | None:
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

    def _read(self, message: HistoryMessage) -> list[RoomListed] | None:
        match message:
            case Load():
                self._load(message)
            case LoadPage():
                self._load_page(message)
            case LoadMissed():
                self._load_missed(message)
            case LookUp(post=post):
                first = Message.by_client_id(message.slug, post.name, post.id or "")
                tell_if_alive(message.room, LookedUp(post, first and posted_of(first)))
            case ListRooms():
                return self._list_rooms(message.limit)
            case Ping():
                self._ping()
            case _:
                assert_never(message)
        return None

    def _load(self, load: Load) -> None:
        rows = Message.latest(load.slug, load.limit)
        newest = rows[-1].seq if rows else 0
        recent = _contiguous(rows, max(newest - load.limit + 1, rows[0].seq) if rows else 1, newest + 1)
        epochs = Message.epoch_ends(load.slug, recent[0].seq - 1) if recent else ()
        voids = Message.voids(load.slug) if recent else ()
        firsts = _firsts(load, voids)
        self._check_commits()  # last, so that it speaks for what was read
        tell_if_alive(load.room, Loaded(recent, epochs, voids, firsts))

    def _load_page(self, page: LoadPage) -> None:
        request, limit = page.request, page.request.limit
        if request.after is not None:
            messages = self._after(page.slug, request.after, limit)
            more = bool(messages) and messages[-1].seq < page.newest
        else:
            end = end_of_page(request, page.newest)
            saved_end = page.held[0].seq if page.held else end
            rows = Message.before(page.slug, saved_end, limit - len(page.held))
            saved = _contiguous(rows, max(end - limit, rows[0].seq), saved_end) if rows else ()
            messages = (*saved, *page.held)
            more = bool(saved) and saved[0].seq > 1
        tell_if_alive(page.room, PageLoaded(request, Page(messages, more)))

    def _load_missed(self, missed: LoadMissed) -> None:
        base = self._base(missed)
        messages = () if base is None else self._after(missed.slug, min(missed.since, base), missed.limit)
        tell_if_alive(missed.room, MissedLoaded(missed.request, base, messages))

    def _after(self, slug: str, seq: int, limit: int) -> tuple[Posted, ...]:
        rows = Message.after(slug, seq, limit)
        return _contiguous(rows, seq + 1, min(seq + limit, rows[-1].seq) + 1) if rows else ()

    def _base(self, missed: LoadMissed) -> int | None:
        """Returns the last seq of the client's epoch, or None where it lies too far back to matter."""
        if missed.epoch is None:
            return missed.since
        ends = Message.epoch_ends(missed.slug, max(missed.above, 0))
        ended = [last for epoch, last in ends if epoch <= missed.epoch]
        if ended:
            return max(ended)
        has_read_everything = missed.above <= 0
        return 0 if has_read_everything else None

    def _list_rooms(self, limit: int) -> list[RoomListed]:
        slugs = Room.recently_active(limit)
        listed = [RoomListed(slug, seq, at) for slug, (seq, at) in Message.newest(slugs).items()]
        return sorted(listed, key=lambda room: room.last_message_at, reverse=True)

    def _ping(self) -> None:
        Room.recently_active(1)  # SQLite looks at its file only where a table is read
        self._check_commits()  # where nobody says anything, no commit does
        if self._unreadable is not None:
            Message.latest(self._unreadable, 1_000)
            self._unreadable = None


def _firsts(load: Load, voids: Sequence[int]) -> dict[int, Posted]:
    """Returns what has the ids of the unanswered messages that are void now, by their `seq`."""
    found = {seq: Message.by_client_id(load.slug, *load.unanswered[seq]) for seq in voids if seq in load.unanswered}
    return {seq: posted_of(row) for seq, row in found.items() if row is not None}


def _contiguous(rows: Iterable[MessageRow], first: int, end: int) -> tuple[Posted, ...]:
    """Makes messages of the places from `first` to `end` - 1. A place without a row, as after a restore, is void."""
    messages: list[Posted] = []
    inserted_at, place = "", first
    for row in rows:
        inserted_at = row.inserted_at
        messages += _voids(place, min(row.seq, end), inserted_at)
        if first <= row.seq < end:
            messages.append(posted_of(row))
        place = max(first, row.seq + 1)
    messages += _voids(place, end, inserted_at)
    return tuple(messages)


def _voids(first: int, end: int, inserted_at: str) -> list[Posted]:
    return [posted_of(void_row(seq, inserted_at)) for seq in range(first, end)]
