"""The presence snapshot: who was present when the server stopped, so that a restart shows nobody as gone."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from chatter.messages import People

logger = logging.getLogger(__name__)

STALE_AFTER = 60.0
"""Seconds after which a snapshot is ignored: a pause that long is no restart."""


class PresenceSnapshot:
    """Owns the file. The server that stops saves it, the next start loads and removes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, people: Mapping[str, People]) -> None:
        """Writes who is present in which room. A failure is logged; clients then see people leave and come back."""
        try:
            self._path.write_bytes(msgspec.json.encode(people))
        except OSError:
            logger.exception("the presence snapshot cannot be written")

    def load(self) -> dict[str, People]:
        """Returns who was present, by room, and removes the file."""
        try:
            is_fresh = time.time() - self._path.stat().st_mtime < STALE_AFTER
            written = self._path.read_bytes()
            self._path.unlink()
            return msgspec.json.decode(written, type=dict[str, People]) if is_fresh else {}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError):
            logger.exception("the presence snapshot cannot be read")
            return {}
