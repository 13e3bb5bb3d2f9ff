"""Poll sessions by token: those of this server, and in a cluster those of the other nodes as well."""

import secrets

from web.channels.endpoint import Endpoint
from web.channels.wire import Serializer
from web.identity.credentials import Credentials
from web.transport.distant_sessions import DistantSessions
from web.transport.poll_answers import PollAnswers
from web.transport.poll_questions import Peers
from web.transport.poll_session import PollSession, Session
from web.transport.request import Request


class PollSessions:
    """Owns the poll sessions of a server."""

    def __init__(self, endpoint: Endpoint, peers: Peers | None = None) -> None:
        """`peers` are the other nodes, where there are some: each takes requests for the sessions of all."""
        self._endpoint = endpoint
        self._sessions: dict[str, PollSession] = {}
        self._bodies = 0  # bytes of the large bodies that are under way
        self._prefix = "" if peers is None else f"{peers.name}."
        self._distant = None if peers is None else DistantSessions(peers, endpoint.settings)
        self._answers = None if peers is None else PollAnswers(peers, self._sessions, endpoint.settings)

    def open(self, serializer: Serializer, request: Request, credentials: Credentials | None) -> str:
        """Begins a session of whoever shows these, and returns its token, which names its node."""
        token = self._prefix + secrets.token_urlsafe(32)  # unguessable, so it needs no signature
        session = PollSession(
            serializer, request.params, credentials, self._endpoint, lambda: self._sessions.pop(token, None)
        )
        self._sessions[token] = session
        self._endpoint.add(session, request.peer, request.headers)
        return token

    def find(self, token: str | None) -> Session | None:
        """Returns the session of that token, which lives here or may live on another node."""
        if not token:
            return None
        session = self._sessions.get(token)
        return self._distant.find(token) if session is None and self._distant is not None else session

    def leave(self) -> None:
        """Has all requests end that are passed from node to node, while the nodes hear of each other still."""
        if self._distant is not None:
            self._distant.leave()
        if self._answers is not None:
            self._answers.leave()

    def reserve(self, size: int) -> bool:
        """Returns whether a large body of `size` bytes may come. Call `release` with the same size at its end."""
        if self._bodies and self._bodies + size > self._endpoint.settings.max_poll_bodies_bytes:
            return False
        self._bodies += size
        return True

    def release(self, size: int) -> None:
        """Gives back what `reserve` granted."""
        self._bodies -= size
