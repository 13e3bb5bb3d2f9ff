"""Poll sessions that live on other nodes: what clients ask here is passed to the session's node."""

import asyncio
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec
from tornado.iostream import IOStream

from chatter.cluster.errors import NoAnswer
from web.channels.wire import BadFrame
from web.identity.credentials import fingerprint_of
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
    Question,
    Rest,
    decode_answer,
    encode,
)
from web.transport.poll_session import Message, Proof, SessionGone

PATIENCE = 3.0
"""Seconds for the other node to answer, beyond what it may wait itself."""

_TOKEN = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})\.[A-Za-z0-9_-]{43}")

_Asked = TypeVar("_Asked", Poll, BeginPost)


class DistantSessions:
    """Owns the requests that are passed to other nodes."""

    def __init__(self, peers: Peers, settings: Settings) -> None:
        self.peers = peers
        self.settings = settings
        self.waiting: set[asyncio.Future[None]] = set()  # for each poll, what says that its client is gone
        self.has_left = False
        self._answers: WeakValueDictionary[str, IOStream] = WeakValueDictionary()  # the last, which may be unread

    def find(self, token: str) -> "DistantSession | None":
        """Returns what may be a session of another node that is there."""
        match = _TOKEN.fullmatch(token)
        if match is None or self.has_left or not self.peers.may_answer(match[1]):
            return None
        return DistantSession(self, match[1], token)

    def leave(self) -> None:
        """Has the polls that wait end without an answer: their clients go on at another node."""
        self.has_left = True
        for gone in self.waiting:
            if not gone.done():
                gone.set_result(None)

    def answer_on(self, token: str, connection: IOStream | None) -> None:
        """Gives up an answer of a session that its client has not taken, before the next one is kept beside it."""
        unread = self._answers.pop(token, None)
        if unread is not None and unread.writing():
            unread.close()
        if connection is not None:
            self._answers[token] = connection


class DistantSession:
    """A session of another node, for one request. Plays `Session`."""

    def __init__(self, sessions: DistantSessions, node: str, token: str) -> None:
        self._sessions = sessions
        self._peers = sessions.peers
        self._settings = sessions.settings
        self._node = node
        self._token = token
        self._id = secrets.token_bytes(8)  # of the poll or the POST

    async def poll(self, proof: Proof, gone: asyncio.Future[None], connection: IOStream | None) -> bytes | None:
        if gone.done():
            return b""
        asking = asyncio.ensure_future(self._ask_for_frames(proof))
        self._sessions.waiting.add(gone)
        try:
            await asyncio.wait((asking, gone), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                self._peers.tell(POLL, self._node, encode(HungUp(self._id)))
            frames = await asking
        finally:
            self._sessions.waiting.discard(gone)
        if frames:
            self._sessions.answer_on(self._token, connection)
        return None if self._sessions.has_left and not frames else frames

    async def begin_post(self, proof: Proof) -> bool:
        asked = BeginPost(self._id, self._token, fingerprint_of(proof.shown))
        try:
            answer = await self._prove(POST, asked, proof, 2 * self._settings.body_timeout)
        except NoAnswer:
            self.end_post()  # it may have begun
            raise
        return answer.outcome == "ok"

    async def receive(self, messages: Iterable[Message]) -> bool:
        for piece in _pieces(messages):
            answer = await self._ask(POST, Piece(self._id, piece))
            if answer.outcome == "bad frame":
                raise BadFrame(answer.text)
            if answer.outcome != "ok":
                return False
        return True

    def end_post(self) -> None:
        self._peers.tell(POST, self._node, encode(EndPost(self._id)))

    async def _ask_for_frames(self, proof: Proof) -> bytes | None:
        asked = Poll(self._id, self._token, fingerprint_of(proof.shown))
        answer = await self._prove(POLL, asked, proof, self._settings.poll_window)
        frames = [answer.frames]
        while answer.has_more:
            answer = await self._ask(POLL, Rest(self._id))
            frames.append(answer.frames)
        return None if answer.outcome == "replaced" else b"".join(frames)

    async def _prove(self, kind: str, asked: _Asked, proof: Proof, wait: float) -> Answer:
        """Asks, and where the session's node does not know the client by what it shows, says whose that is."""
        answer = await self._ask(kind, asked, wait)
        if answer.outcome == "not proven":
            account = await proof.account()
            if account is None:
                raise SessionGone
            answer = await self._ask(kind, msgspec.structs.replace(asked, account=account), wait)
        if answer.outcome == "not proven":
            raise SessionGone
        return answer

    async def _ask(self, kind: str, question: Question, wait: float = 0.0) -> Answer:
        try:
            body = await self._peers.ask(kind, self._node, encode(question), timeout=wait + PATIENCE)
            answer = decode_answer(body)
        except NoAnswer as error:
            if not self._peers.lives(self._node):
                raise SessionGone from error
            raise
        except msgspec.MsgspecError as error:  # of a newer node
            raise NoAnswer(f"the answer of {self._node} is not understood: {error}") from error
        if answer.outcome == "gone":
            raise SessionGone
        return answer


def _pieces(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Cuts messages into pieces. Where one is no message, those before it come first. Raises `BadFrame`."""
    piece: list[Message] = []
    size = 0
    bad: BadFrame | None = None
    try:
        for message in messages:
            if piece and size + len(message[0]) > PIECE:
                yield piece
                piece, size = [], 0
            piece.append(message)
            size += len(message[0])
    except BadFrame as error:
        bad = error
    if piece:
        yield piece
    if bad is not None:
        raise bad
