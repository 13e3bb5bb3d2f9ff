"""The storage of one server: the database that it owns or shares, the epoch, and the files beside the database."""

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import schema
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.presence_snapshot import PresenceSnapshot
from chatter.storage.spool import Spool
from schema.database import check_integrity, is_new, migrate, needs_migration, sqlite_path
from schema.errors import in_one_line
from schema.ownership import Ownership, open_owned

logger = logging.getLogger(__name__)

NO_CLUSTER = "the database belongs to no cluster: `chatter cluster create` makes one"


class DatabaseShared(schema.DatabaseUnusable):
    """The database belongs to a cluster, whose `lanes` it has."""

    def __init__(self, lanes: Sequence[schema.LaneRow]) -> None:
        super().__init__("the database belongs to a cluster: start the server with --cluster")
        self.lanes = lanes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A database that is open, and what every server needs of it."""

    database: schema.Database  # closed: each thread opens a connection when it needs one
    ownership: Ownership
    epoch: int  # in which entries are written
    epochs: frozenset[int]  # all of this database, with that one
    identity: str  # of the database
    dead_letters: DeadLetters
    presence_snapshot: PresenceSnapshot
    setup_link: Path  # the file with the address at which the first admin is made


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Storage(Opened):
    """The storage of a server that is alone. Nobody else writes to it until `ownership` is released."""

    fence: schema.Fence  # of this start's epoch
    committer: Committer
    spool: Spool

    @classmethod
    def open(
        cls,
        url: str,
        *,
        sqlite_synchronous: str = "full",
        spool_folder: str = "",
        database_timeout: float = 0.0,
        removed_days: float = 0.0,
    ) -> Self:
        """Opens the database and owns it, checks and migrates it, begins an epoch, and replays the spool.

        Raises `schema.DatabaseUnusable`.
        """
        database, ownership = open_owned(url, sqlite_synchronous, timeout=database_timeout)
        with _released_on_failure(database, ownership):
            check_integrity(database)
            migrate(database)
            if lanes := schema.Lane.rows():
                raise DatabaseShared(lanes)
            return cls._begin(database, ownership, url, spool_folder, removed_days)

    @classmethod
    def _begin(
        cls, database: schema.Database, ownership: Ownership, url: str, spool_folder: str, removed_days: float
    ) -> Self:
        with _written_to():
            identity = schema.Identity.read()
            fence = schema.Fence(schema.Epoch.begin())
            epochs = schema.Epoch.numbers()
            files = FilesBeside(url, spool_folder, identity)
            files.make_folder()
            dead_letters = DeadLetters(files.dead_letters, identity)
            committer = Committer(dead_letters, fence, removed_days=removed_days)
            for spool in (Spool(path, identity, fence.epoch) for path in (files.first_spool, files.spool)):
                spool.replay(committer, dead_letters, epochs)
            committer.tidy(database)
        for foreign in files.foreign_spools():
            logger.warning("%s belongs to another database and is left alone", foreign)
        return cls(
            database=database,
            ownership=ownership,
            epoch=fence.epoch,
            epochs=epochs,
            identity=identity,
            dead_letters=dead_letters,
            presence_snapshot=PresenceSnapshot(files.presence_snapshot),
            setup_link=files.setup_link,
            fence=fence,
            committer=committer,
            spool=Spool(files.spool, identity),
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SharedStorage(Opened):
    """The storage of a cluster, as one of its nodes has it."""

    lanes: Sequence[schema.LaneRow]

    @classmethod
    def open(cls, url: str, *, node: str, spool_folder: str = "", database_timeout: float = 0.0) -> Self:
        """Opens the database beside the other nodes; files are the `node`'s own.

        Raises `schema.DatabaseUnusable`, also where it has no cluster.
        """
        database, ownership = open_owned(url, timeout=database_timeout, shared=True)
        with _released_on_failure(database, ownership):
            if is_new(database):
                raise schema.DatabaseUnusable(NO_CLUSTER)
            if needs_migration(database):
                raise schema.DatabaseUnusable(
                    "the database is of an older Chatter: stop all nodes, and run `chatter migrate`"
                )
            with _written_to():
                identity = schema.Identity.read()
                files = FilesBeside(url, spool_folder, identity, node)
                files.make_folder()
            lanes = schema.Lane.rows()
            if not lanes:
                raise schema.DatabaseUnusable(NO_CLUSTER)
            return cls(
                database=database,
                ownership=ownership,
                epoch=schema.Epoch.newest(),
                epochs=schema.Epoch.numbers(),
                identity=identity,
                dead_letters=DeadLetters(files.dead_letters, identity),
                presence_snapshot=PresenceSnapshot(files.presence_snapshot),
                setup_link=files.setup_link,
                lanes=lanes,
            )


@contextlib.contextmanager
def _released_on_failure(database: schema.Database, ownership: Ownership) -> Iterator[None]:
    """Closes the database in any case, and gives it free where it cannot be used."""
    try:
        yield
    except BaseException:
        database.close()
        ownership.release()
        raise
    database.close()


@contextlib.contextmanager
def _written_to() -> Iterator[None]:
    """Says in one line why a database or its files cannot be written."""
    try:
        yield
    except OSError as error:
        raise schema.DatabaseUnusable(f"cannot use the files beside the database: {error}") from error
    except Exception as error:
        raise schema.DatabaseUnusable(f"cannot write to the database: {in_one_line(error)}") from error


class FilesBeside:
    """The names of the files that belong to a database: beside its SQLite file, in `spool_folder` or in `var`."""

    def __init__(self, url: str, spool_folder: str, identity: str, node: str = "") -> None:
        """Of the nodes of a cluster, which may be on one machine, each has files of its own."""
        file = sqlite_path(url)
        name = file.name if file else url.rsplit("/", 1)[-1].partition("?")[0]
        name = f"{name}.{node}" if node else name
        self._folder = Path(spool_folder) if spool_folder else file.parent if file else Path("var")
        self._name = name
        self.first_spool = self._folder / f"{name}.unsaved.jsonl"  # without an identity, as the first Chatter named it
        self.spool = self._folder / f"{name}.{identity[:8]}.unsaved.jsonl"
        self.dead_letters = self._folder / f"{name}.dead-letters.jsonl"
        self.presence_snapshot = self._folder / f"{name}.{identity[:8]}.present.json"
        self.setup_link = self._folder / "setup-link"

    def make_folder(self) -> None:
        """Makes the folder of the files. Raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def foreign_spools(self) -> list[Path]:
        """Returns the spools of other databases of this name."""
        return sorted(set(self._folder.glob(f"{self._name}.*.unsaved.jsonl")) - {self.spool})
