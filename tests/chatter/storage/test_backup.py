"""Backups of SQLite and their restore: what a busy server, a full disk and a kill in between leave behind."""

import contextlib
import itertools
import pkgutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatter.storage import backup
from chatter.storage.backup import BackupFailed, back_up, restore
from chatter.storage.storage import FilesBeside
from schema import DatabaseUnusable, Epoch, open_database
from schema.ownership import Ownership
from tests.support.database import query
from tests.support.postgresql import PostgreSQL
from tests.support.server import PATIENCE
from tests.support.templates import copy_sqlite


def begin_epoch(url: str) -> None:
    """Begins an epoch, as a start does."""
    database = open_database(url)
    Epoch.begin()
    database.close()


class Place:
    """A migrated database in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.file = folder / "chatter.db"
        self.url = copy_sqlite(self.file)
        begin_epoch(self.url)
        (identity,) = query(self.url, "SELECT value FROM identity")[0]
        files = FilesBeside(self.url, "", identity)
        self.spool, self.dead_letters = files.spool, files.dead_letters

    def run(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute(statement)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def commit_until(done: threading.Event, file: Path, deadline: float) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=PATIENCE)) as connection:
        connection.execute("PRAGMA synchronous = off")
        while not done.is_set() and time.monotonic() < deadline:
            connection.execute("UPDATE epoch SET commits = commits + 1")


def test_a_backup_ends_while_the_server_commits(place: Place, tmp_path: Path) -> None:
    place.run("CREATE TABLE large AS SELECT zeroblob(20000000) AS bytes")
    done, deadline = threading.Event(), time.monotonic() + PATIENCE
    writer = threading.Thread(target=commit_until, args=(done, place.file, deadline))
    writer.start()
    try:
        back_up(place.url, "", tmp_path / "backup")
    finally:
        done.set()
        writer.join()
    assert time.monotonic() < deadline


def test_a_backup_that_fails_leaves_nothing_behind(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_copy_sqlite", disk_full)
    with pytest.raises(BackupFailed, match=r"cannot make the backup .*: database or disk is full"):
        back_up(place.url, "", tmp_path / "backup")
    assert [file.name for file in tmp_path.iterdir()] == ["place"]


def test_a_spool_that_a_start_replays_meanwhile_is_in_the_backup(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.spool.write_text("a line\n")
    copy = backup._copy_sqlite

    def replay_after(path: Path, to: Path) -> None:
        copy(path, to)
        place.spool.unlink(missing_ok=True)

    monkeypatch.setattr(backup, "_copy_sqlite", replay_after)
    back_up(place.url, "", tmp_path / "backup")
    assert (tmp_path / "backup" / backup.SPOOL).read_text() == "a line\n"


# ---------------------------------------------------------------- restore


class Interrupted(Exception):
    """Ends a restore where a kill might."""


MOVES = ("os.link", "os.replace", "pathlib.Path.rename", "pathlib.Path.unlink", "shutil.copyfile", "os.fsync")
"""What changes or waits for files."""


def interrupt_at(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the process fail at this call of `MOVES` and at all later ones, as if it were gone."""
    calls = itertools.count()

    def failing(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def move(*arguments: Any, **options: Any) -> Any:
            if next(calls) >= call:
                raise Interrupted
            return wrapped(*arguments, **options)

        return move

    for name in MOVES:
        place, _, function = name.rpartition(".")
        monkeypatch.setattr(name, failing(getattr(pkgutil.resolve_name(place), function)))


def texts(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return [text for (text,) in connection.execute("SELECT text FROM told")]


def leave_in_the_log(file: Path, text: str) -> None:
    """Commits in a process that is killed, so that the commit stays in SQLite's log."""
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA journal_mode = wal'); c.execute('INSERT INTO told VALUES (?)', [sys.argv[2]]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(file), text], check=True)
    assert file.with_name(file.name + "-wal").stat().st_size


ALL_MOVES = 24
"""How many of these a restore makes: the last case below is not interrupted."""


def newest_epoch(file: Path) -> int:
    (newest,) = query(f"sqlite:///{file}", "SELECT max(number) FROM epoch")[0]
    return int(newest)


@pytest.mark.parametrize("call", range(ALL_MOVES + 1))
def test_a_restore_that_is_interrupted_leaves_the_old_database_or_the_new_one(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    place.run("CREATE TABLE told (text)")
    place.run("INSERT INTO told VALUES ('old')")
    place.spool.write_text("of the backup")
    place.dead_letters.write_text("of the backup")
    back_up(place.url, "", tmp_path / "backup")
    leave_in_the_log(place.file, "new")
    place.spool.write_text("stale")
    before = newest_epoch(place.file)
    is_interrupted = True
    with monkeypatch.context() as patched, contextlib.suppress(Interrupted):
        interrupt_at(call, patched)
        restore(place.url, "", tmp_path / "backup")
        is_interrupted = False
    assert is_interrupted == (call < ALL_MOVES)
    assert texts(place.file) in (["old", "new"], ["old"])
    if texts(place.file) == ["old"]:  # it is the new one
        assert newest_epoch(place.file) > before
        assert not place.spool.exists() or place.spool.read_text() == "of the backup"
    restore(place.url, "", tmp_path / "backup")
    assert texts(place.file) == ["old"]
    assert (place.spool.read_text(), place.dead_letters.read_text()) == ("of the backup", "of the backup")
    kept = [file for file in place.file.parent.glob("*.before-restore-*") if file.is_file()]
    assert ["old", "new"] in [texts(file) for file in kept if file.name.startswith("chatter.db.before")]
    assert "stale" in [file.read_text() for file in kept if "unsaved" in file.name]
    assert list(place.file.parent.glob("*.restoring*")) == []


@pytest.mark.parametrize("fails", ["pathlib.Path.rename", "os.replace"])
def test_a_restore_that_fails_changes_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    back_up(place.url, "", tmp_path / "backup")
    place.run("CREATE TABLE told (text)")
    place.spool.write_text("unsaved")
    before, epoch = {file.name for file in place.file.parent.iterdir()}, newest_epoch(place.file)

    def fail(*_: object) -> None:
        raise OSError("read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(fails, fail)
        with pytest.raises(BackupFailed, match=r"cannot restore .*: read-only file system"):
            restore(place.url, "", tmp_path / "backup")
    assert {file.name for file in place.file.parent.iterdir()} == before
    assert (texts(place.file), place.spool.read_text(), newest_epoch(place.file)) == ([], "unsaved", epoch)


def test_a_restore_that_fails_leaves_no_empty_file(place: Place, tmp_path: Path) -> None:
    back_up(place.url, "", tmp_path / "backup")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "chatter.db.restoring").mkdir()
    with pytest.raises(BackupFailed, match="cannot restore"):
        restore(f"sqlite:///{tmp_path}/new/chatter.db", "", tmp_path / "backup")
    assert not (tmp_path / "new" / "chatter.db").exists()


def test_a_restore_puts_the_dead_letters_of_the_backup_beside_others(place: Place, tmp_path: Path) -> None:
    letters = place.dead_letters
    letters.write_text("first\n")
    back_up(place.url, "", tmp_path / "backup")
    letters.write_text("first\nsecond\n")
    restore(place.url, "", tmp_path / "backup")  # those that are there have them
    assert [file.read_text() for file in letters.parent.glob("*.dead-letters.*")] == ["first\nsecond\n"]
    letters.write_text("others\n")
    restore(place.url, "", tmp_path / "backup")
    assert letters.read_text() == "others\n"
    (put_back,) = letters.parent.glob("*.dead-letters.jsonl.of-backup-*")
    assert put_back.read_text() == "first\n"
    letters.unlink()
    restore(place.url, "", tmp_path / "backup")
    assert letters.read_text() == "first\n"


@pytest.mark.postgresql
def test_a_restore_to_postgresql_that_fails_changes_nothing(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.create_database()
    begin_epoch(url)
    back_up(url, str(tmp_path), tmp_path / "backup")
    (tmp_path / "backup" / backup.DUMP).write_text("torn")
    (identity,) = query(url, "SELECT value FROM identity")[0]
    spool = FilesBeside(url, str(tmp_path), identity).spool
    spool.write_text("unsaved")
    with pytest.raises(BackupFailed, match="pg_restore failed"):
        restore(url, str(tmp_path), tmp_path / "backup")
    assert spool.read_text() == "unsaved"
    assert query(url, "SELECT count(*) FROM epoch") == [(1,)]


def test_a_restore_keeps_servers_away_until_its_epoch_has_begun(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_epoch(database_url)
    back_up(database_url, str(tmp_path), tmp_path / "backup")
    begin, begun = Epoch.begin, list[int]()

    def begin_while_another_starts(**options: int) -> int:
        with pytest.raises(DatabaseUnusable, match="another Chatter is running"):
            Ownership(database_url)
        begun.append(begin(**options))
        return begun[0]

    monkeypatch.setattr(Epoch, "begin", begin_while_another_starts)
    restore(database_url, str(tmp_path), tmp_path / "backup")
    assert query(database_url, "SELECT max(number) FROM epoch") == [(begun[0],)]
    Ownership(database_url).release()


def test_a_restore_begins_an_epoch_above_that_of_the_database_it_replaces(database_url: str, tmp_path: Path) -> None:
    begin_epoch(database_url)
    back_up(database_url, str(tmp_path), tmp_path / "backup")
    query(database_url, "INSERT INTO epoch (number, commits) VALUES (9000000000000, 0)")
    restore(database_url, str(tmp_path), tmp_path / "backup")
    assert query(database_url, "SELECT max(number) FROM epoch") == [(9000000000001,)]


def test_a_damaged_database_is_replaced_with_its_log(place: Place, tmp_path: Path) -> None:
    back_up(place.url, "", tmp_path / "backup")
    place.file.write_bytes(b"no database" * 1_000)
    place.file.with_name("chatter.db-wal").write_bytes(b"no log")
    restore(place.url, "", tmp_path / "backup")
    assert query(place.url, "PRAGMA quick_check") == [("ok",)]
    assert [kept.read_bytes()[:11] for kept in place.file.parent.glob("*.before-restore-*")] == [b"no database"]


def test_a_database_that_is_gone_is_restored(place: Place, tmp_path: Path) -> None:
    back_up(place.url, "", tmp_path / "backup")
    place.file.unlink()
    restore(place.url, "", tmp_path / "backup")
    assert query(place.url, "SELECT count(*) FROM epoch") == [(2,)]
    assert not list(place.file.parent.glob("*.before-restore-*"))


def test_a_database_that_another_program_reads_is_not_replaced(place: Place, tmp_path: Path) -> None:
    back_up(place.url, "", tmp_path / "backup")
    with contextlib.closing(sqlite3.connect(place.file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM epoch").fetchone()
        with pytest.raises(BackupFailed, match="another program has"):
            restore(place.url, "", tmp_path / "backup")
    assert [file.name for file in place.file.parent.iterdir() if "restor" in file.name] == []
