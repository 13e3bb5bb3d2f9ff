"""The fence: lets this server commit only while the database is its own and has kept all its commits.

Each commit counts itself in the row of the server's epoch, in its own transaction. So it notices a newer epoch, that is
another server on this database, and a commit that is missing: the database went back in time, as a restored backup or a
replica that lagged and was promoted does.
"""

import functools

import peewee

from schema.base import database
from schema.epoch import Epoch


class DatabaseLost(Exception):
    """The database must not be written to any more. The message is one line for a person."""


class Superseded(DatabaseLost):
    """Another server has taken over the database."""


class WentBack(DatabaseLost):
    """Commits of this server are missing in the database."""


class Fence:
    """Counts the commits of one epoch. Used by the thread that writes, but for `check`."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self._confirmed = 0  # commits that are known to be there
        self._attempts = 0  # since then; a commit whose answer was lost may be there too
        self._counted = 0  # what this transaction leaves

    def count_commit(self) -> None:
        """Counts the commit of the current transaction. Raises `Superseded` and `WentBack`."""
        self._attempts += 1
        cursor = database.execute_sql(_update(database.obj.param), (self.epoch, self._confirmed))
        if cursor.rowcount != 1:
            raise self._fault()
        if self._attempts == 1:
            self._counted = self._confirmed + 1
        else:
            self._counted = self._commits() or 0

    def confirm(self) -> None:
        """Remembers that the transaction is committed."""
        self._confirmed, self._attempts = self._counted, 0

    def check(self) -> None:
        """Lets another thread check what it has read before. Raises `WentBack` and `Superseded`."""
        confirmed = self._confirmed
        commits = self._commits()
        if commits is None or commits < confirmed:
            raise self._fault()

    def _commits(self) -> int | None:
        # not built by Peewee, since it is read whenever a room begins
        row = database.execute_sql(f"SELECT commits FROM epoch WHERE number = {self.epoch:d}").fetchone()  # noqa: S608
        return None if row is None else int(row[0])

    def _fault(self) -> DatabaseLost:
        newest = Epoch.select(peewee.fn.MAX(Epoch.number)).scalar() or 0
        if newest > self.epoch:
            return Superseded(f"another Chatter has taken over the database: its epoch is {newest}, ours {self.epoch}")
        return WentBack(f"the database has gone back in time: commits of epoch {self.epoch} are missing")


@functools.cache  # one for each kind of database: Peewee takes 0.3 ms to build it, and each commit needs it
def _update(param: str) -> str:
    return (
        f"UPDATE epoch SET commits = commits + 1 WHERE number = {param} AND commits >= {param}"  # noqa: S608
        " AND number = (SELECT MAX(number) FROM epoch)"
    )
