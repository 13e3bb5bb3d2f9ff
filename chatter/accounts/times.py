"""Moments, as rows keep them."""

from datetime import datetime
from typing import NamedTuple

from chatter.clock import SECOND, to_iso

HOUR = 3_600.0
DAY = 24 * HOUR


class Moment(NamedTuple):
    """A moment of a `Clock`."""

    nanoseconds: int

    @property
    def iso(self) -> str:
        """The moment as text; later ones are greater."""
        return to_iso(self.nanoseconds)

    @property
    def seconds(self) -> float:
        """The seconds since 1970."""
        return self.nanoseconds / SECOND

    def later(self, seconds: float) -> str:
        """Returns the text of a moment that comes after it, or before it where `seconds` is negative."""
        return to_iso(self.nanoseconds + round(seconds * SECOND))


def seconds_of(iso: str) -> float:
    """Returns the seconds since 1970 of a moment that was kept as text."""
    return datetime.fromisoformat(iso).timestamp()
