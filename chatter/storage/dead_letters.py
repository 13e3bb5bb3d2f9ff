"""Dead letters: the file of messages that the database can never take."""

import logging
from pathlib import Path

from chatter.messages import Posted, Save
from chatter.storage.records import append_lines, object_of

logger = logging.getLogger(__name__)


class DeadLetters:
    """Owns the file: one JSON object a line, with the database's error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, save: Save, posted: Posted, error: Exception) -> None:
        """Logs the whole message and appends it to the file. Raises `OSError`."""
        letter = {**object_of(save, posted), "error": str(error)}
        logger.error("the database refuses a message, which is kept in %s: %s", self._path, letter)
        append_lines(self._path, [letter])
