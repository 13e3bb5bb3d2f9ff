"""The frame of a turn: what every node checks, and a body that this layer does not look into.

A frame is `CT`, one byte for the version, and a msgpack array. It carries the sequence and the chain of the turn before
it. The chain is a hash over all frames so far, void ones too: where two nodes have the same chain they have heard the
same turns.
"""

import hashlib
from typing import NamedTuple

import msgspec

from chatter.cluster.errors import LaneStopped

VERSION = 1
_MAGIC = b"CT"

MAX_BODY = 256 * 1024
"""Bytes in the body of a turn."""

MAX_FRAME = MAX_BODY + 1024
"""Bytes in a frame: a body, and names of nodes and kinds of at most some hundred bytes."""

GENESIS = bytes(16)
"""The chain of a log in which nothing was said yet."""

VOID = "void"
"""The kind of a turn that counts for nobody. No author may use it."""


class Author(NamedTuple):
    """One start of one node."""

    name: str
    boot: int  # when it started, in nanoseconds since 1970


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is in the log at one sequence of a lane."""

    lane: int
    prev: int  # the sequence of the turn before
    chain: bytes  # the chain up to there
    by: str
    boot: int
    n: int  # the author's count of appends: with `by` and `boot` the identity of the turn
    kind: str
    body: bytes


class PlacedTurn(msgspec.Struct, frozen=True, gc=False):
    """A turn at its place in a lane."""

    lane: int
    seq: int
    chain: bytes  # the chain up to this turn: what is to be kept with the position
    by: str
    boot: int
    n: int
    kind: str
    body: bytes

    @property
    def is_void(self) -> bool:
        """Whether it has a place and says nothing."""
        return self.kind == VOID


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def encode(frame: Frame) -> bytes:
    """Returns the bytes of a frame. Raises ValueError where its body is larger than `MAX_BODY`."""
    if len(frame.body) > MAX_BODY:
        raise ValueError(f"expected a turn of at most {MAX_BODY} bytes, got {len(frame.body)}")
    return _MAGIC + bytes((VERSION,)) + _encode(frame)


class InvalidFrame(ValueError):
    """These bytes are no frame of a turn."""


class UnknownVersion(ValueError):
    """The frame is of a version that this node cannot read."""


def decode(data: bytes) -> Frame:
    """Returns the frame in `data`. Raises InvalidFrame or UnknownVersion."""
    if len(data) > MAX_FRAME:
        raise InvalidFrame(f"expected a frame of at most {MAX_FRAME} bytes, got {len(data)}")
    if data[:2] != _MAGIC:
        raise InvalidFrame("expected a frame, got other bytes")
    if data[2:3] != bytes((VERSION,)):
        raise UnknownVersion(f"expected a frame of version {VERSION}, got {data[2:3].hex() or 'none'}")
    try:
        return _decode(memoryview(data)[3:])
    except msgspec.MsgspecError as error:
        raise InvalidFrame(f"expected a frame, got {error}") from error


class History:
    """What one reader has of a lane: how far, and the chain up to there. It places frames, and does no I/O."""

    def __init__(self, lane: int, head: int, chain: bytes | None) -> None:
        """Without a chain the one of the first valid frame is taken."""
        self.lane = lane
        self.head = head
        self.chain = chain

    def place(self, seq: int, data: bytes) -> PlacedTurn:
        """Returns the turn that `data` is at `seq`, the next sequence, and moves there.

        A frame that is wrong by itself is void for everybody: it is none, is of another lane, or was decided at
        another head than the one before it, which compare-and-append refuses. Raises LaneStopped where reader and
        log disagree, or the reader cannot know what the frame means.
        """
        if seq != self.head + 1:
            raise LaneStopped(f"lane {self.lane} is not dense: expected turn {self.head + 1}, got {seq}")
        try:
            frame = decode(data)
        except UnknownVersion as error:
            raise LaneStopped(f"turn {seq} of lane {self.lane} is of a newer Chatter: {error}") from error
        except InvalidFrame:
            return self._move(seq, data, None)
        if frame.lane != self.lane or frame.prev != self.head or frame.kind == VOID:
            return self._move(seq, data, None)
        if self.chain is None:
            self.chain = frame.chain
        if frame.chain != self.chain:
            raise LaneStopped(
                f"turn {seq} of lane {self.lane}, by node {frame.by}, follows another history: "
                f"expected chain {self.chain.hex()}, got {frame.chain.hex()}"
            )
        return self._move(seq, data, frame)

    def _move(self, seq: int, data: bytes, frame: Frame | None) -> PlacedTurn:
        self.head = seq
        if self.chain is not None:
            self.chain = hashlib.blake2b(self.chain + data, digest_size=16).digest()
        if frame is None:
            return PlacedTurn(self.lane, seq, self.chain or b"", "", 0, 0, VOID, b"")
        assert self.chain is not None
        return PlacedTurn(self.lane, seq, self.chain, frame.by, frame.boot, frame.n, frame.kind, frame.body)
