"""The time of day: nanoseconds where it is read, ISO 8601 where it is sent."""

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Returns the nanoseconds since 1970."""

wall_clock: Clock = time.time_ns

SECOND = 1_000_000_000


def to_iso(moment: int) -> str:
    """Formats a moment of a `Clock` in UTC, with microseconds and `Z`, in a third of the time that `datetime` takes."""
    second, rest = divmod(moment, SECOND)
    return f"{_second_to_iso(second)}.{rest // 1_000:06d}Z"


@functools.lru_cache(maxsize=1)  # for all messages of one second
def _second_to_iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def seconds_since(moment: str, clock: Clock) -> float:
    """Returns how many seconds have passed since a moment that `to_iso` has formatted."""
    return clock() / SECOND - datetime.fromisoformat(moment).timestamp()
