"""The storage of one server: the database that it owns, this start's epoch, and the files beside the database."""

import dataclasses
import logging
from pathlib import Path
from typing import Self

import schema
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.presence_snapshot import PresenceSnapshot
from chatter.storage.spool import Spool
from schema.database import check_integrity, migrate, sqlite_path
from schema.errors import in_one_line
from schema.ownership import Ownership, open_owned

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What `open` has opened. Nobody else writes to this database until `ownership` is released."""

    database: schema.Database  # closed: each thread opens a connection when it needs one
    ownership: Ownership
    fence: schema.Fence  # of this start's epoch
    epochs: frozenset[int]  # all starts on this database, with this one
    committer: Committer
    spool: Spool
    presence_snapshot: PresenceSnapshot
    identity: str  # of the database
    setup_link: Path  # the file with the address at which the first admin is made

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
        try:
            check_integrity(database)
            migrate(database)
            storage = cls._begin(database, ownership, url, spool_folder, removed_days)
            database.close()
        except BaseException:
            database.close()
            ownership.release()
            raise
        return storage

    @classmethod
    def _begin(
        cls, database: schema.Database, ownership: Ownership, url: str, spool_folder: str, removed_days: float
    ) -> Self:
        try:
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
        except OSError as error:
            raise schema.DatabaseUnusable(f"cannot use the files beside the database: {error}") from error
        except Exception as error:
            raise schema.DatabaseUnusable(f"cannot write to the database: {in_one_line(error)}") from error
        for foreign in files.foreign_spools():
            logger.warning("%s belongs to another database and is left alone", foreign)
        return cls(
            database=database,
            ownership=ownership,
            fence=fence,
            epochs=epochs,
            committer=committer,
            spool=Spool(files.spool, identity),
            presence_snapshot=PresenceSnapshot(files.presence_snapshot),
            identity=identity,
            setup_link=files.setup_link,
        )


class FilesBeside:
    """The names of the files that belong to a database: beside its SQLite file, in `spool_folder` or in `var`."""

    def __init__(self, url: str, spool_folder: str, identity: str) -> None:
        file = sqlite_path(url)
        name = file.name if file else url.rsplit("/", 1)[-1].partition("?")[0]
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
