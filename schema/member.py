"""Members: who is in a room that is somebody's, who is banned from it, and what each has read of it."""

from typing import Any, NamedTuple

import peewee

from schema.account import Account
from schema.base import Model, tuples
from schema.room import Room, id_of

_ZERO: list[peewee.Node] = [peewee.SQL("DEFAULT 0")]


class MemberRow(NamedTuple):
    """Somebody who is, was, or must not be in a room, as their account is called now."""

    account: int
    handle: str
    name: str
    state: str  # of the account
    role: str
    joined_seq: int
    left_seq: int | None
    banned: int
    muted_until: str | None


class Member(Model):
    """One account in one room. All but what it has read is written in the transaction of an entry."""

    room = peewee.IntegerField()
    account = peewee.IntegerField(index=True)
    role = peewee.CharField(16)  # owner, moderator, member
    joined_seq = peewee.BigIntegerField(constraints=_ZERO)  # 0 for somebody who was banned and never came
    left_seq = peewee.BigIntegerField(null=True)  # None for somebody who is there
    banned = peewee.SmallIntegerField(constraints=_ZERO)
    muted_until = peewee.CharField(27, null=True)
    read_seq = peewee.BigIntegerField(constraints=_ZERO)
    read_nth = peewee.BigIntegerField(constraints=_ZERO)
    read_rev = peewee.IntegerField(constraints=_ZERO)  # how often the mark was set back
    level = peewee.CharField(16, constraints=[peewee.SQL("DEFAULT ''")])  # "" for the usual one of such rooms
    hidden = peewee.SmallIntegerField(constraints=_ZERO)
    level_until = peewee.CharField(27, null=True)

    class Meta:
        primary_key = peewee.CompositeKey("room", "account")

    @classmethod
    def of_room(cls, room: int) -> list[MemberRow]:
        """Returns everybody who is, was, or must not be in a room."""
        query = cls.select(
            cls.account,
            Account.handle,
            Account.name,
            Account.state,
            cls.role,
            cls.joined_seq,
            cls.left_seq,
            cls.banned,
            cls.muted_until,
        ).join(Account, on=(Account.id == cls.account))
        return [MemberRow(*row) for row in tuples(query.where(cls.room == room).order_by(cls.account))]

    @classmethod
    def is_in(cls, slug: str, account: int) -> bool:
        """Returns whether an account is a member of a room."""
        here = (cls.room == id_of(slug)) & (cls.account == account) & cls.left_seq.is_null()
        return bool(cls.select().where(here, cls.joined_seq > 0).exists())

    @classmethod
    def rooms_of(cls, account: int) -> list[str]:
        """Returns the names of the rooms that an account is in."""
        here = (cls.account == account) & cls.left_seq.is_null() & (cls.joined_seq > 0)
        return [slug for (slug,) in tuples(Room.select(Room.slug).join(cls, on=(cls.room == Room.id)).where(here))]

    @classmethod
    def count_in(cls, room: int) -> int:
        """Returns how many members a room has, by its number."""
        return int(cls.select().where(cls.room == room, cls.left_seq.is_null(), cls.joined_seq > 0).count())

    @classmethod
    def count_rooms(cls, account: int) -> int:
        """Returns of how many rooms an account is a member."""
        return int(cls.select().where(cls.account == account, cls.left_seq.is_null(), cls.joined_seq > 0).count())

    @classmethod
    def standing(cls, room: int, account: int) -> dict[str, Any] | None:
        """Returns what somebody is in a room, as the audit log tells it."""
        columns = (cls.role, cls.left_seq, cls.banned, cls.muted_until)
        found = tuples(cls.select(*columns).where((cls.room == room) & (cls.account == account)))
        if not found:
            return None
        role, left, banned, muted = found[0]
        return {"role": role, "here": left is None, "banned": bool(banned), "muted_until": muted}


class Mention(Model):
    """One message that names one account, for as long as it does."""

    account = peewee.IntegerField()
    room = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.CharField(8)  # account, here, room

    class Meta:
        primary_key = peewee.CompositeKey("account", "room", "seq")
        indexes = ((("room", "seq"), False),)
