"""Somebody in one room, for tests that are about what is said: a talker who keeps what it was not asked for yet."""

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.support.talker import Heard, Talker


class Member:
    """`with Member(server.port, "lobby") as ann:` connects and joins. `joined` is the answer to the join.

    `is_shown` makes it one of those who are present; `params` are further parameters of the join.
    """

    def __init__(self, port: int, room: str, name: str = "ann", *, is_shown: bool = False, **params: Any) -> None:
        self.name = name
        self._room = room
        self._talker = Talker(port)
        self._unheard: deque[Heard] = deque()
        answer = self.ask("phx_join", **params, **({"name": name} if is_shown else {}))
        assert answer["status"] == "ok", answer
        self.joined: dict[str, Any] = answer["response"]

    def ask(self, event: str, **payload: Any) -> Any:
        """Push, and wait for the answer: `{"status", "response"}`."""
        return self.answer(self.push(event, **payload))

    def push(self, event: str, **payload: Any) -> str:
        """Push, and return the ref of it."""
        return self._talker.push(self._room, event, **payload)

    def say(self, message: str, **payload: Any) -> str:
        """Say something; its id is its text. Returns the ref."""
        return self.push("new_message", **{"id": message, "name": self.name, "message": message, **payload})

    def says(self, message: str, **payload: Any) -> Any:
        """The same, and wait for the answer."""
        return self.answer(self.say(message, **payload))

    def answer(self, ref: str) -> Any:
        """The answer to that push."""
        return self._next(lambda heard: heard.event == "phx_reply" and heard.ref == ref)

    def hears(self, event: str) -> Any:
        """The payload of the next event of that name."""
        return self._next(lambda heard: heard.event == event)

    def hears_said(self, count: int) -> list[tuple[int, str]]:
        """The `(seq, message)` of the next messages."""
        heard = [self.hears("new_message") for _ in range(count)]
        return [(said["seq"], said["message"]) for said in heard]

    def _next(self, is_wanted: Callable[[Heard], bool]) -> Any:
        for heard in self._unheard:
            if is_wanted(heard):
                self._unheard.remove(heard)
                return heard.payload
        *before, wanted = self._talker.listen_until(is_wanted)
        self._unheard += before
        return wanted.payload

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._talker.websocket.connection.close()
