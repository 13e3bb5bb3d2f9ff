"""Backup and restore: the database and the files beside it, in one folder.

A backup is consistent, and made while the server runs. It is restored while none runs; what it replaces is kept beside,
and the next start begins an epoch that no client has heard of, so that none keeps what the backup lacks.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import schema
from chatter.storage.storage import FilesBeside
from schema.database import migrate, sqlite_path, without_password
from schema.ownership import Ownership

DATABASE, DUMP, SPOOL, DEAD_LETTERS, MANIFEST = (
    "chatter.db",
    "chatter.dump",
    "unsaved.jsonl",
    "dead-letters.jsonl",
    "backup.json",
)
"""The files of a backup: the copy of SQLite or the dump of PostgreSQL, the files beside it, and what it is."""


class BackupFailed(Exception):
    """Nothing was made, or nothing was changed. The message is one line for a person."""


def back_up(url: str, spool_folder: str, to: Path) -> dict[str, str]:
    """Makes the folder `to` and a backup in it; returns what its manifest says.

    Raises `BackupFailed` and `schema.DatabaseUnusable`.
    """
    if to.exists():
        raise BackupFailed(f"expected a folder that is not there yet, got {to}")
    database = schema.open_database(url, create=False)
    try:
        identity = schema.Identity.read()
        epoch = schema.Epoch.select().order_by(schema.Epoch.number.desc()).first()
    except Exception as error:
        raise BackupFailed(f"{without_password(url)} is no database of Chatter: {error}") from error
    finally:
        database.close()
    to.mkdir(parents=True)
    path = sqlite_path(url)
    if path is None:
        _run(["pg_dump", "--format=custom", f"--file={to / DUMP}"], url)
    else:
        _copy_sqlite(path, to / DATABASE)
    files = FilesBeside(url, spool_folder, identity)
    for source, name in ((files.spool, SPOOL), (files.dead_letters, DEAD_LETTERS)):
        if source.exists():
            shutil.copyfile(source, to / name)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {"database": identity, "epoch": str(epoch.number if epoch else 0), "made_at": made_at}
    (to / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def restore(url: str, spool_folder: str, source: Path) -> dict[str, str]:
    """Puts a backup in the place of the database at `url`; returns what its manifest says.

    Raises `BackupFailed`, and `schema.DatabaseUnusable` where a server runs on the database.
    """
    manifest = _manifest(source)
    path = sqlite_path(url)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    if path is None:
        _restore_postgresql(url, source / DUMP)
    else:
        _restore_sqlite(path, source / DATABASE, stamp)
    files = FilesBeside(url, spool_folder, manifest["database"])
    for stale in (files.spool, files.first_spool, files.presence_snapshot):
        if stale.exists():
            stale.rename(stale.with_name(f"{stale.name}.before-restore-{stamp}"))
    if (source / SPOOL).exists():
        shutil.copyfile(source / SPOOL, files.spool)
    database = schema.open_database(url)
    try:
        migrate(database)
        schema.Epoch.begin()
    finally:
        database.close()
    return manifest


def _manifest(source: Path) -> dict[str, str]:
    try:
        manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        return {name: str(manifest[name]) for name in ("database", "epoch", "made_at")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupFailed(f"expected a folder that `chatter backup` has made, got {source}: {error}") from error


def _copy_sqlite(path: Path, to: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target, pages=-1)  # one snapshot: between steps a commit would have SQLite begin again
        target.execute("PRAGMA journal_mode = delete")  # one file, without a log beside it
    _check_sqlite(to)


def _check_sqlite(path: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            fault = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        fault = str(error)
    if fault != "ok":
        raise BackupFailed(f"{path} is damaged: {fault}")


def _restore_sqlite(path: Path, copy: Path, stamp: str) -> None:
    """Replaces the file. Its log goes with it: SQLite would apply that to the copy."""
    if not copy.exists():
        raise BackupFailed(f"the backup has no {copy.name}: it is not one of SQLite")
    _check_sqlite(copy)
    path.parent.mkdir(parents=True, exist_ok=True)
    ownership = Ownership(f"sqlite:///{path}") if path.exists() else None
    aside = path.with_name(path.name + ".restoring")
    try:
        shutil.copyfile(copy, aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        for suffix in ("", "-wal", "-shm"):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(path.with_name(f"{path.name}.before-restore-{stamp}{suffix}"))
        aside.rename(path)
    finally:
        if ownership is not None:
            ownership.release()


def _restore_postgresql(url: str, dump: Path) -> None:
    if not dump.exists():
        raise BackupFailed(f"the backup has no {dump.name}: it is not one of PostgreSQL")
    ownership = Ownership(url)
    try:
        _run(["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(dump)], url)
    finally:
        ownership.release()


def _run(command: list[str], url: str) -> None:
    """Runs a program of PostgreSQL on the database. Raises `BackupFailed`."""
    program = command[0]
    if shutil.which(program) is None:
        raise BackupFailed(f"{program} is missing: install PostgreSQL's client programs")
    parts = urlsplit(url)
    address = parts._replace(netloc=f"{parts.username or ''}@{parts.netloc.rpartition('@')[2]}").geturl()
    environment = {**os.environ, **({"PGPASSWORD": unquote(parts.password)} if parts.password else {})}
    arguments = [*command, f"--dbname={address}"]
    done = subprocess.run(  # noqa: S603 - the operator's own URL
        arguments, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = " ".join(done.stderr.split()).replace(url, without_password(url))
        raise BackupFailed(f"{program} failed: {reason}")
