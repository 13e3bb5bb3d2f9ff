"""The rooms of one account, as a list shows them, and the marks that it leaves in them."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import peewee

from schema.account import Account
from schema.base import database, tuples
from schema.entry import Entry
from schema.kind import Kind
from schema.member import Member, Mention
from schema.post import Post
from schema.room import Room, id_of

_QueryOf: TypeAlias = Callable[[int], Any]
"""Makes a query about an account."""


class MembershipRow(NamedTuple):
    """A room that somebody is in, and how they are in it."""

    slug: str
    kind: str
    title: str
    topic: str
    rules: str | None
    archived_at: str | None
    last_seq: int
    last_nth: int
    role: str
    joined_seq: int
    muted_until: str | None
    read_seq: int
    read_nth: int
    read_rev: int
    level: str
    hidden: int
    level_until: str | None
    people: int


class LatestRow(NamedTuple):
    """The latest message of a room, as it is now."""

    slug: str
    seq: int
    name: str
    message: str
    inserted_at: str


class MarkRow(NamedTuple):
    """How far somebody has read a room, and what they want to notice there."""

    slug: str
    account: int
    joined_seq: int  # who has left since and come again begins anew
    read_seq: int
    read_nth: int
    read_rev: int
    level: str
    hidden: int
    level_until: str | None


class SpokenRow(NamedTuple):
    """Somebody has said something in a room, and so has read it up to there."""

    slug: str
    account: int
    seq: int
    nth: int


class RoomsOfAccount(NamedTuple):
    """All that a list of somebody's rooms shows."""

    rooms: list[MembershipRow]
    latest: list[LatestRow]
    mentions: list[tuple[str, int]]  # room and place of each message above the mark that names the account
    companions: list[tuple[str, int, str, str]]  # room, account, handle and name in direct rooms and groups


def rooms_of(account: int) -> RoomsOfAccount:
    """Returns the rooms of an account, in one transaction: four queries, however many these are."""
    return RoomsOfAccount(
        [MembershipRow(*row) for row in _rows(_memberships, account)],
        [LatestRow(*row) for row in _rows(_latest, account)],
        _rows(_mentions, account),
        _rows(_companions, account),
    )


def latest_of(slug: str) -> LatestRow | None:
    """Returns the latest message of a room."""
    return next((LatestRow(*row) for row in tuples(_latest_messages(Room.slug == slug))), None)


def unread_from(slug: str, account: int, seq: int) -> tuple[int, list[int]]:
    """Returns how many messages a room has before `seq`, and the messages from there on that name an account."""
    query = Mention.select(Mention.seq).where(
        Mention.account == account, Mention.room == id_of(slug), Mention.seq >= seq
    )
    return Entry.nth_at(slug, seq - 1), [place for (place,) in tuples(query.order_by(Mention.seq))]


def write_marks(marks: Iterable[MarkRow]) -> list[MarkRow]:
    """Stores marks; returns those of whom the database does not know yet that they are in the room."""
    return [mark for mark in marks if not _execute(_mark, (*mark[3:], mark.account, mark.joined_seq, mark.slug))]


def write_spoken(spoken: Iterable[SpokenRow]) -> None:
    """Moves the marks of who has said something, where they are not further already."""
    for row in spoken:
        _execute(_spoke, (row.seq, row.nth, row.account, row.seq, row.slug))


_ANYBODY = -1


def _rows(query: _QueryOf, account: int) -> list[Any]:
    """Returns the rows of a query about an account."""
    text, values = _compiled(query, database.obj.param)
    return list(database.execute_sql(text, [account if value == _ANYBODY else value for value in values]))


@functools.cache
def _compiled(query: _QueryOf, _param: str) -> tuple[str, Sequence[object]]:
    """Returns a query as the database reads it, once for each kind of database.

    It takes 0.5 to 1.5 ms to be made, and 0.01 to 0.1 ms to be answered.
    """
    text, values = query(_ANYBODY).sql()
    return text, values


def _memberships(account: int) -> Any:
    there = Member.alias()
    people = there.select(peewee.fn.COUNT(there.account)).where(
        there.room == Member.room, there.left_seq.is_null(), there.joined_seq > 0
    )
    of_room = [getattr(Room, field) for field in MembershipRow._fields[:8]]
    of_member = [getattr(Member, field) for field in MembershipRow._fields[8:-1]]
    query = Member.select(*of_room, *of_member, people).join(Room, on=(Room.id == Member.room))
    return query.where(_is_in(account))


def _latest(account: int) -> Any:
    return _latest_messages(Room.id.in_(_rooms_with(account)))


def _latest_messages(which: Any) -> Any:
    """Returns the latest message of each of these rooms. Its place is found from the end of the log."""
    later = Entry.alias()
    place = (
        later.select(later.seq)
        .where(later.room == Room.id, later.kind == Kind.MESSAGE, later.name != "")
        .order_by(later.seq.desc())
        .limit(1)
    )
    text = peewee.fn.COALESCE(Post.message, Entry.message)
    return (
        Room.select(Room.slug, Entry.seq, Entry.name, text, Entry.inserted_at)
        .join(Entry, on=((Entry.room == Room.id) & (Entry.seq == place)))
        .join(Post, peewee.JOIN.LEFT_OUTER, on=((Post.room == Entry.room) & (Post.seq == Entry.seq)))
        .where(which)
    )


def _mentions(account: int) -> Any:
    is_unread = (Mention.room == Member.room) & (Mention.account == Member.account) & (Mention.seq > Member.read_seq)
    return (
        Member.select(Room.slug, Mention.seq)
        .join(Mention, on=is_unread)
        .join(Room, on=(Room.id == Member.room))
        .where(_is_in(account))
        .order_by(Mention.seq)
    )


def _companions(account: int) -> Any:
    other = Member.alias()
    handle = peewee.Case(None, [(Account.state == "deleted", "")], Account.handle)
    return (
        other.select(Room.slug, Account.id, handle, Account.name)
        .join(Room, on=(Room.id == other.room))
        .join(Account, on=(Account.id == other.account))
        .where(
            other.room.in_(_rooms_with(account)),
            Room.kind.in_(("direct", "group")),
            other.left_seq.is_null() | (Room.kind == "direct"),
            other.joined_seq > 0,
        )
        .order_by(Account.id)
    )


def _is_in(account: int) -> Any:
    return (Member.account == account) & Member.left_seq.is_null() & (Member.joined_seq > 0)


def _rooms_with(account: int) -> Any:
    return Member.select(Member.room).where(_is_in(account))


def _execute(statement: Any, values: Sequence[object]) -> int:
    return int(database.execute_sql(statement(database.obj.param), values).rowcount)


@functools.cache
def _mark(param: str) -> str:
    columns = ", ".join(f"{column} = {param}" for column in MarkRow._fields[3:])
    is_one = f"account = {param} AND joined_seq = {param} AND left_seq IS NULL AND room = {_room(param)}"
    return f"UPDATE member SET {columns} WHERE {is_one}"  # noqa: S608


@functools.cache
def _spoke(param: str) -> str:
    is_further = f"account = {param} AND read_seq < {param} AND room = {_room(param)}"
    return f"UPDATE member SET read_seq = {param}, read_nth = {param} WHERE {is_further}"  # noqa: S608


def _room(param: str) -> str:
    return f"(SELECT id FROM room WHERE slug = {param})"  # noqa: S608
