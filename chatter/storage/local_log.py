"""The local log: what rooms of a server that is alone say goes through the backlog into its database, or the spool."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pykka

from chatter.health import Health
from chatter.messages import Ping, Save
from chatter.storage.backlog import Backlog, OnDeath
from chatter.storage.persistence import Persistence
from chatter.storage.read_queue import ReadQueue
from chatter.storage.spool import memory_of
from chatter.storage.storage import Storage
from schema import DatabaseLost

logger = logging.getLogger(__name__)

STALLED_AFTER = 2.0
"""Seconds without a commit, although something waits for one, after which the server is not healthy."""


class NotEverythingSaved(Exception):
    """The server has stopped, and neither the database nor the spool took everything that was said."""


class LocalLog:
    """Owns the backlog with its persistence actor, and the spool."""

    def __init__(
        self,
        storage: Storage,
        history: ReadQueue,
        *,
        max_messages: int,
        max_bytes: int,
        guard: AbstractContextManager[None],
        on_lost: Callable[[DatabaseLost], None],
    ) -> None:
        """`guard` bounds each transaction. `on_lost` is told once the database must not be written to any more."""
        self.backlog = Backlog(max_messages, max_bytes)
        self.shared = None
        self._storage = storage
        self._history = history
        self._guard = guard
        self._on_lost = on_lost
        self._give_up = threading.Event()
        self.backlog.open(self._start_persistence, on_lost)

    def health(self, database: str | None) -> Health:
        """Returns what is wrong with the server, beside what is wrong with the `database`, without which it is not."""
        backlog = self.backlog
        if database is None and not backlog.is_alive:
            return Health("persistence has stopped")
        if database is None and backlog.stalled_for > STALLED_AFTER:
            return Health(f"saving is behind: {backlog.unsaved} messages wait, since {backlog.stalled_for:.0f} s")
        return Health(database)

    def log_of(self, _slug: str) -> Backlog:
        """Returns the log of a room: one for all."""
        return self.backlog

    def is_mine(self, _work: str) -> bool:
        """Returns whether work that has to be done once falls to this server: there is no other."""
        return True

    async def flush(self) -> None:
        """Waits until the database has everything that rooms have said."""
        await self.backlog.flush()

    async def catch_up(self) -> None:
        """What was acknowledged is in the database."""

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what the files beside the database have of an account that has left. Raises what goes wrong."""
        await self.backlog.forget(account, erases=erases)

    def check_commits(self) -> None:
        """Raises `DatabaseLost` where commits are missing. Called on the thread of history."""
        self._storage.fence.check()

    async def open(self) -> None:
        """There is nothing to wait for."""

    async def settle(self, timeout: float, thread_timeout: float) -> None:
        """Saves what can be saved in that time. A commit that fails is not tried again after it."""
        await self._save(asyncio.get_running_loop().time() + timeout, thread_timeout)
        self.give_up()

    def give_up(self) -> None:
        """Has persistence try no commit again."""
        self._give_up.set()

    async def close(self, thread_timeout: float, remembered: Sequence[Save] = ()) -> None:
        """Spools what is not saved, and what is `remembered` that may be lost. Raises `NotEverythingSaved`."""
        unsaved = [*remembered, *await self.backlog.close(thread_timeout)]
        try:
            self._storage.spool.write(memory_of(unsaved))
        except OSError as error:
            logger.exception("messages could be saved neither in the database nor in the spool: %s", unsaved)
            raise NotEverythingSaved from error

    async def _save(self, until: float, thread_timeout: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self.backlog.flush()
        except TimeoutError:
            logger.error("the database did not take everything in time")
        except DatabaseLost as error:
            self._on_lost(error)
        except Exception:
            logger.exception("persistence gave up")
        else:
            await self._check_what_is_saved(max(until, asyncio.get_running_loop().time() + thread_timeout))

    async def _check_what_is_saved(self, until: float) -> None:
        """Notices a database that has gone back in time since the last commit, while rooms remember what it lacks."""
        try:
            async with asyncio.timeout_at(until):
                await self._history.ask(Ping())
        except DatabaseLost as error:
            self._on_lost(error)
        except Exception as error:
            logger.warning("the database does not say whether it has kept everything: %r", error)

    def _start_persistence(self, on_death: OnDeath) -> pykka.ActorRef[Any]:
        return Persistence.start(
            self._storage.database,
            self._history,
            backlog=self.backlog,
            committer=self._storage.committer,
            give_up=self._give_up,
            ownership=self._storage.ownership,
            guard=self._guard,
            on_death=on_death,
        )
