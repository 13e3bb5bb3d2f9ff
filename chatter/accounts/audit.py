"""The audit log, as admins read it: a transaction that is called within one."""

from typing import Any

import msgspec

from chatter.charter import Author, is_private_slug
from schema import Audit, AuditRow, handles_of


class Deed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody has done with more rights than others have."""

    id: int
    at: str
    actor: Author | None = None  # None for who owns the machine
    action: str
    target: Author | None = None  # the account that it was done to
    room: str | None = None
    reason: str | None = None
    before: Any = None
    after: Any = None


def deeds(before: int | None, limit: int) -> list[Deed]:
    """Returns up to `limit` deeds, those before the one with that number, the latest first."""
    rows = Audit.before_id(before, limit)
    handles = handles_of({number for row in rows for number in (row.actor, row.target) if number is not None})
    return [_deed(row, handles) for row in rows]


def _deed(row: AuditRow, handles: Any) -> Deed:
    return Deed(
        id=row.id,
        at=row.at,
        actor=_author(row.actor, handles),
        action=row.action,
        target=_author(row.target, handles),
        room=row.room,
        reason=row.reason,
        before=_value(row.before, row.room),
        after=_value(row.after, row.room),
    )


def _author(number: int | None, handles: Any) -> Author | None:
    return None if number is None else Author(number, handles.get(number, ""))


def _value(text: str | None, room: str | None) -> Any:
    """Reads a value. What a room that is not public is called is for its members alone."""
    value = None if text is None else msgspec.json.decode(text)
    if isinstance(value, dict) and room is not None and is_private_slug(room):
        return {name: each for name, each in value.items() if name not in ("title", "topic")}
    return value
