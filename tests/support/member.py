"""A client in one room, which keeps the frames that a test has not asked for yet."""

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.support.talker import PhoenixFrame, Talker


class Member:
    """`with Member(server.port, "lobby") as ann:` connects and joins.

    `is_present` shows it in the presence; `params` are further parameters of the join.
    """

    def __init__(self, port: int, room: str, name: str = "ann", *, is_present: bool = False, **params: Any) -> None:
        self.name = name
        self._room = room
        self._talker = Talker(port)
        self._unread: deque[PhoenixFrame] = deque()
        answer = self.ask("phx_join", **params, **({"name": name} if is_present else {}))
        assert answer["status"] == "ok", answer
        self.join_response: dict[str, Any] = answer["response"]

    def ask(self, event: str, **payload: Any) -> Any:
        """Pushes an event, and returns the answer: `{"status", "response"}`."""
        return self.wait_for_answer(self.push(event, **payload))

    def push(self, event: str, **payload: Any) -> str:
        """Pushes an event, and returns its ref at once."""
        return self._talker.push(self._room, event, **payload)

    def post(self, message: str, **payload: Any) -> str:
        """Posts a message whose id is its text, and returns the ref at once."""
        return self.push("new_message", **{"id": message, "name": self.name, "message": message, **payload})

    def post_and_wait(self, message: str, **payload: Any) -> Any:
        """Posts a message, and returns the answer."""
        return self.wait_for_answer(self.post(message, **payload))

    def wait_for_answer(self, ref: str) -> Any:
        """Returns the answer to the push with that ref."""
        return self._next(lambda frame: frame.event == "phx_reply" and frame.ref == ref)

    def wait_for(self, event: str) -> Any:
        """Returns the payload of the next event of that name."""
        return self._next(lambda frame: frame.event == event)

    def wait_for_posts(self, count: int) -> list[tuple[int, str]]:
        """Returns the `(seq, message)` of the next posts."""
        posts = [self.wait_for("new_message") for _ in range(count)]
        return [(post["seq"], post["message"]) for post in posts]

    def _next(self, is_wanted: Callable[[PhoenixFrame], bool]) -> Any:
        for frame in self._unread:
            if is_wanted(frame):
                self._unread.remove(frame)
                return frame.payload
        *before, wanted = self._talker.receive_until(is_wanted)
        self._unread += before
        return wanted.payload

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._talker.websocket.connection.close()
