"""A poll session: what waits for a client that polls, from one poll to the next."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, Self, TypeAlias

from tornado.iostream import IOStream

from web.channels import wire
from web.channels.endpoint import Endpoint
from web.channels.socket import Socket
from web.channels.wire import Serializer
from web.identity.credentials import Credentials, Shown, is_same
from web.io.rfc6455 import CloseCode
from web.transport.websocket import LINGER

logger = logging.getLogger(__name__)


_WITH_LAST_WORDS = {CloseCode.SERVICE_RESTART, CloseCode.TOKEN_EXPIRED, CloseCode.SIGNED_OUT}
"""Why a session ends whose client is told so by what waits for it: that stays for one more poll."""

Message: TypeAlias = tuple[bytes, bool]
"""One message of a POST, and whether it is binary."""


class SessionGone(Exception):
    """There is no such session for whoever asks."""


class NotProven(SessionGone):
    """The session is another one's, as far as is shown."""


class Proof(Protocol):
    """What a request shows of who sends it."""

    @property
    def shown(self) -> Shown:
        """The secret, if there is one."""

    async def account(self) -> int | None:
        """Returns whose it is. Raises `AccountRefused` where too many that prove nothing have come from there."""


class Session(Protocol):
    """A poll session as requests see it: `PollSession` is one of this server, `DistantSession` one of another node.

    All that is awaited raises `SessionGone`, also where the session is somebody else's, and `NoAnswer` where it is not
    known what has become of it.
    """

    async def poll(self, proof: Proof, gone: asyncio.Future[None], connection: IOStream | None) -> bytes | None:
        """Returns the frames that wait, or the first to come within the window, or none.

        If the client is `gone` by then, frames are kept for its next poll. Returns None once a later poll takes the
        place of this one. The answer is to go to `connection`; an earlier one that was not taken is given up.
        """

    async def begin_post(self, proof: Proof) -> bool:
        """Waits until no other POST is under way. Call `end_post` at its end.

        Returns False where that takes too long, or the session ends.
        """

    async def receive(self, messages: Iterable[Message]) -> bool:
        """Handles messages of a POST; returns False where the server stops. Raises `BadFrame`; the session lives on."""

    def end_post(self) -> None:
        """Has the next POST begin."""


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
        self._shown: Shown = credentials
        self._endpoint = endpoint
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._has_overflowed = False  # what is written is dropped until the next poll
        self._waiting_poll: asyncio.Future[None] | None = None
        self._polled_at = self._loop.time()
        self._has_ended = False
        self._is_forgotten = False  # nothing waits for its client any more
        self._answering: IOStream | None = None  # the connection of the last answer, which may not be taken yet
        self._is_posting = False
        self._waiting_posts: deque[asyncio.Future[bool]] = deque()
        self._idle_timer = self._loop.call_later(self._idle_timeout, self._check_idle)
        self._socket = Socket(self, params, endpoint, credentials)

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
        for post in self._waiting_posts:
            _settle(post, False)
        self._socket.on_closed()
        if code in _WITH_LAST_WORDS and self._unsent:
            self._idle_timer = self._loop.call_later(LINGER, self._forget)  # its answers wait for one more poll
        elif self._waiting_poll is None:
            self._forget()
        self._wake_poll()  # it forgets the session as it is answered, for which a server that stops waits

    async def begin_post(self, proof: Proof) -> bool:
        await self._check(proof, posts=True)
        if not self._is_posting:
            self._is_posting = True
            return True
        post: asyncio.Future[bool] = self._loop.create_future()
        self._waiting_posts.append(post)
        self._loop.call_later(2 * self._endpoint.settings.body_timeout, _settle, post, False)
        return await post

    def end_post(self) -> None:
        while self._waiting_posts:
            if _settle(self._waiting_posts.popleft(), True):
                return
        self._is_posting = False

    async def receive(self, messages: Iterable[Message]) -> bool:
        if self._is_forgotten:
            raise SessionGone
        for message, binary in messages:
            if not self._endpoint.is_accepting:
                return False
            if not self._has_ended:  # by an earlier message
                self._socket.receive(wire.decode_binary(message) if binary else self.serializer.decode(message))
            await asyncio.sleep(0)  # serves others: 100 messages of 64 KiB take 0.2 s
        return True

    async def poll(self, proof: Proof, gone: asyncio.Future[None], connection: IOStream | None) -> bytes | None:
        await self._check(proof, posts=False)
        self._polled_at = self._loop.time()
        self._cut_unread_answer()
        if self._has_overflowed:
            self._has_overflowed = False
            self._socket.drained()  # rooms answer while this poll waits
        if not self._unsent and not self._has_ended:
            self._wake_poll()
            self._waiting_poll = poll = self._loop.create_future()
            window = self._endpoint.settings.poll_window
            await asyncio.wait((poll, gone), timeout=window, return_when=asyncio.FIRST_COMPLETED)
            if self._waiting_poll is not poll:
                return None
            self._waiting_poll = None
            if gone.done():
                self._forget_if_ended()
                return b""
        frames, self._unsent, self._unsent_bytes = self._unsent, [], 0
        self._answering = connection
        if self._has_ended:
            self._forget()
        elif not self._has_overflowed:
            self._socket.drained()
        return b"".join(frames)

    async def _check(self, proof: Proof, *, posts: bool) -> None:
        """Checks that a request shows what the session began with, or other credentials of the same person.

        Those are expected from then on. Raises `NotProven`.
        """
        if not self._is_of(proof.shown, posts=posts):
            account, mine = await proof.account(), self._socket.principal.author
            if account is None or mine is None or account != mine.id:
                raise NotProven
            self._shown = proof.shown
        if self._is_forgotten:
            raise SessionGone

    def _is_of(self, shown: Shown, *, posts: bool) -> bool:
        """Returns whether a request shows what the session began with.

        phoenix.js sends its `authToken` with a poll and not with what it posts: there the poll session's own token,
        which nobody can guess, has to do. A browser sends its cookie with everything.
        """
        if posts and shown is None and self._shown is not None:
            return not self._shown.is_cookie
        return is_same(shown, self._shown)

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

    def _forget_if_ended(self) -> None:
        if self._has_ended:
            self._forget()

    def _forget(self) -> None:
        self._is_forgotten = True
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
