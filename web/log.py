"""Opens the storage and the log of a server: its own, or those of the cluster of which it is a node."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import urlsplit

import pykka

from chatter import __version__
from chatter.health import Health
from chatter.memberships.memberships import SharedRooms
from chatter.messages import Entry, RoomRef, Save
from chatter.room.context import Log as RoomLog
from chatter.room.context import SharedLog
from chatter.storage.local_log import LocalLog
from chatter.storage.read_queue import ReadQueue
from chatter.storage.storage import SharedStorage, Storage
from schema import DatabaseLost
from web.settings import BadSetting, Settings
from web.transport.poll_questions import Peers

if TYPE_CHECKING:
    from chatter.cluster.cluster import ClusterSettings
    from chatter.cluster.credentials import Credentials

MONITORING_PORT = 8222
"""Where a NATS server tells of itself, as its documentation has it."""

AnyStorage: TypeAlias = Storage | SharedStorage


class SharedLogs(SharedRooms, Protocol):
    """The log of a cluster, as rooms and memberships see it."""

    def log_of(self, slug: str) -> SharedLog:
        """Returns the log of a room."""

    def tell_changes(self) -> None:
        """Tells the other nodes that accounts have changed."""

    def hear_changes(self, on_changes: Callable[[], None]) -> None:
        """Has `on_changes` called where another node tells so."""

    @property
    def peers(self) -> Peers:
        """The other nodes, as they ask each other about clients that poll."""


class RoomsHere(Protocol):
    """The rooms that live on this server, as the log sees them."""

    def find(self, slug: str) -> RoomRef | None:
        """Returns a room, if it lives here."""

    def wake(self, slug: str) -> None:
        """Has a room live here."""

    def on_said_elsewhere(self, slug: str, entries: Sequence[Entry]) -> None:
        """Is told what is said in a room that does not live here."""


class Log(Protocol):
    """The log as the server sees it: `LocalLog` and `Lanes` are one."""

    def health(self, database: str | None) -> Health:
        """Returns what is wrong with the server, where that is what is wrong with the `database`."""

    @property
    def shared(self) -> SharedLogs | None:
        """The log, where the rooms of other nodes add to it as well; None where there are none."""

    def log_of(self, slug: str) -> RoomLog:
        """Returns the log of a room."""

    def is_mine(self, work: str) -> bool:
        """Returns whether work that has to be done once, by its name, falls to this server."""

    def check_commits(self) -> None:
        """Raises where the database lacks what it had. Called on the thread of history."""

    async def open(self) -> None:
        """Begins to take part. Raises `ClusterRefused`, and `LaneStopped`."""

    async def flush(self) -> None:
        """Waits until the database has everything that rooms have said."""

    async def catch_up(self) -> None:
        """Waits until the database has what was acknowledged, or does not get it soon."""

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what files have of an account that has left. Raises what goes wrong."""

    async def settle(self, timeout: float, thread_timeout: float) -> None:
        """Has taken what rooms have said, as far as that can be done in time."""

    def give_up(self) -> None:
        """Tries nothing again."""

    async def close(self, thread_timeout: float, remembered: Sequence[Save] = ()) -> None:
        """Ends, once the rooms have. Raises `NotEverythingSaved`."""


def open_storage(settings: Settings) -> AnyStorage:
    """Opens the database. Raises `schema.DatabaseUnusable`."""
    if settings.cluster:
        return SharedStorage.open(
            settings.database,
            node=settings.node_name,
            spool_folder=settings.spool_folder,
            database_timeout=settings.database_timeout,
        )
    return Storage.open(
        settings.database,
        sqlite_synchronous=settings.sqlite_synchronous,
        spool_folder=settings.spool_folder,
        database_timeout=settings.database_timeout,
        removed_days=settings.removed_days,
    )


def open_log(
    settings: Settings,
    storage: AnyStorage,
    history: ReadQueue,
    *,
    guard: AbstractContextManager[None],
    rooms: RoomsHere,
    on_lost: Callable[[DatabaseLost], None],
) -> Log:
    """Starts what writes to the database, and in a cluster what is between it and the rooms."""
    if isinstance(storage, Storage):
        return LocalLog(
            storage,
            history,
            max_messages=settings.max_unsaved_messages,
            max_bytes=settings.max_unsaved_bytes,
            guard=guard,
            on_lost=on_lost,
        )

    return _open_lanes(settings, storage, history, guard, rooms)


def _open_lanes(
    settings: Settings,
    storage: SharedStorage,
    history: ReadQueue,
    guard: AbstractContextManager[None],
    rooms: RoomsHere,
) -> Log:
    from chatter.lanes.lanes import Lanes  # only here: a server that is alone needs no client of NATS
    from chatter.lanes.projector import Projector

    def start_projector() -> pykka.ActorRef[Any]:
        return Projector.start(
            storage.database,
            epoch=storage.epoch,
            dead_letters=storage.dead_letters,
            removed_days=settings.removed_days,
            guard=guard,
        )

    return Lanes(
        cluster_settings(settings, lanes=len(storage.lanes), replicas=storage.lanes[0].replicas),
        storage.lanes,
        find_room=rooms.find,
        wake_room=rooms.wake,
        on_said_elsewhere=rooms.on_said_elsewhere,
        history=history,
        start_projector=start_projector,
        log_hours=settings.log_hours,
        max_lag_bytes=settings.max_lag_bytes,
    )


def cluster_settings(settings: Settings, *, lanes: int, replicas: int) -> "ClusterSettings":
    """Returns what a node needs to know to take part. Raises `BadSetting` where a file cannot be used."""
    from chatter.cluster.cluster import ClusterSettings

    servers = settings.cluster.split(",")
    return ClusterSettings(
        servers=tuple(servers),
        node=settings.node_name,
        lanes=lanes,
        replicas=replicas,
        monitors=tuple(settings.cluster_monitors.split(",")) if settings.cluster_monitors else _monitors(servers),
        version=__version__,
        tls=_tls(settings),
        credentials=_credentials(settings),
    )


def _monitors(servers: Sequence[str]) -> tuple[str, ...]:
    """Returns where NATS servers tell of themselves, unless they were given another port."""
    return tuple(f"http://{urlsplit(server).hostname}:{MONITORING_PORT}" for server in servers)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not (settings.cluster_ca or settings.cluster_cert):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.cluster_ca or None)
        if settings.cluster_cert:
            context.load_cert_chain(settings.cluster_cert, settings.cluster_key or None)
    except (OSError, ssl.SSLError) as error:
        raise BadSetting(f"--cluster-ca, --cluster-cert, --cluster-key: expected files of TLS, got {error}") from error
    return context


def _credentials(settings: Settings) -> "Credentials | None":
    from chatter.cluster.credentials import read_credentials

    if not settings.cluster_credentials:
        return None
    try:
        return read_credentials(settings.cluster_credentials)
    except ImportError as error:
        raise BadSetting("--cluster-credentials: needs the package cryptography") from error
    except (OSError, ValueError) as error:
        raise BadSetting(f"--cluster-credentials: expected a file of NATS credentials, got {error}") from error
