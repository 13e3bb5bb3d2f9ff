"""Requests about a room's past: joins with a position, `sync` and `history`.

Each is answered from the room's memory where that reaches far enough, otherwise once the database has answered.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chatter.messages import (
    Join,
    LoadMissed,
    LoadPage,
    MissedLoaded,
    Page,
    PageLoaded,
    Posted,
    ReadHistory,
    Refused,
    RoomRef,
    Subscriber,
    Sync,
    View,
)
from chatter.room import room_events
from chatter.room.broadcaster import Broadcaster
from chatter.room.context import RoomContext
from chatter.room.floors import NO_FLOOR, above, floor_of, masked
from chatter.room.page_sizes import around_within, first_within, last_within
from chatter.room.recent_entries import RecentEntries
from chatter.room.recovery import CatchUp, RecoveryRules
from chatter.room.sequencer import Government
from chatter.storage.pages import as_places, centred, end_of_changes, filled


class CatchUpRequests:
    """Owns the requests for which the database is asked. A predecessor's answers may come too, and are ignored."""

    __slots__ = ("_broadcaster", "_context", "_pending", "_recent", "_room", "_slug", "government")

    def __init__(
        self, slug: str, context: RoomContext, *, room: RoomRef, broadcaster: Broadcaster, recent: RecentEntries
    ) -> None:
        """`room` is told what the database answers."""
        self._slug = slug
        self._context = context
        self._room = room
        self._broadcaster = broadcaster
        self._recent = recent
        self.government: Government | None = None  # of a room that is somebody's
        # Joins by their subscriber, others by the request's identity. One dict: an empty one takes 64 bytes a room.
        self._pending: dict[Subscriber | int, Join | Sync | ReadHistory] = {}

    @property
    def pending(self) -> list[Join | Sync | ReadHistory]:
        """The requests that wait for the database."""
        return list(self._pending.values())

    @property
    def is_pending(self) -> bool:
        """Whether some request waits for the database."""
        return bool(self._pending)

    def forget(self, subscriber: Subscriber) -> Join | None:
        """Drops the join of a client that has left, and returns it if it waited for the database."""
        request = self._take(subscriber)
        return request if isinstance(request, Join) else None

    def join(self, join: Join) -> CatchUp | None:
        """Returns what the client missed, or None once the database is asked: `joined` returns it then."""
        catch_up = self._recovery_of(join.subscriber).from_memory(join.position, join.subscriber.view)
        if catch_up is None:
            self._ask(join.subscriber, join)
        return catch_up

    def joined(self, join: Join, loaded: MissedLoaded) -> CatchUp | None:
        """Returns what the client missed, or None where it has left or is refused."""
        if join.subscriber not in self._pending:
            return None
        if loaded.refused is not None:
            self._take(join.subscriber)
            self._broadcaster.push(
                join.subscriber, join.subscriber.refuse(loaded.refused.reason, loaded.refused.retry_after_ms)
            )
            return None
        assert join.position is not None
        return self._recovery_of(join.subscriber).from_database(join.position, join.subscriber.view, loaded)

    def sync(self, sync: Sync) -> None:
        """Answers a `sync`, or asks the database."""
        catch_up = self._recovery_of(sync.subscriber).from_memory(sync.position, sync.subscriber.view)
        if catch_up is None:
            self._ask(id(sync), sync)
        else:
            self._answer_sync(sync, catch_up)

    def synced(self, sync: Sync, loaded: MissedLoaded) -> None:
        """Answers a `sync` with what the database has answered."""
        if self._take(id(sync)) is None:
            return
        if loaded.refused is not None:
            self._broadcaster.push(sync.subscriber, sync.subscriber.answer(sync.ref, loaded.refused))
        else:
            catch_up = self._recovery_of(sync.subscriber).from_database(sync.position, sync.subscriber.view, loaded)
            self._answer_sync(sync, catch_up)

    def history(self, request: ReadHistory) -> None:
        """Answers a `history`, or asks the database."""
        if request.is_of_room:
            request = room_events.above(self._floor_of(request.reader), request)
        page = self._page_from_memory(request)
        if page is None:
            self._ask(id(request), request)
        else:
            self._answer_history(request, page)

    def page_loaded(self, loaded: PageLoaded) -> None:
        """Answers a `history` with what the database has answered."""
        request = loaded.request
        if self._take(id(request)) is not None:
            answer = loaded.answer
            if isinstance(answer, Page):
                answer = self._brought_up(request, answer)
            self._answer_history(request, answer)

    # ------------------------------------------------------------ what waits

    def _ask(self, key: Subscriber | int, request: Join | Sync | ReadHistory) -> None:
        self._pending[key] = request
        self._recent.begin_read(id(request))
        if isinstance(request, ReadHistory):
            self._load_page(request)
        else:
            self._load_missed(request)

    def _take(self, key: Subscriber | int) -> Join | Sync | ReadHistory | None:
        request = self._pending.pop(key, None)
        if request is not None:
            self._recent.end_read(id(request))
        return request

    # ------------------------------------------------------------ pages

    def _brought_up(self, request: ReadHistory, page: Page) -> Page:
        """Returns a page from the database as it is now, of now where memory has all that came after it was read."""
        if request.is_of_room:
            return room_events.brought_up(self._recent, request, page, self._context.settings.max_page_bytes)
        read = (*page.messages, *self._unsaved_at(request.seqs, page)) if request.seqs else page.messages
        now = replace(page, messages=self._recent.as_now(read))
        if request.is_of_changes:
            return self._cut_changes(request, now, read)
        is_of_now = page.as_of is not None and page.as_of >= self._recent.oldest - 1
        return replace(now, as_of=self._recent.newest) if is_of_now else now

    def _unsaved_at(self, seqs: Sequence[int], page: Page) -> Iterator[Posted]:
        """Yields the messages in memory that a page of some places lacks: those that are not saved yet."""
        last = page.messages[-1].seq if page.messages else 0
        entries = (self._recent.at(seq) for seq in seqs if seq > last)
        return (entry for entry in entries if isinstance(entry, Posted))

    def _page_from_memory(self, request: ReadHistory) -> Page | None:
        if request.is_of_room:
            return self._events_from_memory(request)
        if not request.is_plain or request.is_of_changes:
            return None
        if request.after is not None:
            return self._places_after(request.after, request.limit)
        if request.around is not None:
            return self._around(request.around, request.limit)
        return self._before(self._end_of(request), request.limit)

    def _events_from_memory(self, request: ReadHistory) -> Page | None:
        if self.government is None or self.government.charter is None:
            return room_events.NONE  # nothing becomes of a plain room
        return room_events.in_memory(self._recent, request, self._context.settings.max_page_bytes)

    def _before(self, end: int, limit: int) -> Page | None:
        messages = self._recent.messages_before(end, limit)
        if len(messages) < limit and not self._recent.reaches_start:
            return None
        return self._page(messages, more=self._recent.has_messages_before(messages[0].seq if messages else end))

    def _around(self, seq: int, limit: int) -> Page | None:
        older, newer = self._recent.messages_before(seq, limit), self._recent.messages_from(seq, limit)
        page = centred(older, newer, limit)
        is_whole = len(page) == limit and len(older) >= limit // 2
        if not (self._recent.reaches_start or (self._recent.reaches(seq) and is_whole)):
            return None
        return self._page(page, more=self._recent.has_messages_before(page[0].seq if page else seq))

    def _places_after(self, seq: int, limit: int) -> Page | None:
        """Returns the page of a client that counts places: other entries are void for it."""
        entries = self._recent.after(seq, limit)
        if entries is None:
            return None
        places = as_places(entries)
        return Page(places, more=bool(places) and places[-1].seq < self._recent.newest)

    def _page(self, messages: Sequence[Posted], *, more: bool) -> Page:
        return Page(messages, more, as_of=self._recent.newest)

    def _answer_history(self, request: ReadHistory, answer: Page | Refused) -> None:
        if isinstance(answer, Page) and answer.events is None:
            if request.is_pinned:  # first: the next page begins where this one ends, which has to be shown
                answer = self._shown(request, answer)
            answer = self._for_reader(request, self._shown(request, self._cut(request, answer)))
        reader, ref = request.reader, request.ref
        self._broadcaster.push_later(reader, (reader.answer(ref, each) for each in (answer,)))

    def _shown(self, request: ReadHistory, page: Page) -> Page:
        """Returns a page without what was said before the reader came, where that is hidden."""
        floor = self._floor_of(request.reader)
        if floor == NO_FLOOR:
            return page
        if request.is_plain and request.after is not None and not request.is_of_changes:  # of places: none is left out
            return replace(page, messages=masked(page.messages, floor))
        return above(page, floor, is_forward=request.after is not None or request.is_pinned)

    def _cut(self, request: ReadHistory, page: Page) -> Page:
        """Bounds the bytes of a page at the end that is further from what was asked for, or at both."""
        if request.is_of_changes:
            return page  # it is cut
        most_bytes = self._context.settings.max_page_bytes
        if request.around is not None:
            messages = around_within(page.messages, request.around, most_bytes)
            is_cut_before = bool(messages) and messages[0] is not page.messages[0]
            last = messages[-1].seq if messages else request.around - 1
            has_newer = bool(self._recent.messages_from(last + 1, 1)) or last < self._recent.oldest - 1
            return replace(page, messages=messages, more=page.more or is_cut_before, more_after=has_newer)
        within = first_within if request.after is not None or request.is_pinned or request.seqs else last_within
        messages = within(page.messages, most_bytes)
        if len(messages) == len(page.messages):
            return page
        return replace(page, messages=messages, more=True)

    def _cut_changes(self, request: ReadHistory, page: Page, read: Sequence[Posted]) -> Page:
        """Bounds the bytes of a page of changes, and says where the next one begins.

        That follows from the messages as they were read. What has touched one since is further up, as may be what was
        committed while they were read: entries between were not read.
        """
        fitting = first_within(page.messages, self._context.settings.max_page_bytes)
        count = end_of_changes(read, len(fitting))
        if not page.more and count == len(read):
            return page
        end = min(read[count - 1].changed, page.as_of or 0)
        return replace(page, messages=page.messages[:count], more=True, next=max(end, request.after or 0))

    def _for_reader(self, request: ReadHistory, page: Page) -> Page:
        """Adds the void places between messages for a client that counts them; `as_of` is for one that knows more."""
        if request.reader.view is View.LOG:
            return page
        if request.is_plain and request.after is None:
            page = self._with_places(request, page)
        return replace(page, as_of=None, next=None)

    def _with_places(self, request: ReadHistory, page: Page) -> Page:
        """Adds the places from the first message to the end; where these are many, those near what was asked for."""
        messages = page.messages
        end = self._end_of(request)
        if request.around is not None and page.more_after:
            end = messages[-1].seq + 1 if messages else end
        start = 1 if not page.more else min(messages[0].seq, request.around or end) if messages else end
        if end - start == len(messages):
            return page  # nearly always: nothing but messages
        middle, most = request.around or end, len(messages) + self._context.settings.max_recovery_page
        first = max(start, min(middle - most // 2, end - most))
        places: Sequence[Posted] = as_places(filled(messages, first, min(end, first + most)))
        if request.around is None:
            places = last_within(places, self._context.settings.max_page_bytes)
            return replace(page, messages=places, more=page.more or places[0].seq > start)
        places = around_within(places, request.around, self._context.settings.max_page_bytes)
        more, more_after = page.more or places[0].seq > start, page.more_after or places[-1].seq + 1 < end
        return replace(page, messages=places, more=more, more_after=more_after)

    def _end_of(self, request: ReadHistory) -> int:
        newest = self._recent.newest
        return min(request.before or newest + 1, newest + 1)

    def _load_page(self, request: ReadHistory) -> None:
        held = () if not request.is_plain or request.after is not None else self._held(request)
        self._context.history.tell(LoadPage(self._room, self._slug, self._recent.newest, request, held))

    def _held(self, request: ReadHistory) -> tuple[Posted, ...]:
        """Returns what is in memory near the page: its end may not be saved yet."""
        recent, limit = self._recent, request.limit
        if request.around is None:
            return recent.messages_before(self._end_of(request), limit)
        return (*recent.messages_before(request.around, limit), *recent.messages_from(request.around, limit))

    # ------------------------------------------------------------ positions

    def _answer_sync(self, sync: Sync, catch_up: CatchUp) -> None:
        recovery, missed = catch_up
        self._broadcaster.push(sync.subscriber, sync.subscriber.answer(sync.ref, recovery))
        self._broadcaster.push_later(sync.subscriber, map(sync.subscriber.push, missed))

    def _load_missed(self, request: Join | Sync) -> None:
        position = request.position
        assert position is not None
        settings = self._context.settings
        self._context.history.tell(
            LoadMissed(
                self._room,
                self._slug,
                since=position.since,
                epoch=None if position.epoch == self._context.epoch else position.epoch,
                limit=settings.max_recovery_page,
                max_rows=settings.max_recovery_gap,
                request=request,
            )
        )

    def _recovery_of(self, reader: Subscriber) -> RecoveryRules:
        # made when needed: it would take 56 bytes a room
        return RecoveryRules(self._recent, self._context, self._floor_of(reader))

    def _floor_of(self, reader: Subscriber) -> int:
        return NO_FLOOR if self.government is None else floor_of(self.government.charter, reader.author)
