"""People for whom another server vouches."""

import peewee

from schema.base import Model, tuples


class Outside(Model):
    """Somebody who is known to another server under `subject`, and to us as an account."""

    issuer = peewee.TextField()
    subject = peewee.TextField()
    account = peewee.IntegerField(index=True)

    class Meta:
        primary_key = peewee.CompositeKey("issuer", "subject")

    @classmethod
    def account_of(cls, issuer: str, subject: str) -> int | None:
        """Returns the number of the account."""
        query = cls.select(cls.account).where(cls.issuer == issuer, cls.subject == subject)
        return next((account for (account,) in tuples(query)), None)

    @classmethod
    def of(cls, account: int) -> list[tuple[str, str]]:
        """Returns under what an account is known to which servers."""
        return tuples(cls.select(cls.issuer, cls.subject).where(cls.account == account))

    @classmethod
    def add(cls, issuer: str, subject: str, account: int) -> None:
        """Stores whose account it is."""
        cls.insert(issuer=issuer, subject=subject, account=account).execute()

    @classmethod
    def delete_one(cls, issuer: str, subject: str) -> None:
        """Forgets whose account it is."""
        cls.delete().where(cls.issuer == issuer, cls.subject == subject).execute()

    @classmethod
    def delete_of(cls, account: int) -> None:
        """Deletes what leads to an account."""
        cls.delete().where(cls.account == account).execute()
