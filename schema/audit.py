"""The audit log: what people with more rights than others have done with them. Rows are only ever added."""

from typing import NamedTuple

import peewee

from schema.base import Model, tuples


class AuditRow(NamedTuple):
    """One deed."""

    id: int
    at: str
    actor: int | None
    action: str
    target: int | None
    room: str | None
    reason: str | None
    before: str | None
    after: str | None


class Audit(Model):
    """Who did what to whom, when and why. Rows of rooms are written in the transaction of the entry."""

    id = peewee.AutoField()
    at = peewee.CharField(27)
    actor = peewee.IntegerField(null=True)  # the account; None for who owns the machine
    action = peewee.CharField(32)
    target = peewee.IntegerField(null=True, index=True)  # the account that it was done to
    room = peewee.CharField(64, null=True, index=True)  # the slug
    reason = peewee.TextField(null=True)
    before = peewee.TextField(null=True)  # JSON
    after = peewee.TextField(null=True)  # JSON

    @classmethod
    def before_id(cls, id: int | None, limit: int) -> list[AuditRow]:
        """Returns up to `limit` deeds before the one with that number, the latest first."""
        query = cls.select(*(getattr(cls, field) for field in AuditRow._fields))
        if id is not None:
            query = query.where(cls.id < id)
        return [AuditRow(*row) for row in tuples(query.order_by(cls.id.desc()).limit(limit))]
