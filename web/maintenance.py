"""The commands of operators beside `serve`: migrate, back up, restore, check. Each returns the exit code."""

from pathlib import Path

from chatter.storage.backup import back_up
from chatter.storage.backup import restore as put_back
from chatter.storage.check import check as find_faults
from schema.database import migrate as apply_migrations
from schema.ownership import open_owned
from web.settings import Settings


def migrate(settings: Settings) -> int:
    """Brings the database up to date."""
    database, ownership = open_owned(settings.database)
    applied = apply_migrations(database)
    database.close()
    ownership.release()
    print(f"{len(applied)} migrations applied" + "".join(f"\n  {name}" for name in applied))
    return 0


def backup(settings: Settings, folder: Path) -> int:
    """Makes a backup in a new folder. Raises `BackupFailed`."""
    made = back_up(settings.database, settings.spool_folder, folder)
    print(f"backup of database {made['database']}, epoch {made['epoch']}, made in {folder}")
    return 0


def restore(settings: Settings, folder: Path) -> int:
    """Puts a backup in the place of the database. Raises `BackupFailed`."""
    made = put_back(settings.database, settings.spool_folder, folder)
    print(f"database {made['database']} is as it was at {made['made_at']}; replaced files lie beside the new ones")
    return 0


def check(settings: Settings) -> int:
    """Prints what is wrong with the database and its files; exit code 1 if anything is."""
    faults = find_faults(settings.database, settings.spool_folder)
    for fault in faults:
        print(fault)
    print("no faults" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0
