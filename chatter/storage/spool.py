"""The spool: a file of messages that could not be saved before the server stopped, for its next start.

Its name and each of its lines carry the identity of the database, so that another database of the same name, or of the
same spool folder, leaves it alone.
"""

import json
import logging
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from chatter.messages import SLUG, Deleted, Edited, Owner, Posted, Purged, Save
from chatter.messages import Entry as LogEntry
from chatter.storage.committer import Committer, PlaceRefused
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.purging import Purging
from chatter.storage.records import blanked, entry_of, object_of, posted_of, replace_file
from schema import LARGEST_NUMBER, Entry, EntryRow, Room, void_row

logger = logging.getLogger(__name__)

VERSION = 2
"""Of the lines that are written. Version 1, whose lines have neither a version nor a database, is read too.

A column that has a default in `EntryRow` needs no new version. Any other change does, and a way to read the old."""

BATCH = 500
"""Messages in one transaction."""

MAX_GAP = 10_000
"""Places that are voided in a room so that the messages after them can be saved; beyond it they are dead letters."""


class LineRejected(Exception):
    """A line that is not saved, and why."""


class Spool:
    """Owns the file. The server that stops writes it, the next start replays it: one JSON object a line."""

    def __init__(self, path: Path, database: str, newest_epoch: int = LARGEST_NUMBER) -> None:
        """`database` is the identity of the database. A line of an epoch after `newest_epoch` is rejected."""
        self.path = path
        self._database = database
        self._newest_epoch = newest_epoch

    def write(self, saves: Iterable[Save]) -> None:
        """Adds messages that were not saved: all of them, or none. Raises `OSError`."""
        fixed = {"version": VERSION, "database": self._database}
        lines = [json.dumps({**fixed, **object_of(save, entry)}) for save, entry in _without_deleted(saves)]
        if lines:
            earlier = self.path.read_bytes() if self.path.exists() else b""
            replace_file(self.path, earlier + "".join(line + "\n" for line in lines).encode("ascii"))
            logger.warning("%d entries could not be saved and are kept in %s", len(lines), self.path)

    def replay(self, committer: Committer, dead_letters: DeadLetters, epochs: Collection[int]) -> int:
        """Saves the messages of the file, removes it, and returns how many were saved.

        `epochs` are all starts on this database, with this one. Where servers of several have written the file, the
        latest one's message has the place: its clients never heard the others'.

        What is not this database's next word goes to the dead letters, with a warning, as does a line that cannot be
        read: once all others are saved, so that a replay that is cut short leaves them to the next. The lines of a room
        in which the database has no place for a message stay in the file. Raises what the driver raises; the file stays
        as it is then, and is replayed by the next start.
        """
        if not self.path.exists():
            return 0
        lines = self.path.read_bytes().splitlines()
        rejected: dict[int, LineRejected] = {}
        readable = self._by_place(lines, rejected)
        follows, batch = _Continuation(epochs), _Batch(committer)
        for number, save in readable:
            try:
                batch.add(() if save.slug in batch.held else follows.check(save))
            except LineRejected as error:
                rejected[number] = error
        batch.commit()
        for number, why in sorted(rejected.items()):
            logger.warning("%s, line %d is not saved: %s", self.path, number, why)
        dead_letters.put_all(
            ({"line": lines[number - 1].decode("utf-8", "backslashreplace")}, f"line {number}: {why}")
            for number, why in sorted(rejected.items())
        )
        if batch.held:
            logger.warning("%s keeps the messages of %s", self.path, ", ".join(sorted(batch.held)))
            held = (number for number, save in readable if save.slug in batch.held and number not in rejected)
            replace_file(self.path, b"".join(lines[number - 1] + b"\n" for number in held))
        else:
            self.path.unlink()
        return batch.saved

    def _by_place(self, lines: Iterable[bytes], rejected: dict[int, LineRejected]) -> list[tuple[int, Save]]:
        """Reads the lines, with their numbers, and adds to `rejected`. Of one place the latest epoch comes first."""
        readable: list[tuple[int, Save]] = []
        for number, line in enumerate(lines, 1):
            try:
                readable.append((number, self.parse(line)))
            except LineRejected as error:
                rejected[number] = error
        return sorted(readable, key=lambda each: (each[1].slug, each[1].entries[0].seq, -each[1].epoch))

    def parse(self, line: bytes) -> Save:
        """Reads a line. Raises `LineRejected`."""
        try:
            return self._save_of(json.loads(line))
        except (TypeError, ValueError, RecursionError) as error:
            raise LineRejected(str(error)) from error

    def _save_of(self, fields: Any) -> Save:
        """Reads the fields of a line. Raises `TypeError` and `ValueError`."""
        if not isinstance(fields, dict):
            raise ValueError("expected a JSON object")
        version, database = fields.pop("version", 1), fields.pop("database", self._database)
        if version not in (1, VERSION):
            raise ValueError(f"expected version {VERSION} or 1, got {version}: a newer Chatter has written it")
        if database != self._database:
            raise ValueError(f"it belongs to another database, {database}")
        missing = {"room", "epoch"} - fields.keys()
        if missing:
            raise ValueError(f"expected {' and '.join(sorted(missing))}")
        room, epoch = fields.pop("room"), fields.pop("epoch")
        row = EntryRow(**fields)  # TypeError: a column too few or too many
        Entry.check(room, epoch, row)
        entry = _read(row)
        if not SLUG.fullmatch(room):
            raise ValueError(f"expected a room's name, got {room!r}")
        if epoch > self._newest_epoch:
            raise ValueError(f"expected an epoch up to {self._newest_epoch}, got {epoch}")
        if not row.name and row != void_row(row.seq, row.inserted_at):
            raise ValueError("expected a name")
        return Save(None, room, epoch, (entry,))


class _Continuation:
    """Decides which messages are the next word of their room in this database, and in which epoch they are saved."""

    def __init__(self, epochs: Collection[int]) -> None:
        self._previous, self._current = sorted({0, *epochs})[-2:]
        self._renewed: set[str] = set()  # rooms with messages that are saved in the current epoch
        self._ends: dict[str, tuple[int, int]] = {}  # the last seq of each room, and its epoch
        self._nths: dict[str, int] = {}  # how many messages each room has
        self._checked: dict[
            tuple[str, int], tuple[Owner, str]
        ] = {}  # owner and id of what is to be committed, by place

    def check(self, save: Save) -> list[Save]:
        """Returns what to commit: nothing for a message that is there, void places before one that leaves a gap.

        Raises `LineRejected`.
        """
        (entry,) = save.entries
        last, epoch = self._ends.get(save.slug) or Entry.last_place(save.slug)
        if entry.seq <= last:
            if self._is_there(save.slug, entry):
                if entry.seq == last:  # the room has ended with this line, in whatever epoch it was saved
                    self._ends.setdefault(save.slug, (last, save.epoch))
                return []
            raise LineRejected(f"room {save.slug} has another entry in place {entry.seq}")
        if save.epoch < epoch:
            raise LineRejected(f"room {save.slug} was spoken in since, in epoch {epoch}")
        if entry.seq > last + 1 + MAX_GAP:
            raise LineRejected(f"room {save.slug} ends at {last}, too far before {entry.seq}")
        self._ends[save.slug] = (entry.seq, save.epoch)
        nth = self._nths.get(save.slug) or Room.end(save.slug)[1]
        gap = tuple(posted_of(void_row(seq, entry.inserted_at, nth)) for seq in range(last + 1, entry.seq))
        entry = _counted(entry, nth)
        self._nths[save.slug] = entry.nth
        self._checked.update(((save.slug, each.seq), (each.owner, each.id)) for each in (*gap, entry))
        if gap:
            logger.warning("room %s lacks %d entries from %d on, which are void now", save.slug, len(gap), last + 1)
        epoch = self._epoch_of(save)
        return [Save(None, save.slug, epoch, entries) for entries in (gap, (entry,)) if entries]

    def _epoch_of(self, save: Save) -> int:
        """Returns the epoch in which a message is saved: its own if no other has begun before the current one.

        Clients of that other one may have heard another message in its place, which has to lie above their base. An
        epoch that the database lacks is one that a restore or a database that went back has ended.
        """
        if save.epoch != self._previous:
            self._renewed.add(save.slug)
        return self._current if save.slug in self._renewed else save.epoch

    def _is_there(self, room: str, entry: LogEntry) -> bool:
        """Returns whether an earlier line is the same entry, or an earlier start has saved or voided it."""
        checked = self._checked.get((room, entry.seq))
        if checked is not None:
            return checked == (entry.owner, entry.id)
        there = Entry.at(room, entry.seq)
        void = void_row(entry.seq, entry.inserted_at)
        return there is not None and (there.owner, there.id) in ((entry.owner, entry.id), (void.owner, void.id))


class _Batch:
    """Commits messages together, without the rooms in which the database has no place for one."""

    def __init__(self, committer: Committer) -> None:
        self.held: set[str] = set()  # these rooms
        self.saved = 0  # messages that are no void places
        self._committer = committer
        self._saves: list[Save] = []

    def add(self, saves: Iterable[Save]) -> None:
        """Adds messages, and commits if there are enough."""
        self._saves += saves
        if len(self._saves) >= BATCH:
            self.commit()

    def commit(self) -> None:
        """Commits what was added."""
        while self._saves:
            try:
                self._committer.commit(self._saves)
            except PlaceRefused as error:
                logger.error("%s", error)
                self.held.add(error.slug)
                self._saves = [save for save in self._saves if save.slug != error.slug]
            else:
                self.saved += sum(not _is_void(entry) for save in self._saves for entry in save.entries)
                self._saves = []


def memory_of(saves: Iterable[Save]) -> list[Save]:
    """Sorts what rooms remember by room and place, each entry once."""
    places: dict[tuple[str, int], tuple[int, LogEntry]] = {}
    for save in saves:
        for entry in save.entries:
            places[save.slug, entry.seq] = (save.epoch, entry)
    return [Save(None, slug, epoch, (entry,)) for (slug, _), (epoch, entry) in sorted(places.items(), key=_by_place)]


def _by_place(item: tuple[tuple[str, int], object]) -> tuple[str, int]:
    return item[0]


def _is_void(entry: LogEntry) -> bool:
    return isinstance(entry, Posted) and entry.void


def _read(row: EntryRow) -> LogEntry:
    """Returns the entry of a row. Raises `ValueError`."""
    try:
        return entry_of(row)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"expected what an entry of kind {row.kind} has as data") from error


def _counted(entry: LogEntry, nth: int) -> LogEntry:
    """Returns an entry with its number of messages, which an earlier version did not write down."""
    if entry.nth:
        return entry
    return replace(entry, nth=nth + 1 if isinstance(entry, Posted) and not entry.void else nth)


def _without_deleted(saves: Iterable[Save]) -> Iterator[tuple[Save, LogEntry]]:
    """Yields what is written down. The text of what was deleted since is not, nor what was purged."""
    told = [(save, entry) for save in saves for entry in save.entries]
    deleted = {(save.slug, entry.target) for save, entry in told if isinstance(entry, Deleted)}
    purges = [(save.slug, Purging(entry)) for save, entry in told if isinstance(entry, Purged)]
    for save, entry in told:
        message = entry.target if isinstance(entry, Edited) else entry.seq
        kept = blanked(entry) if (save.slug, message) in deleted else entry
        for slug, purging in purges:
            kept = purging.entry(kept) if slug == save.slug else kept
        yield save, kept
