"""The room asker: asks a room one thing for whoever has no channel there, and awaits the answer."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Protocol, TypeAlias

import pykka

from chatter.messages import Answer, Asker, Ref, Refused, RoomMessage, RoomRef

Request: TypeAlias = Callable[[Asker], RoomMessage]
"""Makes what the room is told."""

ANSWER_TIMEOUT = 10.0
"""Seconds that a room has for an answer: it may have to load its past, and wait for a commit."""

REF: Ref = b"null"

UNAVAILABLE = Refused("unavailable", retry_after_ms=1_000)
"""The room does not answer: what was asked may be done or not."""


class Rooms(Protocol):
    """The supervisor, as who asks rooms sees it."""

    def ensure_room(self, slug: str) -> RoomRef:
        """Returns the living room of that name. Raises `pykka.ActorDeadError` when the server stops."""


class RoomAsker:
    """Plays `chatter.messages.Asker` for one request."""

    takes_frames = True

    def __init__(self) -> None:
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    @property
    def client(self) -> Hashable:
        return self

    def answer(self, _ref: Ref, answer: Answer) -> bytes:
        if not self.answered.done():
            self.answered.set_result(answer)
        return b""

    def write(self, frames: bytes) -> None:
        """Drops the frames: the answer is there as a value."""


async def ask_room(rooms: Rooms, slug: str, request: Request, timeout: float = ANSWER_TIMEOUT) -> Answer:
    """Returns what a room answers to `request`; `UNAVAILABLE` where it does not in time, or the server stops."""
    asker = RoomAsker()
    try:
        rooms.ensure_room(slug).tell(request(asker))
        async with asyncio.timeout(timeout):
            return await asker.answered
    except (pykka.ActorDeadError, TimeoutError):
        return UNAVAILABLE
