"""A Phoenix client on a websocket, for tests about more than single frames."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.support.phoenix_client import Opcode, WebSocket, frame


class PhoenixFrame(NamedTuple):
    """PhoenixFrame is a frame of protocol version 2 from the server."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Any


class Closed(Exception):
    """The server closed the connection with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Talker:
    """`with Talker(server.port) as ann:` connects a client.

    A narrow one has small kernel buffers: the server notices soon that it does not read.
    """

    def __init__(
        self,
        port: int,
        *,
        narrow: bool = False,
        query: str = "vsn=2.0.0",
        headers: Mapping[str, str] | None = None,
        between: Callable[[], object] | None = None,
    ) -> None:
        self.websocket = WebSocket(port, query, headers, narrow=narrow, between=between)
        self._refs = count(1)

    def join(self, room: str, **params: object) -> None:
        """Joins a room, and returns after the `ok`."""
        assert self.ask(room, "phx_join", **params)["status"] == "ok"

    def ask(self, room: str, event: str, **payload: object) -> Any:
        """Pushes an event, and returns the answer. Drops the frames before it."""
        ref = self.push(room, event, **payload)
        return self.wait_for("phx_reply", ref)

    def push(self, room: str, event: str, **payload: object) -> str:
        """Pushes an event, and returns its ref at once."""
        return self.push_many([(room, event, payload)])[0]

    def push_many(self, pushes: list[tuple[str, str, dict[str, object]]]) -> list[str]:
        """Pushes several `(room, event, payload)` in one packet, and returns their refs."""
        refs = [str(next(self._refs)) for _ in pushes]
        self.websocket.connection.send(
            b"".join(
                frame(Opcode.TEXT, json.dumps([None, ref, f"chat_room:{room}", event, payload]).encode())
                for ref, (room, event, payload) in zip(refs, pushes, strict=True)
            )
        )
        return refs

    def heartbeat(self) -> None:
        """Sends a heartbeat, and returns when it is answered."""
        self.websocket.send(Opcode.TEXT, b'[null,"beat","phoenix","heartbeat",{}]')
        self.wait_for("phx_reply", "beat")

    def wait_for(self, event: str, ref: str | None = None) -> Any:
        """Returns the payload of the next such event, with that ref if one is given. Drops the frames before it."""
        return next(each.payload for each in self.frames() if each.event == event and ref in (None, each.ref))

    def receive_until(self, is_last: Callable[[PhoenixFrame], bool]) -> list[PhoenixFrame]:
        """Returns the frames up to the first for which `is_last` is true."""
        received = []
        for each in self.frames():
            received.append(each)
            if is_last(each):
                break
        return received

    def frames(self) -> Iterator[PhoenixFrame]:
        """Yields the frames that arrive, a pong as an event of that name. Raises `Closed`."""
        while True:
            received = self.websocket.receive()
            match received.opcode:
                case Opcode.CLOSE:
                    raise Closed(int.from_bytes(received.data))
                case Opcode.PONG:
                    yield PhoenixFrame(None, None, "", "pong", received.data)
                case _:
                    yield PhoenixFrame(*json.loads(received.data))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.websocket.connection.close()
