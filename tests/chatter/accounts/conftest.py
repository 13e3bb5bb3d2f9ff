"""Accounts on a real store and a real database, with a clock that the test moves and cheap hashes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import pytest

from chatter.accounts.accounts import Accounts
from chatter.accounts.attempts import Attempts
from chatter.accounts.beginning import Beginning
from chatter.accounts.passwords import Passwords
from chatter.accounts.rules import AccountRules
from chatter.accounts.store import Store, TransactionQueue
from chatter.accounts.times import Moment
from chatter.accounts.values import AccountRefused, Change, Device
from chatter.clock import SECOND
from schema import open_database
from schema.traces import Traces

PASSWORD = "correct horse battery"
HOME = Device("192.0.2.1", "a browser")
AWAY = Device("198.51.100.7", "another browser")


class MovedClock:
    """The time of day, which stands until the test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * SECOND

    def __call__(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return self.now / SECOND

    def move(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)


class SilentRooms:
    """Plays the rooms, in which nobody has said anything."""

    is_on_duty = True

    def __init__(self) -> None:
        self.forgotten = asyncio.Event()

    async def settle(self) -> None:
        pass

    async def purge(self, slug: str, account: int, found: Traces, *, erases: bool) -> bool:
        raise AssertionError(f"{slug} has {found} of account {account}, to be erased: {erases}")

    def leave(self, slug: str, account: int) -> None:
        raise AssertionError(f"account {account} is in {slug}")

    async def forget(self, account: int, *, erases: bool) -> None:
        assert account
        assert not erases
        self.forgotten.set()


class People:
    """Runs a scenario with the accounts of one server; more than one server may have the same database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = MovedClock()
        self.changes: list[Change] = []
        self.setup_link: str | None = None

    def run(self, scenario: Callable[[Accounts], Awaitable[None]], **rules: Any) -> None:
        """Opens the accounts, awaits the scenario, and closes them."""

        async def run() -> None:
            accounts = self.open(**rules)
            try:
                await scenario(accounts)
            finally:
                await accounts.close()

        asyncio.run(run())

    async def erases(self, accounts: Accounts, account: int) -> None:
        """Has an account leave, and its time come."""
        await accounts.own.leave(account, password=PASSWORD)
        self.clock.move(8 * 86_400)
        rooms = SilentRooms()
        accounts.departures.begin(rooms)
        await rooms.forgotten.wait()

    def open_and_close(self) -> Self:
        """Starts and stops a server."""

        async def nothing(_accounts: Accounts) -> None:
            pass

        self.run(nothing)
        return self

    def open(self, **rules: Any) -> Accounts:
        """Starts what a server starts. Rules are `sign_up` open and the defaults, if the test gives no others.

        `passwords` is what hashes them, if it is not to be as cheap as may be.
        """
        rules = {"sign_up": "open", **rules}
        passwords = rules.pop("passwords", None) or Passwords(10, memory=64)
        database = open_database(self.url)
        beginning = Beginning.read(database, Moment(self.clock()))
        self.setup_link = beginning.setup_link
        accounts = Accounts(
            TransactionQueue(lambda: Store.start(database)),
            beginning,
            AccountRules(**rules),
            normal_name=str.strip,
            clock=self.clock,
            passwords=passwords,
            attempts=Attempts(self.clock.monotonic),
        )
        accounts.on_change = self.changes.append
        return accounts


@pytest.fixture
def people(database_url: str) -> People:
    return People(database_url)


async def refused(asked: Awaitable[object]) -> AccountRefused:
    """Returns the refusal of what is asked."""
    with pytest.raises(AccountRefused) as raised:
        await asked
    return raised.value


async def reason(asked: Awaitable[object]) -> str:
    """Returns why something is refused."""
    return (await refused(asked)).reason
