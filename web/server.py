"""The server: what starts in which order, and stops in which.

Start, top down in `__init__`: the port is bound; the storage is opened; history, the log (which is the backlog with its
persistence actor, or this node's part of the cluster's), the supervisor and the accounts with their store start. A node
joins its cluster in `open`; last the endpoint listens. Rooms start when somebody joins.

Stop, bottom up in `stop`, and nothing that was said is lost: `/healthz` says so; the listener stops; frames of clients
are dropped; rooms finish their turn; the log takes what they have said, and they answer the senders; polls end that
nodes of a cluster pass to each other; the spool takes what a database has refused to the end; connections are closed
with 1012, in batches, and Phoenix clients come back; the accounts, history and the database close.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

import pykka
from tornado.web import Application

from chatter.accounts.accounts import Accounts
from chatter.accounts.beginning import Beginning, SetupFile
from chatter.accounts.staff import Staff
from chatter.accounts.store import Store, TransactionQueue
from chatter.accounts.times import Moment
from chatter.clock import wall_clock
from chatter.memberships.memberships import Memberships
from chatter.messages import Entry, RoomRef
from chatter.room.context import NO_MEMBERSHIPS
from chatter.room.purger import RoomPurger
from chatter.room.supervisor import Supervisor
from chatter.storage.call_guard import CallGuard
from chatter.storage.history import History
from chatter.storage.read_queue import OnDeath as OnHistoryDeath
from chatter.storage.read_queue import ReadQueue
from schema import DatabaseLost, WentBack
from web.authorize import Authorize
from web.channels.characters import normal_name
from web.channels.endpoint import Closable, Endpoint
from web.http.accounts.handler import Limiters, Ways
from web.http.accounts.routes import account_routes
from web.http.api import HealthHandler, shared_health
from web.http.bundle import load_bundle
from web.http.outgoing import Outgoing
from web.http.pages import (
    CLIENT,
    AssetHandler,
    Client,
    ClientFileHandler,
    IconHandler,
    NotFoundHandler,
    PageHandler,
    RoomPageHandler,
    ServiceWorkerHandler,
)
from web.http.rooms.routes import room_routes
from web.http.secure import ERROR_PAGE, content_security_policy
from web.identity.jwt import token_verifier
from web.identity.oidc import OpenIdConnect
from web.identity.passkeys import Passkeys
from web.io.gc_policy import GcPolicy
from web.io.rfc6455 import CloseCode
from web.log import open_log, open_storage
from web.oidc_clients import OidcClient
from web.page_address import page_address, page_link
from web.settings import Settings
from web.transport.listener import Listener, is_local, listening_sockets, url_of
from web.transport.longpoll import LongPollHandler
from web.transport.poll_sessions import PollSessions
from web.transport.upgrade import WebSocketHandler

logger = logging.getLogger(__name__)


THREAD_TIMEOUT = 1.0
"""Seconds for a thread or a request to end once it was told to. What it has to save it had `stop_timeout` for."""


class Server:
    """One Chatter. Made and used on a running event loop."""

    def __init__(self, settings: Settings, authorize: Authorize, oidc_clients: Sequence[OidcClient] = ()) -> None:
        """Starts everything but the listener. Raises `AddressUnusable` and `schema.DatabaseUnusable`."""
        self._settings = settings
        self._sockets = listening_sockets(settings)
        self._storage = open_storage(settings)
        self._guards = [CallGuard(self._storage.database, settings.database_timeout) for _ in range(3)]
        self._history = ReadQueue(
            self._start_history, max_waiting=settings.max_waiting_reads, max_for_client=settings.max_client_reads
        )
        self.database_lost: asyncio.Future[DatabaseLost] = asyncio.get_running_loop().create_future()
        self._log = open_log(
            settings,
            self._storage,
            self._history,
            guard=self._guards[1],
            rooms=self,
            on_lost=self._on_lost,
        )
        self._staff = Staff()
        transactions = self._open_transactions() if settings.accounts != "off" else None
        self._memberships = None if transactions is None else Memberships(transactions, shared=self._log.shared)
        expected = {} if self._log.shared else self._storage.presence_snapshot.load()  # others show who is there
        self._supervisor = Supervisor(
            self._log.log_of(""),
            self._history,
            self._storage.epoch,
            self._storage.epochs,
            settings.rooms,
            expected=expected,
            memberships=self._memberships or NO_MEMBERSHIPS,
            server_role=self._staff.role_of,
            log_of=None if self._log.shared is None else self._log.shared.log_of,
        )
        self._setup_file = SetupFile(self._storage.setup_link)
        self._setup_link: str | None = None
        self._outgoing = Outgoing()
        accounts = None if transactions is None else self._open_accounts(transactions)
        self._endpoint = Endpoint(
            settings,
            self._supervisor,
            self._history,
            authorize,
            is_local=all(map(is_local, self._sockets)),
            verifier=token_verifier(settings, self._outgoing),
            accounts=accounts,
            memberships=self._memberships,
            health=self._log.health,
            catch_up=self._log.catch_up,
        )
        self._openid = OpenIdConnect(oidc_clients, self._outgoing)
        if accounts is not None:
            accounts.other_ways.issuers = [client.issuer for client in oidc_clients]
            accounts.other_ways.is_apps = settings.may_be_apps
            accounts.departures.begin(RoomPurger(self._supervisor, self._log))
        self._gc_policy = GcPolicy(lambda: len(self._endpoint.connections))
        self._poll_sessions = PollSessions(self._endpoint, None if self._log.shared is None else self._log.shared.peers)
        self._listener = Listener(
            _application(self._endpoint, self._poll_sessions, settings, self._openid, self._storage.identity),
            self._endpoint,
        )

    async def open(self) -> None:
        """Joins the cluster, if it is one's. Raises `ClusterRefused` and `LaneStopped`."""
        self._gc_policy.install()
        try:
            await self._log.open()
        except BaseException:
            await self.stop()
            raise

    def listen(self) -> str:
        """Begins to listen, and returns the address of the page."""
        self._listener.listen(self._sockets)
        self._write_setup_file()
        return url_of(self._sockets[0])

    @property
    def setup_address(self) -> str | None:
        """Where the first admin is made; None where there is an admin."""
        if self._setup_link is None:
            return None
        settings, listening = self._settings, url_of(self._sockets[0])
        address = page_address(settings.public_url, settings.public_hosts, listening)
        return page_link(address, "link", self._setup_link)

    # ------------------------------------------------------------ what the log asks: `web.log.RoomsHere`

    def find(self, slug: str) -> RoomRef | None:
        return self._supervisor.find_room(slug)

    def wake(self, slug: str) -> None:
        with contextlib.suppress(pykka.ActorDeadError):  # the server stops
            self._supervisor.ensure_room(slug)

    def on_said_elsewhere(self, slug: str, entries: Sequence[Entry]) -> None:
        if self._memberships is not None and self._memberships.follows(slug, entries):
            self.wake(slug)

    # ------------------------------------------------------------ stop

    async def stop(self) -> None:
        """Stops everything, in order. Raises `NotEverythingSaved`."""
        self._endpoint.is_stopping = True
        if self._endpoint.accounts is not None:
            self._endpoint.accounts.departures.close()  # the next start goes on
        await asyncio.sleep(self._settings.drain_notice)
        self._listener.stop()
        self._endpoint.is_accepting = False
        await self._supervisor.empty_mailboxes()
        if self.database_lost.done():
            self._log.give_up()
        else:
            await self._log.settle(self._settings.stop_timeout, THREAD_TIMEOUT)
        remembered = await self._supervisor.recall() if self._has_gone_back else []
        try:
            self._storage.presence_snapshot.save(await self._supervisor.stop())
        finally:  # whatever fails before or takes its time after, nothing that was said is lost
            self._poll_sessions.leave()
            try:
                await self._log.close(THREAD_TIMEOUT, remembered)
            finally:
                await self._close_connections()
        if self._memberships is not None:
            await self._memberships.close(THREAD_TIMEOUT)
        if self._endpoint.accounts is not None:
            await self._endpoint.accounts.close(THREAD_TIMEOUT)
        self._outgoing.close()
        await self._history.close(THREAD_TIMEOUT)
        for guard in self._guards:
            guard.close()
        self._storage.ownership.release()
        self._gc_policy.uninstall()

    def _open_transactions(self) -> TransactionQueue:
        database, guard = self._storage.database, self._guards[2]
        return TransactionQueue(lambda: Store.start(database, guard))

    def _open_accounts(self, transactions: TransactionQueue) -> Accounts:
        beginning = Beginning.read(self._storage.database, Moment(wall_clock()), is_node=self._log.shared is not None)
        self._setup_link = beginning.setup_link
        accounts = Accounts(
            transactions,
            beginning,
            self._settings.account_rules,
            normal_name=normal_name,
            staff=self._staff,
            on_admin=self._forget_setup_link,
        )
        if (shared := self._log.shared) is not None:
            accounts.changes.on_made = shared.tell_changes
            shared.hear_changes(accounts.changes.look)
        return accounts

    def _write_setup_file(self) -> None:
        address = self.setup_address
        try:
            if address is None:
                self._setup_file.remove()
            else:
                self._setup_file.write(address)
        except OSError as error:
            logger.warning("the link for the first admin is not in a file: %s", error)

    def _forget_setup_link(self) -> None:
        """Removes the file once there is an admin, whoever has made them one."""
        self._setup_link = None
        self._write_setup_file()

    def _start_history(self, on_death: OnHistoryDeath) -> pykka.ActorRef[Any]:
        loop = asyncio.get_running_loop()
        return History.start(
            self._storage.database,
            check_file=self._storage.ownership.check,
            check_commits=self._check_commits,
            guard=self._guards[0],
            on_death=on_death,
            on_lost=lambda error: loop.call_soon_threadsafe(self._on_lost, error),
        )

    def _check_commits(self) -> None:
        self._log.check_commits()

    def _on_lost(self, error: DatabaseLost) -> None:
        """Has the server stop: a new epoch must begin. What rooms remember is needed where messages are gone."""
        self._supervisor.keep_rooms()
        if not self.database_lost.done():
            self.database_lost.set_result(error)

    @property
    def _has_gone_back(self) -> bool:
        """Whether the database lacks messages that rooms may still remember. The next start saves them again."""
        return self.database_lost.done() and isinstance(self.database_lost.result(), WentBack)

    async def _close_connections(self) -> None:
        await self._close_in_batches(list(self._endpoint.connections))
        try:
            async with asyncio.timeout(self._settings.stop_timeout):
                await self._endpoint.all_closed()
        except TimeoutError:
            logger.warning("some clients did not close their connections in time")
        await self._listener.close_all_connections(THREAD_TIMEOUT)
        self._endpoint.poller.close()

    async def _close_in_batches(self, connections: list[Closable]) -> None:
        """Closes not all at once: clients come back in the order in which they are closed, and TLS is expensive."""
        size = self._settings.close_batch_size
        batches = [connections[start : start + size] for start in range(0, len(connections), size)]
        for number, batch in enumerate(batches):
            if number:
                await asyncio.sleep(self._settings.close_spread / len(batches))
            for connection in batch:
                connection.close(CloseCode.SERVICE_RESTART)


def _application(
    endpoint: Endpoint, sessions: PollSessions, settings: Settings, openid: OpenIdConnect, identity: str
) -> Application:
    client = Client(load_bundle() if settings.bundle == "on" else None)
    limiters, ways = Limiters(), Ways(openid, Passkeys())
    with_client, with_endpoint = {"client": client}, {"endpoint": endpoint}
    return Application(
        [
            (r"/socket/websocket/?", WebSocketHandler, with_endpoint),
            (r"/socket/longpoll/?", LongPollHandler, {"endpoint": endpoint, "sessions": sessions}),
            (r"/healthz", HealthHandler, {"endpoint": endpoint, "shared": shared_health(endpoint)}),
            *account_routes(endpoint, limiters, ways),
            *room_routes(endpoint, limiters, ways, identity),
            (r"/client/(.*)", ClientFileHandler, {"path": str(CLIENT)}),
            (r"/assets/([^/]+)", AssetHandler, with_client),
            (r"/sw\.js", ServiceWorkerHandler, with_client),
            (r"/favicon\.ico", IconHandler, with_client),
            (r"/", PageHandler, with_client),
            (r"/rooms/([^/]+)/?", RoomPageHandler, with_client),
            (r"/rooms/([^/]+)/([^/]+)/?", RoomPageHandler, with_client),
            (r"/join/[^/]+/?", PageHandler, with_client),
        ],
        default_handler_class=NotFoundHandler,
        log_function=lambda _handler: None,
        content_security_policy=content_security_policy(*client.pages, ERROR_PAGE),
    )
