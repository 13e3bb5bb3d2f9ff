"""Answers other nodes for the poll sessions that live here, as the HTTP handler answers clients."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple, assert_never

from web.channels.wire import BadFrame
from web.identity.credentials import Shown
from web.io.rfc6455 import CloseCode
from web.settings import Settings
from web.transport.poll_questions import (
    PIECE,
    POLL,
    POST,
    Answer,
    BeginPost,
    EndPost,
    HungUp,
    Peers,
    Piece,
    Poll,
    Rest,
    decode_question,
    encode,
)
from web.transport.poll_session import NotProven, PollSession, SessionGone

MAX_POLLS = 10_000
"""Polls of other nodes' clients that wait here at the same time."""

MAX_POSTS = 1_000
"""Questions about POSTs that are answered here at the same time; a POST that waits for an earlier one is one."""

KEPT = 10.0
"""Seconds for which the rest of a large answer is kept for the node that has its first piece."""


class _Told(NamedTuple):
    """What a question says of the client's proof: the node that asks has seen it."""

    shown: Shown
    owner: int | None

    async def account(self) -> int | None:
        return self.owner


class _Waiting(NamedTuple):
    session: PollSession
    gone: asyncio.Future[None]  # the client


class _Post(NamedTuple):
    session: PollSession
    lease: asyncio.TimerHandle  # ends it where the other node says no more


class PollAnswers:
    """Owns the requests to the sessions of this node that have come to other nodes."""

    def __init__(self, peers: Peers, sessions: Mapping[str, PollSession], settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[bytes, _Waiting] = {}  # polls, and POSTs that wait for an earlier one
        self._rests: dict[bytes, bytes] = {}
        self._posts: dict[bytes, _Post] = {}
        peers.answer(POLL, self._answer, most=MAX_POLLS)
        peers.answer(POST, self._answer, most=MAX_POSTS)

    def leave(self) -> None:
        """Ends the sessions that others ask about now: their clients come back."""
        waiting = {waiting.session for waiting in self._waiting.values()}
        for session in waiting | {post.session for post in self._posts.values()}:
            session.close(CloseCode.SERVICE_RESTART)

    async def _answer(self, body: bytes) -> bytes:
        """Answers a question. Raises `msgspec.MsgspecError` for what is none."""
        question = decode_question(body)
        try:
            match question:
                case Poll():
                    answer = await self._poll(question)
                case Rest():
                    answer = self._piece_of(question.id, self._rests.pop(question.id, None))
                case HungUp():
                    answer = self._hang_up(question.id)
                case BeginPost():
                    answer = await self._begin(question)
                case Piece():
                    answer = await self._take(question)
                case EndPost():
                    answer = self._end(question.id)
                case _:
                    assert_never(question)
        except NotProven:
            answer = Answer("not proven")
        except SessionGone:
            answer = Answer("gone")
        return encode(answer)

    def _find(self, token: str) -> PollSession:
        session = self._sessions.get(token)
        if session is None:
            raise SessionGone
        return session

    @contextlib.contextmanager
    def _waits(self, id: bytes, session: PollSession) -> Iterator[asyncio.Future[None]]:
        gone = self._loop.create_future()
        self._waiting[id] = _Waiting(session, gone)
        try:
            yield gone
        finally:
            del self._waiting[id]

    # ------------------------------------------------------------ polls

    async def _poll(self, asked: Poll) -> Answer:
        session = self._find(asked.token)
        with self._waits(asked.id, session) as gone:
            frames = await session.poll(_Told(asked.shown, asked.account), gone, None)
        return Answer("replaced") if frames is None else self._piece_of(asked.id, frames)

    def _piece_of(self, id: bytes, frames: bytes | None) -> Answer:
        """Returns the first piece of an answer, and keeps the rest."""
        if frames is None:
            raise SessionGone
        if len(frames) <= PIECE:
            return Answer("ok", frames=frames)
        self._rests[id] = frames[PIECE:]
        self._loop.call_later(KEPT, self._rests.pop, id, None)
        return Answer("ok", frames=frames[:PIECE], has_more=True)

    def _hang_up(self, id: bytes) -> Answer:
        waiting = self._waiting.get(id)
        if waiting is not None and not waiting.gone.done():
            waiting.gone.set_result(None)
        return Answer("ok")

    # ------------------------------------------------------------ POSTs

    async def _begin(self, asked: BeginPost) -> Answer:
        session = self._find(asked.token)
        with self._waits(asked.id, session) as gone:
            has_begun = await session.begin_post(_Told(asked.shown, asked.account))
        if has_begun and gone.done():
            session.end_post()
        if not has_begun or gone.done():
            return Answer("busy")
        self._posts[asked.id] = _Post(session, self._lease(asked.id))
        return Answer("ok")

    async def _take(self, piece: Piece) -> Answer:
        post = self._posts.get(piece.id)
        if post is None:
            raise SessionGone
        post.lease.cancel()
        self._posts[piece.id] = post._replace(lease=self._lease(piece.id))
        try:
            is_taken = await post.session.receive(piece.messages)
        except BadFrame as error:
            return Answer("bad frame", text=str(error))
        return Answer("ok" if is_taken else "stopping")

    def _end(self, id: bytes) -> Answer:
        post = self._posts.pop(id, None)
        if post is None:
            return self._hang_up(id)  # it may wait still
        post.lease.cancel()
        post.session.end_post()
        return Answer("ok")

    def _lease(self, id: bytes) -> asyncio.TimerHandle:
        """Ends a POST of whose node nothing is heard: a body has half of that time to arrive."""
        return self._loop.call_later(2 * self._settings.body_timeout, self._end, id)
