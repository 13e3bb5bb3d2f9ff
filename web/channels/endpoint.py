"""The endpoint: what all connections share, as Phoenix's `Endpoint` is.

That is the settings, the actors behind them, who may connect and join, and the list of connections.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from chatter.messages import Reason
from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from chatter.storage.read_queue import ReadQueue
from web.channels.addresses import ClientAddresses, Headers
from web.channels.origins import OriginRules
from web.channels.rate_limits import ConnectLimiter
from web.channels.requests import rates_by_event
from web.io.idle_timeouts import IdleTimeouts
from web.io.poller import make_poller
from web.io.rfc6455 import CloseCode
from web.settings import Settings

logger = logging.getLogger(__name__)

Authorize: TypeAlias = Callable[[str, Mapping[str, Any]], bool]
"""Returns whether a client may join the room of this slug with these parameters."""


class Closable(Protocol):
    """A connection, as the server sees it when it stops."""

    def close(self, code: CloseCode) -> None:
        """Ends the connection, and calls `Endpoint.forget` once the client knows or is gone."""


class Endpoint:
    """One for a server. Only the loop's thread uses it."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        history: ReadQueue,
        backlog: Backlog,
        authorize: Authorize,
        *,
        is_local: bool,
    ) -> None:
        """`is_local` says that the server listens for its own machine alone."""
        self.settings = settings
        self.limits = settings.limits
        self.rates = rates_by_event(settings)
        self.supervisor = supervisor
        self.history = history
        self.backlog = backlog
        self.loop = asyncio.get_running_loop()
        self.poller = make_poller()
        self.idle_timeouts = IdleTimeouts(settings.idle_timeout)
        self.handshake_timeouts = IdleTimeouts(settings.handshake_timeout)
        self.connections: set[Closable] = set()
        self.is_stopping = False  # the server has been told to stop: `/healthz` says so
        self.is_accepting = True  # False once the server stops: frames of clients are dropped from then on
        self._authorize = authorize
        self._addresses = ClientAddresses(settings.trusted_proxies)
        self._origins = OriginRules(settings.allowed_origins, settings.public_hosts, is_local=is_local)
        self._connect_limiter = ConnectLimiter(settings.connect_rate)
        self._all_closed = asyncio.Event()

    def join_refusal(self, slug: str, params: Mapping[str, Any]) -> Reason | None:
        """Returns why a join is refused, or None where it is granted."""
        try:
            return None if self._authorize(slug, params) else "unauthorized"
        except Exception:
            logger.exception("the authorize hook failed for room %s", slug)
            return "join crashed"  # Phoenix's words for a join that raises

    def forget(self, connection: Closable) -> None:
        """Drops a connection that has ended."""
        self.connections.discard(connection)
        if not self.connections:
            self._all_closed.set()

    async def all_closed(self) -> None:
        """Waits until no connection is left."""
        while self.connections:
            self._all_closed.clear()
            await self._all_closed.wait()

    def connect_wait(self, peer: str, headers: Headers) -> float:
        """Counts a connect by the client's address; returns the seconds that it has to wait, 0.0 where it is admitted.

        `peer` is who connected, perhaps a proxy.
        """
        if self.settings.rate_limits == "off":
            return 0.0
        return self._connect_limiter.take(self._addresses.address_of(peer, headers))

    def admits_page(self, headers: Headers) -> bool:
        """Returns whether the page that sends a request may connect. Programs, which send no origin, may."""
        return self._origins.admits(headers)
