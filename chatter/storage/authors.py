"""Authors: gives what is read from the log the handles that its accounts have now, by one query for all of them."""

from collections.abc import Iterable, Sequence

from chatter.charter import Author
from chatter.messages import Entry, Person, Posted
from chatter.storage.records import entry_of, message_of
from schema import EntryRow, Kind, MessageRow, handles_of


def entries_of(rows: Sequence[EntryRow]) -> list[Entry]:
    """Returns the entries that rows hold."""
    handles = _handles(rows)
    return [entry_of(row, handles) for row in rows]


def messages_of(rows: Sequence[MessageRow]) -> list[Posted]:
    """Returns the messages of rows as they are now."""
    handles = _handles(row.entry for row in rows)
    return [message_of(row, handles) for row in rows]


def log_of(rows: Sequence[MessageRow]) -> list[Entry]:
    """Returns the entries of rows of every kind; messages are as they are now."""
    handles = _handles(row.entry for row in rows)
    return [
        message_of(row, handles) if row.entry.kind == Kind.MESSAGE else entry_of(row.entry, handles) for row in rows
    ]


def people_of(reactions: Iterable[tuple[str, int, str, int]]) -> list[tuple[str, Person, int]]:
    """Returns reactions with those who reacted."""
    found = list(reactions)
    handles = handles_of({author for _, author, _, _ in found if author})
    return [(key, Author(author, handles.get(author, "")) if author else name, seq) for key, author, name, seq in found]


def _handles(rows: Iterable[EntryRow]) -> dict[int, str]:
    return handles_of({row.author for row in rows if row.author is not None})
