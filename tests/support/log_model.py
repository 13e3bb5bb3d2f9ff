"""A stream in memory that plays JetStream, with its faults: conflict, unknown outcome, lost republish, stale read."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias

from chatter.cluster.errors import NoAnswer
from chatter.cluster.stream import Behind, Bounds, Full, NotPlaced, Outcome, Placed, Unknown

Fault: TypeAlias = Literal["answer lost", "request lost", "late", "no leader", "busy", "young leader", "full", "none"]
"""What becomes of one append: placed without an answer, gone, placed later, refused in four ways, or nothing."""


class LogModel:
    """One lane's stream, which lanes of several nodes share. What befalls the next appends is in `faults`."""

    def __init__(self, first: int = 1) -> None:
        self.created = "2026-01-01T00:00:00Z"
        self.first = first
        self.frames: list[bytes] = []
        self.faults: deque[Fault] = deque()
        self.staleness = 0  # how many of the last turns reads do not show
        self.batch = 3  # turns of one read
        self.reads = 0
        self.republishes = True
        self.has_leader = True
        self.delay = 0.0  # seconds that a request, an answer or a read is on its way
        self._offset = first - 1
        self._late: deque[tuple[bytes, int]] = deque()
        self._hearers: list[Callable[[int, bytes], None]] = []

    def republish_to(self, hear: Callable[[int, bytes], None]) -> None:
        """Has `hear` called for each turn that is placed from now on."""
        self._hearers.append(hear)

    @property
    def last(self) -> int:
        return self._offset + len(self.frames)

    def put(self, frame: bytes) -> int:
        """Places a frame without any compare, as nobody may."""
        self.frames.append(frame)
        if self.republishes:
            for hear in self._hearers:
                hear(self.last, frame)
        return self.last

    def purge(self, before: int) -> None:
        self.first = before

    def forget(self, turns: int) -> None:
        """Loses the last turns, as a power cut does without `sync_interval: always`."""
        del self.frames[-turns:]

    def deliver_late(self) -> None:
        """Lets those appends arrive that were on their way."""
        while self._late:
            frame, head = self._late.popleft()
            if head == self.last:
                self.put(frame)

    async def append(self, frame: bytes, head: int) -> Outcome:
        try:
            await asyncio.sleep(self.delay)
        except asyncio.CancelledError:
            self._late.append((frame, head))  # whoever has sent it is gone, and it arrives
            raise
        outcome = self._outcome(frame, head)
        if self.delay:
            await asyncio.sleep(self.delay)
        return outcome

    def _outcome(self, frame: bytes, head: int) -> Outcome:
        fault = self.faults.popleft() if self.faults else None
        if not self.has_leader or fault == "no leader":
            return NotPlaced("no leader")
        if fault == "late":
            self._late.append((frame, head))
            return Unknown("late")
        if fault == "request lost":
            return Unknown("request lost")
        if fault == "busy":
            return Behind(None)
        if fault == "young leader":  # it has not applied all that it has
            return Behind(max(head - 1, 0))
        if head != self.last:
            return Behind(self.last)
        if fault == "full":
            return Full()
        seq = self.put(frame)
        return Unknown("answer lost") if fault == "answer lost" else Placed(seq)

    async def read(self, after: int) -> list[tuple[int, bytes]]:
        await asyncio.sleep(self.delay)
        self.reads += 1
        start = max(after + 1, self.first)
        shown = self.frames[start - 1 - self._offset : max(0, len(self.frames) - self.staleness)]
        self.staleness = max(0, self.staleness - 1)
        return list(enumerate(shown[: self.batch], start))

    async def find_first(self) -> int:
        return (await self.bounds()).first

    async def bounds(self) -> Bounds:
        await asyncio.sleep(self.delay)
        if not self.has_leader:
            raise NoAnswer("no leader")
        return Bounds(self.first, self.last, self.created)
