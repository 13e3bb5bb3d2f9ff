"""What a lane needs of the stream that keeps it, and how an append can end. `jetstream.py` plays this role."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

LANES = 4
"""Each lane is a Raft group that costs; the rooms of one lane wait for one append at a time."""

REPLICAS = 3
MAX_BYTES = 4 * 1024 * 1024 * 1024
"""Bytes of one stream, which the servers reserve when it is made."""


@dataclass(frozen=True)
class Placed:
    """A quorum has it, at `seq`."""

    seq: int


@dataclass(frozen=True)
class Behind:
    """It is refused: the head was another. `last` is the stream's last sequence, where the server says so."""

    last: int | None


@dataclass(frozen=True)
class Full:
    """It is refused: the stream takes no more bytes."""


@dataclass(frozen=True)
class NotPlaced:
    """It has not reached a leader."""

    why: str


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether it is placed, or will be."""

    why: str


@dataclass(frozen=True)
class Wrong:
    """It is refused, and would be each time."""

    why: str


Outcome: TypeAlias = Placed | Behind | Full | NotPlaced | Unknown | Wrong


@dataclass(frozen=True)
class Bounds:
    """What the stream has, by its leader's word."""

    first: int
    last: int
    created: str  # when the stream was created: another value means another log
    fullness: float = 0.0  # of its `max_bytes`


class Stream(Protocol):
    """The stream of one lane."""

    async def append(self, frame: bytes, head: int) -> Outcome:
        """Appends `frame` if the last sequence is `head`."""

    async def read(self, after: int) -> list[tuple[int, bytes]]:
        """Returns some of the frames after the sequence `after`, in order and with none missing, from any replica.

        The first may come later than `after` + 1, where the log was trimmed. A replica may be behind: that there is
        nothing proves nothing. Raises NoAnswer.
        """

    async def bounds(self) -> Bounds:
        """Returns the bounds as the leader knows them. Raises NoAnswer."""
