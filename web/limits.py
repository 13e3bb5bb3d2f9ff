"""Limits and rates as values: what `web/settings.py` parses and `web/channels/` holds clients to."""

import dataclasses
import re
from typing import NamedTuple


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a client may say, in characters and messages. Each is the setting of the same name."""

    max_name_length: int = 64
    max_message_length: int = 4_000
    max_id_length: int = 64
    max_history_page: int = 100
    max_recovery_page: int = 500
    max_reason_length: int = 500
    max_pins: int = 50
    max_title_length: int = 80
    max_topic_length: int = 250


class Rate(NamedTuple):
    """`per_second` in the long run, and up to `burst` at once. Written `20/100`."""

    per_second: float
    burst: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Reads a rate. Raises `ValueError`."""
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)/(\d{1,9})", text)
        if not match or not float(match[1]) or not int(match[2]):
            raise ValueError("how many per second and how many at once, like 20/100")
        return cls(float(match[1]), int(match[2]))

    def times(self, factor: int) -> "Rate":
        """Returns the rate of so many together."""
        return Rate(self.per_second * factor, self.burst * factor)

    def __str__(self) -> str:
        return f"{self.per_second:g}/{self.burst}"
