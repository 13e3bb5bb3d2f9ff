"""Moments, as rows keep them, and the transactions in which they count."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from chatter.clock import SECOND, to_iso

T = TypeVar("T")

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


class Transactions(Protocol):
    """Has something done in a transaction, in the store's thread."""

    def __call__(self, work: Callable[[Moment], T], /) -> Coroutine[Any, Any, T]:
        """Returns what `work` returns. Raises `AccountRefused`."""
