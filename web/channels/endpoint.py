"""The endpoint: what all connections share, as Phoenix's `Endpoint` is.

That is the settings, the actors behind them, who may connect and join, and the list of connections.
"""

import asyncio
from typing import Any, Protocol

import pykka

from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from web.channels.authorization import Authorization
from web.channels.rate_limits import ConnectLimiter
from web.channels.requests import rates_by_event
from web.io.idle_timeouts import IdleTimeouts
from web.io.poller import make_poller
from web.io.rfc6455 import CloseCode
from web.settings import Authorize, Settings


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
        history: pykka.ActorRef[Any],
        backlog: Backlog,
        authorize: Authorize,
    ) -> None:
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
        self.authorization = Authorization(authorize, settings.authorize_timeout)
        self._connect_limiter = ConnectLimiter(settings.connect_rate)
        self._all_closed = asyncio.Event()

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

    def connect_wait(self, address: str) -> float:
        """Counts a connect, and returns the seconds that `address` has to wait, 0.0 where it is admitted."""
        return self._connect_limiter.take(address) if self.settings.rate_limits == "on" else 0.0

    def client_address(self, peer: str, forwarded: str) -> str:
        """Returns the address of the client behind `peer`. Trusted proxies have added it to X-Forwarded-For."""
        hops = forwarded.split(",")
        while peer in self.settings.trusted_proxies and hops:
            peer = hops.pop().strip() or peer
        return peer

    def origin_allowed(self, origin: str | None, host: str | None) -> bool:
        """Returns whether a page from `origin` may connect to this server as `host`. Programs send no origin."""
        allowed = self.settings.allowed_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        return origin.partition("://")[2] == host
