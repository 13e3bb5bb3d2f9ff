"""The store: the actor that reads and writes accounts, one transaction for each thing that is asked.

Owns a connection. It writes beside the log's persistence: short transactions, not through the log's backlog, so that
neither waits for what the other has in its mailbox. `TransactionQueue` is how the loop asks it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import msgspec
import pykka

from chatter.accounts.values import AccountRefused
from chatter.actors import ThreadActor, stop_thread
from chatter.outage import Outage
from schema import Database
from schema.base import writing_transaction

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_WAITING = 1_000
"""Transactions that wait; beyond that they are refused as `busy`."""

RETRY_AFTER_MS = 1_000


class Do(msgspec.Struct, frozen=True):
    """Somebody asks for a transaction."""

    work: Callable[[], Any]  # what the thread calls; what it raises undoes what it wrote
    writes: bool


class Store(ThreadActor):
    """Runs transactions. A database that is away is asked again with the next one."""

    def __init__(self, database: Database, guard: AbstractContextManager[None] | None = None) -> None:
        """`guard` bounds each transaction."""
        super().__init__()
        self._database = database
        self._guard = guard or nullcontext()
        self._outage = Outage(logger, "accounts cannot be read or written")
        self._has_ended = False  # the work of this transaction: only the commit is left

    def on_receive(self, message: Do) -> Any:
        """Returns what the transaction returns, or raises what it raises; `unavailable` for the database's errors."""
        try:
            done = self._again_if_nothing_was_done(message)
        except AccountRefused:
            raise
        except Exception as error:
            self._database.close()  # the next one opens a new connection
            self._outage.failed(error)
            raise AccountRefused("unavailable", retry_after_ms=RETRY_AFTER_MS) from error
        self._outage.end()
        return done

    def on_stop(self) -> None:
        """Closes the connection."""
        self._database.close()

    def on_failure(self, *_why: object) -> None:
        """Closes the connection; the queue starts another actor."""
        self._database.close()

    def _again_if_nothing_was_done(self, asked: Do) -> Any:
        try:
            return self._do(asked)
        except AccountRefused:
            raise
        except Exception as error:
            if self._has_ended:
                raise  # it may be committed
            logger.info("a transaction failed and is tried once more: %s", error)
            self._database.close()  # a database that has restarted knows this connection no more
            return self._do(asked)

    def _do(self, asked: Do) -> Any:
        self._has_ended = False
        with self._guard, writing_transaction() if asked.writes else self._database.atomic():
            done = asked.work()
            self._has_ended = asked.writes
        return done


class TransactionQueue:
    """Stands before the store: bounds what waits, and starts another one when it has died. Lives on the loop."""

    def __init__(self, start: Callable[[], pykka.ActorRef[Any]], most_waiting: int = MOST_WAITING) -> None:
        """Starts the store with `start()`, now and each time one has died."""
        self._start = start
        self._most_waiting = most_waiting
        self._waiting = 0
        self._actor = start()
        self._is_closed = False

    async def read(self, work: Callable[[], T]) -> T:
        """Returns what `work` returns in a transaction that only reads; raises `AccountRefused`."""
        answer: T = await self._ask(Do(work, writes=False))
        return answer

    async def write(self, work: Callable[[], T]) -> T:
        """Returns what `work` returns in a transaction; raises `AccountRefused`."""
        answer: T = await self._ask(Do(work, writes=True))
        return answer

    async def close(self, timeout: float) -> None:
        """Stops the store; waits for it at most `timeout` seconds."""
        self._is_closed = True
        if not await stop_thread(self._actor, timeout):
            logger.error("a transaction of accounts has not ended within %g s and is left behind", timeout)

    async def _ask(self, asked: Do) -> Any:
        if self._is_closed or self._waiting >= self._most_waiting:
            raise AccountRefused("unavailable" if self._is_closed else "busy", retry_after_ms=RETRY_AFTER_MS)
        if not self._actor.is_alive():
            logger.error("the store of accounts died and is started again")
            self._actor = self._start()
        self._waiting += 1
        answer = asyncio.ensure_future(self._answer(asked))
        answer.add_done_callback(self._on_answered)
        return await asyncio.shield(answer)  # who gives up leaves the transaction in the queue, and it still counts

    async def _answer(self, asked: Do) -> Any:
        try:
            return await self._actor.ask(asked, block=False)
        except pykka.ActorDeadError as error:
            raise AccountRefused("unavailable", retry_after_ms=RETRY_AFTER_MS) from error

    def _on_answered(self, answer: "asyncio.Future[Any]") -> None:
        self._waiting -= 1
        if not answer.cancelled():
            answer.exception()  # nobody may be left to look at it
