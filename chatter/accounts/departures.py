"""Departures: carries out what accounts that have left are due, and goes on where it stopped.

An account is erased in one transaction, from which on it cannot come back. Then what it has left in the rooms is
purged, a part of a room after the other: what is purged already is found no more, so a pass may stop anywhere.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Protocol

from chatter.accounts import people
from chatter.accounts.times import Transactions
from chatter.accounts.values import AccountRefused
from schema import Departure, DepartureRow, Member, traces

logger = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds between two looks at what is due."""

MOST_PASSES = 3
"""Looks at all rooms: what was on its way as the account was closed is found by the second."""


class Purger(Protocol):
    """The rooms, as they are told that an account is gone."""

    @property
    def is_on_duty(self) -> bool:
        """Whether this falls to this server: of several that share the database one does it."""

    async def settle(self) -> None:
        """Waits until everything that was said is in the database."""

    async def purge(self, slug: str, account: int, found: traces.Traces, *, erases: bool) -> bool:
        """Has a room purge what an account has left there; returns False where it has to be tried again."""

    def leave(self, slug: str, account: int) -> None:
        """Has a room know that an account is gone, which leaves it then."""

    async def forget(self, account: int, *, erases: bool) -> None:
        """Drops what is kept of an account beside the rooms. Raises what goes wrong."""


class Departures:
    """Owns the pass, on the loop. It begins once it has a `purger`."""

    def __init__(self, read: Transactions, write: Transactions) -> None:
        self._read = read
        self._write = write
        self._purger: Purger | None = None
        self._wake = asyncio.Event()
        self._pass: asyncio.Task[None] | None = None

    def begin(self, purger: Purger) -> None:
        """Carries out what is due from now on."""
        self._purger = purger
        self._pass = asyncio.get_running_loop().create_task(self._carry_out_what_is_due(purger))

    def look(self) -> None:
        """Looks at once: an account has left."""
        self._wake.set()

    def close(self) -> None:
        """Stops. The next start goes on."""
        if self._pass is not None:
            self._pass.cancel()

    async def _carry_out_what_is_due(self, purger: Purger) -> None:
        while True:
            try:
                await self._look(purger)
            except AccountRefused:
                pass  # the store has logged why
            except Exception:
                logger.exception("an account that has left is not purged yet, which will be tried again")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._wake.wait()
            self._wake.clear()

    async def _look(self, purger: Purger) -> None:
        if not purger.is_on_duty:
            return
        if await self._read(lambda now: Departure.due(now.iso)):
            for departure in await self._write(people.erase_due):
                await self._carry_out(departure, purger)

    async def _carry_out(self, departure: DepartureRow, purger: Purger) -> None:
        account, erases = departure.account, departure.erases
        for slug in await self._read(lambda _now: Member.rooms_of(account)):
            purger.leave(slug, account)
        for _ in range(MOST_PASSES):
            await purger.settle()
            found_any, is_whole = await self._purge_rooms(departure, purger)
            if not is_whole:
                logger.warning("rooms cannot purge account %d now, which will be tried again", account)
                return
            if not found_any:
                break
        await purger.forget(account, erases=erases)
        await self._write(lambda _now: Departure.delete_of(account))
        logger.info("account %d is erased", account)

    async def _purge_rooms(self, departure: DepartureRow, purger: Purger) -> tuple[bool, bool]:
        """Returns whether something was found, and whether all of it is purged."""
        account, found_any, is_whole, number = departure.account, False, True, 0
        while (room := await self._next_room(number)) is not None:
            number, slug, last = room
            for after in range(0, last, traces.WINDOW):
                found = await self._traces(number, account, after)
                if found.own or found.touched:
                    found_any = True
                    is_whole &= await purger.purge(slug, account, found, erases=departure.erases)
                if found.in_room:
                    await self._unname(number, account, found.in_room)
        return found_any, is_whole

    async def _next_room(self, number: int) -> tuple[int, str, int] | None:
        return await self._read(lambda _now: traces.next_room(number))

    async def _unname(self, room: int, account: int, places: Sequence[int]) -> None:
        await self._write(lambda _now: traces.unname(room, account, places))

    async def _traces(self, room: int, account: int, after: int) -> traces.Traces:
        return await self._read(lambda _now: traces.traces(room, account, after))
