"""Pages: which messages are on one, and what a client that counts places, or wants room events, finds between them."""

from collections.abc import Iterable, Iterator, Sequence

from chatter.messages import Entry, Posted, ReadHistory

PLACES_AT_ONCE = 5_000
"""In so many places one read looks for what became of a room: they may hold nothing but messages."""


def void_place(seq: int, inserted_at: str) -> Posted:
    """Makes the void place that stands for another entry, or for a row that the table lacks."""
    return Posted(seq, f"void-{seq}", "", "", inserted_at, void=True)


def centred(older: Sequence[Posted], newer: Sequence[Posted], limit: int) -> Sequence[Posted]:
    """Returns `limit` messages, half of them `older`; at either end of the room there are more on the other side."""
    after = min(len(newer), max(limit - limit // 2, limit - len(older)))
    before = min(len(older), limit - after)
    return (*older[len(older) - before :], *newer[:after])


def end_of_changes(messages: Sequence[Posted], limit: int) -> int:
    """Returns how many messages a page of changes has: `limit`, or more where some changed at once.

    A reply and its root do, and what is purged. The next page begins after what the last of them has changed, and would
    lack the others.
    """
    end = min(limit, len(messages))
    while 0 < end < len(messages) and messages[end].changed == messages[end - 1].changed:
        end += 1
    return end


def between(request: ReadHistory, newest: int) -> tuple[int, int]:
    """Returns the two places between which a read looks for what became of a room, the ones nearest to its end."""
    before = min(request.before or newest + 1, newest + 1)
    return max(request.after or 0, before - 1 - PLACES_AT_ONCE), before


def as_places(entries: Iterable[Entry]) -> tuple[Posted, ...]:
    """Returns entries as a client counts them that knows no others than messages."""
    return tuple(each if isinstance(each, Posted) else void_place(each.seq, each.inserted_at) for each in entries)


def filled(entries: Iterable[Entry], first: int, end: int) -> Iterator[Entry]:
    """Yields what is from `first` to `end` - 1: the entries, and a void place where there is none."""
    place, inserted_at = first, ""
    for entry in entries:
        inserted_at = entry.inserted_at
        for seq in range(place, min(entry.seq, end)):
            yield void_place(seq, inserted_at)
        if first <= entry.seq < end:
            yield entry
        place = max(first, entry.seq + 1)
    for seq in range(place, end):
        yield void_place(seq, inserted_at)
