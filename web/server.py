"""The server: what starts in which order, and stops in which.

Start: the port, the database (owned, migrated, with what an earlier server could not save), then history, the backlog
with its persistence actor, and the supervisor (rooms start when somebody comes); last it listens. Stop is the reverse,
and nothing that was said is lost on the way: say so to who watches; stop listening; stop hearing clients; rooms finish
their turn; persistence commits and rooms answer the senders; connections are closed with 1012, which makes Phoenix
clients come back, many of them in batches; what the
database refused to the end is left to the next server in a file; persistence, history and the database close.
"""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pykka
from tornado.web import Application

import schema
from chatter.messages import Save
from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from chatter.storage.committer import Committer, Spool
from chatter.storage.history import History
from chatter.storage.persistence import Persistence
from chatter.storage.presence_snapshot import PresenceSnapshot
from schema.database import migrate, sqlite_path
from schema.ownership import Ownership
from web.channels.endpoint import Authorize, Closable, Edge
from web.http.api import HealthHandler, RoomsHandler
from web.http.pages import CLIENT, ClientFileHandler, NotFoundHandler, PageHandler, content_security_policy
from web.io.gc_policy import Garbage
from web.io.rfc6455 import CloseCode
from web.settings import Settings
from web.transport.listener import Listener, address_of, listening_sockets
from web.transport.longpoll import LongPollHandler, Sessions
from web.transport.upgrade import WebSocketHandler

logger = logging.getLogger(__name__)


class NotEverythingSaved(Exception):
    """The server has stopped, and neither the database nor a file took everything that was said."""


class Server:
    """One Chatter, listening."""

    def __init__(self, settings: Settings, authorize: Authorize) -> None:
        self._settings = settings
        self._authorize = authorize
        self._give_up = threading.Event()

    async def start(self) -> str:
        """Start everything; returns the address of the page.

        Raises `AddressUnusable` and `schema.DatabaseUnusable`.
        """
        listeners = listening_sockets(self._settings)
        database = schema.open_database(self._settings.database, self._settings.sqlite_synchronous)
        ownership = self._ownership = Ownership(self._settings.database)
        epoch = self._begin_epoch(database)
        self._history: pykka.ActorRef[Any] = History.start(database)
        backlog = self._backlog = Backlog(self._settings.max_unsaved_messages, self._settings.max_unsaved_bytes)
        backlog.open(
            lambda on_death: Persistence.start(
                database,
                self._history,
                backlog=backlog,
                committer=self._committer,
                give_up=self._give_up,
                renew=ownership.renew,
                on_death=on_death,
            )
        )
        self._supervisor = Supervisor(
            backlog, self._history, epoch, self._settings.rooms, self._presence_snapshot.take_up()
        )
        self._edge = Edge(self._settings, self._supervisor, self._history, backlog, self._authorize)
        self._listener = Listener(_application(self._edge), self._edge)
        self._garbage = Garbage(lambda: len(self._edge.connections))
        self._garbage.begin()
        self._listener.listen(listeners)
        return address_of(listeners[0])

    async def stop(self) -> None:
        """Stop everything, in order. Raises `NotEverythingSaved` when neither the database nor a file took all."""
        self._edge.stopping = True
        await asyncio.sleep(self._settings.drain_notice)
        self._edge.hearing = False
        self._listener.stop()
        await self._supervisor.settle()
        await self._save_what_can_be_saved()
        self._presence_snapshot.leave(await self._supervisor.stop())
        await self._close_connections()
        self._leave(await self._backlog.close())
        await self._history.stop(block=False)
        self._ownership.release()
        self._garbage.end()

    def _begin_epoch(self, database: schema.Database) -> int:
        migrate(database)
        files = _files_beside(self._settings)
        self._committer = Committer(files.with_name(files.name + ".dead-letters.jsonl"))
        self._spool = Spool(files.with_name(files.name + ".unsaved.jsonl"))
        self._presence_snapshot = PresenceSnapshot(files.with_name(files.name + ".present.json"))
        try:
            self._spool.take_up(self._committer)
            return schema.Epoch.begin()
        except Exception as error:
            raise schema.DatabaseUnusable(f"cannot write to the database: {error}") from error
        finally:
            database.close()

    async def _save_what_can_be_saved(self) -> None:
        try:
            await asyncio.wait_for(self._backlog.flush(), self._settings.stop_timeout)
        except TimeoutError:
            logger.error("the database did not take everything in time")
        except Exception:
            logger.exception("persistence gave up")
        self._give_up.set()

    def _leave(self, unsaved: list[Save]) -> None:
        try:
            self._spool.leave(unsaved)
        except OSError as error:
            logger.exception("what could not be saved cannot be kept in a file either: %s", unsaved)
            raise NotEverythingSaved from error

    async def _close_connections(self) -> None:
        await self._close_in_batches(list(self._edge.connections))
        try:
            await asyncio.wait_for(self._edge.all_gone(), self._settings.stop_timeout)
        except TimeoutError:
            logger.warning("some clients did not let go of their connections in time")
        await self._listener.close_all_connections()
        self._edge.poller.close()

    async def _close_in_batches(self, connections: list[Closable]) -> None:
        """Not all at once: their clients come back in the order in which they are told to, and TLS is dear."""
        size = self._settings.close_batch_size
        batches = [connections[start : start + size] for start in range(0, len(connections), size)]
        for number, batch in enumerate(batches):
            if number:
                await asyncio.sleep(self._settings.close_spread / len(batches))
            for connection in batch:
                connection.close(CloseCode.SERVICE_RESTART)


def _application(edge: Edge) -> Application:
    page = (CLIENT / "index.html").read_text(encoding="utf-8")
    with_page, with_edge = {"page": page}, {"edge": edge}
    return Application(
        [
            (r"/socket/websocket/?", WebSocketHandler, with_edge),
            (r"/socket/longpoll/?", LongPollHandler, {"edge": edge, "sessions": Sessions(edge)}),
            (r"/healthz", HealthHandler, with_edge),
            (r"/api/rooms", RoomsHandler, with_edge),
            (r"/client/(.*)", ClientFileHandler, {"path": str(CLIENT)}),
            (r"/", PageHandler, with_page),
            (r"/rooms/[a-z0-9][a-z0-9_-]{0,63}", PageHandler, with_page),
        ],
        default_handler_class=NotFoundHandler,
        log_function=lambda _handler: None,
        content_security_policy=content_security_policy(page),
    )


def _files_beside(settings: Settings) -> Path:
    """What the files for messages that were not saved are called after: the database, where it is or in `var`."""
    file = sqlite_path(settings.database)
    name = file.name if file else settings.database.rsplit("/", 1)[-1].partition("?")[0]
    folder = Path(settings.spool_folder) if settings.spool_folder else file.parent if file else Path("var")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
