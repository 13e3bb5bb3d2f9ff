"""Turns that were heard before one that is missing."""

MAX_TURNS, MAX_BYTES = 4096, 16 * 1024 * 1024


class EarlyTurns:
    """Keeps what was heard until the gap before it is read, so that a reader never runs after those who talk."""

    def __init__(self) -> None:
        self._frames: dict[int, bytes] = {}
        self._bytes = 0

    def put(self, seq: int, frame: bytes) -> None:
        """Keeps a turn. What is more than `MAX_TURNS` or `MAX_BYTES` is read later."""
        if seq not in self._frames and len(self._frames) < MAX_TURNS and self._bytes < MAX_BYTES:
            self._frames[seq] = frame
            self._bytes += len(frame)

    def take(self, seq: int) -> bytes | None:
        """Returns the turn at `seq` and keeps it no longer; None where it was not heard."""
        frame = self._frames.pop(seq, None)
        if frame is not None:
            self._bytes -= len(frame)
        return frame
