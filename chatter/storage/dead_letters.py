"""Dead letters: the file of entries that the database can never take."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatter.storage.records import append_lines, replace_file
from schema import Kind
from schema.purge import DELETED_ACCOUNT

logger = logging.getLogger(__name__)


class DeadLetters:
    """Owns the file: one JSON object a line, with the reason. Only texts of what was deleted are taken from it."""

    def __init__(self, path: Path, database: str = "") -> None:
        """`database` is the identity of the database, which each line names."""
        self._path = path
        self._database = database

    def put(self, letter: dict[str, Any], error: str) -> None:
        """Logs the whole letter, and appends it to the file. Where that fails, the log alone has it."""
        self.put_all([(letter, error)])

    def blank(self, room: str, message: int) -> None:
        """Removes the text of a message, which was deleted, and of its edits."""
        try:
            lines = self._path.read_bytes().splitlines() if self._path.exists() else []
            blanked = [_without_text(line, room, message) for line in lines]
            if blanked != lines:
                replace_file(self._path, b"".join(line + b"\n" for line in blanked))
        except OSError as failure:
            logger.error("%s may still have the text of what was deleted: %s", self._path, failure)

    def forget(self, account: int, *, erases: bool) -> None:
        """Removes the name of an account that has left, and with `erases` its texts. Raises `OSError`."""
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        kept = [_without_account(line, account, erases=erases) for line in lines]
        if kept != lines:
            replace_file(self._path, b"".join(line + b"\n" for line in kept))

    def put_all(self, letters: Iterable[tuple[dict[str, Any], str]]) -> None:
        """Does the same for several letters with their reasons, in one write."""
        whole = [{"database": self._database, **letter, "error": error} for letter, error in letters]
        if not whole:
            return
        for letter in whole:
            logger.error("a message cannot be saved and is kept in %s: %s", self._path, letter)
        try:
            append_lines(self._path, whole)
        except OSError as failure:
            logger.error("%s cannot be written, so what is logged above is all there is: %s", self._path, failure)


def _without_account(line: bytes, account: int, *, erases: bool) -> bytes:
    """Returns a letter without an account, also one that a spool's line became, which is a text in it."""
    try:
        letter = json.loads(line)
        row = json.loads(letter["line"]) if "line" in letter else letter
        if row["author"] != account:
            return line
        gone = {**row, "name": DELETED_ACCOUNT, "message": "" if erases else row["message"], "data": None}
    except (ValueError, KeyError, TypeError, RecursionError):
        return line
    whole = {**letter, "line": json.dumps(gone)} if "line" in letter else gone
    return json.dumps(whole).encode("ascii")


def _without_text(line: bytes, room: str, message: int) -> bytes:
    try:
        letter = json.loads(line)
        place = letter["seq" if letter["kind"] == Kind.MESSAGE else "target"]  # a reply's target is another message
        is_of_message = letter["room"] == room and place == message
    except (ValueError, KeyError, TypeError, RecursionError):
        return line
    return json.dumps({**letter, "message": ""}).encode("ascii") if is_of_message and letter["message"] else line
