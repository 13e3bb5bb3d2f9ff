"""What nodes ask each other about poll sessions: the node that a client's request came to, and the session's own.

What is larger than NATS takes in one message goes in pieces, in order, each after the answer to the one before.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeAlias

import msgspec

from web.identity.credentials import Fingerprint
from web.transport.poll_session import Message

POLL, POST = "poll", "post"
"""The kinds of questions. They are apart, so that polls, which wait, are in nobody's way."""

PIECE = 256 * 1024
"""Bytes of a piece. A message that is larger is one of its own: a cluster bounds `max_frame_bytes`."""


class Poll(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """A client polls."""

    id: bytes
    token: str
    shown: Fingerprint | None
    account: int | None = None  # whose that is; given where the session's node cannot tell


class Rest(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """The next piece of the answer to a poll."""

    id: bytes


class HungUp(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """The client of a poll is gone. The poll is answered at once."""

    id: bytes


class BeginPost(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """A client posts: waits until no other POST of the session is under way."""

    id: bytes
    token: str
    shown: Fingerprint | None
    account: int | None = None


class Piece(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """Some messages of a POST that has begun."""

    id: bytes
    messages: list[Message]


class EndPost(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """A POST has ended, however it did. It is not answered."""

    id: bytes


Question: TypeAlias = Poll | Rest | HungUp | BeginPost | Piece | EndPost


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """What becomes of a question."""

    outcome: Literal["ok", "replaced", "gone", "not proven", "busy", "bad frame", "stopping"]
    text: str = ""  # what was expected of a frame
    frames: bytes = b""
    has_more: bool = False


class Peers(Protocol):
    """The other nodes of a cluster."""

    @property
    def name(self) -> str:
        """The name of this node."""

    def lives(self, name: str) -> bool:
        """Returns whether another node lives."""

    def may_answer(self, name: str) -> bool:
        """Returns whether another node may answer: it lives, or leaves and ends what it has begun."""

    def answer(self, kind: str, on_question: Callable[[bytes], Awaitable[bytes]], *, most: int) -> None:
        """Has `on_question` answer what others ask, `most` at the same time."""

    async def ask(self, kind: str, name: str, body: bytes, *, timeout: float) -> bytes:
        """Asks another node. Raises `NoAnswer`."""

    def tell(self, kind: str, name: str, body: bytes) -> None:
        """Tells another node what it does not answer."""


encode = msgspec.msgpack.Encoder().encode
decode_question = msgspec.msgpack.Decoder(Question).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode
