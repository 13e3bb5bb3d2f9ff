"""One server owns a database: two that number the same rooms would contradict each other."""

import fcntl
import time
from pathlib import Path
from typing import IO, Any

from schema.database import Database, DatabaseUnusable, connect, sqlite_path

_KEY = 0x43686174746572
"""Of PostgreSQL's advisory lock: `Chatter` in ASCII. Such a lock is one for each database of a cluster."""

PATIENCE = 2.0
"""Seconds that PostgreSQL has to notice that the session of a server that was killed is gone, and its lock with it."""

_TAKEN = "another Chatter is running on this database"


class Ownership:
    """The right to write to a database, held until `release` or the end of the process, however that comes."""

    def __init__(self, url: str) -> None:
        """Take it. Raises `DatabaseUnusable` where another process has it."""
        self._file: IO[bytes] | None = None
        self._session: Database | None = None
        path = sqlite_path(url)
        if path is None:
            self._session = connect(url, thread_safe=False)  # taken in one thread, renewed in another
            self._lock_session(self._session)
        else:
            self._file = _open(path.with_name(path.name + ".lock"))
            self._lock_file(self._file)

    def renew(self) -> None:
        """Take it anew where the database has restarted and forgotten it. Raises what `Ownership` raises."""
        if self._session is not None:
            self._session.close()
            self._lock_session(self._session)

    def release(self) -> None:
        """Let others have it."""
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
