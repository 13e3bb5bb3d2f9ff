"""The fold: what a message is after an entry that is about it. `docs/delivery.md` has the rules."""

from typing import Any, assert_never

from msgspec.structs import replace

from chatter.messages import (
    Change,
    Deleted,
    Edited,
    Entry,
    MembersChanged,
    Pinned,
    Posted,
    PostState,
    Purged,
    Reacted,
    RoomChanged,
    Unpinned,
    label_of,
)


def fold(state: PostState | None, entry: Entry) -> PostState:
    """Returns the state of a message after `entry`, which is about it. After a deletion only replies count.

    An entry that the state shows already changes nothing.
    """
    if state is None:
        return PostState(**_effect(entry), changed=entry.seq)
    if entry.seq <= state.changed:
        return state
    if state.deleted_at is not None and not isinstance(entry, Posted):
        return replace(state, changed=entry.seq)
    return replace(state, **_effect(entry), changed=entry.seq)


def shown(posted: Posted, state: PostState | None) -> Posted:
    """Returns a message as it is now: with its state, and the text of its last edit. A void place has none."""
    if state is None or state is posted.state or posted.void:
        return posted
    if state.message is None:
        return replace(posted, state=state)
    return replace(posted, message=state.message, mentions=state.mentions, state=state)


def target_of(entry: Entry) -> int | None:
    """Returns the message that an entry is about; of a reply the first one of its thread.

    An entry of the room itself has none, and a purge has many.
    """
    if isinstance(entry, Posted):
        return entry.state.root if entry.state is not None else None
    if isinstance(entry, MembersChanged | RoomChanged):
        return None
    return entry.target


def _effect(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, Posted):
        assert entry.state is not None
        return {"replies": entry.state.root_replies, "last_reply_seq": entry.seq}
    if isinstance(entry, Purged):
        return {}  # it is about no single message: `Purging` folds it
    assert not isinstance(entry, MembersChanged | RoomChanged)
    return _effect_of_change(entry)


def _effect_of_change(change: Change) -> dict[str, Any]:
    match change:
        case Edited():
            return {
                "message": change.message,
                "mentions": change.mentions,
                "edits": change.edits,
                "edited_at": change.inserted_at,
            }
        case Deleted():
            return {
                "message": "",
                "mentions": None,
                "deleted_at": change.inserted_at,
                "deleted_by": label_of(change.person),
                "reactions": (),
                "pinned_at": None,
                "pinned_by": None,
            }
        case Reacted():
            return {"reactions": change.reactions}
        case Pinned():
            return {"pinned_at": change.inserted_at, "pinned_by": label_of(change.person)}
        case Unpinned():
            return {"pinned_at": None, "pinned_by": None}
        case _:
            assert_never(change)
