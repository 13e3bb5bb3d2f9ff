"""Floors: what was said before somebody came, where members may read only what was said since.

Every path on which the past is read, or something is done to it, asks here.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from chatter.charter import Author, Charter
from chatter.messages import Entry, Page, Posted
from chatter.room.fold import target_of
from chatter.storage.pages import void_place

NO_FLOOR = 0
EntryT = TypeVar("EntryT", bound=Entry)

_EVERYTHING = 2**63 - 1


def floor_of(charter: Charter | None, author: Author | None) -> int:
    """Returns the `seq` up to which everything is hidden from somebody: the one with which they came."""
    if charter is None or charter.rules.history == "all":
        return NO_FLOOR
    member = charter.members.get(author.id) if author is not None else None
    return _EVERYTHING if member is None else member.joined_seq


def is_hidden(entry: Entry, floor: int) -> bool:
    """Returns whether an entry is below the floor, or tells of a message that is."""
    if entry.seq <= floor:
        return True
    target = None if isinstance(entry, Posted) else target_of(entry)
    return target is not None and target <= floor


def masked(entries: Iterable[EntryT], floor: int) -> Sequence[EntryT | Posted]:
    """Returns entries with a void place for each that is hidden."""
    return [void_place(each.seq, each.inserted_at) if is_hidden(each, floor) else each for each in entries]


def above(page: Page, floor: int, *, is_forward: bool) -> Page:
    """Returns a page without the messages that are hidden. Where there are some, none before them are to be read."""
    shown = [posted for posted in page.messages if posted.seq > floor]
    if len(shown) == len(page.messages):
        return page
    return replace(page, messages=shown, more=page.more and is_forward)
