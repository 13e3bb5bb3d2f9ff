"""The time of day: in nanoseconds where it is read, in words where it is told."""

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Nanoseconds since 1970."""

wall_clock: Clock = time.time_ns

SECOND = 1_000_000_000


def in_words(moment: int) -> str:
    """A moment of a `Clock` in UTC, as ISO 8601 with microseconds and `Z`: a third of what `datetime` takes."""
    second, rest = divmod(moment, SECOND)
    return f"{_second_in_words(second)}.{rest // 1_000:06d}Z"


@functools.lru_cache(maxsize=1)  # all that is said within a second
def _second_in_words(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
