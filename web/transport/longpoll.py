"""Long polling, for clients that cannot hold a websocket: `GET` waits for messages, `POST` brings some.

The HTTP status is 200 for all that the transport itself answers; the real one is `status` in the body, as in Phoenix.
Only who comes too often gets a 429.
"""

import asyncio
import base64
import binascii
import logging
import math
import secrets
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Self

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.web import stream_request_body

from web.channels import wire
from web.channels.endpoint import Edge
from web.channels.socket import Socket
from web.channels.wire import BadFrame, Dialect
from web.http.handler import Handler
from web.io.rfc6455 import CloseCode

logger = logging.getLogger(__name__)


class Sessions:
    """The poll sessions of a server, by token."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._sessions: dict[str, PollSession] = {}

    def open(self, dialect: Dialect, params: Mapping[str, str]) -> str:
        """Begin a session and return its token."""
        token = secrets.token_urlsafe(32)  # unguessable, so it needs no signature
        self._sessions[token] = PollSession(dialect, params, self._edge, lambda: self._sessions.pop(token))
        return token

    def find(self, token: str | None) -> "PollSession | None":
        """The living session of that token."""
        return self._sessions.get(token) if token else None


class PollSession:
    """One client that polls: a `Transport` for its `Socket`. Ends when nobody polls for one and a half windows."""

    def __init__(
        self,
        dialect: Dialect,
        params: Mapping[str, str],
        edge: Edge,
        on_end: Callable[[], object],
    ) -> None:
        self.dialect = dialect
        self._edge = edge
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._lagging = False  # nothing is kept until the next poll
        self._poll: asyncio.Future[None] | None = None  # wakes the poll that waits
        self._polled_at = self._loop.time()
        self._ended = False
        self._watch = self._loop.call_later(self._patience, self._check)
        self._socket = Socket(self, params, edge)
        edge.connections.add(self)

    is_behind = True  # everything waits for a poll

    @property
    def outbox(self) -> Self:
        """As `Transport`: the next poll takes what is here."""
        return self

    def write(self, frames: bytes) -> None:
        """Keep frames for the next poll; wake the one that waits."""
        if self._ended or self._lagging or not frames:
            return
        if self._unsent_bytes > self._edge.settings.max_unsent_bytes:
            self._lag()
            return
        self._unsent.append(frames)
        self._unsent_bytes += len(frames)
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def close(self, code: int) -> None:
        """End the session: a waiting poll gets what is there, a later one is told that the session is gone."""
        if self._ended:
            return
        logger.debug("poll session ended with %d", code)
        self._ended = True
        self._watch.cancel()
        self._edge.forget(self)
        self._on_end()
        self._socket.closed()
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def receive(self, message: bytes, *, binary: bool = False) -> None:
        """Deal with one message of a POST. Raises `BadFrame`; the session lives on."""
        if self._ended:
            return  # one of the messages before it in the same POST was the end
        largest = self._edge.settings.max_frame_bytes
        if len(message) > largest:
            raise BadFrame(f"expected a message of at most {largest} bytes, got {len(message)}")
        self._socket.receive(wire.decode_binary(message) if binary else self.dialect.decode(message))

    async def poll(self, gone: asyncio.Event) -> list[str]:
        """The frames that wait, or the first to come within the window, or none.

        Once the client is `gone`, what comes is kept for its next poll.
        """
        self._polled_at = self._loop.time()
        if self._lagging:
            self._catch_up()  # rooms answer while this poll waits
        if not self._unsent and not self._ended:
            self._poll = poll = self._loop.create_future()  # an earlier poll just waits out its window
            await asyncio.wait([poll], timeout=self._edge.settings.poll_window)
            if self._poll is not poll or gone.is_set():
                return []
            self._poll = None
        frames, self._unsent, self._unsent_bytes = self._unsent, [], 0
        if not self._lagging:
            self._socket.drained()
        return b"".join(frames).decode().split("\n")[:-1]

    def _lag(self) -> None:
        self._lagging = True
        self._unsent, self._unsent_bytes = [], 0
        self._socket.overflowed()

    def _catch_up(self) -> None:
        self._lagging = False
        self._socket.drained()

    @property
    def _patience(self) -> float:
        return 1.5 * self._edge.settings.poll_window

    def _check(self) -> None:
        if self._loop.time() - self._polled_at >= self._patience:
            self.close(CloseCode.GOING_AWAY)
        else:
            self._watch = self._loop.call_later(self._patience, self._check)


@stream_request_body
class LongPollHandler(Handler):
    """`/socket/longpoll`. Gathers the body of a POST itself: Tornado would parse one that calls itself a form."""

    def initialize(self, edge: Edge, sessions: Sessions) -> None:
        """Tornado's constructor."""
        self._edge = edge
        self._sessions = sessions
        self._gone = asyncio.Event()
        self._body = bytearray()

    def prepare(self) -> None:
        """A body may be long if it is for a session."""
        known = self._sessions.find(self._token()) is not None
        settings = self._edge.settings
        assert isinstance(self.request.connection, HTTP1Connection)
        self.request.connection.set_max_body_size(settings.max_poll_body_bytes if known else settings.max_frame_bytes)

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._body += chunk

    def set_default_headers(self) -> None:
        """As Phoenix 1.8."""
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json; charset=utf-8")

    async def get(self) -> None:
        """Wait for messages, or begin a session."""
        dialect = self._dialect()
        if dialect is None or not self._edge.hearing:
            self._answer(status=500 if dialect else 403)  # phoenix.js comes back after 500, and after no other
            return
        session = self._sessions.find(self._token())
        if session is None and (wait := self._edge.connect(self._address())):
            self.set_status(HTTPStatus.TOO_MANY_REQUESTS)
            self.set_header("Retry-After", math.ceil(wait))
            self._answer(status=500, reason="rate_limited", retry_after_ms=math.ceil(1_000 * wait))
            return
        if session is None:
            params = {name: self.get_argument(name) for name in self.request.arguments}
            self._answer(messages=[], status=410, token=self._sessions.open(dialect, params))
            return
        messages = await session.poll(self._gone)
        self._answer(messages=messages, status=200 if messages else 204, token=self._token())

    async def post(self) -> None:
        """Take messages."""
        session = self._sessions.find(self._token())
        if self._dialect() is None:
            self._answer(status=403)
        elif not self._edge.hearing:
            self._answer(status=503)
        elif session is None:
            self._answer(status=410)
        else:
            await self._take(session)

    def options(self) -> None:
        """Let pages of other origins ask; whether they are served is decided when they do."""
        self.set_header("Access-Control-Allow-Methods", "get, post, options")
        self.set_header("Access-Control-Max-Age", "3600")
        asked = self.request.headers.get("Access-Control-Request-Headers")
        if asked is not None:
            self.set_header("Access-Control-Allow-Headers", asked)

    def put(self) -> None:
        """Not for polling."""
        self.set_status(HTTPStatus.BAD_REQUEST)

    head = patch = delete = put

    def on_connection_close(self) -> None:
        """The client hung up."""
        self._gone.set()

    async def _take(self, session: PollSession) -> None:
        try:
            for message, binary in self._messages():
                if not self._edge.hearing:
                    self._answer(status=503)
                    return
                session.receive(message, binary=binary)
                await asyncio.sleep(0)  # others first: 100 messages of 64 KiB take 0.2 s
        except BadFrame as error:
            self._answer(status=400, reason="bad frame", message=str(error))
        else:
            self._answer(status=200)

    def _messages(self) -> Iterator[tuple[bytes, bool]]:
        """The messages in the body, each with whether it is binary: lines for x-ndjson, one for any other type."""
        body = bytes(self._body)
        if "application/x-ndjson" not in self.request.headers.get("Content-Type", ""):
            yield body, False
            return
        most = self._edge.settings.max_poll_messages
        lines = body.split(b"\n", most)[:most]
        for line in lines:
            if line or len(lines) == 1:
                yield _message(line, self._edge.settings.max_frame_bytes)

    def _dialect(self) -> Dialect | None:
        if not self._edge.admits(self.request.headers.get("Origin"), self.request.host):
            return None
        return wire.LONGPOLL_DIALECTS.get(self.get_argument("vsn", "1.0.0"))

    def _address(self) -> str:
        return self._edge.address(str(self.request.remote_ip), self.request.headers.get("X-Forwarded-For", ""))

    def _token(self) -> str | None:
        return self.request.headers.get("X-Phoenix-Longpoll-Token") or self.get_query_argument("token", None)

    def _answer(self, **body: Any) -> None:
        self.finish(msgspec.json.encode(body))


def _message(line: bytes, largest: int) -> tuple[bytes, bool]:
    """A line of x-ndjson: text if it begins like JSON, else base64 of a binary frame. Raises `BadFrame`."""
    if line[:1] in (b"[", b"{", b""):
        return line, False
    if len(line) > 2 * largest:  # 8 MB of base64 take 10 ms
        raise BadFrame(f"expected a message of at most {largest} bytes")
    try:
        return base64.b64decode(line, validate=True), True
    except binascii.Error as error:
        raise BadFrame(f"expected JSON or base64 in each line, got {line[:80]!r}") from error
