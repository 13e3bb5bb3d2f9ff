"""What messages are now, where something has touched them: a row beside the log for each of these.

Each entry carries what results, not a difference, so that a row is written without being read.
"""

import functools
import json
from typing import Any, NamedTuple, Protocol

import peewee

from schema.base import Model, batches, database, writing_transaction
from schema.fence import Fence
from schema.kind import Kind

_ZERO: list[peewee.Node] = [peewee.SQL("DEFAULT 0")]


class StateRow(NamedTuple):
    """What a message is now: the columns of `Post` that are read."""

    changed: int
    message: str | None
    edits: int
    edited_at: str | None
    deleted_at: str | None
    deleted_by: str | None
    pinned_at: str | None
    pinned_by: str | None
    reactions: str | None
    mentions: str | None
    replies: int
    last_reply_seq: int | None


class Post(Model):
    """The state of a message that an entry after it is about."""

    room = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    changed = peewee.BigIntegerField()  # the last entry that touched it
    message = peewee.TextField(null=True)  # the text since the last edit; None where it was never edited
    edits = peewee.IntegerField(constraints=_ZERO)
    edited_at = peewee.CharField(27, null=True)
    deleted_at = peewee.CharField(27, null=True)
    deleted_by = peewee.TextField(null=True)
    pinned_at = peewee.CharField(27, null=True)
    pinned_by = peewee.TextField(null=True)
    reactions = peewee.TextField(null=True)  # JSON: {key: {"count": …, "names": [the first ten]}}
    mentions = peewee.TextField(null=True)  # JSON: who is named in the text since the last edit
    replies = peewee.IntegerField(constraints=_ZERO)
    last_reply_seq = peewee.BigIntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq")
        indexes = ((("room", "changed"), False),)


Post.add_index(Post.room, Post.pinned_at, where=Post.pinned_at.is_null(False))


class Reaction(Model):
    """One person's reaction to one message: the truth behind the counts in `Post.reactions`."""

    room = peewee.IntegerField()
    seq = peewee.BigIntegerField()  # the message
    key = peewee.CharField(32)
    author = peewee.IntegerField(constraints=_ZERO)  # the account; 0 for a guest
    name = peewee.TextField()  # the guest; "" for an account, which is one person under any name
    at_seq = peewee.BigIntegerField()  # the entry that added it

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq", "key", "author", "name")


class Removed(Model):
    """The text of a deleted message, kept aside until it is gone for good."""

    room = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    message = peewee.TextField()
    removed_at = peewee.CharField(27, index=True)

    class Meta:
        primary_key = peewee.CompositeKey("room", "seq")

    @classmethod
    def drop(cls, before: str, fence: Fence | None = None) -> int:
        """Deletes the texts of messages that were deleted before that time, and returns how many they were.

        `fence` is as in `Entry.save_all`.
        """
        is_old = cls.removed_at < before
        if not cls.select().where(is_old).exists():
            return 0
        with writing_transaction():
            if fence is not None:
                fence.count_commit()
            dropped = int(cls.delete().where(is_old).execute())
        if fence is not None:
            fence.confirm()
        return dropped


class AppliedRow(Protocol):
    """The columns of an entry that say what it does to its target."""

    @property
    def kind(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def inserted_at(self) -> str: ...
    @property
    def target(self) -> int | None: ...
    @property
    def data(self) -> str | None: ...
    @property
    def nth(self) -> int: ...
    @property
    def author(self) -> int | None: ...


def apply(room: int, entry: AppliedRow, data: dict[str, Any], *, keeps_removed: bool) -> None:
    """Writes what an entry does to its target, within the transaction that writes the entry.

    `by` in its data is the handle that an account had when it did that.
    """
    target, seq, at = entry.target, entry.seq, entry.inserted_at
    assert target is not None
    match entry.kind:
        case Kind.MESSAGE:  # a reply
            upsert(room, target, seq, replies=data["replies"], last_reply_seq=seq)
        case Kind.EDIT:
            mentions = json.dumps(data["mentions"]) if "mentions" in data else None
            upsert(room, target, seq, message=entry.message, mentions=mentions, edits=data["edits"], edited_at=at)
        case Kind.DELETE:
            if keeps_removed:
                _keep_aside(room, target, at)
            _delete(room, target, entry, _label(entry, data))
        case Kind.REACT:
            upsert(room, target, seq, reactions=json.dumps(data["reactions"], ensure_ascii=False))
            _react(room, target, seq, data)
        case Kind.PIN:
            upsert(room, target, seq, pinned_at=at, pinned_by=_label(entry, data))
        case Kind.UNPIN:
            upsert(room, target, seq, pinned_at=None, pinned_by=None)
        case _:
            raise ValueError(f"expected a kind of entry with an effect, got {entry.kind}")


def _label(entry: AppliedRow, data: dict[str, Any]) -> str:
    return f"@{data['by']}" if "by" in data else entry.name


def upsert(room: int, seq: int, changed: int, **columns: Any) -> None:
    """Writes what has become of a message by the entry `changed`; other columns stay."""
    statement = _upsert_statement(database.obj.param, tuple(columns))
    database.execute_sql(statement, (room, seq, changed, *columns.values()))


@functools.cache
def _upsert_statement(param: str, columns: tuple[str, ...]) -> str:
    names = ("room", "seq", "changed", *columns)
    values = ", ".join([param] * len(names))
    update = ", ".join(f"{name} = excluded.{name}" for name in ("changed", *columns))
    return (
        f"INSERT INTO post ({', '.join(names)}) VALUES ({values})"  # noqa: S608
        f" ON CONFLICT (room, seq) DO UPDATE SET {update}"
    )


def _react(room: int, target: int, seq: int, data: dict[str, Any]) -> None:
    key = data["key"]
    added = [(room, target, key, *_person(each), seq) for each in data["add"]]
    for statement, values in batches(added, _insert_reactions):
        database.execute_sql(statement, values)
    for each in data["remove"]:
        author, name = _person(each)
        is_own = (Reaction.author == author) & (Reaction.name == name)
        Reaction.delete().where(
            (Reaction.room == room) & (Reaction.seq == target) & (Reaction.key == key) & is_own
        ).execute()


def _person(written: Any) -> tuple[int, str]:
    """Returns the columns of a person: of a guest's name, or of an account's id and handle."""
    return (0, written) if isinstance(written, str) else (written[0], "")


@functools.cache
def _insert_reactions(param: str, rows: int) -> str:
    values = ", ".join([f"({', '.join([param] * 6)})"] * rows)
    return (
        f"INSERT INTO reaction (room, seq, key, author, name, at_seq) VALUES {values}"  # noqa: S608
        " ON CONFLICT (room, seq, key, author, name) DO NOTHING"
    )


def _keep_aside(room: int, target: int, at: str) -> None:
    param = database.obj.param
    statement = f"""INSERT INTO removed (room, seq, message, removed_at)
        SELECT entry.room, entry.seq, COALESCE(post.message, entry.message), {param} FROM entry
        LEFT JOIN post ON post.room = entry.room AND post.seq = entry.seq
        WHERE entry.room = {param} AND entry.seq = {param} ON CONFLICT (room, seq) DO NOTHING"""  # noqa: S608
    database.execute_sql(statement, (at, room, target))


def _delete(room: int, target: int, entry: AppliedRow, by: str) -> None:
    """Blanks the message and its edits, and drops its reactions."""
    param = database.obj.param
    is_edit = f"target = {param} AND kind = {Kind.EDIT:d}"
    for statement in (
        f"UPDATE entry SET message = '' WHERE room = {param} AND seq = {param}",  # noqa: S608
        f"UPDATE entry SET message = '' WHERE room = {param} AND {is_edit}",  # noqa: S608
        f"DELETE FROM reaction WHERE room = {param} AND seq = {param}",  # noqa: S608
    ):
        database.execute_sql(statement, (room, target))
    gone = dict.fromkeys(("mentions", "reactions", "pinned_at", "pinned_by"))
    upsert(room, target, entry.seq, message="", deleted_at=entry.inserted_at, deleted_by=by, **gone)
