"""The list of changes of accounts, by which servers learn of what others and the command line have done."""

from typing import NamedTuple

import peewee

from schema.account import Account
from schema.base import Model, database, tuples


class RevocationRow(NamedTuple):
    """A change, and how the account is now."""

    id: int
    account: int
    secret: int | None
    what: str
    handle: str
    name: str
    role: str


class Revocation(Model):
    """Something that has become of an account. Rows are appended, and dropped when they are old."""

    id = peewee.AutoField()
    account = peewee.IntegerField()
    secret = peewee.IntegerField(null=True)
    what = peewee.CharField(16)
    at = peewee.CharField(27)

    @classmethod
    def append(cls, account: int, what: str, at: str, *, secret: int | None = None) -> None:
        """Appends a change, in a transaction that writes.

        A reader asks for numbers above the last it has seen. So they are committed in their order: SQLite has one
        writer, and in PostgreSQL others wait here.
        """
        if isinstance(database.obj, peewee.PostgresqlDatabase):
            database.execute_sql("LOCK TABLE revocation IN EXCLUSIVE MODE")
        cls.insert(account=account, secret=secret, what=what, at=at).execute()

    @classmethod
    def newest(cls) -> int:
        """Returns the number of the newest change; 0 where there is none."""
        return int(cls.select(peewee.fn.MAX(cls.id)).scalar() or 0)

    @classmethod
    def after(cls, number: int) -> list[RevocationRow]:
        """Returns the changes above this number, oldest first."""
        query = (
            cls.select(cls.id, cls.account, cls.secret, cls.what, Account.handle, Account.name, Account.role)
            .join(Account, on=(Account.id == cls.account))
            .where(cls.id > number)
            .order_by(cls.id)
        )
        return [RevocationRow(*row) for row in tuples(query)]

    @classmethod
    def times(cls, account: int, what: str, since: str) -> list[str]:
        """Returns when this became of an account since then, the latest first."""
        query = cls.select(cls.at).where(cls.account == account, cls.what == what, cls.at > since)
        return [at for (at,) in tuples(query.order_by(cls.at.desc()))]

    @classmethod
    def delete_old(cls, before: str, read: int) -> None:
        """Deletes what is older and was read up to this number."""
        cls.delete().where(cls.at < before, cls.id <= read).execute()
