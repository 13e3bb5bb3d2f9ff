"""The backlog: the messages that are said and not committed yet, and the persistence actor that saves them.

It keeps every message until it is done with, so that nothing depends on the life of one thread: an actor that dies is
replaced, and told again. Rooms ask it whether saving has fallen too far behind. It lives on the loop; persistence calls
`mark_done` from its own thread.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import pykka

from chatter.actors import stop_thread, tell_if_alive
from chatter.messages import Flush, Forget, Load, Save, Tidy, Work
from schema import DatabaseLost

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds before a dead persistence actor is replaced: doubled each time until a message is done with."""

TIDY_INTERVAL = 60.0
"""Seconds between two looks at what was deleted."""


OnDeath: TypeAlias = Callable[[BaseException | None], None]
"""Told of the death of a persistence actor, on any thread, with the error of which it died."""


class Backlog:
    """Stands between the rooms and the persistence actor."""

    def __init__(self, max_messages: int = 10_000, max_bytes: int = 32 * 1024 * 1024) -> None:
        """`max_messages` and `max_bytes` are the high-water marks: past either the backlog `is_full`."""
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._in_flight: deque[Save | Load] = deque()  # told by rooms and not done with
        self._unsent: list[Save | Load] = []  # the last of them, which the actor has not been told yet
        # Each count has one writer, so none needs a lock: the loop counts what comes, persistence what is done.
        self._counted, self._counted_bytes = 0, 0
        self._saved, self._saved_bytes = 0, 0
        self._done = 0  # of all ever told, by persistence's count
        self._dropped = 0  # of these, how many the loop has dropped from `_in_flight`
        self._progress_at = self._began_at = time.monotonic()
        self._start: Callable[[], pykka.ActorRef[Any]] | None = None
        self._actor: pykka.ActorRef[Any] | None = None
        self._pause = FIRST_PAUSE
        self._on_lost: Callable[[DatabaseLost], None] = lambda _error: None

    def open(
        self,
        start: Callable[["OnDeath"], pykka.ActorRef[Any]],
        on_lost: Callable[[DatabaseLost], None] = lambda _error: None,
    ) -> None:
        """Starts a persistence actor with `start(on_death)`, now and each time one has died.

        One that dies since the database is lost is not replaced; `on_lost` is told.
        """
        self._loop = loop = asyncio.get_running_loop()
        self._on_lost = on_lost

        def on_death(error: BaseException | None) -> None:
            loop.call_soon_threadsafe(self._died, error)

        self._start = lambda: start(on_death)
        self._actor = self._start()
        loop.call_later(TIDY_INTERVAL, self._tidy)

    @property
    def unsaved(self) -> int:
        """How many messages wait to be committed."""
        return self._counted - self._saved

    @property
    def unsaved_bytes(self) -> int:
        """The size of these messages."""
        return self._counted_bytes - self._saved_bytes

    @property
    def is_full(self) -> bool:
        """Whether rooms must refuse posts, since so much waits to be committed."""
        return (
            self._counted - self._saved >= self._max_messages
            or self._counted_bytes - self._saved_bytes >= self._max_bytes
        )

    @property
    def is_half_full(self) -> bool:
        """Whether rooms must refuse operations, so that messages find room for longer."""
        return (
            2 * (self._counted - self._saved) >= self._max_messages
            or 2 * (self._counted_bytes - self._saved_bytes) >= self._max_bytes
        )

    @property
    def stalled_for(self) -> float:
        """For how many seconds nothing was committed although something waits."""
        return time.monotonic() - max(self._progress_at, self._began_at) if self.unsaved > 0 else 0.0

    @property
    def is_alive(self) -> bool:
        """Whether the persistence actor lives."""
        return self._actor is not None and self._actor.is_alive()

    def count(self, size: int) -> None:
        """Counts a message of `size` bytes as unsaved, from the moment in which a room says it."""
        if self._counted == self._saved:
            self._began_at = time.monotonic()
        self._counted += 1
        self._counted_bytes += size

    def tell(self, message: Save | Load) -> None:
        """Passes `message` on to the persistence actor, or to the next one, in this order."""
        self._in_flight.append(message)
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(message)

    def mark_done(self, messages: int, size: int, told: int = 1) -> None:
        """Counts `told` saves and loads as done; they contained `messages` of `size` bytes in all."""
        self._progress_at = time.monotonic()
        self._saved += messages
        self._saved_bytes += size
        self._done += told

    async def flush(self) -> None:
        """Waits until everything told before is committed, also across the death of an actor."""
        while True:
            self._send()
            try:
                assert self._actor is not None
                await self._actor.ask(Flush(), block=False)
            except pykka.ActorDeadError:
                await asyncio.sleep(FIRST_PAUSE)
            else:
                return

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what the files beside the log have of an account that has left. Raises what goes wrong."""
        self._send()
        assert self._actor is not None
        await self._actor.ask(Forget(account, erases), block=False)

    async def close(self, timeout: float = 60.0) -> list[Save]:
        """Stops the actor, and returns what it did not save.

        An actor whose database call does not return within `timeout` seconds is left behind. What it may still commit
        is returned too: the spool takes a message twice without harm.
        """
        self._send()
        actor, self._actor, self._start = self._actor, None, None
        if actor is not None and not await stop_thread(actor, timeout):
            logger.error("a database call has not returned within %g s and is left behind", timeout)
        self._drop_done()
        return [message for message in self._in_flight if isinstance(message, Save)]

    def _tidy(self) -> None:
        """Has what was deleted dropped, each minute."""
        if self._start is not None and self._actor is not None:
            tell_if_alive(self._actor, Tidy())
            self._loop.call_later(TIDY_INTERVAL, self._tidy)

    def _send(self) -> None:
        """Sends all that was told in one turn of the loop as one message: each would wake the other thread."""
        self._drop_done()
        work, self._unsent = self._unsent, []
        if work and self._actor is not None:
            tell_if_alive(self._actor, Work(tuple(work)))

    def _drop_done(self) -> None:
        while self._dropped < self._done:
            self._in_flight.popleft()
            self._dropped += 1
            self._pause = FIRST_PAUSE

    def _died(self, error: BaseException | None) -> None:
        if isinstance(error, DatabaseLost):
            self._start = None
            self._on_lost(error)
        elif self._start is not None:
            logger.error("persistence died and is restarted in %.2f s", self._pause)
            asyncio.get_running_loop().call_later(self._pause, self._restart)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _restart(self) -> None:
        if self._start is None:
            return
        self._drop_done()
        self._actor = self._start()
        self._unsent = list(self._in_flight)
        self._send()
