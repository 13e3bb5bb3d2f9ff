"""Stamps messages with send time, publisher and number, and finds the stamps.

A stamp is 32 digits between two `@`. The parser splits received bytes at `@`, whatever JSON the server writes around
them. It does not decode frames, which would take Python several times as long. A frame header may contain an `@` (a
size of 64), but no digits follow it.
"""

from typing import NamedTuple

TIME, PUBLISHER, NUMBER = 18, 6, 8
"""Digits of each part. The widths are fixed, so a slice finds a part."""

WIDTH = TIME + PUBLISHER + NUMBER


class MessageStamp(NamedTuple):
    """The send time, publisher and number of one message."""

    due: int  # planned send time, CLOCK_MONOTONIC in nanoseconds
    publisher: int
    number: int  # in its step, over all publishers


def message_text(stamp: MessageStamp, size: int) -> str:
    """Builds a text of `size` characters, or only the stamp if that is longer."""
    text = f"@{stamp.due:0{TIME}}{stamp.publisher:0{PUBLISHER}}{stamp.number:0{NUMBER}}@"
    return text.ljust(size, "x")


def parse(digits: bytes) -> MessageStamp:
    """Parses the digits between two `@`. Raises `ValueError`."""
    if len(digits) != WIDTH:
        raise ValueError(f"expected {WIDTH} digits between two @, got {digits[:80]!r}")
    return MessageStamp(int(digits[:TIME]), int(digits[TIME:-NUMBER]), int(digits[-NUMBER:]))


class StampParser:
    """Finds stamps, and counts a word, in a byte stream that is cut anywhere."""

    def __init__(self, word: bytes) -> None:
        self.word_count = 0
        self._word = word
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """Returns the digits of every stamp that ends in `piece`."""
        stream = self._rest + piece
        self.word_count += stream.count(self._word)
        before, *parts = stream.split(b"@")
        if not parts:
            self._rest = self._possible_word_start(before)
            return []
        last = parts.pop()
        may_start_stamp = len(last) <= WIDTH and (last.isdigit() or not last)
        self._rest = b"@" + last if may_start_stamp else self._possible_word_start(last)
        return [part for part in parts if len(part) == WIDTH and part.isdigit()]

    def _possible_word_start(self, end: bytes) -> bytes:
        """Returns the bytes in which a word may start that the next piece completes."""
        return end[-(len(self._word) - 1) :]
