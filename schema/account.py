"""Accounts: who has one, and what they are called."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from schema.base import Model, tuples


class AccountRow(NamedTuple):
    """An account as it is stored."""

    id: int
    handle: str
    name: str
    password: str | None  # what argon2 makes of it
    role: str
    kind: str
    state: str
    created_at: str
    seen_at: str


class Account(Model):
    """Somebody, or a program. A row is never deleted: its number and its handle are nobody else's, ever."""

    id = peewee.AutoField()
    handle = peewee.CharField(32, unique=True)
    skeleton = peewee.TextField(unique=True)  # of the handle: no two handles look alike
    skeleton_version = peewee.IntegerField(null=True)  # of the rules by which it was made; None for the first
    name = peewee.TextField()
    password = peewee.TextField(null=True)
    role = peewee.CharField(16)
    kind = peewee.CharField(16)
    state = peewee.CharField(16)  # active, suspended, leaving, deleted
    avatar = peewee.TextField(null=True)
    created_at = peewee.CharField(27)
    seen_at = peewee.CharField(27)

    @classmethod
    def add(cls, **columns: Any) -> int:
        """Inserts an account and returns its number. Raises `peewee.IntegrityError` where the handle is taken."""
        return int(cls.insert(**columns).execute())

    @classmethod
    def by_id(cls, number: int) -> AccountRow | None:
        """Returns an account that is not deleted."""
        return cls._one(cls.id == number)

    @classmethod
    def by_ids(cls, numbers: Sequence[int]) -> list[AccountRow]:
        """Returns those of these accounts that are not deleted, by number."""
        query = cls._rows().where(cls.id.in_(numbers), cls.state != "deleted").order_by(cls.id)
        return [AccountRow(*row) for row in tuples(query)]

    @classmethod
    def by_handle(cls, handle: str) -> AccountRow | None:
        """Returns the account that has this handle now, and is not deleted."""
        return cls._one(cls.handle == handle)

    @classmethod
    def listed(cls) -> list[AccountRow]:
        """Returns all accounts that are not deleted, by handle."""
        return [AccountRow(*row) for row in tuples(cls._rows().where(cls.state != "deleted").order_by(cls.handle))]

    @classmethod
    def with_old_skeletons(cls, version: int) -> list[tuple[int, str, str, str]]:
        """Returns number, handle, name and state of the accounts whose skeletons were made by other rules."""
        is_old = cls.skeleton_version.is_null() | (cls.skeleton_version != version)
        return tuples(cls.select(cls.id, cls.handle, cls.name, cls.state).where(is_old).order_by(cls.id))

    @classmethod
    def skeleton_is_taken(cls, skeleton: str, *, but: int | None) -> bool:
        """Returns whether an account other than `but` has or had a handle that looks like this one."""
        others = cls.select(cls.id).where(cls.skeleton == skeleton)
        return any(number != but for (number,) in tuples(others))

    @classmethod
    def has_admin(cls) -> bool:
        """Returns whether there is an admin who may sign in."""
        return bool(cls.select().where(cls.role == "admin", cls.state == "active").exists())

    @classmethod
    def staff(cls) -> list[tuple[int, str]]:
        """Returns number and role of the accounts that are more than members, and not deleted."""
        return tuples(cls.select(cls.id, cls.role).where(cls.role != "member", cls.state != "deleted"))

    @classmethod
    def set(cls, number: int, **columns: Any) -> None:
        """Updates an account. Raises `peewee.IntegrityError` where the handle is taken."""
        cls.update(**columns).where(cls.id == number).execute()

    @classmethod
    def _one(cls, condition: Any) -> AccountRow | None:
        row = next(iter(tuples(cls._rows().where(condition, cls.state != "deleted"))), None)
        return None if row is None else AccountRow(*row)

    @classmethod
    def _rows(cls) -> Any:
        return cls.select(*(getattr(cls, field) for field in AccountRow._fields))
