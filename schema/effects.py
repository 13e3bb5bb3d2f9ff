"""The effects of entries: what each writes beside its own row, in the same transaction.

An entry carries what results and not a difference, so that what it is about is written without being read. Only the
audit log reads what was before.
"""

import functools
import json
from typing import Any

from schema import post
from schema.audit import Audit
from schema.base import batches, database
from schema.kind import Kind
from schema.member import Member, Mention
from schema.post import AppliedRow
from schema.room import Room

_AUDITED = frozenset({"removed", "banned", "unbanned", "role", "muted", "unmuted"})
"""What is done to people by others who may."""


def apply(room: int, slug: str, entry: AppliedRow, *, keeps_removed: bool) -> None:
    """Writes what an entry does, within the transaction that writes the entry."""
    data: dict[str, Any] = json.loads(entry.data) if entry.data else {}
    if entry.kind == Kind.MEMBER:
        _change_members(room, slug, entry, data)
        return
    if entry.kind == Kind.ROOM:
        _change_room(room, slug, entry, data)
        return
    if entry.target is not None:
        post.apply(room, entry, data, keeps_removed=keeps_removed)
    if entry.kind == Kind.MESSAGE and "mentions" in data:
        _mention(room, entry.seq, entry.author, data["mentions"])
    elif entry.kind == Kind.EDIT:
        assert entry.target is not None
        _forget_mentions(room, entry.target)
        _mention(room, entry.target, entry.author, data.get("mentions", {}))
    elif entry.kind == Kind.DELETE:
        assert entry.target is not None
        _forget_mentions(room, entry.target)
        if data.get("moderator"):
            _write_down(slug, entry, "delete_message", reason=data.get("reason"), after={"seq": entry.target})


# ---------------------------------------------------------------- members


def _change_members(room: int, slug: str, entry: AppliedRow, data: dict[str, Any]) -> None:
    change, role = data["change"], data.get("role") or "member"
    for account, _handle, _name in data["members"]:
        is_one = (Member.room == room) & (Member.account == account)
        before = Member.standing(room, account) if change in _AUDITED else None
        match change:
            case "joined" | "added":
                database.execute_sql(
                    _come(database.obj.param), (room, account, role, *(entry.seq, entry.seq, entry.nth))
                )
            case "left" | "removed":
                Member.update(left_seq=entry.seq).where(is_one).execute()
            case "banned":
                database.execute_sql(_ban(database.obj.param), (room, account, entry.seq))
            case "unbanned":
                Member.update(banned=0).where(is_one).execute()
            case "role":
                Member.update(role=role).where(is_one).execute()
            case "muted":
                Member.update(muted_until=data.get("until")).where(is_one).execute()
            case "unmuted":
                Member.update(muted_until=None).where(is_one).execute()
            case _:
                raise ValueError(f"expected a change of members, got {change}")
        if change in _AUDITED:
            after = Member.standing(room, account)
            _write_down(slug, entry, change, target=account, reason=data.get("reason"), before=before, after=after)


@functools.cache
def _come(param: str) -> str:
    values = ", ".join([param] * 6)
    return (
        f"INSERT INTO member (room, account, role, joined_seq, read_seq, read_nth) VALUES ({values})"  # noqa: S608
        " ON CONFLICT (room, account) DO UPDATE SET role = excluded.role, joined_seq = excluded.joined_seq,"
        " left_seq = NULL, banned = 0, hidden = 0, level = '', level_until = NULL,"
        " read_seq = excluded.read_seq, read_nth = excluded.read_nth, read_rev = 0"
    )


@functools.cache
def _ban(param: str) -> str:
    return (
        "INSERT INTO member (room, account, role, left_seq, banned)"  # noqa: S608
        f" VALUES ({param}, {param}, 'member', {param}, 1)"
        " ON CONFLICT (room, account) DO UPDATE SET banned = 1, left_seq = COALESCE(member.left_seq, excluded.left_seq)"
    )


# ---------------------------------------------------------------- rooms


def _change_room(room: int, slug: str, entry: AppliedRow, data: dict[str, Any]) -> None:
    before = Room.settled(room)
    rules = {**before["rules"], **data.get("rules", {})}
    columns: dict[str, Any] = {name: data[name] for name in ("title", "topic") if name in data}
    columns |= {name: int(rules[name]) for name in ("listed", "guests") if name in rules}
    if "archived" in data:
        columns["archived_at"] = entry.inserted_at if data["archived"] else None
    if "kind" in data:
        columns |= {"created_by": entry.author, "created_at": entry.inserted_at}
    Room.update(rules=json.dumps(rules, separators=(",", ":")), **columns).where(Room.id == room).execute()
    if "kind" not in data:
        _write_down(slug, entry, "room", before={name: before[name] for name in data}, after=data)


def _write_down(
    slug: str,
    entry: AppliedRow,
    action: str,
    *,
    target: int | None = None,
    reason: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    Audit.insert(
        at=entry.inserted_at,
        actor=entry.author,
        action=action,
        target=target,
        room=slug,
        reason=reason,
        before=None if before is None else json.dumps(before, ensure_ascii=False),
        after=None if after is None else json.dumps(after, ensure_ascii=False),
    ).execute()


# ---------------------------------------------------------------- mentions


def _mention(room: int, seq: int, author: int | None, mentions: dict[str, Any]) -> None:
    """Writes a row for everybody who is named; somebody who is named twice is by the first of these."""
    for kind, name in (("account", "accounts"), ("here", "present")):
        rows = [(account, room, seq, kind) for account in mentions.get(name, ()) if account != author]
        for statement, values in batches(rows, _insert_mentions):
            database.execute_sql(statement, values)
    if mentions.get("room"):
        param = database.obj.param
        statement = f"""INSERT INTO mention (account, room, seq, kind)
            SELECT account, room, {param}, 'room' FROM member
            WHERE room = {param} AND left_seq IS NULL AND account <> {param}
            ON CONFLICT (account, room, seq) DO NOTHING"""  # noqa: S608
        database.execute_sql(statement, (seq, room, author or 0))


def _forget_mentions(room: int, seq: int) -> None:
    Mention.delete().where((Mention.room == room) & (Mention.seq == seq)).execute()


@functools.cache
def _insert_mentions(param: str, rows: int) -> str:
    values = ", ".join([f"({', '.join([param] * 4)})"] * rows)
    return (
        f"INSERT INTO mention (account, room, seq, kind) VALUES {values}"  # noqa: S608
        " ON CONFLICT (account, room, seq) DO NOTHING"
    )
