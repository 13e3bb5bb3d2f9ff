"""Marks: writes how far people have read, a little later and many at once.

A crash loses what was marked in the last two seconds; people then find a few messages unread again. The transactions
are the accounts' own, short ones beside those of the log, which waits for none of them longer than one takes.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from chatter.accounts.store import TransactionQueue
from chatter.accounts.values import AccountRefused
from chatter.memberships.membership import Membership
from schema import MarkRow, SpokenRow, write_marks, write_spoken

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

WRITE_INTERVAL = 2.0
"""Seconds from a mark to its transaction."""

MOST_ROWS = 100
"""Rows in one transaction: SQLite has one writer, and the log shall not wait for long."""

_Key = tuple[int, str]  # account and room


class Marks:
    """Owns the marks that are not written yet."""

    def __init__(self, transactions: TransactionQueue, is_current: Callable[[Membership], bool]) -> None:
        """`is_current` tells whether somebody is still in the room."""
        self._transactions = transactions
        self._is_current = is_current
        self._changed: dict[_Key, Membership] = {}
        self._spoken: dict[_Key, tuple[int, int]] = {}  # of people whose rooms are not known
        self._writing: Mapping[_Key, object] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def change(self, membership: Membership) -> None:
        """Has written what a membership is then."""
        self._changed[membership.account, membership.slug] = membership
        self._schedule()

    def spoke(self, account: int, slug: str, seq: int, nth: int) -> None:
        """Moves the mark of somebody who has said something, and whose rooms are not known."""
        self._spoken[account, slug] = seq, nth
        self._schedule()

    def spoken_by(self, account: int) -> dict[str, tuple[int, int]]:
        """Returns the places up to which somebody has spoken, as far as that may not be written: by room."""
        written = {key: place for key, place in self._writing.items() if isinstance(place, tuple)}
        return {slug: place for (who, slug), place in {**written, **self._spoken}.items() if who == account}

    @property
    def accounts(self) -> set[int]:
        """The accounts about whose rooms something has not been written."""
        return {account for keys in (self._changed, self._spoken, self._writing) for account, _ in keys}

    async def close(self, timeout: float) -> None:
        """Writes what is left; takes at most `timeout` seconds."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with asyncio.timeout(timeout):
                await self._write_the_rest()
        except (TimeoutError, AccountRefused):
            logger.warning("how far people have read in the last seconds is not saved")

    async def _write_the_rest(self) -> None:
        if self._task is not None:
            await self._task
        while self._changed or self._spoken:
            await self._write_some()

    def _schedule(self) -> None:
        if self._timer is None and self._task is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(WRITE_INTERVAL, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._write_all())
        self._task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("marks could not be written", exc_info=error)
        if self._changed or self._spoken:
            self._schedule()

    async def _write_all(self) -> None:
        """Writes what there is now, in as many transactions as that takes."""
        left = len(self._changed) + len(self._spoken)
        try:
            while left > 0:
                left -= await self._write_some()
        except AccountRefused:
            pass  # the store has logged why; what was not written is written later

    async def _write_some(self) -> int:
        """Writes up to `MOST_ROWS` marks in one transaction; returns how many."""
        spoken = _take(self._spoken, MOST_ROWS)  # first: a mark that was set back since must come after it
        changed = _take(self._changed, MOST_ROWS - len(spoken))
        marks = [_row(membership) for membership in changed.values()]
        said = [SpokenRow(slug, account, *place) for (account, slug), place in spoken.items()]

        def work() -> list[MarkRow]:
            write_spoken(said)
            return write_marks(marks)

        self._writing = {**changed, **spoken}
        try:
            unknown = await self._transactions.write(work)
        except BaseException:
            self._changed = {**changed, **self._changed}
            self._spoken = {**spoken, **self._spoken}
            raise
        finally:
            self._writing = {}
        for row in unknown:  # who came a moment ago is not committed yet
            membership = changed[row.account, row.slug]
            if self._is_current(membership) and not self._is_closed:
                self._changed.setdefault((row.account, row.slug), membership)
        return len(changed) + len(spoken)


def _take(waiting: dict[_Key, Value], most: int) -> dict[_Key, Value]:
    """Removes and returns the first ones."""
    taken = {key: waiting[key] for key in list(waiting)[:most]}
    for key in taken:
        del waiting[key]
    return taken


def _row(membership: Membership) -> MarkRow:
    return MarkRow(
        membership.slug,
        membership.account,
        membership.joined_seq,
        membership.read_seq,
        membership.read_nth,
        membership.read_rev,
        membership.level or "",
        int(membership.is_hidden),
        membership.level_until,
    )
