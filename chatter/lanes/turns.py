"""Room turns: what the rooms of a lane say at once, as the body of a turn in the log.

An entry is written as its row, which the database gets too, with the handle that its author had. So what a node reads
from the log and what it reads from the database are the same.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from chatter.cluster.frames import PlacedTurn
from chatter.messages import Entry, NotSaved, Posted, Purged, Save
from chatter.storage.records import entry_of, row_of
from schema import EntryRow

SAID = "said"
"""The kind of a turn in which rooms say something."""

VOIDED = "voided"
"""The kind of a turn that tells of a place for which the database took nothing."""


class Said(NamedTuple):
    """What one room says in a turn, oldest first."""

    slug: str
    entries: Sequence[Entry]


class RoomTurn(NamedTuple):
    """A turn of a lane as rooms and the database take it. One that is void for everybody says nothing."""

    seq: int
    chain: bytes  # the chain up to this turn
    size: int  # of its body
    said: Sequence[Said] = ()
    voids: Sequence[tuple[str, NotSaved]] = ()  # places for which the database took nothing, with their rooms


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    row: EntryRow
    handle: str | None = None  # of the author
    labels: tuple[str, ...] = ()  # of a purge: what the account was called; in no database, and here as long as the log


class _Part(msgspec.Struct, array_like=True, frozen=True, gc=False):
    slug: str
    rows: list[_Row]


class _Void(msgspec.Struct, array_like=True, frozen=True, gc=False):
    slug: str
    void: _Row
    first: _Row | None


_encode = msgspec.msgpack.Encoder().encode
_decode_said = msgspec.msgpack.Decoder(list[_Part]).decode
_decode_voided = msgspec.msgpack.Decoder(list[_Void]).decode


def turn_of(placed: PlacedTurn) -> RoomTurn:
    """Reads a turn. Raises `ValueError` for one that rooms have not made."""
    said = said_in(placed.body) if placed.kind == SAID else ()
    voids = voided_in(placed.body) if placed.kind == VOIDED else ()
    return RoomTurn(placed.seq, placed.chain, len(placed.body), said, voids)


def said_body(saves: Iterable[Save]) -> bytes:
    """Returns the body of a turn in which rooms say something."""
    return _encode([_Part(save.slug, list(map(_written, save.entries))) for save in saves])


def said_in(body: bytes) -> list[Said]:
    """Returns what rooms say in a turn. Raises `ValueError` for what is none."""
    return [Said(part.slug, tuple(map(_read, part.rows))) for part in _decode_said(body)]


def voided_body(voids: Iterable[tuple[str, NotSaved]]) -> bytes:
    """Returns the body of a turn that tells of void places."""
    return _encode(
        [_Void(slug, _written(each.void), None if each.first is None else _written(each.first)) for slug, each in voids]
    )


def voided_in(body: bytes) -> list[tuple[str, NotSaved]]:
    """Returns the void places of which a turn tells. Raises `ValueError` for what is none."""
    found = []
    for each in _decode_voided(body):
        void = _read(each.void)
        if not isinstance(void, Posted):
            raise ValueError("expected a void place")
        found.append((each.slug, NotSaved(void, None if each.first is None else _read(each.first))))
    return found


def _written(entry: Entry) -> _Row:
    if isinstance(entry, Purged):
        return _Row(row_of(entry), None, entry.labels)
    return _Row(row_of(entry), None if entry.author is None else entry.author.handle)


def _read(written: _Row) -> Entry:
    row, handle = written.row, written.handle
    entry = entry_of(row, {} if row.author is None or handle is None else {row.author: handle})
    return replace(entry, labels=written.labels) if isinstance(entry, Purged) else entry
