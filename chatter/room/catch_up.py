"""Requests about a room's past: joins with a position, `sync` and `history`.

Each is answered from the room's memory where that reaches far enough, otherwise once the database has answered.
"""

from chatter.messages import (
    Join,
    LoadMissed,
    LoadPage,
    MissedLoaded,
    Page,
    PageLoaded,
    ReadHistory,
    Refused,
    RoomRef,
    Subscriber,
    Sync,
    end_of_page,
)
from chatter.room.broadcaster import Broadcaster
from chatter.room.context import RoomContext
from chatter.room.recent_messages import RecentMessages, around_within, first_within, last_within
from chatter.room.recovery import CatchUp, RecoveryRules


class CatchUpRequests:
    """Owns the requests for which the database is asked. A predecessor's answers may come too, and are ignored."""

    __slots__ = ("_broadcaster", "_context", "_pending", "_recent", "_room", "_slug")

    def __init__(
        self, slug: str, context: RoomContext, *, room: RoomRef, broadcaster: Broadcaster, recent: RecentMessages
    ) -> None:
        """`room` is told what the database answers."""
        self._slug = slug
        self._context = context
        self._room = room
        self._broadcaster = broadcaster
        self._recent = recent
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
        request = self._pending.pop(subscriber, None)
        return request if isinstance(request, Join) else None

    def join(self, join: Join) -> CatchUp | None:
        """Returns what the client missed, or None once the database is asked: `joined` returns it then."""
        catch_up = self._recovery.from_memory(join.position)
        if catch_up is None:
            self._pending[join.subscriber] = join
            self._load_missed(join)
        return catch_up

    def joined(self, join: Join, loaded: MissedLoaded) -> CatchUp | None:
        """Returns what the client missed, or None where it has left or is refused."""
        if join.subscriber not in self._pending:
            return None
        if loaded.refused is not None:
            del self._pending[join.subscriber]
            self._broadcaster.push(
                join.subscriber, join.subscriber.refuse(loaded.refused.reason, loaded.refused.retry_after_ms)
            )
            return None
        assert join.position is not None
        return self._recovery.from_database(join.position, loaded.base, loaded.messages)

    def sync(self, sync: Sync) -> None:
        """Answers a `sync`, or asks the database."""
        catch_up = self._recovery.from_memory(sync.position)
        if catch_up is None:
            self._pending[id(sync)] = sync
            self._load_missed(sync)
        else:
            self._answer_sync(sync, catch_up)

    def synced(self, sync: Sync, loaded: MissedLoaded) -> None:
        """Answers a `sync` with what the database has answered."""
        if self._pending.pop(id(sync), None) is None:
            return
        if loaded.refused is not None:
            self._broadcaster.push(sync.subscriber, sync.subscriber.answer(sync.ref, loaded.refused))
        else:
            self._answer_sync(sync, self._recovery.from_database(sync.position, loaded.base, loaded.messages))

    def history(self, request: ReadHistory) -> None:
        """Answers a `history`, or asks the database."""
        page = (
            self._recent.page_before(self._end_of(request), request.limit)
            if request.after is None
            else self._recent.page_after(request.after, request.limit)
        )
        if page is None:
            self._pending[id(request)] = request
            self._load_page(request)
        else:
            self._answer_history(request, page)

    def page_loaded(self, loaded: PageLoaded) -> None:
        """Answers a `history` with what the database has answered."""
        request = loaded.request
        if self._pending.pop(id(request), None) is not None:
            answer = loaded.answer
            if isinstance(answer, Page):
                answer = Page(self._recent.as_now(answer.messages), answer.more)
            self._answer_history(request, answer)

    def _answer_history(self, request: ReadHistory, answer: Page | Refused) -> None:
        if isinstance(answer, Page):
            answer = self._cut(request, answer)
        reader, ref = request.reader, request.ref
        self._broadcaster.push_later(reader, (reader.answer(ref, each) for each in (answer,)))

    def _cut(self, request: ReadHistory, page: Page) -> Page:
        """Bounds the bytes of a page at the end that is further from what was asked for, or at both."""
        most_bytes = self._context.settings.max_page_bytes
        if request.around is not None:
            messages = around_within(page.messages, request.around, most_bytes)
            is_cut_before = bool(messages) and messages[0] is not page.messages[0]
            last = messages[-1].seq if messages else self._end_of(request) - 1
            return Page(messages, page.more or is_cut_before, more_after=last < self._recent.newest)
        within = last_within if request.after is None else first_within
        messages = within(page.messages, most_bytes)
        return page if len(messages) == len(page.messages) else Page(messages, more=True)

    def _end_of(self, request: ReadHistory) -> int:
        return end_of_page(request, self._recent.newest)

    def _load_page(self, request: ReadHistory) -> None:
        end = self._end_of(request)
        held = self._recent.held(end - request.limit, end) if request.after is None else ()
        self._context.history.tell(LoadPage(self._room, self._slug, self._recent.newest, request, held))

    def _answer_sync(self, sync: Sync, catch_up: CatchUp) -> None:
        recovery, missed = catch_up
        self._broadcaster.push(sync.subscriber, sync.subscriber.answer(sync.ref, recovery))
        self._broadcaster.push_later(sync.subscriber, map(sync.subscriber.push, missed))

    def _load_missed(self, request: Join | Sync) -> None:
        position = request.position
        assert position is not None
        self._context.history.tell(
            LoadMissed(
                self._room,
                self._slug,
                since=position.since,
                epoch=None if self._recovery.is_current(position) else position.epoch,
                above=self._recovery.lowest_recoverable,
                limit=self._context.settings.max_recovery_page,
                request=request,
            )
        )

    @property
    def _recovery(self) -> RecoveryRules:
        return RecoveryRules(self._recent, self._context)  # made when needed: it would take 56 bytes a room
