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
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import peewee

import schema
from chatter.storage.records import sync_folder
from chatter.storage.storage import FilesBeside
from schema.database import migrate, read_only_uri, sqlite_path, without_password
from schema.errors import in_one_line, is_damage
from schema.ownership import Ownership

DATABASE, DUMP, SPOOL, DEAD_LETTERS, MANIFEST = (
    "chatter.db",
    "chatter.dump",
    "unsaved.jsonl",
    "dead-letters.jsonl",
    "backup.json",
)
"""The files of a backup: the copy of SQLite or the dump of PostgreSQL, the files beside it, and what it is."""

LOGS = ("-wal", "-shm", "-journal")
"""What SQLite may have beside a file."""

Finish: TypeAlias = Callable[[], None]

PutInPlace: TypeAlias = Callable[[], Finish]
"""Replaces the database, and returns what remains to be done then."""


class BackupFailed(Exception):
    """Nothing was made, or nothing was changed. The message is one line for a person."""


def back_up(url: str, spool_folder: str, to: Path) -> dict[str, str]:
    """Makes the folder `to` and a backup in it; returns what its manifest says.

    Raises `BackupFailed` and `schema.DatabaseUnusable`.
    """
    if os.path.lexists(to):
        raise BackupFailed(f"expected a folder that is not there yet, got {to}")
    database = schema.open_database(url, create=False)
    try:
        identity = schema.Identity.read()
        epoch = schema.Epoch.newest()
    except Exception as error:
        raise BackupFailed(f"{without_password(url)} is no database of Chatter: {in_one_line(error)}") from error
    finally:
        database.close()
    manifest = {"database": identity, "epoch": str(epoch)}
    try:
        _back_up(url, FilesBeside(url, spool_folder, identity), manifest, to)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"cannot make the backup {to}: {in_one_line(error)}") from error
    return manifest


def _back_up(url: str, files: FilesBeside, manifest: dict[str, str], to: Path) -> None:
    """Fills a folder beside `to` and renames it at the end, so that half a backup never looks like one."""
    part = to.with_name(to.name + ".part")
    part.mkdir(parents=True)
    try:
        for source, name in ((files.spool, SPOOL), (files.dead_letters, DEAD_LETTERS)):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(source, part / name)
        _copy_database(url, part)  # after the spool: a start in between moves messages from there into the database
        manifest["made_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        (part / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        for each in part.iterdir():
            _sync(each)
        sync_folder(part)
        part.rename(to)
        sync_folder(to.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _copy_database(url: str, folder: Path) -> None:
    path = sqlite_path(url)
    if path is None:
        _run(["pg_dump", "--format=custom", f"--file={folder / DUMP}"], url)
    else:
        _copy_sqlite(path, folder / DATABASE)


def restore(url: str, spool_folder: str, source: Path) -> dict[str, str]:
    """Puts a backup in the place of the database at `url`; returns what its manifest says.

    No server can start on the database meanwhile. Raises `BackupFailed`, and `schema.DatabaseUnusable` where one runs.
    """
    manifest = _manifest(source)
    try:
        with contextlib.ExitStack() as owned:
            _restore(url, spool_folder, source, manifest, owned)
    except (OSError, sqlite3.Error, peewee.PeeweeException) as error:
        raise BackupFailed(f"cannot restore {source}: {in_one_line(error)}") from error
    return manifest


def _restore(url: str, spool_folder: str, source: Path, manifest: dict[str, str], owned: contextlib.ExitStack) -> None:
    """Prepares everything aside, sets aside what is stale, and then puts the database in place in one step.

    Wherever this is interrupted, a start finds a whole database, and beside a restored one no stale spool.
    """
    path = sqlite_path(url)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    newest = int(manifest["epoch"])
    if path is None:
        put_in_place = _prepare_postgresql(url, source / DUMP, newest, owned)
    else:
        put_in_place = _prepare_sqlite(path.resolve(), source / DATABASE, newest, stamp, owned)
    files = FilesBeside(url, spool_folder, manifest["database"])
    files.make_folder()
    prepared = _prepare_files(files, source, stamp, owned)
    with _set_aside((files.spool, files.first_spool, files.presence_snapshot), stamp):
        finish = put_in_place()
    for aside, place in prepared.items():
        aside.replace(place)
        sync_folder(place.parent)
    finish()


def _prepare_files(files: FilesBeside, source: Path, stamp: str, owned: contextlib.ExitStack) -> dict[Path, Path]:
    """Copies the spool and the dead letters of the backup aside, and returns the places where they belong."""
    places = {SPOOL: files.spool, DEAD_LETTERS: files.dead_letters}
    if files.dead_letters.exists():  # others, or those of the backup and later ones
        places[DEAD_LETTERS] = files.dead_letters.with_name(f"{files.dead_letters.name}.of-backup-{stamp}")
    prepared = {}
    for name, place in places.items():
        if (source / name).exists() and not (name == DEAD_LETTERS and _begins_with(files.dead_letters, source / name)):
            aside = place.with_name(place.name + ".restoring")
            owned.callback(aside.unlink, missing_ok=True)
            _copy(source / name, aside)
            prepared[aside] = place
    return prepared


def _begins_with(longer: Path, shorter: Path) -> bool:
    return longer.exists() and longer.read_bytes().startswith(shorter.read_bytes())


@contextlib.contextmanager
def _set_aside(stale: Sequence[Path], stamp: str) -> Iterator[None]:
    """Renames files, and gives them their names back if what follows fails."""
    moved: list[Path] = []
    try:
        for each in stale:
            if each.exists():
                each.rename(_kept(each, stamp))
                moved.append(each)
                sync_folder(each.parent)
        yield
    except BaseException:
        for each in moved:
            _kept(each, stamp).rename(each)
        raise


def _manifest(source: Path) -> dict[str, str]:
    try:
        manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        int(manifest["epoch"])
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
    _check_sqlite(to, f"the copy of {path}")


def _check_sqlite(path: Path, name: str) -> None:
    try:
        with contextlib.closing(sqlite3.connect(read_only_uri(path), uri=True)) as database:
            fault = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        if not is_damage(error):
            raise BackupFailed(f"{name} cannot be read: {in_one_line(error)}") from error
        fault = str(error)
    if fault != "ok":
        raise BackupFailed(f"{name} is damaged: {fault}")


def _prepare_sqlite(path: Path, copy: Path, newest: int, stamp: str, owned: contextlib.ExitStack) -> PutInPlace:
    """Makes the new file beside the old one, and returns what replaces that in one step.

    Wherever it is interrupted, a whole database is at `path`: the old one or the new one, without the other's log.
    """
    if not copy.exists():
        raise BackupFailed(f"the backup has no {copy.name}: it is not one of SQLite")
    _check_sqlite(copy, str(copy))
    path.parent.mkdir(parents=True, exist_ok=True)
    is_first = not path.exists()
    path.touch()  # there has to be a file to lock
    owned.callback(Ownership(f"sqlite:///{path}").release)
    if is_first:
        owned.callback(_unlink_if_empty, path)
    replaced = 0 if is_first else _newest_epoch(f"sqlite:///{path}")
    aside = path.with_name(path.name + ".restoring")
    owned.callback(_unlink_sqlite, aside)
    _unlink_sqlite(aside)  # of a restore that was killed
    _copy(copy, aside)
    _begin_epoch(f"sqlite:///{aside}", above=max(replaced, newest))
    _sync(aside)
    owned.callback(Ownership(f"sqlite:///{aside}").release)  # on Linux this lock stays on the file when it moves

    def put_in_place() -> Finish:
        with _sealed(path):
            _replace(path, aside, None if is_first else stamp)
        return lambda: sync_folder(path.parent)

    return put_in_place


def _begin_epoch(url: str, above: int) -> None:
    """Brings a restored database up to date, and begins an epoch that no client has heard of."""
    database = schema.open_database(url, create=False)
    try:
        migrate(database)
        schema.Epoch.begin(above=above)
        if sqlite_path(url) is not None:
            database.execute_sql("PRAGMA journal_mode = delete")  # one file, without a log beside it
    finally:
        database.close()


def _unlink_if_empty(path: Path) -> None:
    if path.exists() and not path.stat().st_size:
        path.unlink()


def _unlink_sqlite(path: Path) -> None:
    for suffix in ("", *LOGS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _replace(path: Path, new: Path, stamp: str | None) -> None:
    """Puts `new` at `path`. Keeps what was there, unless `stamp` is None."""
    kept = _kept(path, stamp) if stamp else None
    if kept is not None:
        _link_or_copy(path, kept)
    for suffix in LOGS:  # of a damaged file: SQLite would apply them to the new one
        log = path.with_name(path.name + suffix)
        if log.exists() and kept is not None:
            log.rename(kept.with_name(kept.name + suffix))
        log.unlink(missing_ok=True)
    try:
        os.replace(new, path)
    except OSError:
        if kept is not None:
            kept.unlink()
        raise


@contextlib.contextmanager
def _sealed(path: Path) -> Iterator[None]:
    """Has SQLite move its log into the file, and locks out all programs. A damaged file is left as it is."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)) as database:
        try:
            database.execute("PRAGMA journal_mode = delete")
            database.execute("BEGIN EXCLUSIVE")
            in_use = database.execute("PRAGMA journal_mode").fetchone() != ("delete",)
        except sqlite3.Error as error:
            in_use = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            database.close()
        if in_use:
            raise BackupFailed(f"another program has {path} open: end it first")
        yield


def _link_or_copy(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # a file system without hard links
        _copy(path, to)


def _copy(path: Path, to: Path) -> None:
    shutil.copyfile(path, to)
    _sync(to)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _kept(path: Path, stamp: str) -> Path:
    return path.with_name(f"{path.name}.before-restore-{stamp}")


def _newest_epoch(url: str) -> int:
    """Returns the newest epoch of a database; 0 if it is empty or damaged."""
    try:
        database = schema.open_database(url, create=False)
        try:
            return schema.Epoch.newest()
        finally:
            database.close()
    except (schema.DatabaseUnusable, peewee.PeeweeException):
        return 0


def _prepare_postgresql(url: str, dump: Path, newest: int, owned: contextlib.ExitStack) -> PutInPlace:
    """Returns what replaces the tables in one transaction."""
    if not dump.exists():
        raise BackupFailed(f"the backup has no {dump.name}: it is not one of PostgreSQL")
    owned.callback(Ownership(url).release)
    replaced = _newest_epoch(url)

    def put_in_place() -> Finish:
        _run(["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(dump)], url)
        return lambda: _begin_epoch(url, above=max(replaced, newest))

    return put_in_place


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
