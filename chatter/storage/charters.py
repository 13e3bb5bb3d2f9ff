"""Charters: reads from the database what somebody has settled about a room, and who is in it."""

from typing import cast

import msgspec

from chatter.charter import Author, Charter, Member, RoomRole, RulesPatch, patched
from schema import CharterRow, MemberRow, Room
from schema import Member as MemberTable
from schema.slugs import kind_of


def read_charter(slug: str) -> Charter | None:
    """Returns the charter of a room; None for a plain one, and where nothing was said yet."""
    found = Room.charter(slug)
    if found is None:
        return None
    number, row = found
    members = MemberTable.of_room(number)
    kind = kind_of(slug)
    if kind == "public" and row.rules is None and not members:
        return None
    return _charter(slug, row, members)


def _charter(slug: str, row: CharterRow, rows: list[MemberRow]) -> Charter:
    patch = None if row.rules is None else msgspec.json.decode(row.rules, type=RulesPatch)
    there = [each for each in rows if each.left_seq is None and each.state != "deleted"]
    return Charter(
        kind=kind_of(slug),
        title=row.title,
        topic=row.topic,
        rules=patched(Charter().rules, patch),
        archived_at=row.archived_at,
        members={each.account: _member(each) for each in there},
        banned=frozenset(each.account for each in rows if each.banned),
        muted={each.account: each.muted_until for each in rows if each.left_seq is not None and each.muted_until},
    )


def _member(row: MemberRow) -> Member:
    author = Author(row.account, row.handle)
    return Member(author, row.name, cast(RoomRole, row.role), row.joined_seq, row.muted_until)
