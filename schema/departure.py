"""Departures: the accounts that leave, until nothing shows them any more."""

from typing import NamedTuple

import peewee

from schema.base import Model, tuples

MOST_DUE = 100
"""Departures that are read at once."""


class DepartureRow(NamedTuple):
    """An account that leaves."""

    account: int
    erases: bool  # the texts go, too
    due_at: str
    begun: bool  # the account is erased; what it has left in rooms may not be purged yet


class Departure(Model):
    """An account that leaves. The row goes when the account can come back no more, and all is purged."""

    account = peewee.IntegerField(primary_key=True)
    erases = peewee.SmallIntegerField()
    due_at = peewee.CharField(27, index=True)
    begun = peewee.SmallIntegerField(default=0)

    @classmethod
    def add(cls, account: int, *, erases: bool, due_at: str) -> None:
        """Stores when an account is to be erased. The last word counts."""
        cls.delete_of(account)
        cls.insert(account=account, erases=int(erases), due_at=due_at).execute()

    @classmethod
    def of(cls, account: int) -> DepartureRow | None:
        """Returns the departure of an account."""
        return next(iter(cls._rows(cls.account == account)), None)

    @classmethod
    def due(cls, now: str) -> list[DepartureRow]:
        """Returns some of what is due, the earliest first."""
        return cls._rows(cls.due_at <= now)

    @classmethod
    def begin(cls, account: int) -> None:
        """Notes that the account is erased."""
        cls.update(begun=1).where(cls.account == account).execute()

    @classmethod
    def delete_of(cls, account: int) -> None:
        """Deletes the departure of an account."""
        cls.delete().where(cls.account == account).execute()

    @classmethod
    def _rows(cls, condition: peewee.Expression) -> list[DepartureRow]:
        columns = (cls.account, cls.erases, cls.due_at, cls.begun)
        found = tuples(cls.select(*columns).where(condition).order_by(cls.due_at, cls.account).limit(MOST_DUE))
        return [DepartureRow(account, bool(erases), due_at, bool(begun)) for account, erases, due_at, begun in found]
