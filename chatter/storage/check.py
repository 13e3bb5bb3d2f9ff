"""The check of a database: what is wrong with it and with the files beside it, one line for each fault."""

import json
from collections.abc import Iterator
from pathlib import Path

import peewee

import schema
from chatter.storage.spool import LineRejected, Spool
from chatter.storage.storage import FilesBeside
from schema import Message
from schema.database import check_integrity

MAX_LINES = 100
"""Faults of one kind that are listed; the rest is counted."""


def check(url: str, spool_folder: str) -> list[str]:
    """Returns the faults. May be called while a server runs. Raises `schema.DatabaseUnusable`."""
    database = schema.open_database(url, create=False)
    try:
        try:
            check_integrity(database)
        except schema.DatabaseUnusable as error:
            return [str(error)]
        try:
            identity = schema.Identity.read()
            faults = [*_first(holes()), *_first(falling_epochs()), *_first(unknown_epochs())]
        except peewee.PeeweeException as error:
            raise schema.DatabaseUnusable(f"this is no database of this Chatter: {error}") from error
    finally:
        database.close()
    files = FilesBeside(url, spool_folder, identity)
    return [*faults, *_first(_spool_faults(files, identity)), *_first(_dead_letters(files.dead_letters))]


def holes() -> Iterator[str]:
    """Yields the rooms whose places are not 1, 2, 3 … without a gap."""
    query = Message.select(
        Message.room, peewee.fn.COUNT(Message.seq), peewee.fn.MIN(Message.seq), peewee.fn.MAX(Message.seq)
    ).group_by(Message.room)
    for room, count, first, last in schema.base.tuples(query):
        if first != 1:
            yield f"room {room} begins at {first}"
        if count != last - first + 1:
            yield f"room {room} lacks {last - first + 1 - count} of the places from {first} to {last}"


def falling_epochs() -> Iterator[str]:
    """Yields the places whose epoch is lower than that of the place before."""
    over = {"partition_by": [Message.room], "order_by": [Message.seq]}
    before = peewee.fn.LAG(Message.epoch).over(**over).alias("epoch_before")
    places = Message.select(Message.room, Message.seq, Message.epoch, before).alias("places")
    query = (
        Message.select(places.c.room, places.c.seq)
        .from_(places)
        .where(places.c.epoch_before > places.c.epoch)
        .order_by(places.c.room, places.c.seq)
    )
    for room, seq in schema.base.tuples(query):
        yield f"room {room}: the epoch falls at {seq}"


def unknown_epochs() -> Iterator[str]:
    """Yields the rooms with a message of an epoch that has not begun."""
    newest = schema.Epoch.select(peewee.fn.MAX(schema.Epoch.number))
    query = Message.select(Message.room, peewee.fn.MAX(Message.epoch)).group_by(Message.room)
    for room, epoch in schema.base.tuples(query.having(peewee.fn.MAX(Message.epoch) > newest)):
        yield f"room {room} has messages of epoch {epoch}, which has not begun"


def _spool_faults(files: FilesBeside, identity: str) -> Iterator[str]:
    for foreign in files.foreign_spools():
        yield f"{foreign} belongs to another database"
    for path in (files.first_spool, files.spool):
        if not path.exists():
            continue
        yield f"{path} has messages that the next start saves"
        spool = Spool(path, identity)
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                spool.parse(line)
            except LineRejected as error:
                yield f"{path}, line {number}: {error}"


def _dead_letters(path: Path) -> Iterator[str]:
    if path.exists():
        for number, line in enumerate(path.read_text(encoding="ascii", errors="backslashreplace").splitlines(), 1):
            try:
                reason = str(json.loads(line)["error"])
            except (ValueError, KeyError, TypeError):
                reason = "it cannot be read"
            yield f"{path}, line {number} is a dead letter: {reason}"


def _first(faults: Iterator[str]) -> list[str]:
    found = list(faults)
    more = [f"… and {len(found) - MAX_LINES} more of this kind"] if len(found) > MAX_LINES else []
    return found[:MAX_LINES] + more
