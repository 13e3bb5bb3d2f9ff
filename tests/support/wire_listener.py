"""A subscriber that hears real frames, for tests of rooms that need no socket."""

import json
from typing import Any, Literal

from chatter.charter import Author, ServerRole
from chatter.messages import Answer, Event, Reason, Recovery, Ref, Refused, View
from web.channels.wire import NULL, V2_LONGPOLL, Serializer

JOIN_REF = b'"join"'
_TOPIC = b'"chat_room:lobby"'


class WireListener:
    """WireListener is a `Subscriber` whose frames are kept as `(event, ref, payload)`, decoded."""

    def __init__(self, view: View, said: set[int]) -> None:
        """`said` is what its connection has said; it may join more than once."""
        self.serializer: Serializer = V2_LONGPOLL.viewing(view)
        self.view = view
        self.sees_presence = False
        self.author: Author | None = None
        self.person_name: str | None = None
        self.server_role: ServerRole = "member"
        self.takes_frames = True
        self.written: list[bytes] = []
        self._said = said

    @property
    def client(self) -> "WireListener":
        """Plays its own connection."""
        return self

    def take(self) -> list[tuple[str, str | None, Any]]:
        """Returns what was written since the last call."""
        written, self.written = self.written, []
        frames = [json.loads(line) for write in written for line in write.splitlines()]
        return [(event, ref, payload) for _join_ref, ref, _topic, event, payload in frames]

    def guest_name(self, name: str) -> str:
        return name

    def note_said(self, seq: int) -> None:
        self._said.add(seq)

    def unnote_said(self, seq: int) -> None:
        self._said.discard(seq)

    def has_said(self, seq: int) -> bool:
        return seq in self._said

    def welcome(self, recovery: Recovery) -> bytes:
        return self.answer(JOIN_REF, recovery)

    def refuse(self, reason: Reason, retry_after_ms: int | None = None) -> bytes:
        return self.answer(JOIN_REF, Refused(reason, retry_after_ms))

    def refusal_to_open(self) -> Refused | None:
        return None

    def push(self, event: Event) -> bytes:
        return self.serializer.push(NULL, _TOPIC, event)

    def answer(self, ref: Ref, answer: Answer) -> bytes:
        return self.serializer.answer(NULL, ref, _TOPIC, answer)

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        return self.serializer.frame(NULL, NULL, _TOPIC, b"phx_close" if why == "closed" else b"phx_error", b"{}")

    def write(self, frames: bytes) -> None:
        if frames:
            self.written.append(frames)
