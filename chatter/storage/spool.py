"""The spool: a file of messages that could not be saved before the server stopped."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatter.messages import Save
from chatter.storage.committer import Committer
from chatter.storage.records import append_lines, object_of, posted_of
from schema import MessageRow

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the lines that are written; lines without a version count as 1.

A column that has a default in `MessageRow` needs no new version. Any other change does, and a way to read the old."""


class SpoolUnreadable(Exception):
    """A line of the spool is not what was expected. The message names the file and the line."""


class Spool:
    """Owns the file. The server that stops writes it, the next start replays it: one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, saves: Iterable[Save]) -> None:
        """Appends messages that were not saved. Raises `OSError`."""
        lines = [{"version": VERSION, **object_of(save, posted)} for save in saves for posted in save.messages]
        if lines:
            append_lines(self._path, lines)
            logger.warning("%d messages could not be saved and are kept in %s", len(lines), self._path)

    def replay(self, committer: Committer) -> int:
        """Commits the messages of the file, removes it, and returns how many they were.

        Raises `SpoolUnreadable`, or what the driver raises; the file stays then.
        """
        if not self._path.exists():
            return 0
        lines = self._path.read_text(encoding="ascii").splitlines()
        saves = [self._read(number, line) for number, line in enumerate(lines, 1)]
        for save in saves:
            committer.commit([save])
        self._path.unlink()
        return len(saves)

    def _read(self, number: int, line: str) -> Save:
        try:
            return _save_of(json.loads(line))
        except (TypeError, ValueError) as error:
            raise SpoolUnreadable(f"{self._path}, line {number}: {error}") from error


def _save_of(fields: Any) -> Save:
    """Reads one line. Raises `TypeError` and `ValueError`."""
    if not isinstance(fields, dict):
        raise ValueError("expected a JSON object")
    version = fields.pop("version", 1)
    if version != VERSION:
        raise ValueError(f"expected version {VERSION}, got {version}: a newer Chatter has written it")
    missing = {"room", "epoch"} - fields.keys()
    if missing:
        raise ValueError(f"expected {' and '.join(sorted(missing))}")
    room, epoch = fields.pop("room"), fields.pop("epoch")
    return Save(None, room, epoch, (posted_of(MessageRow(**fields)),))  # TypeError: a column too few or too many
