"""The endpoint: what all connections share, as Phoenix's `Endpoint` is.

That is the settings, the actors behind them, who may connect and join, and the list of connections.
"""

import asyncio
import logging
import sys
from collections import Counter
from typing import Any, Protocol

import pykka

from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from web.channels.authorization import Authorization
from web.channels.rate_limits import AddressLimiter, network_of
from web.channels.requests import rates_by_event
from web.io.idle_timeouts import IdleTimeouts
from web.io.poller import make_poller
from web.io.rfc6455 import CloseCode
from web.settings import Authorize, Settings

logger = logging.getLogger(__name__)

CROWDED_WAIT = 10.0
"""Seconds after which a client may try again whose address has as many connections as it may."""


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
        self.connections: dict[Closable, str] = {}  # with the network of the client
        self.is_stopping = False  # the server has been told to stop: `/healthz` says so
        self.is_accepting = True  # False once the server stops: frames of clients are dropped from then on
        self.authorization = Authorization(authorize, settings.authorize_timeout)
        self._connect_limiter = AddressLimiter(settings.connect_rate)
        self._room_limiter = AddressLimiter(settings.room_rate)
        self._connection_counts: Counter[str] = Counter()  # by network
        self._has_warned = False  # that one has as many connections as it may
        self._all_closed = asyncio.Event()

    def add(self, connection: Closable, address: str) -> None:
        """Adds a connection of a client at `address`."""
        network = sys.intern(network_of(address))  # one string for all connections of a network
        self.connections[connection] = network
        self._connection_counts[network] += 1

    def forget(self, connection: Closable) -> None:
        """Drops a connection that has ended."""
        network = self.connections.pop(connection, None)
        if network is not None:
            self._connection_counts[network] -= 1
            if not self._connection_counts[network]:
                del self._connection_counts[network]
        if not self.connections:
            self._all_closed.set()

    async def all_closed(self) -> None:
        """Waits until no connection is left."""
        while self.connections:
            self._all_closed.clear()
            await self._all_closed.wait()

    def connect_wait(self, address: str) -> float:
        """Counts a connect, and returns the seconds that `address` has to wait, 0.0 where it is admitted."""
        if self.settings.rate_limits == "off":
            return 0.0
        network = network_of(address)
        count = self._connection_counts[network]
        if count < self.settings.max_connections_per_address:
            return self._connect_limiter.take(network)
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s has %d connections, and may have no more; a proxy is to be named as such", network, count
            )
        return CROWDED_WAIT

    def room_wait(self, connection: Closable) -> float:
        """Counts a room that a client opens, and returns the seconds it has to wait, 0.0 where it may."""
        network = self.connections.get(connection)
        if network is None or self.settings.rate_limits == "off":
            return 0.0
        return self._room_limiter.take(network)

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
