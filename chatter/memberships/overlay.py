"""The overlay: what rooms have done and the database may not have yet, so that no load misses any of it.

A load reads the database at some moment while rooms go on. What it returns has each entry up to some place. So each
load also gets every entry that was not known to be committed when it began, and all that came while it was under way,
in their order: they say what results and no difference, and may be applied twice.
"""

import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from chatter.charter import Charter
from chatter.messages import Deleted, Edited, MembersChanged, Posted, Purged, RoomChanged


class Place(NamedTuple):
    """What is left of an entry that can never be saved."""

    seq: int
    nth: int


class Noted(NamedTuple):
    """An entry of a room, with what the room was after it."""

    slug: str
    entry: MembersChanged | RoomChanged | Posted | Edited | Deleted | Purged | Place
    charter: Charter


class Overlay:
    """Owns these entries: those that are not committed, by room, and those that came while loads are under way."""

    def __init__(self) -> None:
        self._uncommitted: dict[str, list[Noted]] = {}
        self._watches: list[list[Noted]] = []

    def add(self, noted: Noted) -> None:
        """Adds an entry that a room has made."""
        self._uncommitted.setdefault(noted.slug, []).append(noted)
        for watch in self._watches:
            watch.append(noted)

    def committed(self, slug: str, through: int) -> None:
        """Drops what the database has."""
        noted = self._uncommitted.get(slug)
        if noted is None:
            return
        del noted[: bisect_right(noted, through, key=lambda each: each.entry.seq)]
        if not noted:
            del self._uncommitted[slug]

    def voided(self, slug: str, seq: int) -> None:
        """Leaves the place alone of an entry that the database never has."""
        for noted in (*self._watches, self._uncommitted.get(slug, [])):
            for number, each in enumerate(noted):
                if (each.slug, each.entry.seq) == (slug, seq):
                    noted[number] = each._replace(entry=Place(seq, each.entry.nth))

    @contextlib.contextmanager
    def watch(self) -> Iterator[list[Noted]]:
        """Collects what a load must apply that begins now."""
        watch = [noted for room in self._uncommitted.values() for noted in room]
        self._watches.append(watch)
        try:
            yield watch
        finally:
            self._watches[:] = [each for each in self._watches if each is not watch]
