"""The fence: lets this server commit only while the database is its own and has kept all its commits.

Each commit counts itself in the row of the server's epoch, in its own transaction. So it notices a newer epoch, that is
another server on this database, and a commit that is missing: the database went back in time, as a restored backup or a
replica that lagged and was promoted does. Where both hold, commits are missing: what rooms remember is needed then.
"""

import functools

from schema.base import database


class DatabaseLost(Exception):
    """The database must not be written to any more. The message is one line for a person."""


class Superseded(DatabaseLost):
    """Another server has taken over the database."""


class WentBack(DatabaseLost):
    """Commits of this server are missing in the database, whoever has begun there since."""


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
            self.check()
            raise RuntimeError(f"expected to count one commit in epoch {self.epoch}, got {cursor.rowcount}")
        if self._attempts == 1:
            self._counted = self._confirmed + 1
        else:
            self._counted, _ = self._read()

    def confirm(self) -> None:
        """Remembers that the transaction is committed."""
        self._confirmed, self._attempts = self._counted, 0

    def check(self) -> None:
        """Lets another thread check what it has read before. Raises `WentBack` and `Superseded`."""
        confirmed = self._confirmed
        commits, newest = self._read()
        if commits < confirmed:
            raise WentBack(f"the database has gone back in time: commits of epoch {self.epoch} are missing")
        if newest > self.epoch:
            raise Superseded(f"another Chatter has taken over the database: its epoch is {newest}, ours {self.epoch}")

    def _read(self) -> tuple[int, int]:
        """Returns the commits of the epoch, -1 where it is missing, and the newest epoch."""
        # not built by Peewee, since it is read whenever a room begins
        newest = "SELECT MAX(number) FROM epoch"
        query = f"SELECT commits, ({newest}) FROM epoch WHERE number = {self.epoch:d}"  # noqa: S608
        commits, newest_epoch = database.execute_sql(query).fetchone() or (-1, 0)
        return int(commits), int(newest_epoch)


@functools.cache  # one for each kind of database: Peewee takes 0.3 ms to build it, and each commit needs it
def _update(param: str) -> str:
    return (
        f"UPDATE epoch SET commits = commits + 1 WHERE number = {param} AND commits >= {param}"  # noqa: S608
        " AND number = (SELECT MAX(number) FROM epoch)"
    )
