"""Room events: pages of what became of a room and its people, for a client that has only the messages of the past."""

from collections.abc import Sequence

from msgspec.structs import replace

from chatter.messages import Entry, MembersChanged, Page, ReadHistory, RoomChanged, RoomEntry
from chatter.room.page_sizes import last_within
from chatter.room.recent_entries import RecentEntries
from chatter.storage.pages import between

NONE = Page((), more=False, events=())


def in_memory(recent: RecentEntries, request: ReadHistory, most_bytes: int) -> Page | None:
    """Returns the page, or None where some of it is not in memory."""
    after, before = between(request, recent.newest)
    entries = recent.after(after, max(before - after - 1, 0))
    return None if entries is None else _page(request, after, _about_room(entries), most_bytes)


def brought_up(recent: RecentEntries, request: ReadHistory, read: Page, most_bytes: int) -> Page:
    """Returns the page with what memory has of it in place of what was read: that may be newer, or void by now."""
    after, before = between(request, recent.newest)
    first = max(after + 1, recent.oldest)
    held = recent.after(first - 1, max(before - first, 0)) or ()
    older = [each for each in read.events or () if after < each.seq < first]
    return _page(request, after, [*older, *_about_room(held)], most_bytes)


def above(floor: int, request: ReadHistory) -> ReadHistory:
    """Returns the request as it is for somebody from whom everything up to the `floor` is hidden."""
    return replace(request, after=max(request.after or 0, floor))


def _page(request: ReadHistory, after: int, events: Sequence[RoomEntry], most_bytes: int) -> Page:
    kept = last_within(events[-request.limit :], most_bytes) if events else events
    is_cut = len(kept) < len(events)
    more = is_cut or after > (request.after or 0)
    return Page((), more, events=kept, next=(kept[0].seq if is_cut else after + 1) if more else None)


def _about_room(entries: Sequence[Entry]) -> list[RoomEntry]:
    return [each for each in entries if isinstance(each, MembersChanged | RoomChanged)]
