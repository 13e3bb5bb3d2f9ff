"""Purging: what entries and states are once an account has left. `schema/purge.py` does the same to rows."""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from chatter.charter import Author
from chatter.messages import (
    Deleted,
    Edited,
    Entry,
    MembersChanged,
    Person,
    Pinned,
    Posted,
    PostState,
    Purged,
    Ranges,
    Reacted,
    ReactionCount,
    RoomChanged,
    Unpinned,
)
from schema.purge import DELETED_ACCOUNT


def ranges_of(places: Iterable[int]) -> Ranges:
    """Returns places as ranges, in ascending order."""
    ranges: list[tuple[int, int]] = []
    for place in sorted(set(places)):
        if ranges and ranges[-1][1] == place - 1:
            ranges[-1] = (ranges[-1][0], place)
        else:
            ranges.append((place, place))
    return tuple(ranges)


def places_of(ranges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Returns the places in ranges."""
    return frozenset(place for first, last in ranges for place in range(first, last + 1))


class Purging:
    """Applies one purge to what is in memory."""

    def __init__(self, purge: Purged) -> None:
        self._purge = purge
        self._own = places_of(purge.targets)
        self.places = self._own | places_of(purge.touched)
        self._nobody = Author(purge.account, "")

    def entry(self, entry: Entry) -> Entry:
        """Returns an entry without what the purge takes from it."""
        if isinstance(entry, Purged | MembersChanged | RoomChanged):
            return entry
        place = entry.seq if isinstance(entry, Posted) else entry.target
        if place not in self.places:
            return entry
        if entry.author is not None and entry.author.id == self._purge.account:
            entry = replace(entry, name=DELETED_ACCOUNT, author=self._nobody)
            return self._without_text(entry) if self._purge.erases else self._relabelled(entry)
        return self._relabelled(entry)

    def message(self, posted: Posted) -> Posted:
        """Returns a message with its state, unless that shows the purge already."""
        if posted.void or posted.seq not in self.places or posted.changed >= self._purge.seq:
            return posted
        gone = self.entry(posted)
        assert isinstance(gone, Posted)
        return replace(gone, state=self.state(posted.state, posted.seq))

    def state(self, state: PostState | None, seq: int) -> PostState:
        """Returns the state of a message after the purge."""
        state = replace(state or PostState(changed=seq), changed=self._purge.seq)
        if self._purge.erases and seq in self._own:
            return replace(
                state,
                message="",
                deleted_at=self._purge.inserted_at,
                deleted_by=DELETED_ACCOUNT,
                reactions=(),
                pinned_at=None,
                pinned_by=None,
            )
        return replace(
            state,
            deleted_by=self._label(state.deleted_by),
            pinned_by=self._label(state.pinned_by),
            reactions=self._counts(state.reactions),
        )

    def _without_text(self, entry: Entry) -> Entry:
        match entry:
            case Posted() | Edited():
                return replace(entry, message="")
            case Deleted():
                return replace(entry, reason=None)
            case Reacted():
                return self._relabelled(entry)
            case Pinned() | Unpinned() | Purged() | MembersChanged() | RoomChanged():
                return entry
            case _:
                assert_never(entry)

    def _relabelled(self, entry: Entry) -> Entry:
        if not isinstance(entry, Reacted):
            return entry
        return replace(
            entry,
            name=self._label(entry.name) or entry.name,
            added=tuple(map(self._person, entry.added)),
            removed=tuple(map(self._person, entry.removed)),
            reactions=self._counts(entry.reactions),
        )

    def _person(self, person: Person) -> Person:
        is_gone = isinstance(person, Author) and person.id == self._purge.account
        return self._nobody if is_gone else person

    def _counts(self, counts: tuple[ReactionCount, ...]) -> tuple[ReactionCount, ...]:
        return tuple(replace(each, names=tuple(self._label(name) or name for name in each.names)) for each in counts)

    def _label(self, label: str | None) -> str | None:
        return DELETED_ACCOUNT if label in self._purge.labels else label
