"""The backlog: what has been said and is not committed yet, and the persistence actor that works it off.

Owns every message told to persistence until it is dealt with, so that nothing hangs on the life of one thread: an actor
that dies is started anew and told again. Rooms see here whether saving has fallen too far behind. Lives on the loop;
`settled` alone is called by persistence, from its own thread.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pykka

from chatter.actors import tell_if_alive
from chatter.messages import Flush, Load, Save, Work

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds before a dead persistence actor is started anew: doubled each time until a message is dealt with again."""


class Backlog:
    """Between the rooms and the persistence actor."""

    def __init__(self, most_messages: int = 10_000, most_bytes: int = 32 * 1024 * 1024) -> None:
        """`most_messages` and `most_bytes` are the high-water marks: past either of them the backlog `is_full`."""
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._told: deque[Save | Load] = deque()
        self._untold: list[Save | Load] = []  # the last of them, which the actor has not got yet
        self._dealt_with = 0  # of all ever told; counted by the loop
        # Two counts with one writer each need no lock: the loop counts what comes, persistence what is done.
        self._taken, self._taken_bytes = 0, 0
        self._saved, self._saved_bytes = 0, 0
        self._settled = 0
        self._progress_at = self._began_at = time.monotonic()
        self._start: Callable[[], pykka.ActorRef[Any]] | None = None
        self._actor: pykka.ActorRef[Any] | None = None
        self._pause = FIRST_PAUSE

    def open(self, start: Callable[[Callable[[], None]], pykka.ActorRef[Any]]) -> None:
        """Have `start(on_death)` start a persistence actor, now and whenever it died."""
        self._loop = loop = asyncio.get_running_loop()

        def on_death() -> None:
            loop.call_soon_threadsafe(self._died)

        self._start = lambda: start(on_death)
        self._actor = self._start()

    @property
    def unsaved(self) -> int:
        """How many messages wait to be committed."""
        return self._taken - self._saved

    @property
    def unsaved_bytes(self) -> int:
        """How large they are."""
        return self._taken_bytes - self._saved_bytes

    @property
    def is_full(self) -> bool:
        """So much waits that nothing more must be said."""
        return (
            self._taken - self._saved >= self._most_messages
            or self._taken_bytes - self._saved_bytes >= self._most_bytes
        )

    @property
    def stalled_for(self) -> float:
        """For how many seconds nothing was committed although something waits."""
        return time.monotonic() - max(self._progress_at, self._began_at) if self.unsaved > 0 else 0.0

    @property
    def is_alive(self) -> bool:
        """Whether somebody saves."""
        return self._actor is not None and self._actor.is_alive()

    def take(self, size: int) -> None:
        """Count a message of `size` bytes from the moment in which a room says it."""
        if self._taken == self._saved:
            self._began_at = time.monotonic()
        self._taken += 1
        self._taken_bytes += size

    def tell(self, message: Save | Load) -> None:
        """Have it dealt with, in this order, by whatever actor lives."""
        self._told.append(message)
        if not self._untold:
            self._loop.call_soon(self._hand_over)
        self._untold.append(message)

    def settled(self, messages: int, size: int, told: int = 1) -> None:
        """`told` more of what was told is dealt with; `messages` of `size` bytes were saved with it."""
        self._progress_at = time.monotonic()
        self._saved += messages
        self._saved_bytes += size
        self._settled += told

    async def flush(self) -> None:
        """Return when everything told before is committed. An actor that dies meanwhile is waited for."""
        while True:
            self._hand_over()
            try:
                assert self._actor is not None
                await self._actor.ask(Flush(), block=False)
            except pykka.ActorDeadError:
                await asyncio.sleep(FIRST_PAUSE)
            else:
                return

    async def close(self) -> list[Save]:
        """Stop the actor, and return what it did not save."""
        self._hand_over()
        actor, self._actor, self._start = self._actor, None, None
        if actor is not None:
            await actor.stop(block=False)
        self._forget_settled()
        return [message for message in self._told if isinstance(message, Save)]

    def _hand_over(self) -> None:
        """All that was told in one turn of the loop, in one message: each would wake the other thread."""
        self._forget_settled()
        work, self._untold = self._untold, []
        if work and self._actor is not None:
            tell_if_alive(self._actor, Work(tuple(work)))

    def _forget_settled(self) -> None:
        while self._dealt_with < self._settled:
            self._told.popleft()
            self._dealt_with += 1
            self._pause = FIRST_PAUSE

    def _died(self) -> None:
        if self._start is not None:
            logger.error("persistence died and is started anew in %.2f s", self._pause)
            asyncio.get_running_loop().call_later(self._pause, self._revive)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _revive(self) -> None:
        if self._start is None:
            return
        self._forget_settled()
        self._actor = self._start()
        self._untold = list(self._told)
        self._hand_over()
