"""The skeletons that guests may not have, since they look like a name or a handle of an account."""

from collections.abc import Iterable

import peewee

from schema.base import Model, tuples

NEVER = "9999-12-31T23:59:59.999999Z"
"""The end of what is kept for ever."""


class Reserved(Model):
    """A skeleton that an account has, or had until lately."""

    id = peewee.AutoField()
    skeleton = peewee.TextField(index=True)
    account = peewee.IntegerField(index=True)
    until = peewee.CharField(27, null=True)  # of a handle that the account has given up

    @classmethod
    def every(cls, now: str) -> list[tuple[int, str]]:
        """Returns accounts with their skeletons."""
        return tuples(cls.select(cls.account, cls.skeleton).where(cls._holds(now)))

    @classmethod
    def of(cls, account: int, now: str) -> tuple[str, ...]:
        """Returns the skeletons of an account."""
        query = cls.select(cls.skeleton).where(cls.account == account, cls._holds(now))
        return tuple(sorted({skeleton for (skeleton,) in tuples(query)}))

    @classmethod
    def keeps_handle(cls, skeleton: str, now: str, *, but: int | None) -> bool:
        """Returns whether an account other than `but` has lately given up a handle that looks like this."""
        query = cls.select(cls.account).where(cls.skeleton == skeleton, cls.until > now)
        return any(account != but for (account,) in tuples(query))

    @classmethod
    def replace_of(cls, account: int, skeletons: Iterable[str]) -> None:
        """Stores the skeletons that an account has now; what it had until lately stays."""
        cls.delete().where(cls.account == account, cls.until.is_null()).execute()
        for skeleton in skeletons:
            cls.insert(skeleton=skeleton, account=account).execute()

    @classmethod
    def kept_of(cls, account: int) -> list[tuple[int, str]]:
        """Returns the skeletons that are kept for a while since an account has given them up, with their numbers."""
        return tuples(cls.select(cls.id, cls.skeleton).where(cls.account == account, cls.until.is_null(False)))

    @classmethod
    def set(cls, number: int, skeleton: str) -> None:
        """Replaces a skeleton."""
        cls.update(skeleton=skeleton).where(cls.id == number).execute()

    @classmethod
    def count_kept(cls, account: int, now: str) -> int:
        """Returns how many handles are kept that an account has given up."""
        return int(cls.select().where(cls.account == account, cls.until > now).count())

    @classmethod
    def keep(cls, account: int, skeleton: str, until: str) -> None:
        """Stores a handle that an account gives up."""
        cls.insert(skeleton=skeleton, account=account, until=until).execute()

    @classmethod
    def keep_for_ever(cls, account: int) -> None:
        """Keeps from others what an account has given up lately, since nobody may be taken for it any more."""
        cls.update(until=NEVER).where(cls.account == account, cls.until.is_null(False)).execute()

    @classmethod
    def delete_expired(cls, now: str) -> list[int]:
        """Deletes what was kept until now, and returns whose it was."""
        expired = tuples(cls.select(cls.account).where(cls.until <= now))
        if expired:
            cls.delete().where(cls.until <= now).execute()
        return sorted({account for (account,) in expired})

    @classmethod
    def _holds(cls, now: str) -> peewee.Expression:
        return cls.until.is_null() | (cls.until > now)
