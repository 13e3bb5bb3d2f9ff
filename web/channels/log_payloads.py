"""The payloads of a room's log: of messages and of what is done to them, for clients that know the log and others.

Source: `docs/protocol.md`.
"""

from collections.abc import Mapping
from typing import Any, assert_never

import msgspec
from msgspec.structs import replace

from chatter.charter import Author
from chatter.messages import (
    Change,
    Deleted,
    Edited,
    MembersChanged,
    Mentions,
    Page,
    Pinned,
    Posted,
    PostState,
    Purged,
    Ranges,
    Reacted,
    ReactionCount,
    RoomChanged,
    RoomEntry,
    Unpinned,
    label_of,
)

LISTED_CHANGES = 20
"""Most names of people who came to react, or took it back, in one event."""


class _Place(msgspec.Struct, omit_defaults=True, gc=False):
    """A message for a client that knows no other entries."""

    seq: int
    id: str
    name: str
    message: str
    inserted_at: str
    void: bool = False
    author: Author | None = None


class _Row(msgspec.Struct, omit_defaults=True):
    """A message for a client that knows the log."""

    seq: int
    nth: int
    id: str
    name: str
    message: str
    inserted_at: str
    void: bool = False
    author: Author | None = None
    reply_to: int | None = None
    root: int | None = None
    root_replies: int | None = None
    changed: int | None = None
    edits: int = 0
    edited_at: str | None = None
    deleted_at: str | None = None
    deleted_by: str | None = None
    pinned_at: str | None = None
    pinned_by: str | None = None
    reactions: dict[str, dict[str, Any]] = {}
    replies: int = 0
    last_reply_seq: int | None = None
    mentions: Mentions | None = None


class _By(msgspec.Struct, omit_defaults=True, gc=False):
    name: str
    id: int | None = None  # of an account
    handle: str | None = None


class _RoomEvent(msgspec.Struct, omit_defaults=True, kw_only=True):
    seq: int
    id: str
    kind: str
    target: int | None = None  # a purge has none
    at: str
    by: _By | None = None
    message: str | None = None
    edits: int | None = None
    mentions: Mentions | None = None
    moderator: bool = False
    key: str | None = None
    add: tuple[str, ...] | None = None
    remove: tuple[str, ...] | None = None
    count: int | None = None
    names: tuple[str, ...] | None = None
    account: int | None = None
    erase: bool | None = None
    targets: Ranges | None = None
    touched: Ranges | None = None


class _Page(msgspec.Struct, omit_defaults=True):
    messages: list[Any]
    more: bool
    more_after: bool | None = None
    as_of: int | None = None
    next: int | None = None


class _Events(msgspec.Struct, omit_defaults=True):
    events: list[Any]
    more: bool
    next: int | None = None


_OF_OTHERS: Mapping[str, Any] = {
    "changed": None,
    "deleted_by": None,
    "pinned_at": None,
    "pinned_by": None,
    "reactions": {},
    "replies": 0,
    "last_reply_seq": None,
}
"""What a row without the doings of others has in these fields."""

encode = msgspec.json.Encoder().encode


def place(posted: Posted) -> bytes:
    """Encodes a message for a client that knows no other entries; a deleted one is a void place for it."""
    return encode(_place(posted))


def place_of(change: Change | Purged | RoomEntry) -> bytes:
    """Encodes the place of another entry for a client that counts places."""
    return encode(_void(change.seq, change.inserted_at))


def row(posted: Posted) -> bytes:
    """Encodes a message for a client that knows the log."""
    return encode(_row(posted, posted.state.root_replies if posted.state else None))


def exported(room: str, posted: Posted) -> bytes:
    """Encodes a message for whoever takes along what they have said.

    It has nothing of what others did to it: they may have done so where this person may not read any more.
    """
    own = replace(_row(posted, None), **_OF_OTHERS)
    return encode({"kind": "message", "room": room, "message": own})


def room_event(change: Change | Purged | RoomEntry) -> bytes:
    """Encodes what was done to a message, to those of an account that has left, or to the room itself."""
    if isinstance(change, Purged):
        return encode(_purge(change))
    if isinstance(change, MembersChanged | RoomChanged):
        return encode(_of_room(change))
    fixed: dict[str, Any] = {
        "seq": change.seq,
        "id": change.id,
        "target": change.target,
        "at": change.inserted_at,
        "by": _by(change),
    }
    match change:
        case Edited():
            event = _RoomEvent(
                kind="edit", message=change.message, edits=change.edits, mentions=_mentions(change), **fixed
            )
        case Deleted():
            event = _RoomEvent(kind="delete", moderator=change.moderator, **fixed)
        case Reacted():
            event = _reacted(change, {**fixed, "by": None})
        case Pinned():
            event = _RoomEvent(kind="pin", **fixed)
        case Unpinned():
            event = _RoomEvent(kind="unpin", **fixed)
        case _:
            assert_never(change)
    return encode(event)


def page(answer: Page, *, knows_log: bool) -> bytes:
    """Encodes a page of history."""
    if answer.events is not None:
        return encode(_Events([_of_room(event) for event in answer.events], answer.more, answer.next))
    rows = [_row(posted, None) for posted in answer.messages] if knows_log else list(map(_place, answer.messages))
    return encode(_Page(rows, answer.more, answer.more_after, answer.as_of, answer.next))


def _place(posted: Posted) -> _Place:
    if posted.is_deleted:
        return _void(posted.seq, posted.inserted_at)
    return _Place(posted.seq, posted.id, posted.name, posted.message, posted.inserted_at, posted.void, posted.author)


def _void(seq: int, inserted_at: str) -> _Place:
    return _Place(seq, f"void-{seq}", "", "", inserted_at, void=True)


def _row(posted: Posted, root_replies: int | None) -> _Row:
    said = (
        posted.seq,
        posted.nth,
        posted.id,
        posted.name,
        posted.message,
        posted.inserted_at,
        posted.void,
        posted.author,
    )
    if posted.state is None:
        return _Row(*said, mentions=_mentions(posted))
    state = _state(posted.state, posted.seq)
    return _Row(*said, mentions=_mentions(posted), root_replies=root_replies, **state)


def _mentions(entry: Posted | Edited) -> Mentions | None:
    """Returns who is named, without the list of those who were present."""
    mentions = entry.mentions
    return replace(mentions, present=()) if mentions is not None and mentions.present else mentions


def _state(state: PostState, seq: int) -> dict[str, Any]:
    return {
        "changed": state.changed if state.changed != seq else None,
        "reply_to": state.reply_to,
        "root": state.root,
        "edits": state.edits,
        "edited_at": state.edited_at,
        "deleted_at": state.deleted_at,
        "deleted_by": state.deleted_by,
        "pinned_at": state.pinned_at,
        "pinned_by": state.pinned_by,
        "reactions": {each.key: {"count": each.count, "names": each.names} for each in state.reactions},
        "replies": state.replies,
        "last_reply_seq": state.last_reply_seq,
    }


def _of_room(entry: RoomEntry) -> dict[str, Any]:
    told = {"seq": entry.seq, "id": entry.id, "by": _by(entry), "at": entry.inserted_at}
    if isinstance(entry, MembersChanged):
        people = [{"id": each.who.id, "handle": each.who.handle, "name": each.name} for each in entry.members]
        more = {"role": entry.role, "until": entry.until, "reason": entry.reason}
        told |= {"kind": "member", "change": entry.change, "members": people}
        return told | {name: value for name, value in more.items() if value is not None}
    of_room = {
        "kind": entry.kind,
        "title": entry.title,
        "topic": entry.topic,
        "settings": entry.rules,
        "archived": entry.archived,
    }
    return told | {"kind": "room", "set": {name: value for name, value in of_room.items() if value is not None}}


def _by(change: Change | RoomEntry) -> _By:
    author = change.author
    return _By(change.name) if author is None else _By(change.name, author.id, author.handle)


def _purge(purge: Purged) -> _RoomEvent:
    return _RoomEvent(
        kind="purge",
        seq=purge.seq,
        id=purge.id,
        at=purge.inserted_at,
        account=purge.account,
        erase=purge.erases,
        targets=purge.targets,
        touched=purge.touched,
    )


def _reacted(change: Reacted, fixed: dict[str, Any]) -> _RoomEvent:
    none = ReactionCount(change.key, 0, ())
    result = next((each for each in change.reactions if each.key == change.key), none)
    return _RoomEvent(
        kind="react",
        key=change.key,
        add=tuple(map(label_of, change.added[:LISTED_CHANGES])),
        remove=tuple(map(label_of, change.removed[:LISTED_CHANGES])),
        count=result.count,
        names=result.names,
        **fixed,
    )
