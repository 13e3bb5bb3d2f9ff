"""History: the actor that reads from the database what is no longer in a room's memory.

Owns a connection that only reads. Hears `HistoryMessage`s; tells rooms `Loaded`, `LoadFailed`, `PageLoaded`,
`MissedLoaded` and `LookedUp`.
"""

import logging
from collections.abc import Iterable
from typing import assert_never

from chatter.actors import ThreadActor, tell_if_alive
from chatter.messages import (
    HistoryMessage,
    ListRooms,
    Load,
    Loaded,
    LoadFailed,
    LoadMissed,
    LoadPage,
    LookedUp,
    LookUp,
    MissedLoaded,
    Page,
    PageLoaded,
    Ping,
    Posted,
    Refused,
    RoomListed,
)
from chatter.storage.records import posted_of
from schema import Database, Message, MessageRow, Room

logger = logging.getLogger(__name__)


class History(ThreadActor):
    """Reads messages and rooms. A read that fails is answered with a refusal and not tried again: the client will."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def on_receive(self, message: HistoryMessage) -> list[RoomListed] | None:
        """Reads and tells the room, or returns what was asked for. An asker gets the exception of a failed read."""
        try:
            return self._read(message)
        except Exception:
            self._database.close()  # the next read opens a new connection
            if isinstance(message, ListRooms | Ping):
                raise
            logger.exception("room %s cannot be read", message.slug)
            self._refuse(message)
            return None

    def on_stop(self) -> None:
        """Closes the connection."""
        self._database.close()

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
                return [RoomListed(*row) for row in Room.recently_active(message.limit)]
            case Ping():
                Room.recently_active(1)  # SQLite looks at its file only where a table is read
            case _:
                assert_never(message)
        return None

    def _load(self, load: Load) -> None:
        recent = _posted(Message.latest(load.slug, load.limit))
        epochs = Message.epoch_ends(load.slug, recent[0].seq - 1) if recent else ()
        tell_if_alive(load.room, Loaded(recent, epochs, Message.voids(load.slug) if recent else ()))

    def _load_page(self, page: LoadPage) -> None:
        request = page.request
        if request.after is not None:
            messages = _posted(Message.after(page.slug, request.after, request.limit))
            more = bool(messages) and messages[-1].seq < page.newest
        else:
            messages = _posted(Message.before(page.slug, request.before or page.newest + 1, request.limit))
            more = bool(messages) and messages[0].seq > 1
        tell_if_alive(page.room, PageLoaded(request, Page(messages, more)))

    def _load_missed(self, missed: LoadMissed) -> None:
        base = self._base(missed)
        messages = [] if base is None else Message.after(missed.slug, min(missed.since, base), missed.limit)
        tell_if_alive(missed.room, MissedLoaded(missed.request, base, _posted(messages)))

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

    def _refuse(self, message: Load | LoadPage | LoadMissed | LookUp) -> None:
        match message:
            case Load():
                tell_if_alive(message.room, LoadFailed())
            case LoadPage(request=request):
                tell_if_alive(message.room, PageLoaded(request, Refused("unavailable")))
            case LoadMissed(request=request):
                tell_if_alive(message.room, MissedLoaded(request, None, None))
            case LookUp(post=post):
                tell_if_alive(message.room, LookedUp(post, None, failed=True))


def _posted(rows: Iterable[MessageRow]) -> tuple[Posted, ...]:
    return tuple(map(posted_of, rows))
