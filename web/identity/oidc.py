"""Signing in by OpenID Connect: the authorization code flow with PKCE, bound to the browser that has begun it.

What begins here has to end here: the `state` is a ticket that counts once, for ten minutes, in one browser, for one
provider. It is never a secret of that browser alone: the verifier and the nonce are derived from it and from what only
this server knows.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from web.identity.claims import TokenRefused
from web.identity.id_token import Outside
from web.identity.oidc_provider import Provider, ProviderFault
from web.identity.outgoing import Fetch
from web.identity.tickets import TicketRefused, Tickets
from web.oidc_clients import OidcClient

STATE_LIFE = 600.0
"""Seconds to sign in with the provider."""

MAX_EXCHANGES = 20
"""Codes that are exchanged at the same time. Each takes two requests, of at most five seconds."""

MAX_CODE = 4_096

_CHARACTERS = r"[\w.~%!$&'()*+,;=:@/?-]*"
_PAGE = re.compile(rf"/(?:rooms/{_CHARACTERS})?(?:\?{_CHARACTERS})?(?:#{_CHARACTERS})?", re.ASCII)
_CLIMB = re.compile(r"/(?:\.|%2e){1,2}(?:[/?#]|\Z)", re.IGNORECASE)
"""What has a browser leave out a part of the path: `..`, and how else it may be written."""

MAX_PAGE = 300


class NotSignedIn(Exception):
    """Somebody is not signed in. `reason` is a word for the page; the message is for the log, without secrets."""

    def __init__(self, message: str, reason: str = "failed") -> None:
        super().__init__(message)
        self.reason = reason


class Starter(NamedTuple):
    """Who has begun: somebody signed in, who links what they sign in to. By the number of the session too."""

    account: int
    session: int


class Begun(NamedTuple):
    """Somebody has begun to sign in with a provider, and is back."""

    page: str  # where they were, and want to go on
    starter: Starter | None
    ticket: bytes


class OpenIdConnect:
    """The providers of this server, and those who are on their way to one."""

    def __init__(
        self, clients: Iterable[OidcClient], fetch: Fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` returns seconds that only grow."""
        self._providers = {client.id: Provider(client, fetch, clock) for client in clients}
        self._tickets = Tickets(STATE_LIFE)
        self._exchanges = 0

    @property
    def listed(self) -> list[dict[str, str]]:
        """The providers, as the page shows them."""
        return [{"id": id, "label": provider.client.label} for id, provider in self._providers.items()]

    def name_of(self, issuer: str) -> str:
        """Returns the label of a provider; its issuer, where it is none of these."""
        clients = (provider.client for provider in self._providers.values())
        return next((client.label for client in clients if client.issuer == issuer), issuer)

    def knows(self, id: str) -> bool:
        """Returns whether there is such a provider."""
        return id in self._providers

    async def begin(self, id: str, *, browser: str, redirect_uri: str, page: str, starter: Starter | None) -> str:
        """Returns the address at which somebody signs in; `browser` is a secret of theirs. Raises `NotSignedIn`."""
        told = json.dumps([id, page, starter], separators=(",", ":")).encode()
        ticket = self._tickets.issue(told, bound_to=browser)
        verifier, nonce = self._secrets_of(ticket, browser)
        try:
            return await self._providers[id].authorization_url(
                redirect_uri=redirect_uri, state=_text(ticket), nonce=nonce, challenge=_challenge(verifier)
            )
        except ProviderFault as fault:
            raise NotSignedIn(f"{id}: {fault}", "unavailable") from fault

    def resume(self, id: str, *, browser: str, answered: Mapping[str, Sequence[str]]) -> Begun:
        """Returns what a browser has begun that comes back, which counts once. Raises `NotSignedIn`."""
        ticket = _ticket(_only(answered, "state"))
        try:
            begun, page, starter = json.loads(self._tickets.redeem(ticket, bound_to=browser))
        except TicketRefused as fault:
            raise NotSignedIn(f"state: {fault}") from fault
        if begun != id:
            raise NotSignedIn(f"begun with {begun}, and answered as {id}")
        return Begun(page, Starter(*starter) if starter else None, ticket)

    async def finish(
        self, id: str, begun: Begun, *, browser: str, redirect_uri: str, answered: Mapping[str, Sequence[str]]
    ) -> Outside:
        """Returns who has signed in, by what a provider has answered through the browser. Raises `NotSignedIn`."""
        provider = self._providers[id]
        verifier, nonce = self._secrets_of(begun.ticket, browser)
        try:
            await self._check_answer(provider, answered)
            code = _only(answered, "code")
            return await self._exchange(provider, code, redirect_uri, verifier, nonce)
        except (ProviderFault, TokenRefused) as fault:
            raise NotSignedIn(f"{id}: {fault}") from fault

    async def _check_answer(self, provider: Provider, answered: Mapping[str, Sequence[str]]) -> None:
        """A provider that says who it is says the right one (RFC 9207): else another's code could be brought to it."""
        configuration = await provider.configuration()
        names_issuer = "iss" in answered or configuration.names_issuer
        if names_issuer and _only(answered, "iss") != provider.client.issuer:
            raise NotSignedIn("another issuer has answered")
        if "error" in answered:
            was_cancelled = _only(answered, "error") == "access_denied"
            raise NotSignedIn("the provider has refused", "cancelled" if was_cancelled else "failed")

    async def _exchange(self, provider: Provider, code: str, redirect_uri: str, verifier: str, nonce: str) -> Outside:
        if self._exchanges >= MAX_EXCHANGES:
            raise NotSignedIn("too many others sign in", "busy")
        self._exchanges += 1
        try:
            return await provider.person(code, redirect_uri=redirect_uri, verifier=verifier, nonce=nonce)
        finally:
            self._exchanges -= 1

    def _secrets_of(self, ticket: bytes, browser: str) -> tuple[str, str]:
        verifier = self._tickets.derive("verifier", ticket, bound_to=browser)
        nonce = self._tickets.derive("nonce", ticket, bound_to=browser)
        return _text(verifier), _text(nonce)


def is_page(address: str) -> bool:
    """Returns whether an address is one of this server's own pages, and nothing else by any reading."""
    return len(address) <= MAX_PAGE and _PAGE.fullmatch(address) is not None and not _CLIMB.search(address)


def _only(answered: Mapping[str, Sequence[str]], name: str) -> str:
    values = answered.get(name, ())
    if len(values) != 1 or not 0 < len(values[0]) <= MAX_CODE:
        raise NotSignedIn(f"expected one {name}")
    return values[0]


def _challenge(verifier: str) -> str:
    return _text(hashlib.sha256(verifier.encode()).digest())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _ticket(text: str) -> bytes:
    """Reads a `state`. One with other characters is none, in whatever way a lenient decoder would read it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise NotSignedIn("state: not one of ours")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as fault:
        raise NotSignedIn("state: not one of ours") from fault
