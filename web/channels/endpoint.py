"""The endpoint: what all connections share, as Phoenix's `Endpoint` is.

That is the settings, the actors behind them, who may connect and join, and the list of connections.
"""

import asyncio
import functools
import logging
import math
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from chatter.accounts.accounts import Accounts
from chatter.accounts.attempts import Allowance, Budget
from chatter.accounts.principal import GUEST, NOBODY, Principal
from chatter.accounts.rights import Rights
from chatter.accounts.values import AccountRefused
from chatter.actors import TurnScheduler
from chatter.charter import Author, is_private_slug
from chatter.health import Health
from chatter.memberships.memberships import Memberships
from chatter.room.supervisor import Supervisor
from chatter.storage.read_queue import ReadQueue
from web.authorize import Authorize
from web.channels.addresses import ClientAddresses, Headers
from web.channels.authorization import Authorization
from web.channels.errands import ErrandRunner
from web.channels.guest_names import GuestNames
from web.channels.origins import Origin, OriginRules, is_loopback
from web.channels.personal_requests import PersonalRequests
from web.channels.rate_limits import AccountLimiter, AddressLimiter, network_of
from web.channels.requests import rates_by_event
from web.channels.room_claims import RoomClaims
from web.identity.cookies import PLAIN, SECURE, Cookies, cookie
from web.identity.credentials import Credentials, sent_on_purpose
from web.identity.identify import Identity, Verifier
from web.io.idle_timeouts import IdleTimeouts
from web.io.poller import make_poller
from web.io.rfc6455 import CloseCode
from web.io.send_batch import SendBatch
from web.page_address import page_address
from web.settings import Settings

logger = logging.getLogger(__name__)

ACCOUNT_SHARE = 4
"""How many times the rates of one connection all connections of an account have."""

WRONG_SECRETS = Allowance(100, 0.1)
"""Secrets from one network that prove nothing, where requests are not limited: 100 at once, then 10 a second."""

CROWDED_WAIT = 10.0
"""Seconds after which a client may try again whose address has as many connections as it may."""


class Closable(Protocol):
    """A connection, as the server sees it when it stops."""

    def close(self, code: CloseCode) -> None:
        """Ends the connection, and calls `Endpoint.forget` once the client knows or is gone."""


async def _at_once() -> None:
    """The database has everything."""


class Endpoint:
    """One for a server. Only the loop's thread uses it."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        history: ReadQueue,
        authorize: Authorize,
        *,
        is_local: bool,
        accounts: Accounts | None = None,
        memberships: Memberships | None = None,
        verifier: Verifier | None = None,
        health: Callable[[str | None], Health] = Health,
        catch_up: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        """`is_local` says that the server listens for its own machine alone. Without `accounts` all are guests.

        With `accounts` there are `memberships`. `health` says what is wrong with the server, where that is what is
        wrong with the database.
        `catch_up` waits until the database has what was acknowledged, where it may be behind.

        `verifier` knows the tokens of an app that embeds this server.
        """
        self.settings = settings
        self.limits = settings.limits
        self.rates = rates_by_event(settings)
        self.supervisor = supervisor
        self.history = history
        self.health = health
        self.catch_up = catch_up
        self.accounts = accounts
        self.memberships = memberships
        self.personal_requests = None if memberships is None else PersonalRequests(memberships)
        self.loop = asyncio.get_running_loop()
        self.send_batch = SendBatch()
        self.poller = make_poller(self.send_batch)
        TurnScheduler.of_running_loop().end_turns = self.send_batch.gather
        self.idle_timeouts = IdleTimeouts(settings.idle_timeout)
        self.handshake_timeouts = IdleTimeouts(settings.handshake_timeout)
        self.connections: dict[Closable, str] = {}  # with the network of the client
        self.is_stopping = False  # the server has been told to stop: `/healthz` says so
        self.is_accepting = True  # False once the server stops: frames of clients are dropped from then on
        self.authorization = Authorization(authorize, settings.authorize_timeout)
        self.identity = None if accounts is None else Identity(accounts, verifier)
        self.rights = Rights(admits_guests=settings.accounts != "required")
        self.guest_names = None if accounts is None else GuestNames(accounts)
        most_rooms = settings.max_rooms_per_account
        self.errands = (
            None
            if accounts is None or memberships is None
            else ErrandRunner(accounts, memberships, supervisor, most_rooms)
        )
        self.room_claims = None if memberships is None else RoomClaims(memberships, supervisor, most_rooms)
        if accounts is not None and self.identity is not None and self.guest_names is not None:
            self.identity.on_names_changed = self._on_names_changed
            accounts.on_names_freed = self.guest_names.forget
        self._account_rates = {event: (name, rate.times(ACCOUNT_SHARE)) for event, (name, rate) in self.rates.items()}
        self._account_limiters: WeakValueDictionary[int, AccountLimiter] = WeakValueDictionary()
        self._addresses = ClientAddresses(settings.trusted_proxies)
        self._is_https = _is_https(page_address(settings.public_url, settings.public_hosts, ""))
        self._origins = OriginRules(
            settings.allowed_origins, settings.public_hosts, settings.public_url, is_local=is_local
        )
        self._connect_limiter = AddressLimiter(settings.connect_rate)
        self._room_limiter = AddressLimiter(settings.room_rate)
        self._list_limiter = AddressLimiter(settings.list_rate)  # by account
        self._wrong_secrets = Budget(WRONG_SECRETS)
        self._connection_counts: Counter[str] = Counter()  # by network
        self._has_warned = False  # that one has as many connections as it may
        self._all_closed = asyncio.Event()

    @functools.cached_property
    def described(self) -> Mapping[str, Any]:
        """What pages are told of the server: its limits, and what there is here."""
        limits = self.limits
        return {
            "limits": {
                "name": limits.max_name_length,
                "message": limits.max_message_length,
                "reason": limits.max_reason_length,
                "pins": limits.max_pins,
            },
            "features": {"accounts": self.settings.accounts, "sign_up": self.settings.sign_up},
        }

    def add(self, connection: Closable, peer: str, headers: Headers) -> None:
        """Adds a connection that `peer` has made with a request of these headers."""
        network = sys.intern(self.network_of(peer, headers))  # one string for all connections of a network
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

    def take_connect_token(self, peer: str, headers: Headers) -> float:
        """Counts a connect by the client's network; returns the seconds that it has to wait, 0.0 where it is admitted.

        `peer` is who connected, perhaps a proxy.
        """
        if self.settings.rate_limits == "off":
            return 0.0
        network = self.network_of(peer, headers)
        count = self._connection_counts[network]
        if count < self.settings.max_connections_per_address:
            return self._connect_limiter.take(network)
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s has %d connections, and may have no more; if it is a proxy, add it to trusted_proxies",
                network,
                count,
            )
        return CROWDED_WAIT

    def network_of_peer(self, peer: str) -> str | None:
        """Returns the network of `peer` whose connections are counted; None for a proxy, or where none are."""
        if self.settings.rate_limits == "off" or self._addresses.is_proxy(peer):
            return None
        return self.network_of(peer, {})

    def may_open_rooms(self, principal: Principal) -> bool:
        """Returns whether somebody makes a public room by joining one that is not there."""
        match self.settings.room_creation:
            case "anyone":
                return True
            case "members":
                return principal.author is not None
            case _:
                return principal.acting_role in ("moderator", "admin")

    def hides(self, slug: str, principal: Principal) -> bool:
        """Returns whether a room is none for somebody: one that is not public, and where they are no member.

        Also one that their token does not name, if it names rooms. It does not look whether there is such a room. So
        nobody can tell one that is not there from one that is.
        """
        if not principal.reaches(slug):
            return True
        if not is_private_slug(slug):
            return False
        author = principal.author
        return author is None or self.memberships is None or not self.memberships.is_member(author.id, slug)

    def room_wait(self, connection: Closable) -> float:
        """Counts a room that a client opens, and returns the seconds it has to wait, 0.0 where it may."""
        network = self.connections.get(connection)
        if network is None or self.settings.rate_limits == "off":
            return 0.0
        return self._room_limiter.take(network)

    def list_wait(self, account: int) -> float:
        """Counts a list of all rooms of an account, and returns the seconds it has to wait, 0.0 where it may."""
        return 0.0 if self.settings.rate_limits == "off" else self._list_limiter.take(str(account))

    def admits_page(self, headers: Headers) -> bool:
        """Returns whether the page that sends a request may connect. Programs, which send no origin, may."""
        return self._origins.admits(headers)

    def knows_host(self, headers: Headers) -> bool:
        """Returns whether a request names a host of this server, where it can know."""
        return self._origins.knows_host(headers)

    def credentials_of(self, headers: Headers, *, reads: bool) -> Credentials | None:
        """Returns what a request shows of who sends it; None without accounts. `reads` says that it changes nothing."""
        if self.identity is None:
            return None
        credentials = sent_on_purpose(headers)
        if credentials is None and "cookie" in headers and self._origins.vouches(headers, reads=reads):
            text = cookie(headers, self.cookies_of(headers).session)
            credentials = None if text is None else Credentials(text, is_cookie=True)
        return credentials

    async def identify(self, headers: Headers, *, reads: bool) -> Principal:
        """Returns who sends a request, a guest where it shows nothing. Raises `AccountRefused`."""
        if self.identity is None:
            return GUEST
        return await self.identity.identify(self.credentials_of(headers, reads=reads))

    async def identify_counted(self, credentials: Credentials | None, network: str) -> Principal:
        """Returns who shows these, and counts by the network what proves nothing; `rate_limited`.

        For requests that are not limited otherwise: each may have the database search for a secret.
        """
        if self.identity is None or credentials is None:
            return GUEST
        if self.settings.rate_limits == "on" and (wait := self._wrong_secrets.take(network)):
            raise AccountRefused("rate_limited", retry_after_ms=math.ceil(1_000 * wait))
        principal = NOBODY
        try:
            principal = await self.identity.identify(credentials)
        finally:
            if principal is not NOBODY:
                self._wrong_secrets.give_back(network)
        return principal

    def cookies_of(self, headers: Headers) -> Cookies:
        """Returns which cookies the address that a request was sent to has."""
        return PLAIN if not self._is_https and self._origins.is_plain(headers) else SECURE

    def page_origin(self, headers: Headers) -> Origin | None:
        """Returns the one origin of the page that a request is sent to; None where that may be of anybody's naming."""
        return self._origins.page_origin(headers)

    def is_own_page(self, headers: Headers) -> bool:
        """Returns whether a request that changes something comes from a page that may do so."""
        return self._origins.vouches(headers, reads=False)

    def account_limiter(self, account: int) -> AccountLimiter:
        """Returns the limiter that all connections of an account share."""
        limiter = self._account_limiters.get(account)
        if limiter is None:
            limiter = self._account_limiters[account] = AccountLimiter(self._account_rates)
        return limiter

    def _on_names_changed(self, account: Author, name: str) -> None:
        """Has rooms and lists of rooms call everybody as they are called now."""
        if self.guest_names is not None:
            self.guest_names.forget()
        self.supervisor.refresh_names(account, name)
        if self.memberships is not None:
            self.memberships.on_called(account, name)

    def network_of(self, peer: str, headers: Headers) -> str:
        """Returns the network of the client that `peer` speaks for."""
        return network_of(self._addresses.address_of(peer, headers))


def _is_https(address: str) -> bool:
    """Returns whether people open the page by https: then a proxy speaks it, whatever it tells of a request."""
    parts = urlsplit(address)
    return parts.scheme == "https" and not is_loopback(parts.hostname or "")
