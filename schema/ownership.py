"""Ownership: keeps a second server off a database while the first one lives. The nodes of a cluster share it.

It spares both the surprise. What keeps the tables right is the fence (`schema/fence.py`), since a lock can be lost: its
session may be ended, a lock file be removed.
"""

import fcntl
import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import IO

import peewee

from schema.database import Database, DatabaseUnusable, SqliteFile, connect, open_database, sqlite_path
from schema.errors import in_one_line
from schema.fence import Superseded

_KEY = 0x43686174746572
"""The key of PostgreSQL's advisory lock: `Chatter` in ASCII. Each database of a cluster has its own such lock."""

LOCK_TIMEOUT = 2.0
"""Seconds for PostgreSQL to notice that the session of a killed server has ended, which frees its lock."""

_TAKEN = "another Chatter is running on this database"


class Taken(Exception):
    """Another process has the lock."""


class DatabaseMoved(Exception):
    """The SQLite file is gone, or another one is in its place."""


class Ownership:
    """The lock on a database. It ends with `release` or with the process, however that ends."""

    def __init__(self, url: str, *, timeout: float = 0.0, shared: bool = False) -> None:
        """Takes the lock of an existing database. Raises `DatabaseUnusable` where another process has it.

        `timeout` is PostgreSQL's, as in `schema.database.connect`. Those whose lock is `shared`, which takes
        PostgreSQL, have it together.
        """
        self._lock = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        self._path = sqlite_path(url)
        self._file: IO[bytes] | None = None
        self._lock_file: IO[bytes] | None = None
        self._session: Database | None = None
        self._renewing = threading.Lock()  # the threads that read and write both look after the lock
        try:
            if self._path is None:
                self._session = connect(url, timeout=timeout, thread_safe=False)  # one thread locks, another renews
                _lock_session(self._session, self._lock)
            else:
                self._file = _open(self._path)
                self._lock_file = _lock(self._file)
                self.check_file()  # a restore may have replaced it before it was locked
        except (Taken, DatabaseMoved) as error:
            self.release()
            raise DatabaseUnusable(_TAKEN if isinstance(error, Taken) else str(error)) from error
        except peewee.PeeweeException as error:
            self.release()
            raise DatabaseUnusable(f"cannot lock the database: {in_one_line(error)}") from error

    def check(self) -> None:
        """Looks after the lock before each commit. Raises as `check_file` and `renew` do.

        PostgreSQL tells of the end of a session, and of little else without being asked: to look takes 1 µs.
        """
        self.check_file()
        if self._session is not None and (self._session.is_closed() or _is_told(self._session)):
            self.renew()

    def renew(self) -> None:
        """Takes the lock again if its session has ended, as in a restart of PostgreSQL. Raises `Superseded`."""
        if self._session is None or not self._renewing.acquire(blocking=False):
            return
        try:
            if not _answers(self._session):
                self._session.close()
                _lock_session(self._session, self._lock)
        except Taken as error:
            raise Superseded("another Chatter has taken over the database: it has the lock") from error
        finally:
            self._renewing.release()

    def check_file(self) -> None:
        """Raises `DatabaseMoved` unless the path still leads to the file that was opened."""
        if self._path is None or self._file is None:
            return
        opened = os.fstat(self._file.fileno())
        try:
            found = self._path.stat()
        except OSError as error:
            raise DatabaseMoved(f"the database file {self._path} is gone: {error.strerror}") from error
        if (found.st_dev, found.st_ino) != (opened.st_dev, opened.st_ino):
            raise DatabaseMoved(f"another file has taken the place of the database file {self._path}")

    def release(self) -> None:
        """Frees the lock. All connections to a SQLite file have to be closed before: they share its locks."""
        for held in (self._lock_file, self._file, self._session):
            if held is not None:
                held.close()


def open_owned(
    url: str, sqlite_synchronous: str = "full", *, timeout: float = 0.0, shared: bool = False
) -> tuple[Database, Ownership]:
    """Opens the database as `open_database` does, and takes its lock. Raises `DatabaseUnusable`."""
    database = open_database(url, sqlite_synchronous, timeout=timeout)
    database.close()  # it is opened again when it is used: until it is locked, a restore may replace its file
    ownership = Ownership(url, timeout=timeout, shared=shared)
    if isinstance(database, SqliteFile):
        database.check_file = ownership.check_file
    return database, ownership


def _lock(file: IO[bytes]) -> IO[bytes]:
    """Locks the file itself on Linux, where that leaves SQLite's own locks alone; elsewhere a file beside it."""
    if not sys.platform.startswith("linux"):
        path = Path(os.path.realpath(file.name))
        file = path.with_name(path.name + ".lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Taken from error
    return file


def _lock_session(session: Database, lock: str) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while not session.execute_sql(f"SELECT {lock}(%s)", [_KEY]).fetchone()[0]:
        if time.monotonic() > deadline:
            raise Taken
        time.sleep(LOCK_TIMEOUT / 10)


def _is_told(session: Database) -> bool:
    socket = select.poll()  # not select(), which takes no descriptor above 1,023
    socket.register(session.connection().fileno(), select.POLLIN)
    return bool(socket.poll(0))


def _answers(session: Database) -> bool:
    try:
        return not session.is_closed() and bool(session.execute_sql("SELECT 1").fetchone())
    except peewee.PeeweeException:
        return False


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise DatabaseUnusable(f"cannot lock the database: {error}") from error
