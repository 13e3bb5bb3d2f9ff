"""Long polling, for clients that cannot hold a websocket: `GET` waits for messages, `POST` brings some.

The HTTP status of all that the transport itself answers is 200; the real one is `status` in the body, as in Phoenix.
Only a client that connects too often gets a 429.
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
from tornado.web import HTTPError, stream_request_body

from web.channels import wire
from web.channels.endpoint import Endpoint
from web.channels.socket import Socket
from web.channels.wire import DEFAULT_VERSION, LONGPOLL_SERIALIZERS, BadFrame, Serializer
from web.http.handler import Handler
from web.io.rfc6455 import CloseCode
from web.transport.request import from_tornado
from web.transport.websocket import LINGER

logger = logging.getLogger(__name__)


class PollSessions:
    """Owns the poll sessions of a server, by token."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sessions: dict[str, PollSession] = {}

    def open(self, serializer: Serializer, params: Mapping[str, str]) -> str:
        """Begins a session and returns its token."""
        token = secrets.token_urlsafe(32)  # unguessable, so it needs no signature
        self._sessions[token] = PollSession(serializer, params, self._endpoint, lambda: self._sessions.pop(token, None))
        return token

    def find(self, token: str | None) -> "PollSession | None":
        """Returns the living session of that token."""
        return self._sessions.get(token) if token else None


class PollSession:
    """One client that polls. It ends when it has not polled for one and a half windows.

    Plays `Transport` for its `Socket`, and `Writer`: what is written waits for the next poll.
    """

    def __init__(
        self,
        serializer: Serializer,
        params: Mapping[str, str],
        endpoint: Endpoint,
        on_end: Callable[[], object],
    ) -> None:
        self.serializer = serializer
        self._endpoint = endpoint
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._has_overflowed = False  # what is written is dropped until the next poll
        self._waiting_poll: asyncio.Future[None] | None = None
        self._polled_at = self._loop.time()
        self._has_ended = False
        self._idle_timer = self._loop.call_later(self._idle_timeout, self._check_idle)
        self._socket = Socket(self, params, endpoint)
        endpoint.connections.add(self)

    has_unsent = True  # everything waits for a poll

    @property
    def writer(self) -> Self:
        return self

    def write(self, frames: bytes) -> None:
        """Keeps frames for the next poll, and wakes a poll that waits."""
        if self._has_ended or self._has_overflowed or not frames:
            return
        if self._unsent_bytes > self._endpoint.settings.max_unsent_bytes:
            self._overflow()
            return
        self._unsent.append(frames)
        self._unsent_bytes += len(frames)
        self._wake_poll()

    def close(self, code: CloseCode) -> None:
        """Ends the session: a waiting poll gets what is there, a later one is told that the session is gone."""
        if self._has_ended:
            return
        logger.debug("poll session ended with %d", code)
        self._has_ended = True
        self._idle_timer.cancel()
        self._socket.on_closed()
        if code is CloseCode.SERVICE_RESTART and self._unsent:
            self._idle_timer = self._loop.call_later(LINGER, self._forget)  # its answers wait for one more poll
        else:
            self._forget()
        self._wake_poll()

    def receive(self, message: bytes, *, binary: bool = False) -> None:
        """Handles one message of a POST. Raises `BadFrame`; the session lives on."""
        if self._has_ended:
            return  # an earlier message of the same POST has ended it
        largest = self._endpoint.settings.max_frame_bytes
        if len(message) > largest:
            raise BadFrame(f"expected a message of at most {largest} bytes, got {len(message)}")
        self._socket.receive(wire.decode_binary(message) if binary else self.serializer.decode(message))

    async def poll(self, gone: asyncio.Event) -> list[str]:
        """Returns the frames that wait, or the first to come within the window, or none.

        If the client is `gone` by then, frames are kept for its next poll.
        """
        self._polled_at = self._loop.time()
        if self._has_overflowed:
            self._has_overflowed = False
            self._socket.drained()  # rooms answer while this poll waits
        if not self._unsent and not self._has_ended:
            self._waiting_poll = poll = self._loop.create_future()  # an earlier poll just waits out its window
            await asyncio.wait([poll], timeout=self._endpoint.settings.poll_window)
            if self._waiting_poll is not poll or gone.is_set():
                return []
            self._waiting_poll = None
        frames, self._unsent, self._unsent_bytes = self._unsent, [], 0
        if self._has_ended:
            self._forget()
        elif not self._has_overflowed:
            self._socket.drained()
        return b"".join(frames).decode().split("\n")[:-1]

    def _overflow(self) -> None:
        self._has_overflowed = True
        self._unsent, self._unsent_bytes = [], 0
        self._socket.overflowed()

    def _wake_poll(self) -> None:
        if self._waiting_poll is not None and not self._waiting_poll.done():
            self._waiting_poll.set_result(None)

    @property
    def _idle_timeout(self) -> float:
        return 1.5 * self._endpoint.settings.poll_window

    def _forget(self) -> None:
        self._idle_timer.cancel()
        self._endpoint.forget(self)
        self._on_end()

    def _check_idle(self) -> None:
        if self._loop.time() - self._polled_at >= self._idle_timeout:
            self.close(CloseCode.GOING_AWAY)
        else:
            self._idle_timer = self._loop.call_later(self._idle_timeout, self._check_idle)


@stream_request_body
class LongPollHandler(Handler):
    """`/socket/longpoll`. Gathers the body of a POST itself, since Tornado would parse one that calls itself a form."""

    def initialize(self, endpoint: Endpoint, sessions: PollSessions) -> None:
        self._endpoint = endpoint
        self._sessions = sessions
        self._gone = asyncio.Event()
        self._body = bytearray()

    def prepare(self) -> None:
        """Reads the request, and bounds the body, which may be long only if it is for a session."""
        try:
            self._request = from_tornado(self.request)
        except ValueError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST) from error
        known = self._sessions.find(self._token()) is not None
        settings = self._endpoint.settings
        assert isinstance(self.request.connection, HTTP1Connection)
        self.request.connection.set_max_body_size(settings.max_poll_body_bytes if known else settings.max_frame_bytes)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    def set_default_headers(self) -> None:
        """Sets the headers of Phoenix 1.8."""
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json; charset=utf-8")

    async def get(self) -> None:
        """Waits for messages, or begins a session. While the server stops, the answers to what was heard still come."""
        serializer, session = self._serializer(), self._sessions.find(self._token())
        if serializer is None or not (session or self._endpoint.is_accepting):
            self._answer(status=500 if serializer else 403)  # phoenix.js comes back after 500, and after no other
            return
        if session is None and (wait := self._connect_wait()):
            self.set_status(HTTPStatus.TOO_MANY_REQUESTS)
            self.set_header("Retry-After", math.ceil(wait))
            self._answer(status=500, reason="rate_limited", retry_after_ms=math.ceil(1_000 * wait))
            return
        if session is None:
            token = self._sessions.open(serializer, self._request.params)
            self._answer(messages=[], status=410, token=token)
            return
        messages = await session.poll(self._gone)
        self._answer(messages=messages, status=200 if messages else 204, token=self._token())

    async def post(self) -> None:
        """Takes messages."""
        session = self._sessions.find(self._token())
        if self._serializer() is None:
            self._answer(status=403)
        elif not self._endpoint.is_accepting:
            self._answer(status=503)
        elif session is None:
            self._answer(status=410)
        else:
            await self._receive(session)

    def options(self) -> None:
        """Lets pages of other origins ask; whether they are served is decided when they do."""
        self.set_header("Access-Control-Allow-Methods", "get, post, options")
        self.set_header("Access-Control-Max-Age", "3600")
        asked = self.request.headers.get("Access-Control-Request-Headers")
        if asked is not None:
            self.set_header("Access-Control-Allow-Headers", asked)

    def put(self) -> None:
        self.set_status(HTTPStatus.BAD_REQUEST)

    head = patch = delete = put

    def on_connection_close(self) -> None:
        self._gone.set()

    async def _receive(self, session: PollSession) -> None:
        try:
            for message, binary in self._messages():
                if not self._endpoint.is_accepting:
                    self._answer(status=503)
                    return
                session.receive(message, binary=binary)
                await asyncio.sleep(0)  # serves others: 100 messages of 64 KiB take 0.2 s
        except BadFrame as error:
            self._answer(status=400, reason="bad frame", message=str(error))
        else:
            self._answer(status=200)

    def _messages(self) -> Iterator[tuple[bytes, bool]]:
        """Yields the messages in the body, each with whether it is binary: lines of x-ndjson, else one message."""
        body = bytes(self._body)
        if "application/x-ndjson" not in self.request.headers.get("Content-Type", ""):
            yield body, False
            return
        most = self._endpoint.settings.max_poll_messages
        lines = body.split(b"\n", most)[:most]
        for line in lines:
            if line or len(lines) == 1:
                yield _message(line, self._endpoint.settings.max_frame_bytes)

    def _serializer(self) -> Serializer | None:
        if not self._endpoint.admits_page(self._request.headers):
            return None
        return LONGPOLL_SERIALIZERS.get(self._request.params.get("vsn", DEFAULT_VERSION))

    def _connect_wait(self) -> float:
        return self._endpoint.connect_wait(self._request.peer, self._request.headers)

    def _token(self) -> str | None:
        return self._request.header("x-phoenix-longpoll-token") or self._request.params.get("token")

    def _answer(self, **body: Any) -> None:
        self.finish(msgspec.json.encode(body))


def _message(line: bytes, largest: int) -> tuple[bytes, bool]:
    """Reads a line of x-ndjson: text if it begins like JSON, else base64 of a binary frame. Raises `BadFrame`."""
    if line[:1] in (b"[", b"{", b""):
        return line, False
    if len(line) > 2 * largest:  # 8 MB of base64 take 10 ms to decode
        raise BadFrame(f"expected a message of at most {largest} bytes")
    try:
        return base64.b64decode(line, validate=True), True
    except binascii.Error as error:
        raise BadFrame(f"expected JSON or base64 in each line, got {line[:80]!r}") from error
