"""Long polling, for clients that cannot hold a websocket: `GET` waits for messages, `POST` brings some.

The HTTP status of all that the transport itself answers is 200; the real one is `status` in the body, as in Phoenix.
Only a client that connects too often gets a 429.
"""

import asyncio
import base64
import binascii
import contextlib
import logging
import math
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Self

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from web.channels import wire
from web.channels.endpoint import Endpoint
from web.channels.socket import Socket
from web.channels.wire import DEFAULT_VERSION, LONGPOLL_SERIALIZERS, BadFrame, Serializer
from web.http.handler import Handler
from web.io.rfc6455 import CloseCode
from web.transport.request import Request, from_tornado
from web.transport.websocket import LINGER

logger = logging.getLogger(__name__)


class PollSessions:
    """Owns the poll sessions of a server, by token."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sessions: dict[str, PollSession] = {}
        self._bodies = 0  # bytes of the large bodies that are under way

    def open(self, serializer: Serializer, request: Request) -> str:
        """Begins a session and returns its token."""
        token = secrets.token_urlsafe(32)  # unguessable, so it needs no signature
        session = PollSession(serializer, request.params, self._endpoint, lambda: self._sessions.pop(token, None))
        self._sessions[token] = session
        self._endpoint.add(session, request.peer, request.headers)
        return token

    def find(self, token: str | None) -> "PollSession | None":
        """Returns the living session of that token."""
        return self._sessions.get(token) if token else None

    def reserve(self, size: int) -> bool:
        """Returns whether a large body of `size` bytes may come. Call `release` with the same size at its end."""
        if self._bodies and self._bodies + size > self._endpoint.settings.max_poll_bodies_bytes:
            return False
        self._bodies += size
        return True

    def release(self, size: int) -> None:
        """Gives back what `reserve` granted."""
        self._bodies -= size


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
        self._post_lock = asyncio.Lock()
        self._idle_timer = self._loop.call_later(self._idle_timeout, self._check_idle)
        self._socket = Socket(self, params, endpoint)

    has_unsent = True  # everything waits for a poll

    @property
    def writer(self) -> Self:
        return self

    @property
    def takes_frames(self) -> bool:
        return not (self._has_ended or self._has_overflowed)

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

    async def begin_post(self) -> bool:
        """Waits until no other POST is under way, and returns whether that was in time. Call `end_post` at its end."""
        try:
            await asyncio.wait_for(self._post_lock.acquire(), 2 * self._endpoint.settings.body_timeout)
        except TimeoutError:
            return False
        return True

    def end_post(self) -> None:
        """Has the next POST begin."""
        self._post_lock.release()

    def receive(self, message: bytes, *, binary: bool = False) -> None:
        """Handles one message of a POST. Raises `BadFrame`; the session lives on."""
        if self._has_ended:
            return  # an earlier message of the same POST has ended it
        largest = self._endpoint.settings.max_frame_bytes
        if len(message) > largest:
            raise BadFrame(f"expected a message of at most {largest} bytes, got {len(message)}")
        self._socket.receive(wire.decode_binary(message) if binary else self.serializer.decode(message))

    async def poll(self, gone: asyncio.Event) -> list[str] | None:
        """Returns the frames that wait, or the first to come within the window, or none.

        If the client is `gone` by then, frames are kept for its next poll. Returns None once a later poll takes the
        place of this one.
        """
        self._polled_at = self._loop.time()
        if self._has_overflowed:
            self._has_overflowed = False
            self._socket.drained()  # rooms answer while this poll waits
        if not self._unsent and not self._has_ended:
            self._wake_poll()
            self._waiting_poll = poll = self._loop.create_future()
            await asyncio.wait([poll], timeout=self._endpoint.settings.poll_window)
            if self._waiting_poll is not poll:
                return None
            if gone.is_set():
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
        self._has_whole_body = False
        self._posting: PollSession | None = None  # whose next POST waits for the end of this one
        self._reserved = 0  # bytes of its large body

    def prepare(self) -> Awaitable[None] | None:
        """Reads the request. Bounds the body, which may be large only for a session, and waits for its turn."""
        try:
            self._request = from_tornado(self.request)
        except ValueError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST) from error
        session = self._sessions.find(self._token()) if self.request.method == "POST" else None
        settings = self._endpoint.settings
        largest = settings.max_frame_bytes if session is None else settings.max_poll_body_bytes
        self._connection.set_max_body_size(largest)
        return None if session is None else self._begin_post(session, largest)

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
            self._answer(messages=[], status=410, token=self._sessions.open(serializer, self._request))
            return
        messages = await session.poll(self._gone)
        sent = self._answer(messages=messages or [], status=200 if messages else 204, token=self._token())
        if messages is None:
            with contextlib.suppress(StreamClosedError):
                await sent
            self._connection.close()  # it would be kept for nothing: the client polls on another one

    async def post(self) -> None:
        """Takes messages."""
        self._has_whole_body = True
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
        if not self._has_whole_body:
            self._end_post()

    def on_finish(self) -> None:
        self._end_post()

    async def _begin_post(self, session: PollSession, largest: int) -> None:
        """Waits for the end of an earlier POST. Its body, if that is large, is taken where all together are bounded."""
        size = self._declared_size(largest)
        if not await session.begin_post():
            self._refuse_busy()
            return
        self._posting = session
        if size > self._endpoint.settings.max_frame_bytes:
            if not self._sessions.reserve(size):
                self._refuse_busy()
                return
            self._reserved = size

    def _declared_size(self, largest: int) -> int:
        """Returns how large the body may become; Tornado holds it to that."""
        declared = self.request.headers.get("Content-Length", "")
        return min(int(declared), largest) if re.fullmatch(r"\d{1,18}", declared) else largest

    def _end_post(self) -> None:
        self._body = bytearray()  # at once: a handler is part of a circle, which may wait long to be collected
        session, self._posting = self._posting, None
        if session is not None:
            session.end_post()
        self._sessions.release(self._reserved)
        self._reserved = 0

    def _refuse_busy(self) -> None:
        self._answer(status=503, reason="busy", retry_after_ms=1_000)  # after 503 phoenix.js comes back

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
        if "application/x-ndjson" not in self.request.headers.get("Content-Type", ""):
            yield bytes(self._body), False
            return
        most = self._endpoint.settings.max_poll_messages
        lines = self._body.split(b"\n", most)[:most]
        self._body.clear()  # the lines are copies
        for line in lines:
            if line or len(lines) == 1:
                yield _message(bytes(line), self._endpoint.settings.max_frame_bytes)

    def _serializer(self) -> Serializer | None:
        if not self._endpoint.admits_page(self._request.headers):
            return None
        return LONGPOLL_SERIALIZERS.get(self._request.params.get("vsn", DEFAULT_VERSION))

    def _connect_wait(self) -> float:
        return self._endpoint.take_connect_token(self._request.peer, self._request.headers)

    def _token(self) -> str | None:
        return self._request.header("x-phoenix-longpoll-token") or self._request.params.get("token")

    @property
    def _connection(self) -> HTTP1Connection:
        assert isinstance(self.request.connection, HTTP1Connection)
        return self.request.connection

    def _answer(self, **body: Any) -> Awaitable[None]:
        return self.finish(msgspec.json.encode(body))


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
