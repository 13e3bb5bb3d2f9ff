"""History: a reader for what is no longer in a room's memory.

Owns a connection that only reads. Hears `HistoryMessage`s; tells rooms `Loaded`, `LoadFailed`, `HistoryRead`,
`MissedRead` and `LookedUp`.
"""

import logging
from collections.abc import Iterable
from typing import assert_never

from chatter.actors import ThreadActor, tell_if_alive
from chatter.messages import (
    HistoryMessage,
    HistoryRead,
    ListRooms,
    Load,
    Loaded,
    LoadFailed,
    LookedUp,
    LookUp,
    MissedRead,
    Page,
    Ping,
    Posted,
    ReadMissed,
    ReadPage,
    Refused,
    RoomListed,
)
from chatter.storage.committer import posted_of
from schema import Database, Message, MessageRow

logger = logging.getLogger(__name__)


class History(ThreadActor):
    """Reads messages and rooms. A read that fails is answered with a refusal, not tried again: its asker will."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def on_receive(self, message: HistoryMessage) -> list[RoomListed] | None:
        """Read, or say that it cannot be read: to an asker by the exception."""
        try:
            return self._read(message)
        except Exception:
            self._database.close()  # a broken connection is opened anew by the next read
            if isinstance(message, ListRooms | Ping):
                raise
            logger.exception("room %s cannot be read", message.slug)
            self._refuse(message)
            return None

    def on_stop(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _read(self, message: HistoryMessage) -> list[RoomListed] | None:
        match message:
            case Load():
                self._load(message)
            case ReadPage():
                self._read_page(message)
            case ReadMissed():
                self._read_missed(message)
            case LookUp(post=post):
                first = Message.named(message.slug, post.name, post.id or "")
                tell_if_alive(message.room, LookedUp(post, first and posted_of(first)))
            case ListRooms():
                return [RoomListed(*row) for row in Message.latest_of_rooms(message.limit)]
            case Ping():
                Message.latest_of_rooms(1)  # a table must be read: without that SQLite does not look at its file
            case _:
                assert_never(message)
        return None

    def _load(self, load: Load) -> None:
        recent = _posted(Message.latest(load.slug, load.limit))
        epochs = Message.ends_of_epochs(load.slug, recent[0].seq - 1) if recent else ()
        tell_if_alive(load.room, Loaded(recent, epochs, Message.voids(load.slug) if recent else ()))

    def _read_page(self, page: ReadPage) -> None:
        request = page.request
        if request.after is not None:
            messages = _posted(Message.after(page.slug, request.after, request.limit))
            more = bool(messages) and messages[-1].seq < page.newest
        else:
            messages = _posted(Message.before(page.slug, request.before or page.newest + 1, request.limit))
            more = bool(messages) and messages[0].seq > 1
        tell_if_alive(page.room, HistoryRead(request, Page(messages, more)))

    def _read_missed(self, missed: ReadMissed) -> None:
        base = self._base(missed)
        messages = [] if base is None else Message.after(missed.slug, min(missed.since, base), missed.limit)
        tell_if_alive(missed.room, MissedRead(missed.request, base, _posted(messages)))

    def _base(self, missed: ReadMissed) -> int | None:
        """The last seq of the client's epoch, or None where that lies too far back to matter."""
        if missed.epoch is None:
            return missed.since
        ends = Message.ends_of_epochs(missed.slug, max(missed.above, 0))
        ended = [last for epoch, last in ends if epoch <= missed.epoch]
        if ended:
            return max(ended)
        has_read_everything = missed.above <= 0
        return 0 if has_read_everything else None

    def _refuse(self, message: Load | ReadPage | ReadMissed | LookUp) -> None:
        match message:
            case Load():
                tell_if_alive(message.room, LoadFailed())
            case ReadPage(request=request):
                tell_if_alive(message.room, HistoryRead(request, Refused("unavailable")))
            case ReadMissed(request=asked):
                tell_if_alive(message.room, MissedRead(asked, None, None))
            case LookUp(post=post):
                tell_if_alive(message.room, LookedUp(post, None, failed=True))


def _posted(rows: Iterable[MessageRow]) -> tuple[Posted, ...]:
    return tuple(map(posted_of, rows))
