"""Persistence: a thread that commits what rooms tell it, everything that waits in one transaction.

Owns the connection that writes. Hears `Save`, `Load` and `Flush`; tells the rooms `Saved`, and passes `Load` on to
history once everything told before is committed. A database that fails is tried again, with backoff, until it works
or the server gives up: nothing it holds is dropped, and rooms go on talking meanwhile.
"""

import logging
import random
import threading
import time
from typing import Any, assert_never

import pykka

from chatter.actors import ThreadActor, tell_if_alive
from chatter.messages import Flush, Load, PersistenceMessage, Posted, Save, Saved
from schema import Database, Message, MessageRow

logger = logging.getLogger(__name__)

LARGEST_BATCH = 1_000
"""Saves in one transaction: bounds how long the first of them waits for its acknowledgement."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two tries of a commit that failed: doubled each time, then shortened at random by up to a half."""

COMMIT_INTERVAL = 0.005
"""Seconds between two commits under load. A thread that is woken for every message takes the interpreter lock from the
loop each time: without the interval the server used 1.2 times the CPU at 3,000 messages a second in 1,000 rooms."""


class GaveUp(Exception):
    """The server stops and the database still refuses. The message says how much is not saved."""


class Persistence(ThreadActor):
    """Commits messages. One at a time, in the order in which they were told."""

    def __init__(self, database: Database, history: pykka.ActorRef[Any], give_up: threading.Event) -> None:
        """Once `give_up` is set, a commit that fails is not tried again."""
        super().__init__()
        self._database = database
        self._history = history
        self._give_up = give_up
        self._batch: list[Save] = []
        self._committed_at = 0.0

    def on_receive(self, message: PersistenceMessage) -> None:
        """Gather what is there, commit when the mailbox is empty: at once when little is said, in groups under load."""
        match message:
            case Save():
                self._batch.append(message)
            case Load():
                self._commit()
                self._history.tell(message)
            case Flush():
                self._commit()
            case _:
                assert_never(message)
        if self.actor_inbox.empty():
            self._pace()
        if self.actor_inbox.empty() or len(self._batch) >= LARGEST_BATCH:
            self._commit()

    def on_stop(self) -> None:
        """Commit the rest and let go of the database."""
        try:
            self._commit()
        finally:
            self._database.close()

    def _commit(self) -> None:
        if not self._batch:
            return
        pause = FIRST_PAUSE
        while not self._try_to_commit():
            if self._give_up.wait(pause * random.uniform(0.5, 1)):
                raise GaveUp(f"{sum(len(save.messages) for save in self._batch)} messages are not saved")
            pause = min(2 * pause, LONGEST_PAUSE)
        self._committed_at = time.monotonic()
        saved = {save.room: Saved(save.messages[-1].seq) for save in self._batch}
        self._batch.clear()
        for room, message in saved.items():
            tell_if_alive(room, message)  # a room that failed is gone; what it said is saved all the same

    def _pace(self) -> None:
        wait = self._committed_at + COMMIT_INTERVAL - time.monotonic()
        if wait > 0:
            time.sleep(wait)

    def _try_to_commit(self) -> bool:
        try:
            Message.save_all((save.slug, [_row(posted) for posted in save.messages]) for save in self._batch)
        except Exception:
            logger.exception("saving failed, will be tried again")
            self._database.close()  # a broken connection is opened anew by the next try
            return False
        return True


def _row(posted: Posted) -> MessageRow:
    return posted.seq, posted.id, posted.name, posted.message, posted.inserted_at
