"""Memberships over a real database, whose answers come when the test says so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Set
from typing import Any, cast

import pytest

from chatter.accounts.store import TransactionQueue
from chatter.accounts.values import AccountRefused
from chatter.memberships.memberships import Memberships
from chatter.memberships.values import PersonalEvent
from schema import Database, open_database
from schema.base import writing_transaction
from tests.support.accounts import add_account
from tests.support.rooms import ANN, BO, CY


class Transactions:
    """Plays `TransactionQueue`. Each transaction is done at once; its answer comes when the test lets it come."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[asyncio.Future[None]] = []
        self.holds = False
        self.is_away = False
        self.reads = 0
        self.writes: list[Any] = []

    async def read(self, work: Callable[[], Any]) -> Any:
        self.reads += 1
        return await self._do(work, self._database.atomic())

    async def write(self, work: Callable[[], Any]) -> Any:
        answer = await self._do(work, writing_transaction())
        self.writes.append(answer)
        return answer

    async def _do(self, work: Callable[[], Any], transaction: Any) -> Any:
        if self.is_away:
            raise AccountRefused("unavailable", retry_after_ms=1_000)
        with transaction:
            answer = work()
        if self.holds:
            held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(held)
            await held
        return answer

    def answers(self) -> None:
        """What was asked is answered, as the database was when it was asked."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.set_result(None)


class Ears:
    """A connection that hears what a person is told. Plays `Listener` and its serializer."""

    def __init__(self, *joined: str, shares: "Ears | None" = None) -> None:
        """It has joined these rooms. It `shares` the serializer of another one."""
        self.serializer: Ears = shares.serializer if shares else self
        self.joined = set(joined)
        self.heard: list[PersonalEvent] = []
        self.writes = 0
        self.encoded: list[PersonalEvent] = []

    def personal(self, event: PersonalEvent) -> bytes:
        self.encoded.append(event)
        return b"%d\n" % (len(self.encoded) - 1)

    def reaches(self, _slug: str) -> bool:
        return True

    def to_be_told_of(self, slugs: Set[str]) -> Set[str]:
        return slugs - self.joined

    def write(self, frames: bytes) -> None:
        self.writes += 1
        self.heard += [self.serializer.encoded[int(number)] for number in frames.split()]

    def take(self) -> list[PersonalEvent]:
        """Returns what was heard since this was asked last."""
        heard, self.heard = self.heard, []
        return heard


class House:
    """A database with ann, bo and cy, and the memberships of one server."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.transactions = Transactions(database)
        self.memberships: Memberships = cast(Memberships, None)

    def run(self, scenario: Callable[[], Awaitable[object]]) -> None:
        """Opens the memberships, awaits the scenario, and closes them: a server from its start to its stop."""

        async def run() -> None:
            self.memberships = self.opened()
            await scenario()
            self.transactions.holds = False
            await self.memberships.close(10.0)

        asyncio.run(run())

    def opened(self) -> Memberships:
        """Opens memberships beside others on the same database."""
        return Memberships(cast(TransactionQueue, self.transactions))


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    database = open_database(database_url)
    for who in (ANN, BO, CY):
        add_account(database, who.id, who.handle)
        database.execute_sql(f"UPDATE account SET name = '{who.handle.title()}' WHERE id = {who.id}")
    yield House(database)
    database.close()


async def turns() -> None:
    """Lets the loop run what is due now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop run until something is so."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(wait(), 30.0)
