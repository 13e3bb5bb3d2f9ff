"""Secrets: sessions, access tokens, invites, links, known devices. Only the hash of each is stored."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from schema.account import Account
from schema.base import Model, database, tuples


class SecretRow(NamedTuple):
    """A secret without its hash."""

    id: int
    kind: str
    account: int | None
    room: str | None
    label: str
    scopes: str
    role: str | None
    created_at: str
    used_at: str
    expires_at: str | None
    uses_left: int | None
    network: str
    agent: str


class BearerRow(NamedTuple):
    """A session or access token, and whose it is."""

    id: int
    kind: str
    scopes: str
    used_at: str
    expires_at: str | None
    account: int
    handle: str
    name: str
    role: str
    account_kind: str


class Secret(Model):
    """Something random that proves something to us. It is live until it is revoked, expires or is used up."""

    id = peewee.AutoField()
    hash = peewee.CharField(64, unique=True)  # SHA-256 in hexadecimal digits
    kind = peewee.CharField(16)
    account = peewee.IntegerField(null=True)
    room = peewee.CharField(64, null=True)  # the slug that an invite leads to
    label = peewee.TextField(default="")
    scopes = peewee.TextField(default="")  # separated by blanks
    role = peewee.CharField(16, null=True)  # that an invite gives
    created_at = peewee.CharField(27)
    used_at = peewee.CharField(27)
    expires_at = peewee.CharField(27, null=True)
    uses_left = peewee.IntegerField(null=True)
    network = peewee.TextField(default="")
    agent = peewee.TextField(default="")
    revoked_at = peewee.CharField(27, null=True)
    maker = peewee.IntegerField(null=True)  # the admin who has made a link for `account`

    @classmethod
    def add(cls, **columns: Any) -> int:
        """Inserts a secret and returns its number."""
        return int(cls.insert(**columns).execute())

    @classmethod
    def bearer(cls, digest: str, now: str) -> BearerRow | None:
        """Returns the live session or access token with this hash, of an account that may sign in."""
        found = database.execute_sql(_bearer_statement(database.obj.param), (digest, now)).fetchone()
        return None if found is None else BearerRow(*found)

    @classmethod
    def role_by(cls, number: int, now: str) -> str | None:
        """Returns the role of the account that has this live secret; None where it may not sign in any more."""
        query = cls.select(Account.role).join(Account, on=(Account.id == cls.account))
        query = query.where(cls.id == number, *cls._live(now), Account.state == "active")
        return next((role for (role,) in tuples(query)), None)

    @classmethod
    def by_hash(cls, digest: str, kinds: Sequence[str], now: str) -> SecretRow | None:
        """Returns the live secret of one of these kinds with this hash."""
        return next(iter(cls._rows(now, cls.hash == digest, cls.kind.in_(kinds))), None)

    @classmethod
    def of_account(cls, account: int, kind: str, now: str) -> list[SecretRow]:
        """Returns the live secrets of a kind that an account has, the latest used first."""
        return cls._rows(now, cls.account == account, cls.kind == kind)

    @classmethod
    def of_kind(cls, kind: str, now: str) -> list[SecretRow]:
        """Returns the live secrets of a kind, the latest used first."""
        return cls._rows(now, cls.kind == kind)

    @classmethod
    def of_room(cls, room: str, now: str) -> list[SecretRow]:
        """Returns the live invites that lead to a room, the latest used first."""
        return cls._rows(now, cls.room == room, cls.kind == "invite")

    @classmethod
    def count_of_room(cls, room: str, now: str) -> int:
        """Returns how many live invites lead to a room."""
        return int(cls.select().where(cls.room == room, cls.kind == "invite", *cls._live(now)).count())

    @classmethod
    def count_made(cls, account: int, kind: str, since: str) -> int:
        """Returns how many secrets of a kind an account has made since then, also those that are not live any more."""
        made = cls.select().where(cls.account == account, cls.kind == kind, cls.created_at >= since)
        return int(made.count())

    @classmethod
    def use(cls, number: int, now: str) -> bool:
        """Takes one use of a secret; returns False where none is left."""
        is_left = cls.uses_left.is_null() | (cls.uses_left > 0)
        query = cls.update(uses_left=cls.uses_left - 1, used_at=now).where(cls.id == number, is_left, *cls._live(now))
        return bool(query.execute())

    @classmethod
    def give_back(cls, number: int) -> None:
        """Gives one use of a secret back that was taken."""
        cls.update(uses_left=cls.uses_left + 1).where(cls.id == number, cls.uses_left.is_null(False)).execute()

    @classmethod
    def set(cls, number: int, **columns: Any) -> None:
        """Updates a secret."""
        cls.update(**columns).where(cls.id == number).execute()

    @classmethod
    def revoke(cls, numbers: Sequence[int], now: str) -> None:
        """Ends secrets."""
        cls.update(revoked_at=now).where(cls.id.in_(list(numbers))).execute()

    @classmethod
    def revoke_kind(cls, kind: str, now: str, *, account: int | None = None) -> None:
        """Ends all secrets of a kind, or those of an account."""
        whose = () if account is None else (cls.account == account,)
        cls.update(revoked_at=now).where(cls.kind == kind, cls.revoked_at.is_null(), *whose).execute()

    @classmethod
    def revoke_made(cls, maker: int, now: str) -> None:
        """Ends the links that an admin has made for others, and the invites of theirs that give a role."""
        is_theirs = (cls.maker == maker) | ((cls.kind == "invite") & (cls.account == maker) & cls.role.is_null(False))
        cls.update(revoked_at=now).where(is_theirs, cls.revoked_at.is_null()).execute()

    @classmethod
    def delete_of(cls, account: int) -> None:
        """Deletes all secrets of an account."""
        cls.delete().where(cls.account == account).execute()

    @classmethod
    def delete_hash(cls, digest: str) -> None:
        """Deletes the secret with this hash."""
        cls.delete().where(cls.hash == digest).execute()

    @classmethod
    def delete_dead(cls, before: str) -> None:
        """Deletes the secrets that were revoked, have expired or were used up before then."""
        is_used_up = (cls.uses_left <= 0) & (cls.used_at < before)
        cls.delete().where((cls.revoked_at < before) | (cls.expires_at < before) | is_used_up).execute()

    @classmethod
    def _rows(cls, now: str, *conditions: Any) -> list[SecretRow]:
        columns = [getattr(cls, field) for field in SecretRow._fields]
        query = cls.select(*columns).where(*conditions, *cls._live(now)).order_by(cls.used_at.desc(), cls.id.desc())
        return [SecretRow(*row) for row in tuples(query)]

    @classmethod
    def _live(cls, now: str) -> tuple[Any, ...]:
        return (
            cls.revoked_at.is_null(),
            cls.expires_at.is_null() | (cls.expires_at > now),
            cls.uses_left.is_null() | (cls.uses_left > 0),
        )


# Peewee took 20 times as long to build this query as it takes, and each connection that shows a new secret needs it.
@functools.cache
def _bearer_statement(param: str) -> str:
    """Returns the statement of `Secret.bearer`; what is live is the same as in `Secret._live`."""
    return f"""SELECT s.id, s.kind, s.scopes, s.used_at, s.expires_at, s.account, a.handle, a.name, a.role, a.kind
        FROM secret AS s INNER JOIN account AS a ON a.id = s.account
        WHERE s.hash = {param} AND s.kind IN ('session', 'access') AND s.revoked_at IS NULL
        AND (s.expires_at IS NULL OR s.expires_at > {param}) AND (s.uses_left IS NULL OR s.uses_left > 0)
        AND a.state = 'active'"""  # noqa: S608
