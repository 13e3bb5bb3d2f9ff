"""A client that talks in JSON and remembers what it hears, for tests about more than single frames."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.support.phoenix_client import Opcode, WebSocket, frame


class Heard(NamedTuple):
    """A frame of protocol version 2 from the server."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Any


class Closed(Exception):
    """The server has closed the connection, with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Talker:
    """`with Talker(server.port) as ann:` is one on a websocket; a narrow one can be stopped by not reading."""

    def __init__(self, port: int, *, narrow: bool = False, query: str = "vsn=2.0.0") -> None:
        self.websocket = WebSocket(port, query, narrow=narrow)
        self._refs = count(1)

    def join(self, room: str, **params: object) -> None:
        """Join, and return when that is granted."""
        assert self.ask(room, "phx_join", **params)["status"] == "ok"

    def ask(self, room: str, event: str, **payload: object) -> Any:
        """Push, and return the answer; what comes before it is not kept."""
        ref = self.push(room, event, **payload)
        return self.hears("phx_reply", ref)

    def push(self, room: str, event: str, **payload: object) -> str:
        """Push without waiting; returns the ref."""
        return self.push_many([(room, event, payload)])[0]

    def push_many(self, pushes: list[tuple[str, str, dict[str, object]]]) -> list[str]:
        """Push all of them, `(room, event, payload)`, in one packet; returns their refs."""
        refs = [str(next(self._refs)) for _ in pushes]
        self.websocket.connection.send(
            b"".join(
                frame(Opcode.TEXT, json.dumps([None, ref, f"chat_room:{room}", event, payload]).encode())
                for ref, (room, event, payload) in zip(refs, pushes, strict=True)
            )
        )
        return refs

    def beats(self) -> None:
        """Send a heartbeat, and return when it is answered."""
        self.websocket.send(Opcode.TEXT, b'[null,"beat","phoenix","heartbeat",{}]')
        self.hears("phx_reply", "beat")

    def hears(self, event: str, ref: str | None = None) -> Any:
        """The payload of the next such event, with that ref if one is given."""
        return next(heard.payload for heard in self.listen() if heard.event == event and ref in (None, heard.ref))

    def listen_until(self, is_last: Callable[[Heard], bool]) -> list[Heard]:
        """All that comes up to the first of which that is true."""
        all_heard = []
        for heard in self.listen():
            all_heard.append(heard)
            if is_last(heard):
                break
        return all_heard

    def listen(self) -> Iterator[Heard]:
        """What comes, a pong as an event of that name. Raises `Closed`."""
        while True:
            received = self.websocket.receive()
            match received.opcode:
                case Opcode.CLOSE:
                    raise Closed(int.from_bytes(received.data))
                case Opcode.PONG:
                    yield Heard(None, None, "", "pong", received.data)
                case _:
                    yield Heard(*json.loads(received.data))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.websocket.connection.close()
