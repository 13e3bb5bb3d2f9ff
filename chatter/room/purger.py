"""The purger: has rooms purge what an account has left in them, some messages at a time, and waits for the commits."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from chatter.charter import Author
from chatter.messages import Purge, RefreshNames
from chatter.room.supervisor import Supervisor
from chatter.storage.purging import ranges_of
from schema.purge import DELETED_ACCOUNT, MOST_PLACES
from schema.traces import Traces

PATIENCE = 60.0
"""Seconds for a commit. A room that failed meanwhile does not answer."""


class SavedLog(Protocol):
    """The log as the purger sees it."""

    def is_mine(self, work: str) -> bool:
        """Returns whether work that has to be done once, by its name, falls to this server."""

    async def flush(self) -> None:
        """Waits until the database has everything that was said."""

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what files have of an account. Raises what goes wrong."""


class RoomPurger:
    """Lives on the loop. Rooms that nobody is in are started for it, and retire by themselves."""

    def __init__(self, supervisor: Supervisor, log: SavedLog) -> None:
        self._supervisor = supervisor
        self._log = log

    @property
    def is_on_duty(self) -> bool:
        """Whether this falls to this server."""
        return self._log.is_mine("departures")

    async def settle(self) -> None:
        """Waits until everything that was said is in the database."""
        await self._supervisor.empty_mailboxes()
        await self._log.flush()

    async def purge(self, slug: str, account: int, found: Traces, *, erases: bool) -> bool:
        """Has a room purge what was found; returns False where it has to be tried again."""
        places = sorted(found.own | found.touched)
        parts = (places[start : start + MOST_PLACES] for start in range(0, len(places), MOST_PLACES))
        for part in parts:
            if not await self._purge(slug, account, found, part, erases=erases):
                return False
        return True

    def leave(self, slug: str, account: int) -> None:
        """Has a room know that an account is gone, which leaves it then."""
        self._supervisor.ensure_room(slug).tell(RefreshNames(Author(account, ""), DELETED_ACCOUNT))

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what is kept of an account beside the rooms. Raises what goes wrong."""
        await self._log.forget(account, erases=erases)

    async def _purge(self, slug: str, account: int, found: Traces, part: Sequence[int], *, erases: bool) -> bool:
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answer(is_done: bool) -> None:
            if not answered.done():
                answered.set_result(is_done)

        def among(places: Collection[int]) -> tuple[tuple[int, int], ...]:
            return ranges_of(place for place in part if place in places)

        labels = tuple(sorted(found.labels))
        purge = Purge(account, erases, among(found.own), among(found.touched), labels, answer)
        self._supervisor.ensure_room(slug).tell(purge)
        try:
            async with asyncio.timeout(PATIENCE):
                return await answered
        except TimeoutError:
            return False
