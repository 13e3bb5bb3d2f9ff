"""History: a reader for what is no longer in a room's memory.

Owns a connection that only reads. Hears `HistoryMessage`s; tells rooms `Loaded`, `LoadFailed` and `HistoryRead`.
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
    Page,
    Ping,
    Posted,
    ReadPage,
    Refused,
    RoomListed,
)
from schema import Database, Message, MessageRow, Room

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
                rows = Message.latest(message.slug, message.limit)
                tell_if_alive(message.room, Loaded(_posted(rows)))
            case ReadPage():
                self._read_page(message)
            case ListRooms():
                return [RoomListed(*row) for row in Room.by_last_message(message.limit)]
            case Ping():
                Room.by_last_message(1)  # a table must be read: without that SQLite does not look at its file
            case _:
                assert_never(message)
        return None

    def _read_page(self, page: ReadPage) -> None:
        request = page.request
        rows = Message.before(page.slug, page.before, request.limit)
        answer = Page(_posted(rows), more=bool(rows) and rows[0][0] > 1)
        tell_if_alive(page.room, HistoryRead(request.reader, request.ref, answer))

    def _refuse(self, message: Load | ReadPage) -> None:
        match message:
            case Load():
                tell_if_alive(message.room, LoadFailed())
            case ReadPage(request=request):
                tell_if_alive(message.room, HistoryRead(request.reader, request.ref, Refused("unavailable")))


def _posted(rows: Iterable[MessageRow]) -> tuple[Posted, ...]:
    return tuple(Posted(*row) for row in rows)
