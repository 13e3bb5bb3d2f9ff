"""The check of a database: what is wrong with it and with the files beside it, one line for each fault."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import peewee

import schema
from chatter.storage.spool import LineRejected, Spool
from chatter.storage.storage import FilesBeside
from schema.errors import in_one_line
from schema.inspection import FINDERS, Finder, damage

MAX_LINES = 100
"""Faults of one kind that are listed; the rest is counted."""


def check(url: str, spool_folder: str) -> list[str]:
    """Returns the faults, and writes nothing. May be called while a server runs. Raises `schema.DatabaseUnusable`."""
    database = schema.open_database(url, create=False, read_only=True)
    try:
        faults = _first(damage())
        try:
            identity, newest = schema.Identity.read(), schema.Epoch.newest()
        except peewee.PeeweeException as error:
            if faults:
                return faults
            raise schema.DatabaseUnusable(f"this is no database of this Chatter: {in_one_line(error)}") from error
        faults += [fault for finder in FINDERS for fault in _first(_found(finder))]
    finally:
        database.close()
    files = FilesBeside(url, spool_folder, identity)
    return [*faults, *_first(_spool_faults(files, identity, newest)), *_first(_dead_letters(files.dead_letters))]


def _found(finder: Finder) -> Iterator[str]:
    """Yields the faults of one kind, and which kind could not be looked for."""
    try:
        yield from finder()
    except (peewee.PeeweeException, TypeError) as error:
        yield f"the check for {finder.__name__.replace('_', ' ')} failed: {in_one_line(error)}"


def _spool_faults(files: FilesBeside, identity: str, newest_epoch: int) -> Iterator[str]:
    for foreign in files.foreign_spools():
        yield f"{foreign} belongs to another database"
    for path in (files.first_spool, files.spool):
        if path.exists():
            yield f"{path} has messages that the next start saves"
            yield from _faults_of_lines(path, partial(_spool_fault, Spool(path, identity, newest_epoch)))


def _dead_letters(path: Path) -> Iterator[str]:
    if path.exists():
        yield from _faults_of_lines(path, _dead_letter)


def _faults_of_lines(path: Path, fault_of: Callable[[bytes], str | None]) -> Iterator[str]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}"
        return
    for number, line in enumerate(lines, 1):
        if (fault := fault_of(line)) is not None:
            yield f"{path}, line {number}{fault}"


def _spool_fault(spool: Spool, line: bytes) -> str | None:
    try:
        spool.parse(line)
    except LineRejected as error:
        return f": {error}"
    return None


def _dead_letter(line: bytes) -> str:
    try:
        reason = str(json.loads(line)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        reason = "it cannot be read"
    return f" is a dead letter: {reason}"


def _first(faults: Iterator[str]) -> list[str]:
    found = list(faults)
    more = [f"… and {len(found) - MAX_LINES} more of this kind"] if len(found) > MAX_LINES else []
    return found[:MAX_LINES] + more
