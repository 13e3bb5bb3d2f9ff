"""What every connection shares: the settings, the actors behind it, who may join, and the list of connections."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import pykka

from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from web.channels.rate_limits import ConnectLimiter
from web.channels.requests import Limits
from web.io.idle_timeouts import IdleWatch
from web.io.poller import poller
from web.settings import Settings

logger = logging.getLogger(__name__)

Authorize: TypeAlias = Callable[[str, Mapping[str, Any]], bool]
"""May a client join the room of this slug with these parameters?"""


class Closable(Protocol):
    """A connection, as the server sees it when it stops."""

    def close(self, code: int) -> None:
        """End the connection; `code` is a close code of RFC 6455. It is forgotten once its client knows, or is gone."""


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
        self.rates = settings.rates
        self.supervisor = supervisor
        self.history = history
        self.backlog = backlog
        self.loop = asyncio.get_running_loop()
        self.poller = poller()
        self.silence = IdleWatch(settings.idle_timeout)
        self.arrivals = IdleWatch(settings.handshake_timeout)
        self.connections: set[Closable] = set()
        self.stopping = False  # True once the server has been told to stop, which it says to who watches it
        self.hearing = True  # False once the server stops: what clients say from then on is not taken
        self._authorize = authorize
        self._turnstile = ConnectLimiter(settings.connect_rate)
        self._all_gone = asyncio.Event()

    def refusal(self, slug: str, params: Mapping[str, Any]) -> str | None:
        """Why a join is refused, or None where it is granted."""
        try:
            return None if self._authorize(slug, params) else "unauthorized"
        except Exception:
            logger.exception("the authorize hook failed for room %s", slug)
            return "join crashed"  # Phoenix's words for a join that raises

    def forget(self, connection: Closable) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if not self.connections:
            self._all_gone.set()

    async def all_gone(self) -> None:
        """Return when no connection is left."""
        while self.connections:
            self._all_gone.clear()
            await self._all_gone.wait()

    def connect(self, address: str) -> float:
        """Count a connection that begins there; 0.0, or the seconds for which that address has to wait."""
        return self._turnstile.take(address) if self.settings.rate_limits == "on" else 0.0

    def address(self, peer: str, forwarded: str) -> str:
        """Where a request of `peer` comes from; a trusted proxy has added to X-Forwarded-For whom it speaks for."""
        hops = forwarded.split(",")
        while peer in self.settings.trusted_proxies and hops:
            peer = hops.pop().strip() or peer
        return peer

    def admits(self, origin: str | None, host: str | None) -> bool:
        """Whether a page from `origin` may talk to this server, reached as `host`. Programs send no origin."""
        allowed = self.settings.allowed_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        return origin.partition("://")[2] == host
