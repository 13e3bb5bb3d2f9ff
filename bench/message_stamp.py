"""The text of a message: when it was to be sent, by whom, as which number; and finding that in bytes that arrive.

A stamp is so many digits between two `@`. So stamps are found by splitting bytes at `@`, whatever the server's JSON
looks like, and without walking from frame to frame, which would take Python several times as long. Frame headers may
have an `@` among their bytes (a size of 64), but no digits behind it.
"""

from typing import NamedTuple

TIME, PUBLISHER, NUMBER = 18, 6, 8
"""Digits of each part. Of fixed width, so that a slice finds it."""

WIDTH = TIME + PUBLISHER + NUMBER


class MessageStamp(NamedTuple):
    """What a message says of itself."""

    due: int  # when it was to be sent, CLOCK_MONOTONIC in nanoseconds
    publisher: int
    number: int  # in its step, over all publishers


def message_text(stamp: MessageStamp, size: int) -> str:
    """A message of `size` characters, or as many as its stamp takes."""
    said = f"@{stamp.due:0{TIME}}{stamp.publisher:0{PUBLISHER}}{stamp.number:0{NUMBER}}@"
    return said.ljust(size, "x")


def parse(found: bytes) -> MessageStamp:
    """The stamp in what stood between two `@`. Raises `ValueError`."""
    if len(found) != WIDTH:
        raise ValueError(f"expected {WIDTH} digits between two @, got {found[:80]!r}")
    return MessageStamp(int(found[:TIME]), int(found[TIME:-NUMBER]), int(found[-NUMBER:]))


class StampParser:
    """Finds stamps and a word in a stream of bytes, whatever pieces the stream comes in."""

    def __init__(self, word: bytes) -> None:
        self.words = 0  # how often the word was there
        self._word = word
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The stamps that end in this piece, as they stand there."""
        stream = self._rest + piece
        self.words += stream.count(self._word)
        before, *parts = stream.split(b"@")
        if not parts:
            self._rest = self._begin_of_word(before)
            return []
        last = parts.pop()
        is_begin_of_marker = len(last) <= WIDTH and (last.isdigit() or not last)
        self._rest = b"@" + last if is_begin_of_marker else self._begin_of_word(last)
        return [part for part in parts if len(part) == WIDTH and part.isdigit()]

    def _begin_of_word(self, end: bytes) -> bytes:
        """What may be one: it is counted when the rest of it comes."""
        return end[-(len(self._word) - 1) :]
