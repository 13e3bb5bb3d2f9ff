"""Persistence: the actor that commits what rooms said, all that waits in one transaction.

Owns the connection that writes. Hears `Work` (what the backlog was told: `Save` and `Load`), `Flush`, `Tidy` and
`Forget`. Tells rooms `NotSaved` and `Saved`, and passes `Load` on to history once everything told before is committed.
A commit that fails is tried again, with growing pauses, until it works or the server gives up: nothing is dropped, and
rooms go on talking. Where the database is another server's, or has gone back in time, this actor fails for good:
`DatabaseLost`.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import assert_never

from chatter.actors import Tellable, ThreadActor, tell_if_alive
from chatter.messages import Flush, Forget, NotSaved, PersistenceMessage, Save, Saved, Tidy, Work, size_of
from chatter.outage import Outage
from chatter.storage.backlog import Backlog
from chatter.storage.committer import Committer, PlaceRefused
from schema import Database, DatabaseLost
from schema.ownership import Ownership

logger = logging.getLogger(__name__)

MAX_BATCH = 1_000
"""Saves in one transaction: bounds how long the first of them waits for its acknowledgement."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two tries of a commit that failed: doubled each time, then shortened at random by up to a half."""

COMMIT_INTERVAL, BUSY_INTERVAL = 0.005, 0.010
"""Seconds between two commits under load, and after one of `BUSY_BATCH` saves. A thread that is woken for every message
takes the interpreter lock from the loop each time: without the interval the server used 1.2 times the CPU at 3,000
messages a second in 1,000 rooms. Half of what saving a row costs at that rate is the commit's own, which twice as many
share in twice the time: it then takes 0.75 of the CPU. Nobody hears a message later for it, only its *ok*."""

BUSY_BATCH = 8


class GaveUp(Exception):
    """The server stops and the database still refuses. The message says how much is not saved."""


class Persistence(ThreadActor):
    """Commits messages in the order in which they were told, one transaction at a time."""

    def __init__(
        self,
        database: Database,
        history: Tellable,
        *,
        backlog: Backlog,
        committer: Committer,
        give_up: threading.Event,
        ownership: Ownership | None = None,
        guard: AbstractContextManager[None] | None = None,
        on_death: Callable[[BaseException | None], None] = lambda _error: None,
    ) -> None:
        """Once `give_up` is set, a commit that fails is not tried again. `guard` bounds each transaction.

        `on_death` is told the error of which the actor dies. Without `ownership` nobody else can use the database.
        """
        super().__init__()
        self._database = database
        self._history = history
        self._backlog = backlog
        self._committer = committer
        self._give_up = give_up
        self._ownership = ownership
        self._guard = guard
        self._on_death = on_death
        self._batch: list[Save] = []
        self._committed_at, self._interval = 0.0, COMMIT_INTERVAL
        self._outage = Outage(logger, "messages cannot be saved")
        self._waits_for = ""  # why the last try had no place for a message

    def on_receive(self, message: PersistenceMessage) -> None:
        """Gathers saves, and commits them when the mailbox is empty: one by one when idle, in groups under load."""
        match message:
            case Work():
                self._gather(message)
            case Flush():
                self._commit()
            case Tidy():
                self._tidy()
            case Forget():
                self._commit()
                self._forget(message)
            case _:
                assert_never(message)
        if self.actor_inbox.empty():
            self._wait_for_interval()
        if self.actor_inbox.empty():
            self._commit()

    def on_stop(self) -> None:
        """Commits the rest and closes the connection."""
        try:
            self._commit()
        finally:
            self._database.close()

    def on_failure(
        self,
        _error_type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Reports the death to the backlog, which starts another actor and tells it again what is not committed."""
        self._on_death(error)
        self._database.close()

    def _tidy(self) -> None:
        """Drops the texts that were kept aside for long enough, and what the database's log still has of others."""
        try:
            self._committer.tidy(self._database)
        except Exception as error:
            logger.warning("deleted texts are not dropped yet, which will be tried again: %s", error)
            self._database.close()

    def _forget(self, forget: Forget) -> None:
        try:
            self._committer.forget(forget.account, self._database, erases=forget.erases)
        except Exception:
            self._database.close()
            logger.warning("what account %d has left is not dropped yet, which will be tried again", forget.account)
            raise

    def _gather(self, work: Work) -> None:
        for told in work.told:
            if isinstance(told, Save):
                self._batch.append(told)
                if len(self._batch) >= MAX_BATCH:
                    self._commit()
            else:
                self._commit()
                self._history.tell(told)
                self._backlog.mark_done(0, 0)

    def _commit(self) -> None:
        if not self._batch:
            return
        refused = self._try_until_committed()
        self._committed_at = time.monotonic()
        batch, self._batch = self._batch, []
        self._interval = BUSY_INTERVAL if len(batch) >= BUSY_BATCH else COMMIT_INTERVAL
        said = [entry for save in batch for entry in save.entries]
        # Before rooms are told: who has the *ok* of a message finds its place in the backlog free.
        self._backlog.mark_done(len(said), sum(map(size_of, said)), len(batch))
        for save, not_saved in refused:
            _tell(save, not_saved)
        for save in {save.room: save for save in batch}.values():
            _tell(save, Saved(save.entries[-1].seq))

    def _try_until_committed(self) -> Sequence[tuple[Save, NotSaved]]:
        pause = FIRST_PAUSE
        while (refused := self._try_to_commit(again=pause > FIRST_PAUSE)) is None:
            if self._give_up.wait(pause * random.uniform(0.5, 1)):
                raise GaveUp(f"{sum(len(save.entries) for save in self._batch)} messages are not saved")
            pause = min(2 * pause, LONGEST_PAUSE)
        return refused

    def _try_to_commit(self, *, again: bool) -> Sequence[tuple[Save, NotSaved]] | None:
        try:
            if self._ownership is not None:
                self._ownership.check()
                if again:
                    self._ownership.renew()
            refused = self._committer.commit(self._batch, self._guard)
        except DatabaseLost:
            raise
        except PlaceRefused as error:
            if str(error) != self._waits_for:  # and not at each try: only the operator can end this
                logger.error("saving waits until the database is changed: %s", error)
            self._waits_for = str(error)
        except Exception as error:
            self._outage.failed(error)
        else:
            self._outage.end()
            return refused
        self._database.close()  # the next try opens a new connection
        return None

    def _wait_for_interval(self) -> None:
        wait = self._committed_at + self._interval - time.monotonic()
        if wait > 0:
            time.sleep(wait)


def _tell(save: Save, message: Saved | NotSaved) -> None:
    if save.room is not None:
        tell_if_alive(save.room, message)  # a room that failed is gone; its messages are saved all the same
