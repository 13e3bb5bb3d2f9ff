"""Repeats: whether a request that comes under an id which is known is the same one again."""

from typing import assert_never

from chatter.messages import Delete, Deleted, Edit, Edited, Entry, Pin, Pinned, Post, Posted, React, Unpinned
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
        case _:
            assert_never(request)
