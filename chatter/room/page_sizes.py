"""Page sizes: which entries of a page fit into so many bytes."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TypeVar, cast

from chatter.messages import Entry, Posted, size_of

MAX_OVERHEAD = 2_100
"""Most that `size_of` counts besides the text: a name and an id of 1,000 characters, the most that may be set."""

_MESSAGE = attrgetter("message")
_SEQ = attrgetter("seq")

EntryT = TypeVar("EntryT", bound=Entry)


def first_within(entries: Sequence[EntryT], most_bytes: int) -> Sequence[EntryT]:
    """Returns the first entries that take at most so many bytes together; one in any case."""
    return entries if _fit(entries, most_bytes) else entries[: _count_within(entries, most_bytes)]


def last_within(entries: Sequence[EntryT], most_bytes: int) -> Sequence[EntryT]:
    """Returns the last entries that take at most so many bytes together; one in any case."""
    if _fit(entries, most_bytes):
        return entries
    return entries[len(entries) - _count_within(reversed(entries), most_bytes) :]


def around_within(messages: Sequence[Posted], seq: int, most_bytes: int) -> Sequence[Posted]:
    """Returns the messages around `seq` that take at most so many bytes together; the nearest one in any case."""
    if _fit(messages, most_bytes):
        return messages
    middle = min(bisect_left(messages, seq, key=_SEQ), len(messages) - 1)
    end = middle + _count_within(messages[middle:], most_bytes // 2)
    rest = most_bytes - sum(map(size_of, messages[middle:end]))
    start = middle - _count_within(reversed(messages[:middle]), rest, least=0)
    return messages[start:end]


def _fit(entries: Sequence[Entry], most_bytes: int) -> bool:
    """Returns whether entries certainly fit. Greetings nearly always do, and need no closer look: 0.6 µs, not 3."""
    if not all(isinstance(entry, Posted) for entry in entries):
        return False
    messages = cast(Sequence[Posted], entries)
    return 4 * sum(map(len, map(_MESSAGE, messages))) + MAX_OVERHEAD * len(messages) <= most_bytes


def _count_within(entries: Iterable[Entry], most_bytes: int, least: int = 1) -> int:
    count = 0
    for entry in entries:
        most_bytes -= size_of(entry)
        if most_bytes < 0 and count >= least:
            break
        count += 1
    return count
