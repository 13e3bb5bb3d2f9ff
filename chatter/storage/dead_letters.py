"""Dead letters: the file of messages that the database can never take."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatter.storage.records import append_lines

logger = logging.getLogger(__name__)


class DeadLetters:
    """Owns the file: one JSON object a line, with the reason. It is only ever added to."""

    def __init__(self, path: Path, database: str = "") -> None:
        """`database` is the identity of the database, which each line names."""
        self._path = path
        self._database = database

    def put(self, letter: dict[str, Any], error: str) -> None:
        """Logs the whole letter, and appends it to the file. Where that fails, the log alone has it."""
        self.put_all([(letter, error)])

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
