"""Gives one server the sole right to write to a database: two would give out the same numbers."""

import fcntl
import time
from pathlib import Path
from typing import IO, Any

from schema.database import Database, DatabaseUnusable, connect, sqlite_path

_KEY = 0x43686174746572
"""The key of PostgreSQL's advisory lock: `Chatter` in ASCII. Each database of a cluster has its own such lock."""

PATIENCE = 2.0
"""Seconds for PostgreSQL to notice that the session of a killed server has ended, which frees its lock."""

_TAKEN = "another Chatter is running on this database"


class Ownership:
    """The right to write to a database. It ends with `release` or with the process, however that ends."""

    def __init__(self, url: str) -> None:
        """Takes the right. Raises `DatabaseUnusable` where another process has it."""
        self._file: IO[bytes] | None = None
        self._session: Database | None = None
        path = sqlite_path(url)
        if path is None:
            self._session = connect(url, thread_safe=False)  # one thread takes the lock, another renews it
            self._lock_session(self._session)
        else:
            self._file = _open(path.with_name(path.name + ".lock"))
            self._lock_file(self._file)

    def renew(self) -> None:
        """Takes it again, since a database that has restarted has lost the lock. Raises `DatabaseUnusable`."""
        if self._session is not None:
            self._session.close()
            self._lock_session(self._session)

    def release(self) -> None:
        """Frees it for others."""
        for held in (self._file, self._session):
            if held is not None:
                held.close()

    def _lock_file(self, file: IO[Any]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseUnusable(_TAKEN) from error

    def _lock_session(self, session: Database) -> None:
        deadline = time.monotonic() + PATIENCE
        while not session.execute_sql("SELECT pg_try_advisory_lock(%s)", [_KEY]).fetchone()[0]:
            if time.monotonic() > deadline:
                raise DatabaseUnusable(_TAKEN)
            time.sleep(PATIENCE / 10)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise DatabaseUnusable(f"cannot lock the database: {error}") from error
