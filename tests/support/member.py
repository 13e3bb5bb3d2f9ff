"""Somebody in a room over a websocket, for tests that are about what is said and not about frames."""

import itertools
import json
from collections import deque
from types import TracebackType
from typing import Any, Self

from tests.support.phoenix_client import Opcode, WebSocket


class Member:
    """`with Member(server.port, "lobby") as ann:` connects and joins. `joined` is the answer to the join.

    `is_shown` makes it one of those who are present; `params` are further parameters of the join.
    """

    def __init__(self, port: int, room: str, name: str = "ann", *, is_shown: bool = False, **params: Any) -> None:
        self.topic = f"chat_room:{room}"
        self.name = name
        self._websocket = WebSocket(port)
        self._refs = map(str, itertools.count(2))
        self._unheard: deque[tuple[str | None, str, Any]] = deque()
        self._send("1", "phx_join", {**params, **({"name": name} if is_shown else {})})
        answer = self.answer("1")
        assert answer["status"] == "ok", answer
        self.joined: dict[str, Any] = answer["response"]

    def ask(self, event: str, **payload: Any) -> Any:
        """Push, and wait for the answer: `{"status", "response"}`."""
        return self.answer(self.push(event, **payload))

    def push(self, event: str, **payload: Any) -> str:
        """Push, and return the ref of it."""
        ref = next(self._refs)
        self._send(ref, event, payload)
        return ref

    def say(self, message: str, **payload: Any) -> str:
        """Say something; its id is its text. Returns the ref."""
        return self.push("new_message", **{"id": message, "name": self.name, "message": message, **payload})

    def says(self, message: str, **payload: Any) -> Any:
        """The same, and wait for the answer."""
        return self.answer(self.say(message, **payload))

    def answer(self, ref: str) -> Any:
        """The answer to that push."""
        return self._next(lambda its_ref, event, _: event == "phx_reply" and its_ref == ref)

    def hears(self, event: str) -> Any:
        """The payload of the next event of that name."""
        return self._next(lambda _, its_event, __: its_event == event)

    def hears_said(self, count: int) -> list[tuple[int, str]]:
        """The `(seq, message)` of the next messages."""
        heard = [self.hears("new_message") for _ in range(count)]
        return [(said["seq"], said["message"]) for said in heard]

    def _send(self, ref: str, event: str, payload: Any) -> None:
        self._websocket.send(Opcode.TEXT, json.dumps(["1", ref, self.topic, event, payload]).encode())

    def _next(self, is_wanted: Any) -> Any:
        for heard in self._unheard:
            if is_wanted(*heard):
                self._unheard.remove(heard)
                return heard[2]
        while True:
            frame = self._websocket.receive()
            if frame.opcode == Opcode.CLOSE:
                raise EOFError(f"closed with {int.from_bytes(frame.data[:2])}")
            _join_ref, ref, _topic, event, payload = json.loads(frame.data)
            if is_wanted(ref, event, payload):
                return payload
            self._unheard.append((ref, event, payload))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._websocket.connection.close()
