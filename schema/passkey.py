"""Passkeys of accounts: public keys, so that nothing of these rows signs anybody in."""

from typing import Any, NamedTuple

import peewee

from schema.base import Model, tuples


class PasskeyRow(NamedTuple):
    """A passkey as it is stored. Texts of octets are in base64url."""

    id: int
    credential: str
    account: int
    user_handle: str
    public_key: str
    sign_count: int
    transports: str  # separated by blanks
    aaguid: str
    backed_up: int
    label: str
    created_at: str
    used_at: str | None


class Passkey(Model):
    """A key pair of an authenticator, of which this is the public one."""

    id = peewee.AutoField()
    credential = peewee.TextField(unique=True)
    account = peewee.IntegerField(index=True)
    user_handle = peewee.CharField(64)  # the same for all of an account
    public_key = peewee.TextField()
    sign_count = peewee.BigIntegerField()  # 0 for ever where the authenticator does not count
    transports = peewee.TextField()
    aaguid = peewee.CharField(36)
    backed_up = peewee.SmallIntegerField()
    label = peewee.TextField()
    created_at = peewee.CharField(27)
    used_at = peewee.CharField(27, null=True)

    @classmethod
    def add(cls, **columns: Any) -> int:
        """Inserts a passkey and returns its number. Raises `peewee.IntegrityError` where the credential is known."""
        return int(cls.insert(**columns).execute())

    @classmethod
    def of_account(cls, account: int) -> list[PasskeyRow]:
        """Returns the passkeys of an account, the newest first."""
        return cls._rows(cls.account == account)

    @classmethod
    def by_credential(cls, credential: str) -> PasskeyRow | None:
        """Returns the passkey with this id of a credential."""
        return next(iter(cls._rows(cls.credential == credential)), None)

    @classmethod
    def use(cls, row: PasskeyRow, *, sign_count: int, backed_up: bool, now: str) -> bool:
        """Notes a use; returns False where another use has been noted since `row` was read."""
        unchanged = (cls.id == row.id) & (cls.sign_count == row.sign_count)
        query = cls.update(sign_count=sign_count, backed_up=int(backed_up), used_at=now).where(unchanged)
        return bool(query.execute())

    @classmethod
    def delete_one(cls, account: int, number: int) -> bool:
        """Deletes a passkey of an account; returns False where it has none of that number."""
        return bool(cls.delete().where(cls.account == account, cls.id == number).execute())

    @classmethod
    def delete_of(cls, account: int) -> None:
        """Deletes all passkeys of an account."""
        cls.delete().where(cls.account == account).execute()

    @classmethod
    def _rows(cls, condition: Any) -> list[PasskeyRow]:
        columns = [getattr(cls, field) for field in PasskeyRow._fields]
        return [PasskeyRow(*row) for row in tuples(cls.select(*columns).where(condition).order_by(cls.id.desc()))]
