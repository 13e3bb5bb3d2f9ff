"""Poll sessions: what waits for clients that poll, from one poll to the next."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Self

from tornado.iostream import IOStream

from chatter.accounts.values import AccountRefused
from web.channels import wire
from web.channels.endpoint import Endpoint
from web.channels.socket import Socket
from web.channels.wire import BadFrame, Serializer
from web.identity.credentials import Credentials
from web.io.rfc6455 import CloseCode
from web.transport.request import Request
from web.transport.websocket import LINGER

logger = logging.getLogger(__name__)


_WITH_LAST_WORDS = {CloseCode.SERVICE_RESTART, CloseCode.TOKEN_EXPIRED, CloseCode.SIGNED_OUT}
"""Why a session ends whose client is told so by what waits for it: that stays for one more poll."""


class PollSessions:
    """Owns the poll sessions of a server, by token."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sessions: dict[str, PollSession] = {}
        self._bodies = 0  # bytes of the large bodies that are under way

    def open(self, serializer: Serializer, request: Request, credentials: Credentials | None) -> str:
        """Begins a session of whoever shows these, and returns its token."""
        token = secrets.token_urlsafe(32)  # unguessable, so it needs no signature
        session = PollSession(
            serializer, request.params, credentials, self._endpoint, lambda: self._sessions.pop(token, None)
        )
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
        credentials: Credentials | None,
        endpoint: Endpoint,
        on_end: Callable[[], object],
    ) -> None:
        self.serializer = serializer
        self._credentials = credentials
        self._endpoint = endpoint
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._has_overflowed = False  # what is written is dropped until the next poll
        self._waiting_poll: asyncio.Future[None] | None = None
        self._polled_at = self._loop.time()
        self._has_ended = False
        self._answering: IOStream | None = None  # the connection of the last answer, which may not be taken yet
        self._is_posting = False
        self._waiting_posts: deque[asyncio.Future[bool]] = deque()
        self._idle_timer = self._loop.call_later(self._idle_timeout, self._check_idle)
        self._socket = Socket(self, params, endpoint, credentials)

    has_unsent = True  # everything waits for a poll

    def is_of(self, credentials: Credentials | None, *, posts: bool) -> bool:
        """Returns whether a request shows what the session began with.

        phoenix.js sends its `authToken` with a poll and not with what it posts: there the poll session's own token,
        which nobody can guess, has to do. A browser sends its cookie with everything.
        """
        if posts and credentials is None and self._credentials is not None:
            return not self._credentials.is_cookie
        return credentials == self._credentials

    async def recognises(self, credentials: Credentials | None, network: str) -> bool:
        """Returns whether other credentials are the same person's. They are expected from then on.

        Raises `AccountRefused` where the `network` has shown too many that prove nothing.
        """
        try:
            author = (await self._endpoint.identify_counted(credentials, network)).author
        except AccountRefused as error:
            if error.reason == "rate_limited":
                raise
            return False
        mine = self._socket.principal.author
        if author is None or mine is None or author.id != mine.id:
            return False
        self._credentials = credentials
        return True

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
        for post in self._waiting_posts:
            _settle(post, False)
        self._socket.on_closed()
        if code in _WITH_LAST_WORDS and self._unsent:
            self._idle_timer = self._loop.call_later(LINGER, self._forget)  # its answers wait for one more poll
        else:
            self._forget()
        self._wake_poll()

    async def begin_post(self) -> bool:
        """Waits until no other POST is under way. Call `end_post` at its end.

        Returns False where that takes too long, or the session ends.
        """
        if not self._is_posting:
            self._is_posting = True
            return True
        post: asyncio.Future[bool] = self._loop.create_future()
        self._waiting_posts.append(post)
        self._loop.call_later(2 * self._endpoint.settings.body_timeout, _settle, post, False)
        return await post

    def end_post(self) -> None:
        """Has the next POST begin."""
        while self._waiting_posts:
            if _settle(self._waiting_posts.popleft(), True):
                return
        self._is_posting = False

    def receive(self, message: bytes, *, binary: bool = False) -> None:
        """Handles one message of a POST. Raises `BadFrame`; the session lives on."""
        if self._has_ended:
            return  # an earlier message of the same POST has ended it
        largest = self._endpoint.settings.max_frame_bytes
        if len(message) > largest:
            raise BadFrame(f"expected a message of at most {largest} bytes, got {len(message)}")
        self._socket.receive(wire.decode_binary(message) if binary else self.serializer.decode(message))

    async def poll(self, gone: asyncio.Event, connection: IOStream) -> list[str] | None:
        """Returns the frames that wait, or the first to come within the window, or none.

        If the client is `gone` by then, frames are kept for its next poll. Returns None once a later poll takes the
        place of this one. The answer is to go to `connection`; an earlier one that was not taken is given up.
        """
        self._polled_at = self._loop.time()
        self._cut_unread_answer()
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
        self._answering = connection
        if self._has_ended:
            self._forget()
        elif not self._has_overflowed:
            self._socket.drained()
        return b"".join(frames).decode().split("\n")[:-1]

    def _overflow(self) -> None:
        self._has_overflowed = True
        self._unsent, self._unsent_bytes = [], 0
        self._socket.overflowed()

    def _cut_unread_answer(self) -> None:
        """Closes the connection of an answer that the client has not taken: it would be kept beside the next ones."""
        if self._answering is not None and self._answering.writing():
            self._answering.close()
        self._answering = None

    def _wake_poll(self) -> None:
        if self._waiting_poll is not None and not self._waiting_poll.done():
            self._waiting_poll.set_result(None)

    @property
    def _idle_timeout(self) -> float:
        return 1.5 * self._endpoint.settings.poll_window

    def _forget(self) -> None:
        self._idle_timer.cancel()
        self._cut_unread_answer()
        self._endpoint.forget(self)
        self._on_end()

    def _check_idle(self) -> None:
        ends_at = self._polled_at + self._idle_timeout
        if self._loop.time() >= ends_at:
            self.close(CloseCode.GOING_AWAY)
        else:
            self._idle_timer = self._loop.call_at(ends_at, self._check_idle)


def _settle(future: "asyncio.Future[bool]", result: bool) -> bool:
    """Sets the result of a future, and returns whether it had none yet."""
    if future.done():
        return False
    future.set_result(result)
    return True
