"""Long polling, for clients that cannot hold a websocket: `GET` waits for messages, `POST` brings some.

The HTTP status of all that the transport itself answers is 200; the real one is `status` in the body, as in Phoenix.
Only a client that connects too often gets a 429.
"""

import asyncio
import base64
import binascii
import contextlib
import math
import re
from collections.abc import Awaitable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from chatter.accounts.values import AccountRefused
from chatter.cluster.errors import NoAnswer
from web.channels.endpoint import Endpoint
from web.channels.wire import DEFAULT_VERSION, LONGPOLL_SERIALIZERS, BadFrame, Serializer
from web.http.handler import Handler
from web.transport.poll_session import Message, Session, SessionGone
from web.transport.poll_sessions import PollSessions
from web.transport.request import Request, from_tornado


@stream_request_body
class LongPollHandler(Handler):
    """`/socket/longpoll`. Gathers the body of a POST itself, since Tornado would parse one that calls itself a form."""

    def initialize(self, endpoint: Endpoint, sessions: PollSessions) -> None:
        self._endpoint = endpoint
        self._sessions = sessions
        self._gone: asyncio.Future[None] = endpoint.loop.create_future()
        self._body = bytearray()
        self._has_whole_body = False
        self._posting: Session | None = None  # whose next POST waits for the end of this one
        self._reserved = 0  # bytes of its large body

    def prepare(self) -> Awaitable[None] | None:
        """Reads the request. Bounds the body, which may be large only for a session, and waits for its turn."""
        try:
            self._request = from_tornado(self.request)
        except ValueError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST) from error
        self._proof = _RequestProof(self._endpoint, self._request, reads=self.request.method == "GET")
        self._connection.set_max_body_size(self._endpoint.settings.max_frame_bytes)
        session = self._sessions.find(self._token()) if self.request.method == "POST" else None
        return None if session is None else self._begin_post(session)

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
        if serializer is None:
            self._answer(status=403)
            return
        try:
            if session is None:
                raise SessionGone
            frames = await session.poll(self._proof, self._gone, self._connection.stream)
        except SessionGone:
            self._open(serializer)
        except AccountRefused as error:
            self._refuse_rate((error.retry_after_ms or 0) / 1_000)
        except NoAnswer:
            self._answer(status=500)  # what it has taken is lost, as with an answer that is
        else:
            await self._answer_poll(frames)

    async def post(self) -> None:
        """Takes messages."""
        self._has_whole_body = True
        if self._serializer() is None:
            self._answer(status=403)
        elif not self._endpoint.is_accepting:
            self._answer(status=503)
        elif self._posting is None:
            self._answer(status=410)
        else:
            await self._receive(self._posting)

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
        if not self._gone.done():
            self._gone.set_result(None)
        if not self._has_whole_body:
            self._end_post()

    def on_finish(self) -> None:
        self._end_post()

    def _open(self, serializer: Serializer) -> None:
        if not self._endpoint.is_accepting:
            self._answer(status=500)  # phoenix.js comes back after 500, and after no other
        elif wait := self._connect_wait():
            self._refuse_rate(wait)
        else:
            token = self._sessions.open(serializer, self._request, self._proof.shown)
            self._answer(messages=[], status=410, token=token)

    async def _answer_poll(self, frames: bytes | None) -> None:
        messages = (frames or b"").decode().split("\n")[:-1]
        sent = self._answer(messages=messages, status=200 if messages else 204, token=self._token())
        if frames is None:
            with contextlib.suppress(StreamClosedError):
                await sent
            self._connection.close()  # it would be kept for nothing: the client polls on another one

    async def _begin_post(self, session: Session) -> None:
        """Waits for the end of an earlier POST. Its body, if that is large, is taken where all together are bounded."""
        settings = self._endpoint.settings
        size = self._declared_size(settings.max_poll_body_bytes)
        try:
            has_begun = await session.begin_post(self._proof)
        except SessionGone:
            return  # it is told so after its body
        except AccountRefused as error:
            self._refuse_rate((error.retry_after_ms or 0) / 1_000)
            return
        except NoAnswer:
            self._refuse_busy()
            return
        if not has_begun:
            self._refuse_busy()
            return
        self._posting = session
        self._connection.set_max_body_size(settings.max_poll_body_bytes)
        if size > settings.max_frame_bytes:
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

    def _refuse_rate(self, wait: float) -> None:
        self.set_status(HTTPStatus.TOO_MANY_REQUESTS)
        self.set_header("Retry-After", math.ceil(wait))
        self._answer(status=500, reason="rate_limited", retry_after_ms=math.ceil(1_000 * wait))

    def _refuse_busy(self) -> None:
        self._answer(status=503, reason="busy", retry_after_ms=1_000)  # after 503 phoenix.js comes back

    async def _receive(self, session: Session) -> None:
        try:
            is_taken = await session.receive(self._messages())
        except SessionGone:
            self._answer(status=410)
        except BadFrame as error:
            self._answer(status=400, reason="bad frame", message=str(error))
        except NoAnswer:
            self._answer(status=503, reason="no_answer", retry_after_ms=1_000)
        else:
            self._answer(status=200 if is_taken else 503)

    def _messages(self) -> Iterator[Message]:
        """Yields the messages in the body: lines of x-ndjson, else one message. Raises `BadFrame`."""
        largest = self._endpoint.settings.max_frame_bytes
        if "application/x-ndjson" not in self.request.headers.get("Content-Type", ""):
            yield _within(largest, (bytes(self._body), False))
            return
        most = self._endpoint.settings.max_poll_messages
        lines = self._body.split(b"\n", most)[:most]
        self._body.clear()  # the lines are copies
        for line in lines:
            if line or len(lines) == 1:
                yield _within(largest, _message(bytes(line), largest))

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


class _RequestProof:
    """What a request shows. Plays `Proof`."""

    def __init__(self, endpoint: Endpoint, request: Request, *, reads: bool) -> None:
        self._endpoint = endpoint
        self._request = request
        self.shown = endpoint.credentials_of(request.headers, reads=reads)

    async def account(self) -> int | None:
        network = self._endpoint.network_of(self._request.peer, self._request.headers)
        try:
            author = (await self._endpoint.identify_counted(self.shown, network)).author
        except AccountRefused as error:
            if error.reason == "rate_limited":
                raise
            return None
        return None if author is None else author.id


def _within(largest: int, message: Message) -> Message:
    """Returns a message that is not too large. Raises `BadFrame`."""
    if len(message[0]) > largest:
        raise BadFrame(f"expected a message of at most {largest} bytes, got {len(message[0])}")
    return message


def _message(line: bytes, largest: int) -> Message:
    """Reads a line of x-ndjson: text if it begins like JSON, else base64 of a binary frame. Raises `BadFrame`."""
    if line[:1] in (b"[", b"{", b""):
        return line, False
    if len(line) > 2 * largest:  # 8 MB of base64 take 10 ms to decode
        raise BadFrame(f"expected a message of at most {largest} bytes")
    try:
        return base64.b64decode(line, validate=True), True
    except binascii.Error as error:
        raise BadFrame(f"expected JSON or base64 in each line, got {line[:80]!r}") from error
