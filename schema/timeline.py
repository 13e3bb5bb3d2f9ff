"""The messages of a room as they are now: each with its state, where something has touched it. Void places count."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from schema.base import tuples
from schema.entry import Entry, EntryRow
from schema.kind import Kind
from schema.post import Post, Reaction, StateRow
from schema.room import id_of

_ENTRY = [getattr(Entry, field) for field in EntryRow._fields]
_STATE = [getattr(Post, field) for field in StateRow._fields]
_SAME = (Post.room == Entry.room) & (Post.seq == Entry.seq)


class MessageRow(NamedTuple):
    """A message, and what was done to it; None where nothing was."""

    entry: EntryRow
    state: StateRow | None

    @property
    def changed(self) -> int:
        """The last entry that touched it, or its own."""
        return self.state.changed if self.state else self.entry.seq


def latest(room: str, limit: int) -> list[MessageRow]:
    """Returns the newest messages of `room`, oldest first."""
    return _read(_messages(room), Entry.seq.desc(), limit)[::-1]


def before(room: str, seq: int, limit: int) -> list[MessageRow]:
    """Returns up to `limit` messages of `room` older than `seq`, oldest first."""
    return _read(_messages(room) & (Entry.seq < seq), Entry.seq.desc(), limit)[::-1]


def since(room: str, seq: int, limit: int) -> list[MessageRow]:
    """Returns up to `limit` messages of `room` from `seq` on, oldest first."""
    return _read(_messages(room) & (Entry.seq >= seq), Entry.seq.asc(), limit)


def entries_after(room: str, seq: int, limit: int) -> list[MessageRow]:
    """Returns up to `limit` entries of every kind that are newer than `seq`, oldest first."""
    return _read((Entry.room == id_of(room)) & (Entry.seq > seq), Entry.seq.asc(), limit)


def states(room: str, first: int) -> dict[int, StateRow]:
    """Returns the states of the messages from `first` on that something has touched, by `seq`."""
    found = tuples(Post.select(Post.seq, *_STATE).where((Post.room == id_of(room)) & (Post.seq >= first)))
    return {seq: StateRow(*state) for seq, *state in found}


def at(room: str, seqs: Sequence[int]) -> list[MessageRow]:
    """Returns those messages of `room`, oldest first."""
    return _read(_messages(room) & Entry.seq.in_(seqs), Entry.seq.asc(), len(seqs)) if seqs else []


def thread(room: str, root: int, *, after: int, limit: int) -> list[MessageRow]:
    """Returns up to `limit` replies of a thread that are newer than `after`, oldest first."""
    replies = _messages(room) & (Entry.target == root) & (Entry.seq > after)
    return _read(replies, Entry.seq.asc(), limit)


def thread_before(room: str, root: int, seq: int, limit: int) -> list[MessageRow]:
    """Returns up to `limit` replies of a thread that are older than `seq`, oldest first."""
    replies = _messages(room) & (Entry.target == root) & (Entry.seq < seq)
    return _read(replies, Entry.seq.desc(), limit)[::-1]


def pinned(room: str, limit: int, before: int | None = None) -> list[MessageRow]:
    """Returns up to `limit` pinned messages of `room`, the last pinned first: those pinned before the message `before`.

    Where that is not pinned any more it returns the first ones again.
    """
    is_pinned = (Post.room == id_of(room)) & Post.pinned_at.is_null(False)
    if before is not None and (at := Post.select(Post.pinned_at).where(is_pinned & (Post.seq == before)).scalar()):
        is_pinned &= (Post.pinned_at < at) | ((Post.pinned_at == at) & (Post.seq < before))
    return _read_touched(is_pinned, (Post.pinned_at.desc(), Post.seq.desc()), limit)


def changed_after(room: str, seq: int, limit: int) -> list[MessageRow]:
    """Returns up to `limit` messages that are newer than `seq` or were touched since, in the order of these changes.

    The untouched ones are read first: one that is touched meanwhile is found twice then, and not missed.
    """
    is_new = _messages(room) & (Entry.name != "") & (Entry.seq > seq)
    untouched = _read(is_new & Post.changed.is_null(), Entry.seq.asc(), limit)
    touched = _read_touched((Post.room == id_of(room)) & (Post.changed > seq), (Post.changed.asc(),), limit)
    found = {row.entry.seq: row for row in (*untouched, *touched)}
    return sorted(found.values(), key=lambda row: row.changed)[:limit]


def count_touched(room: str, after: int, most: int) -> int:
    """Returns how many messages were touched after `after`; not more than `most`."""
    found = Post.select(Post.seq).where((Post.room == id_of(room)) & (Post.changed > after)).limit(most)
    return int(found.count())


def pins(room: str) -> list[int]:
    """Returns the places of the pinned messages."""
    is_pinned = (Post.room == id_of(room)) & Post.pinned_at.is_null(False) & (Entry.name != "")
    return [seq for (seq,) in tuples(Post.select(Post.seq).join(Entry, on=_SAME).where(is_pinned))]


def reactions(room: str, seq: int) -> list[tuple[str, int, str, int]]:
    """Returns `(key, account, name, the entry that added it)` for each reaction to a message, the first one first.

    A guest has no account but 0, and an account no name. Those of one entry are sorted: guests by name, then accounts.
    The database would sort names by its own alphabet.
    """
    columns = (Reaction.key, Reaction.author, Reaction.name, Reaction.at_seq)
    found: list[tuple[str, int, str, int]] = tuples(
        Reaction.select(*columns).where((Reaction.room == id_of(room)) & (Reaction.seq == seq))
    )
    return sorted(found, key=lambda each: (each[3], each[1], each[2]))


def _messages(room: str) -> peewee.Expression:
    is_message: peewee.Expression = (Entry.room == id_of(room)) & (Entry.kind == int(Kind.MESSAGE))
    return is_message


def _read(which: peewee.Expression, order: Any, limit: int) -> list[MessageRow]:
    query = Entry.select(*_ENTRY, *_STATE).join(Post, peewee.JOIN.LEFT_OUTER, on=_SAME)
    return _rows(tuples(query.where(which).order_by(order).limit(limit)))


def _read_touched(which: peewee.Expression, order: Sequence[Any], limit: int) -> list[MessageRow]:
    query = Post.select(*_ENTRY, *_STATE).join(Entry, on=_SAME)
    return _rows(tuples(query.where(which & (Entry.name != "")).order_by(*order).limit(limit)))


def _rows(found: Iterable[tuple[Any, ...]]) -> list[MessageRow]:
    columns = len(_ENTRY)
    return [
        MessageRow(EntryRow(*row[:columns]), None if row[columns] is None else StateRow(*row[columns:]))
        for row in found
    ]
