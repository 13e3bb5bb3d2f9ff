"""What every connection shares: the settings, the actors behind it, who may join, and the list of connections."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import pykka
from tornado.httputil import HTTPServerRequest

from chatter.backlog import Backlog
from chatter.supervisor import Supervisor
from web.rates import Bucket, Turnstile
from web.requests import Limits
from web.settings import Settings

logger = logging.getLogger(__name__)

Authorize: TypeAlias = Callable[[str, Mapping[str, Any]], bool]
"""May a client join the room of this slug with these parameters?"""


class Closable(Protocol):
    """A connection, as the server sees it when it stops."""

    def close(self, code: int) -> None:
        """End the connection; `code` is a close code of RFC 6455."""

    async def wait_closed(self) -> None:
        """Return when the client knows, or its connection is gone."""


class Edge:
    """One for a server. Only the loop's thread uses it."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        history: pykka.ActorRef[Any],
        backlog: Backlog,
        authorize: Authorize,
    ) -> None:
        self.settings = settings
        self.limits: Limits = settings.limits
        self.supervisor = supervisor
        self.history = history
        self.backlog = backlog
        self.connections: set[Closable] = set()
        self.stopping = False  # True once the server has been told to stop, which it says to who watches it
        self.hearing = True  # False once the server stops: what clients say from then on is not taken
        self._authorize = authorize
        self._turnstile = Turnstile(settings.connect_rate)

    def refusal(self, slug: str, params: Mapping[str, Any]) -> str | None:
        """Why a join is refused, or None where it is granted."""
        try:
            return None if self._authorize(slug, params) else "unauthorized"
        except Exception:
            logger.exception("the authorize hook failed for room %s", slug)
            return "join crashed"  # Phoenix's words for a join that raises

    def connect(self, request: HTTPServerRequest) -> float:
        """Count a connection that begins; 0.0, or the seconds for which its address has to wait."""
        if self.settings.rate_limits == "off":
            return 0.0
        return self._turnstile.take(self._address(request))

    def buckets(self) -> dict[str, Bucket]:
        """How often a new connection may ask, by event; without a bucket as often as it wants."""
        if self.settings.rate_limits == "off":
            return {}
        history = Bucket(self.settings.history_rate)
        return {
            "new_message": Bucket(self.settings.message_rate),
            "phx_join": Bucket(self.settings.join_rate),
            "typing": Bucket(self.settings.typing_rate),
            "history": history,
            "sync": history,
        }

    def _address(self, request: HTTPServerRequest) -> str:
        """Where a request comes from; a trusted proxy has added to the header whom it speaks for."""
        address = str(request.remote_ip)
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        while address in self.settings.trusted_proxies and hops:
            address = hops.pop().strip() or address
        return address

    def admits(self, origin: str | None, host: str | None) -> bool:
        """Whether a page from `origin` may talk to this server, reached as `host`. Programs send no origin."""
        allowed = self.settings.allowed_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        return origin.partition("://")[2] == host
