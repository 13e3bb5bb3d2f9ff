"""The storage of one server: the database that it owns, this start's epoch, and the files beside the database."""

import dataclasses
from pathlib import Path
from typing import Self

import schema
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.presence_snapshot import PresenceSnapshot
from chatter.storage.spool import Spool, SpoolUnreadable
from schema.database import migrate, sqlite_path
from schema.ownership import Ownership


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What `open` has opened. Nobody else writes to this database until `ownership` is released."""

    database: schema.Database  # closed: each thread opens a connection when it needs one
    ownership: Ownership
    epoch: int
    committer: Committer
    spool: Spool
    presence_snapshot: PresenceSnapshot

    @classmethod
    def open(cls, url: str, *, sqlite_synchronous: str = "full", spool_folder: str = "") -> Self:
        """Opens the database and owns it, migrates it, replays the spool, and begins an epoch.

        Raises `schema.DatabaseUnusable`.
        """
        database = schema.open_database(url, sqlite_synchronous)
        ownership = Ownership(url)
        migrate(database)
        files = _files_beside(url, spool_folder)
        committer = Committer(DeadLetters(files.with_name(files.name + ".dead-letters.jsonl")))
        spool = Spool(files.with_name(files.name + ".unsaved.jsonl"))
        try:
            spool.replay(committer)
            epoch = schema.Epoch.begin()
        except SpoolUnreadable as error:
            raise schema.DatabaseUnusable(f"cannot save what an earlier server left: {error}") from error
        except Exception as error:
            raise schema.DatabaseUnusable(f"cannot write to the database: {error}") from error
        finally:
            database.close()
        return cls(
            database=database,
            ownership=ownership,
            epoch=epoch,
            committer=committer,
            spool=spool,
            presence_snapshot=PresenceSnapshot(files.with_name(files.name + ".present.json")),
        )


def _files_beside(url: str, spool_folder: str) -> Path:
    """Returns the beginning of the files' names: the database's, in its folder, in `spool_folder` or in `var`."""
    file = sqlite_path(url)
    name = file.name if file else url.rsplit("/", 1)[-1].partition("?")[0]
    folder = Path(spool_folder) if spool_folder else file.parent if file else Path("var")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
