"""The change feed: transactions of the loop, and what they and other processes have changed.

What has changed is read once a second, and at once after what is done here: the command line and other servers write
to the same database.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

from chatter.accounts import changes, keys
from chatter.accounts.changes import Learned
from chatter.accounts.principal import Role
from chatter.accounts.store import TransactionQueue
from chatter.accounts.times import HOUR, Moment
from chatter.accounts.values import AccountRefused
from chatter.clock import Clock

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_INTERVAL = 1.0
"""Seconds between two looks at what the command line and other servers have changed."""

TIDY_INTERVAL = HOUR


class ChangeFeed:
    """Knows up to which change everything is learned. Lives on the loop; the thread of the store has the database."""

    def __init__(
        self,
        store: TransactionQueue,
        newest: int,
        clock: Clock,
        on_learned: Callable[[Learned], None],
        on_freed: Callable[[dict[int, tuple[str, ...]]], None],
    ) -> None:
        """`newest` is the last change that is known at the start; each later one goes to `on_learned`, in order.

        `on_freed` gets the skeletons of the accounts whose old handles are free again.
        """
        self.on_made: Callable[[], None] = lambda: None
        """Called once something was changed here, of which other servers may be told."""
        self.newest = newest
        """The number of the last change that is learned."""
        self._store = store
        self._clock = clock
        self._on_learned = on_learned
        self._on_freed = on_freed
        self._must_look = asyncio.Event()
        self._watch = asyncio.get_running_loop().create_task(self._watch_changes())

    async def close(self, timeout: float) -> None:
        """Finishes the transaction under way and closes the connection; waits at most `timeout` seconds."""
        await self._store.close(timeout)

    def stop(self) -> None:
        """Looks for changes no more."""
        self._watch.cancel()

    @property
    def now(self) -> Moment:
        """The time of day."""
        return Moment(self._clock())

    async def read(self, work: Callable[[Moment], T]) -> T:
        """Returns what `work` returns in a transaction that only reads. Raises `AccountRefused`."""
        now = self.now
        return await self._store.read(lambda: work(now))

    async def write(self, work: Callable[[Moment], T], *, by: int | None = None, role: Role | None = None) -> T:
        """Has something done, and learns at once what it has changed.

        The session `by` asks for it: whether that has ended, or lost its `role`, is looked at in the transaction.
        """
        now, last = self.now, self.newest

        def transaction() -> tuple[T, list[changes.Learned]]:
            if by is not None:
                keys.check_lives(by, now, role=role)
            return work(now), changes.since(last, now)

        done, learned = await self._store.write(transaction)
        self._learn(learned)
        if learned:
            self.on_made()
        return done

    def look(self) -> None:
        """Looks at once for what other servers have changed."""
        self._must_look.set()

    def _learn(self, learned: list[Learned]) -> None:
        for each in learned:
            if each.number > self.newest:  # else it was learned while this was read
                self.newest = each.number
                self._on_learned(each)

    async def _watch_changes(self) -> None:
        tidied_at = 0.0
        pause = POLL_INTERVAL
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._must_look.wait()
            self._must_look.clear()
            try:
                await self._look_for_changes()
                if self.now.seconds - tidied_at > TIDY_INTERVAL:
                    await self._tidy()
                    tidied_at = self.now.seconds
            except AccountRefused:
                pause = min(2 * pause, 5 * POLL_INTERVAL)  # the store has logged why
            except Exception:  # without this task the next who is suspended would stay
                logger.exception("changes of accounts could not be taken over")
            else:
                pause = POLL_INTERVAL

    async def _look_for_changes(self) -> None:
        last = self.newest
        self._learn(await self.read(lambda now: changes.since(last, now)))

    async def _tidy(self) -> None:
        read = self.newest
        freed = await self.write(lambda now: changes.tidy(read, now))
        if freed:
            self._on_freed(freed)
