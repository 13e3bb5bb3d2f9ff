"""Clients whose tests read like a transcript: `ann.says(…)`, `bo.hears(…)`."""

import json

from tests.support.phoenix_client import (
    NDJSON,
    TIMEOUT,
    Frame,
    LongPoll,
    Opcode,
    Request,
    WebSocket,
    frame,
    wait_until_read,
)
from tests.web.wire.placeholders import JOINED, OK, Placeholders, is_compact

FIN_TIMEOUT = 1.5
"""Seconds within which the server's FIN must follow its close frame.

It is less than the two seconds after which the server gives up waiting for the client.
"""


class WebSocketClient:
    """WebSocketClient is one client on a websocket.

    It compares each frame that it hears: no other frame may come between.
    """

    def __init__(self, name: str, websocket: WebSocket, placeholders: Placeholders) -> None:
        self.websocket = websocket
        self._name = name
        self._placeholders = placeholders
        self._is_ended = False  # no more frames are expected

    def says(self, *texts: str) -> None:
        """Sends a text frame, or several in one packet."""
        self.websocket.connection.send(b"".join(frame(Opcode.TEXT, text.encode()) for text in texts))

    def says_binary(self, frame: bytes) -> None:
        """Sends a binary frame."""
        self.websocket.send(Opcode.BINARY, frame)

    def says_close(self, code: int | None = None, reason: str = "") -> None:
        """Sends a close frame; an empty one without a code."""
        self.websocket.send(Opcode.CLOSE, b"" if code is None else code.to_bytes(2) + reason.encode())

    def joins(self, topic: str, join_ref: str = "3") -> None:
        """Joins a room, and checks the answer."""
        self.says(f'["{join_ref}","{join_ref}","{topic}","phx_join",{{}}]')
        self.hears(f'["{join_ref}","{join_ref}","{topic}","phx_reply",{JOINED}]')

    def hears(self, expected: str) -> None:
        """Checks that the next frame is text, and matches this JSON and its placeholders."""
        text = self._next(expected, Opcode.TEXT).data.decode()
        self._check(self._placeholders.match(json.loads(expected), json.loads(text)), expected, text)
        self._check(is_compact(text), "no white space", text)

    def hears_exactly(self, expected: str) -> None:
        """Checks that the next frame is this text, byte for byte."""
        text = self._next(expected, Opcode.TEXT).data.decode()
        self._check(text == expected, expected, text)

    def hears_binary(self, expected: bytes) -> None:
        """Checks that the next frame is binary, with this data."""
        data = self._next(expected.hex(), Opcode.BINARY).data
        self._check(data == expected, expected.hex(), data.hex())

    def hears_pong(self, expected: bytes) -> None:
        """Checks that the next frame is a pong with this data."""
        data = self._next(f"PONG {expected!r}", Opcode.PONG).data
        self._check(data == expected, f"PONG {expected!r}", f"PONG {data!r}")

    def hears_close(self, code: int) -> None:
        """Checks that the next frame is a close with this code and no reason.

        The server must then end its side of the connection at once.
        """
        data = self._next(f"CLOSE {code}", Opcode.CLOSE).data
        self._check(data == code.to_bytes(2), f"CLOSE {code}", f"CLOSE {data.hex()}")
        self._check(self.websocket.connection.is_readable(FIN_TIMEOUT), "TCP FIN", f"nothing within {FIN_TIMEOUT:g} s")
        try:
            more = self.websocket.receive()
        except EOFError:
            self._is_ended = True
        else:
            raise self._failure("TCP FIN", str(more))

    def hears_nothing_for(self, seconds: float) -> None:
        """Checks that no byte arrives in that time."""
        if self.websocket.connection.is_readable(seconds):
            raise self._failure("silence", str(self.websocket.receive()))

    def lives(self) -> None:
        """Checks that a heartbeat is answered."""
        self.says('[null,"alive?","phoenix","heartbeat",{}]')
        self.hears(f'[null,"alive?","phoenix","phx_reply",{OK}]')

    def hangs_up(self) -> None:
        """Closes the TCP connection without a close frame."""
        self._is_ended = True
        self.websocket.connection.close()

    def hears_no_more(self) -> None:
        """Checks that the next frame is the pong to a ping, unless the connection ended."""
        if not self._is_ended:
            self.websocket.send(Opcode.PING, b"no more?")
            self.hears_pong(b"no more?")

    def _next(self, expected: str, opcode: Opcode) -> Frame:
        try:
            got = self.websocket.receive()
        except EOFError:
            raise self._failure(expected, "TCP FIN") from None
        except TimeoutError:
            raise self._failure(expected, f"nothing within {TIMEOUT:g} s") from None
        self._check(got[2:] == (True, 0, False), "a final, unmasked frame with no reserved bits", str(got))
        self._check(got.opcode == opcode, expected, f"{got.opcode} {got.data!r}")
        return got

    def _check(self, claim: bool, expected: str, got: str) -> None:
        if not claim:
            raise self._failure(expected, got)

    def _failure(self, expected: str, got: str) -> AssertionError:
        return AssertionError(f"{self._name} expected\n  {expected}\ngot\n  {got}")


class LongPollClient:
    """LongPollClient is one client of a poll session.

    It compares each frame that it hears, and polls as often as that takes.
    """

    def __init__(self, name: str, session: LongPoll, placeholders: Placeholders) -> None:
        self.session = session
        self._name = name
        self._placeholders = placeholders
        self._heard: list[str] = []
        self._polls: list[Request] = []
        opened = session.open()
        assert placeholders.match({"messages": [], "status": 410, "token": f"<token {name}>"}, opened), opened

    def says(self, *messages: str, content_type: str = NDJSON) -> None:
        """Posts messages, and checks that they are accepted."""
        answer = self.session.post(*messages, content_type=content_type)
        assert answer == {"status": 200}, answer

    def starts_poll(self) -> Request:
        """Starts a poll, and returns when the node to which it comes has read it. The test reads the answer."""
        poll = self.session.start_get()
        self._polls.append(poll)
        wait_until_read(self.session.port)
        assert not poll.connection.is_readable(0)
        return poll

    def starts_poll_at_its_node(self) -> Request:
        """Starts the first poll at the node of the session: one that another node passes on may come behind a later."""
        self.session.move()
        return self.starts_poll()

    def hears(self, *expected: str) -> None:
        """Checks that the next frames are these."""
        for wanted in expected:
            while not self._heard:
                self._poll(wanted)
            got = self._heard.pop(0)
            matches = self._placeholders.match(json.loads(wanted), json.loads(got))
            assert matches, f"{self._name} expected\n  {wanted}\ngot\n  {got}"
            assert is_compact(got), got

    def hears_no_more(self) -> None:
        """Checks that the next frame is the answer to a heartbeat."""
        self.says('[null,"alive?","phoenix","heartbeat",{}]')
        self.hears(f'[null,"alive?","phoenix","phx_reply",{OK}]')
        assert not self._heard, self._heard

    def hangs_up(self) -> None:
        """Closes the connections of all polls."""
        for poll in self._polls:
            poll.abandon()

    def _poll(self, expected: str) -> None:
        answer = self.session.get()
        assert answer.keys() == {"messages", "status", "token"}, answer
        assert answer["status"] == 200, f"{self._name} expected\n  {expected}\ngot\n  {answer}"
        assert answer["token"] == self.session.token, "the token stays the same"
        self._heard += answer["messages"]
