"""Repeats: whether a request that comes under an id which is known is the same one again."""

from typing import assert_never

from chatter.charter import DEFAULT_RULES, difference, patched
from chatter.messages import (
    ChangeMembers,
    ChangeRoom,
    Delete,
    Deleted,
    Edit,
    Edited,
    Entry,
    Found,
    MembersChanged,
    Pin,
    Pinned,
    Post,
    Posted,
    React,
    RoomChanged,
    Unpinned,
)
from chatter.room.acknowledgements import Request


def is_repeat(request: Request, first: Entry) -> bool:
    """Returns whether `request` asks for what `first` is. The text of what was deleted is gone, and fits any."""
    match request:
        case Post():
            return isinstance(first, Posted) and first.message in (request.message, "")
        case Edit():
            return (
                isinstance(first, Edited) and first.target == request.target and first.message in (request.message, "")
            )
        case Delete():
            return isinstance(first, Deleted) and first.target == request.target
        case Pin():
            return isinstance(first, Pinned if request.is_pinned else Unpinned) and first.target == request.target
        case React():
            return False  # it has no id
        case Found():
            return isinstance(first, RoomChanged) and first.kind == request.kind
        case ChangeRoom():
            return isinstance(first, RoomChanged) and first.kind is None and _asks_for(request, first)
        case ChangeMembers():
            return isinstance(first, MembersChanged) and _is_about(request, first)
        case _:
            assert_never(request)


def _asks_for(request: ChangeRoom, first: RoomChanged) -> bool:
    """Returns whether a request asks for what an entry has changed. What was so already is not in that."""
    pairs = (
        (first.title, request.title),
        (first.topic, request.topic),
        (first.archived, request.archived),
    )
    if any(done is not None and done != asked for done, asked in pairs):
        return False
    return first.rules is None or difference(patched(DEFAULT_RULES, request.rules), first.rules) is None


def _is_about(request: ChangeMembers, first: MembersChanged) -> bool:
    asked = {each.author.id for each in request.accounts}
    return first.change == request.change and all(each.who.id in asked for each in first.members)
