"""Who was here when the server stopped, so that a restart does not look as if everybody had left."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from chatter.messages import People

logger = logging.getLogger(__name__)

STALE_AFTER = 60.0
"""Seconds after which nobody is expected back: that was no restart."""


class PresenceSnapshot:
    """A file beside the database, written at the stop and taken up by the next start."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def leave(self, people: Mapping[str, People]) -> None:
        """Write down who is in which room. A failure costs a flicker in the lists of who is here, and is logged."""
        try:
            self._path.write_bytes(msgspec.json.encode(people))
        except OSError:
            logger.exception("who is here cannot be written down")

    def take_up(self) -> dict[str, People]:
        """Who was here, by room, and forget it."""
        try:
            is_fresh = time.time() - self._path.stat().st_mtime < STALE_AFTER
            written = self._path.read_bytes()
            self._path.unlink()
            return msgspec.json.decode(written, type=dict[str, People]) if is_fresh else {}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError):
            logger.exception("who was here cannot be read")
            return {}
