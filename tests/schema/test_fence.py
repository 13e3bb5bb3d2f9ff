"""The fence, the epochs and the owner of a database: who may commit, on both kinds of databases."""

import fcntl
import itertools
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import peewee
import pytest

from schema import (
    Database,
    DatabaseUnusable,
    Entry,
    EntryRow,
    Epoch,
    Fence,
    Identity,
    Superseded,
    WentBack,
    open_database,
)
from schema.base import database as bound
from schema.database import check_integrity, migrate, without_password
from schema.ownership import DatabaseMoved, Ownership, open_owned
from tests.support.database import query
from tests.support.postgresql import PostgreSQL
from tests.support.server import PATIENCE

AT = "2026-05-04T12:00:00.000000Z"


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()


def save(fence: Fence, seq: int) -> None:
    Entry.save_all([("lobby", fence.epoch, [EntryRow(seq, f"id-{seq}", "ann", "hello", AT)])], fence)


def saved() -> list[int]:
    return [row.seq for row in Entry.latest("lobby", 100)]


# ---------------------------------------------------------------- epochs


def test_an_epoch_is_never_given_out_twice_even_if_the_table_is_put_back(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.count(time.time_ns(), 1_000_000)  # no two starts are in the same millisecond
    monkeypatch.setattr(time, "time_ns", lambda: next(now))
    first, second = Epoch.begin(), Epoch.begin()
    Epoch.delete().where(Epoch.number == second).execute()
    third = Epoch.begin()
    Epoch.delete().execute()
    fourth = Epoch.begin()
    assert first < second < third <= fourth + 1
    assert len({first, second, third, fourth}) == 4


def test_the_clock_may_go_back(opened: Database) -> None:
    Epoch.insert(number=9_000_000_000_000).execute()
    assert Epoch.begin() == 9_000_000_000_001


# ---------------------------------------------------------------- the fence


def test_who_has_the_newest_epoch_may_commit(opened: Database) -> None:
    fence = Fence(Epoch.begin())
    for seq in (1, 2, 3):
        save(fence, seq)
    assert saved() == [1, 2, 3]


def test_a_server_that_was_superseded_cannot_commit(opened: Database) -> None:
    older, newer = Fence(Epoch.begin()), Fence(Epoch.begin())
    with pytest.raises(Superseded, match="another Chatter has taken over the database"):
        save(older, 1)
    assert saved() == []
    save(newer, 1)
    assert saved() == [1]


def test_a_server_notices_that_its_commits_are_missing(opened: Database) -> None:
    fence = Fence(Epoch.begin())
    save(fence, 1)
    Epoch.update(commits=0).execute()  # as the copy that was made before that has it
    Entry.delete().execute()
    with pytest.raises(WentBack, match="gone back in time"):
        save(fence, 2)
    assert saved() == []


def test_a_server_notices_that_its_epoch_is_missing(opened: Database) -> None:
    fence = Fence(Epoch.begin())
    Epoch.delete().execute()
    with pytest.raises(WentBack):
        save(fence, 1)


def test_missing_commits_are_noticed_also_where_another_server_has_begun(opened: Database) -> None:
    fence = Fence(Epoch.begin())
    save(fence, 1)
    Epoch.update(commits=0).execute()
    Epoch.begin()  # as a restore does
    with pytest.raises(WentBack):
        save(fence, 2)
    with pytest.raises(WentBack):
        fence.check()


def test_a_check_notices_another_server(opened: Database) -> None:
    fence = Fence(Epoch.begin())
    save(fence, 1)
    fence.check()
    Epoch.begin()
    with pytest.raises(Superseded):
        fence.check()


def test_a_commit_whose_answer_was_lost_is_no_fault(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fence = Fence(Epoch.begin())
    with monkeypatch.context() as patch:
        patch.setattr(fence, "confirm", lambda: (_ for _ in ()).throw(ConnectionError("the answer was lost")))
        with pytest.raises(ConnectionError):
            save(fence, 1)
    save(fence, 2)
    save(fence, 3)
    assert saved() == [1, 2, 3]


def test_an_epoch_begins_after_the_commit_that_is_under_way(opened: Database) -> None:
    fence = Fence(Epoch.begin())
    begun: list[int] = []
    if isinstance(opened, peewee.SqliteDatabase):
        opened.timeout = PATIENCE  # for the lock, however long the disk takes over the commit

    def begin() -> None:
        begun.append(Epoch.begin())
        bound.close()

    with bound.atomic():
        fence.count_commit()
        other = threading.Thread(target=begin)
        other.start()
        other.join(0.3)  # it waits: that it does not is what would show
        assert begun == []
    other.join()
    assert len(begun) == 1


# ---------------------------------------------------------------- identity and owner


def test_a_database_has_an_identity_of_its_own_which_a_copy_shares(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        database = open_database(f"sqlite:///{tmp_path}/{name}.db")
        migrate(database)
        found.append(Identity.read())
        database.close()
    shutil.copy(tmp_path / "a.db", tmp_path / "c.db")
    database = open_database(f"sqlite:///{tmp_path}/c.db")
    found.append(Identity.read())
    database.close()
    assert len(set(found)) == 2
    assert found[0] == found[2]


def test_a_file_has_one_owner_by_whatever_name_it_is_opened(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/a.db").close()
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    owner = Ownership(f"sqlite:///{tmp_path}/a.db")
    for file in tmp_path.glob("*.lock"):
        file.unlink()
    for name in ("a.db", "link.db"):
        with pytest.raises(DatabaseUnusable, match="another Chatter is running"):
            Ownership(f"sqlite:///{tmp_path}/{name}")
    owner.release()
    Ownership(f"sqlite:///{tmp_path}/link.db").release()


@pytest.mark.postgresql
def test_postgresql_does_not_end_idle_sessions(postgresql: PostgreSQL) -> None:
    url = postgresql.create_database()
    query(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET idle_session_timeout = '10s'")
    database = open_database(url)
    assert database.execute_sql("SHOW idle_session_timeout").fetchone() == ("0",)
    database.close()


OF_LOCK = "pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = '{}')"


def lock_sessions(url: str) -> list[int]:
    return [pid for (pid,) in query(url, f"SELECT pid FROM {OF_LOCK.format(url.rpartition('/')[2])}")]


@pytest.mark.postgresql
def test_a_lock_that_postgresql_has_no_connection_for_is_an_error_in_one_line(postgresql: PostgreSQL) -> None:
    url = postgresql.create_database()
    query(url, "CREATE ROLE lonely LOGIN CONNECTION LIMIT 0")
    with pytest.raises(DatabaseUnusable, match=r"cannot lock the database: .*too many connections") as raised:
        Ownership(url.replace("://chatter@", "://lonely@"))
    assert "\n" not in str(raised.value)


@pytest.mark.postgresql
def test_a_lock_whose_session_has_ended_is_taken_again(postgresql: PostgreSQL) -> None:
    url = postgresql.create_database()
    owner = Ownership(url)
    (first,) = lock_sessions(url)
    for keep in (owner.check, owner.renew):
        keep()
        assert lock_sessions(url) == [first]  # a healthy one is left alone
    for keep in (owner.check, owner.renew):
        (pid,) = lock_sessions(url)
        query(url, f"SELECT pg_terminate_backend({pid}, 5000)")
        assert lock_sessions(url) == []
        keep()
        assert len(lock_sessions(url)) == 1
    query(url, f"SELECT pg_terminate_backend({lock_sessions(url)[0]}, 5000)")
    other = Ownership(url)
    with pytest.raises(Superseded, match="another Chatter has taken over the database"):
        owner.check()
    other.release()
    owner.release()


def test_a_file_that_is_gone_or_replaced_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    open_database(f"sqlite:///{file}").close()
    owner = Ownership(f"sqlite:///{file}")
    owner.check_file()
    file.rename(tmp_path / "away.db")
    with pytest.raises(DatabaseMoved, match="is gone"):
        owner.check_file()
    file.write_bytes((tmp_path / "away.db").read_bytes())
    with pytest.raises(DatabaseMoved, match="another file has taken the place"):
        owner.check_file()
    os.replace(tmp_path / "away.db", file)
    owner.check_file()
    owner.release()


def test_a_file_that_is_replaced_before_it_is_locked_is_not_owned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, new = tmp_path / "a.db", tmp_path / "new.db"
    for each in (file, new):
        open_database(f"sqlite:///{each}").close()
    lock = fcntl.flock

    def lock_later(descriptor: IO[bytes], operation: int) -> None:
        if new.exists():
            os.replace(new, file)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_later)
    with pytest.raises(DatabaseUnusable, match="another file has taken the place"):
        Ownership(f"sqlite:///{file}")
    Ownership(f"sqlite:///{file}").release()


def test_a_file_that_is_replaced_as_a_server_starts_is_the_one_that_it_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, new = tmp_path / "a.db", tmp_path / "new.db"
    for each in (file, new):
        database = open_database(f"sqlite:///{each}")
        migrate(database)
        database.close()
    database = open_database(f"sqlite:///{new}")
    Epoch.begin(above=1_000)
    newest = Epoch.select().get().number
    database.close()
    lock = Ownership.__init__

    def lock_later(self: Ownership, url: str, *, timeout: float, shared: bool) -> None:
        os.replace(new, file)
        lock(self, url, timeout=timeout, shared=shared)

    monkeypatch.setattr(Ownership, "__init__", lock_later)
    database, ownership = open_owned(f"sqlite:///{file}")
    assert Epoch.select().get().number == newest
    database.close()
    ownership.release()


def test_a_file_that_is_replaced_as_a_connection_is_opened_is_left_alone_with_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other, away = tmp_path / "a.db", tmp_path / "other.db", tmp_path / "away.db"
    database, ownership = open_owned(f"sqlite:///{file}")
    migrate(database)
    database.close()
    shutil.copy(file, other)
    database.connect()
    Epoch.begin()
    file.rename(away)
    database.close()  # the file has been moved, so SQLite leaves the log as it is
    os.replace(away, file)
    connect, log = sqlite3.connect, tmp_path / "a.db-wal"
    before = [path.read_bytes() for path in (file, other, log)]

    def connect_later(*args: Any, **options: Any) -> Any:
        file.rename(away)
        os.replace(other, file)
        return connect(*args, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_later)
    with pytest.raises(DatabaseMoved, match="another file has taken the place"):
        database.connect()
    assert [path.read_bytes() for path in (away, file, log)] == before
    monkeypatch.undo()
    os.replace(away, file)
    assert Epoch.select().count() == 1
    database.close()
    ownership.release()


def test_a_database_that_is_gone_is_not_made_anew_by_a_connection_that_is_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    database = open_database(f"sqlite:///{file}")
    database.close()
    file.unlink()
    with pytest.raises(Exception, match="unable to open"):
        database.connect()
    assert not file.exists()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    database = open_database(f"sqlite:///{file}")
    migrate(database)
    Entry.save_all([("lobby", 1, [EntryRow(n, str(n), "ann", "x" * 3_000, AT) for n in range(1, 200)])])
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(file.read_bytes())
    content[20_000:60_000] = b"\x55" * 40_000
    file.write_bytes(content)
    database = open_database(f"sqlite:///{file}")
    with pytest.raises(DatabaseUnusable, match="the database is damaged"):
        check_integrity(database)
    database.close()


# ---------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:secret@host/name",
        "postgresql://ann:se:cret@host/name",
        "postgresql://ann:sec@ret@host/name",
        "postgresql://ann:secret/secret@host/name",
        "postgresql://:secret@host/name",
        "postgresql://host/name?password=secret",
        "postgresql://ann@host/name?user=x&password=secret",
        "postgresql://ann:secret@host",
        "mysql://ann:secret@host/name",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    shown = without_password(url)
    assert "secret" not in shown
    assert "se:cret" not in shown
    assert "ret" not in shown.replace("…", "")
    with pytest.raises(DatabaseUnusable) as error:
        open_database(url)
    assert "secret" not in str(error.value)
