"""Committing what rooms said: whole batches, and what to do with a message that the database can never take."""

import json
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from chatter.messages import NotSaved, Posted, Save
from schema import Message, MessageRow, RowRefused

logger = logging.getLogger(__name__)


def row_of(posted: Posted) -> MessageRow:
    """As it is saved."""
    return posted.seq, posted.id, posted.name, posted.message, posted.inserted_at


def posted_of(row: MessageRow) -> Posted:
    """As it was said; a row without a name is a void place."""
    return Posted(*row, void=not row[2])


class Spool:
    """A file of what could not be saved when the server stopped, for the next one: a JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def leave(self, saves: Iterable[Save]) -> None:
        """Write down what was not saved."""
        lines = [
            {"room": save.slug, "epoch": save.epoch, **_fields(posted)} for save in saves for posted in save.messages
        ]
        if lines:
            append_lines(self._path, lines)
            logger.warning("%d messages could not be saved and are kept in %s", len(lines), self._path)

    def take_up(self, committer: "Committer") -> int:
        """Commit what an earlier server left, and return how many messages that were. The file goes when all is saved.

        Raises what the driver raises, and `ValueError` where the file holds something else.
        """
        if not self._path.exists():
            return 0
        lines = [json.loads(line) for line in self._path.read_text(encoding="ascii").splitlines()]
        for line in lines:
            posted = Posted(*(line[field] for field in _FIELDS))
            committer.commit([Save(None, line["room"], line["epoch"], (posted,))])
        self._path.unlink()
        return len(lines)


class Committer:
    """Commits, and keeps a file of dead letters: the messages that the database refused, one JSON object a line."""

    def __init__(self, dead_letters: Path) -> None:
        self._dead_letters = dead_letters

    def commit(self, saves: Sequence[Save]) -> list[tuple[Save, NotSaved]]:
        """Commit `saves` in their order; returns the messages that were refused, whose places are void now.

        Raises what the driver raises where another try may help. What was committed before that may be tried again.
        """
        try:
            Message.save_all((save.slug, save.epoch, [row_of(posted) for posted in save.messages]) for save in saves)
        except RowRefused as error:
            return self._isolate(saves, error)
        return []

    def _isolate(self, saves: Sequence[Save], error: RowRefused) -> list[tuple[Save, NotSaved]]:
        """Bisect: a refused message costs a few small transactions, and those beside it nothing."""
        if len(saves) > 1:
            middle = len(saves) // 2
            return self.commit(saves[:middle]) + self.commit(saves[middle:])
        save = saves[0]
        if len(save.messages) > 1:
            middle = len(save.messages) // 2
            halves = (save.messages[:middle], save.messages[middle:])
            return [
                (save, refused)
                for half in halves
                for _, refused in self.commit([Save(save.room, save.slug, save.epoch, half)])
            ]
        refused = self._bury(save, save.messages[0], error)
        return [] if refused is None else [(save, refused)]

    def _bury(self, save: Save, posted: Posted, error: RowRefused) -> NotSaved | None:
        """Void its place. A try that failed half-way may have done part of this already."""
        there = Message.at(save.slug, posted.seq)
        if there is not None and there[1] == posted.id:
            return None  # it was committed, and only the news of that was lost
        first = Message.named(save.slug, posted.name, posted.id)
        if there is None:
            if first is None:
                self._keep(save, posted, error)
            there = Message.void(save.slug, save.epoch, posted.seq, posted.inserted_at)
        return NotSaved(posted_of(there), first and posted_of(first))

    def _keep(self, save: Save, posted: Posted, error: RowRefused) -> None:
        letter = {"room": save.slug, "epoch": save.epoch, **_fields(posted), "error": str(error)}
        logger.error("the database refuses a message, which is kept in %s: %s", self._dead_letters, letter)
        append_lines(self._dead_letters, [letter])


def append_lines(path: Path, objects: Iterable[dict[str, Any]]) -> None:
    """Add JSON objects to a file, one a line, and see them on the disk."""
    with path.open("a", encoding="ascii") as file:
        file.writelines(json.dumps(each) + "\n" for each in objects)
        file.flush()
        os.fsync(file.fileno())


def _fields(posted: Posted) -> dict[str, Any]:
    return dict(zip(_FIELDS, row_of(posted), strict=True))


_FIELDS = ("seq", "id", "name", "message", "inserted_at")
