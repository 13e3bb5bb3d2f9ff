"""The send batch: gathers what is written while actors end their turns or clients are read, and sends it together.

A message to a small room is six sends, which take longer than all else that is done for it. The accelerator sends up to
64 writes in one call, without the interpreter lock, and through io_uring where the kernel has it. The event loop then
takes 0.9 of the time for a message where many small rooms talk at once, and 0.85 in a large room. In Python each write
is sent at once, for there gathering takes time and saves none.

What a send buffer tells of itself is the same in both cases: whatever asks it has the batch sent first.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from web import accelerator
from web.accelerator import accelerated

WRITES_AT_ONCE = 64
BYTES_AT_ONCE = 65_536
"""How much is gathered before it is sent: so much that a call pays, and so little that nobody waits for it."""


class BatchedWriter(Protocol):
    """What sends to one connection. None of this raises."""

    @property
    def ready_file(self) -> int:
        """The number of the file that takes writes; -1 while something waits, and once closed."""

    def write(self, frames: bytes) -> None:
        """Sends `frames`, or queues them where something waits."""

    def keep_rest(self, frames: bytes, sent: int) -> None:
        """Queues `frames`, of which the kernel has taken the first `sent` bytes and no more."""

    def close(self) -> None:
        """Takes nothing more: the connection is gone."""


@accelerated
def send_each(writes: list[tuple[BatchedWriter, bytes]]) -> None:
    """Sends frames to their writers, each writer's in order."""
    for writer, frames in writes:
        writer.write(frames)


class SendBatch:
    """Owns the writes that are gathered. One for all connections of an event loop."""

    __slots__ = ("_gathers", "_size", "_writes", "is_open")

    def __init__(self, *, gathers: bool = accelerator.C is not None) -> None:
        self._gathers = gathers
        self.is_open = False  # else writes are sent at once
        self._writes: list[tuple[BatchedWriter, bytes]] = []
        self._size = 0
        if accelerator.C is not None:
            accelerator.C.open_ring()  # here, in the process that sends

    def gather(self, calls: Iterable[Callable[[], None]]) -> None:
        """Makes all these calls, and sends what they write."""
        self.is_open = self._gathers
        try:
            for call in calls:
                call()
        finally:
            self.is_open = False
            self.send()

    def add(self, writer: BatchedWriter, frames: bytes) -> None:
        """Gathers a write to a writer that is ready."""
        self._writes.append((writer, frames))
        self._size += len(frames)
        if len(self._writes) == WRITES_AT_ONCE or self._size > BYTES_AT_ONCE:
            self.send()

    def send(self) -> None:
        """Sends what was gathered."""
        if self._writes:
            writes, self._writes, self._size = self._writes, [], 0
            was_open, self.is_open = self.is_open, False  # what is written meanwhile is sent at once
            send_each(writes)
            self.is_open = was_open
