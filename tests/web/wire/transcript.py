"""Who talks in these tests, so that a test reads like a transcript: `ann.says(…)`, `bo.hears(…)`."""

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

AT_ONCE = 1.5
"""Seconds: less than the two after which a server ends a connection that it has closed, whatever the client does."""


class Speaker:
    """One client on a websocket. What it hears is compared frame by frame: nothing may come between."""

    def __init__(self, name: str, websocket: WebSocket, placeholders: Placeholders) -> None:
        self.websocket = websocket
        self._name = name
        self._placeholders = placeholders
        self._done = False  # nothing more is to be heard

    def says(self, *texts: str) -> None:
        """A text frame, or several in one packet."""
        self.websocket.connection.send(b"".join(frame(Opcode.TEXT, text.encode()) for text in texts))

    def says_binary(self, frame: bytes) -> None:
        """A binary frame."""
        self.websocket.send(Opcode.BINARY, frame)

    def says_close(self, code: int | None = None, reason: str = "") -> None:
        """A close frame; empty without a code."""
        self.websocket.send(Opcode.CLOSE, b"" if code is None else code.to_bytes(2) + reason.encode())

    def joins(self, topic: str, join_ref: str = "3") -> None:
        """Join, where the joining is not what the test is about."""
        self.says(f'["{join_ref}","{join_ref}","{topic}","phx_join",{{}}]')
        self.hears(f'["{join_ref}","{join_ref}","{topic}","phx_reply",{JOINED}]')

    def hears(self, expected: str) -> None:
        """The next frame is text, and this JSON but for its placeholders."""
        text = self._next(expected, Opcode.TEXT).data.decode()
        self._insist(self._placeholders.match(json.loads(expected), json.loads(text)), expected, text)
        self._insist(is_compact(text), "no white space", text)

    def hears_exactly(self, expected: str) -> None:
        """The next frame is this text, byte for byte."""
        text = self._next(expected, Opcode.TEXT).data.decode()
        self._insist(text == expected, expected, text)

    def hears_binary(self, expected: bytes) -> None:
        """The next frame is binary, and this."""
        data = self._next(expected.hex(), Opcode.BINARY).data
        self._insist(data == expected, expected.hex(), data.hex())

    def hears_pong(self, expected: bytes) -> None:
        """The next frame is a pong with this."""
        data = self._next(f"PONG {expected!r}", Opcode.PONG).data
        self._insist(data == expected, f"PONG {expected!r}", f"PONG {data!r}")

    def hears_close(self, code: int) -> None:
        """The next frame is a close with this code and no reason, and then the server ends its side at once."""
        data = self._next(f"CLOSE {code}", Opcode.CLOSE).data
        self._insist(data == code.to_bytes(2), f"CLOSE {code}", f"CLOSE {data.hex()}")
        self._insist(self.websocket.connection.is_readable(AT_ONCE), "TCP FIN", f"nothing within {AT_ONCE:g} s")
        try:
            more = self.websocket.receive()
        except EOFError:
            self._done = True
        else:
            raise self._fault("TCP FIN", str(more))

    def hears_nothing_for(self, seconds: float) -> None:
        """No byte comes in that time."""
        if self.websocket.connection.is_readable(seconds):
            raise self._fault("silence", str(self.websocket.receive()))

    def lives(self) -> None:
        """The connection answers a heartbeat."""
        self.says('[null,"alive?","phoenix","heartbeat",{}]')
        self.hears(f'[null,"alive?","phoenix","phx_reply",{OK}]')

    def hangs_up(self) -> None:
        """Cut the connection without a word."""
        self._done = True
        self.websocket.connection.close()

    def hears_no_more(self) -> None:
        """What comes next is the answer to a ping, unless the connection is at its end."""
        if not self._done:
            self.websocket.send(Opcode.PING, b"no more?")
            self.hears_pong(b"no more?")

    def _next(self, expected: str, opcode: Opcode) -> Frame:
        try:
            got = self.websocket.receive()
        except EOFError:
            raise self._fault(expected, "TCP FIN") from None
        except TimeoutError:
            raise self._fault(expected, f"nothing within {TIMEOUT:g} s") from None
        self._insist(got[2:] == (True, 0, False), "a final, unmasked frame with no reserved bits", str(got))
        self._insist(got.opcode == opcode, expected, f"{got.opcode} {got.data!r}")
        return got

    def _insist(self, claim: bool, expected: str, got: str) -> None:
        if not claim:
            raise self._fault(expected, got)

    def _fault(self, expected: str, got: str) -> AssertionError:
        return AssertionError(f"{self._name} expected\n  {expected}\ngot\n  {got}")


class Poller:
    """One client that polls. What it hears is compared frame by frame, however many polls that takes."""

    def __init__(self, name: str, session: LongPoll, placeholders: Placeholders) -> None:
        self.session = session
        self._name = name
        self._placeholders = placeholders
        self._heard: list[str] = []
        self._polls: list[Request] = []
        opened = session.open()
        assert placeholders.match({"messages": [], "status": 410, "token": f"<token {name}>"}, opened), opened

    def says(self, *messages: str, content_type: str = NDJSON) -> None:
        """A POST, which is accepted."""
        answer = self.session.post(*messages, content_type=content_type)
        assert answer == {"status": 200}, answer

    def waits(self) -> Request:
        """A poll whose answer the test looks at itself. It has reached the server, and is not answered yet."""
        poll = self.session.start_get()
        self._polls.append(poll)
        wait_until_read(self.session.port)
        assert not poll.connection.is_readable(0)
        return poll

    def hears(self, *expected: str) -> None:
        """The next frames are these."""
        for wanted in expected:
            while not self._heard:
                self._poll(wanted)
            got = self._heard.pop(0)
            matches = self._placeholders.match(json.loads(wanted), json.loads(got))
            assert matches, f"{self._name} expected\n  {wanted}\ngot\n  {got}"
            assert is_compact(got), got

    def hears_no_more(self) -> None:
        """What comes next is the answer to a heartbeat."""
        self.says('[null,"alive?","phoenix","heartbeat",{}]')
        self.hears(f'[null,"alive?","phoenix","phx_reply",{OK}]')
        assert not self._heard, self._heard

    def hangs_up(self) -> None:
        """Cut the connections of all polls."""
        for poll in self._polls:
            poll.abandon()

    def _poll(self, expected: str) -> None:
        answer = self.session.get()
        assert answer.keys() == {"messages", "status", "token"}, answer
        assert answer["status"] == 200, f"{self._name} expected\n  {expected}\ngot\n  {answer}"
        assert answer["token"] == self.session.token, "the token stays the same"
        self._heard += answer["messages"]
