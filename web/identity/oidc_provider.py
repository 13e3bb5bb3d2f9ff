"""One OpenID provider: what it says of itself, where to send somebody, and what it gives for a code.

Follows OpenID Connect Discovery 1.0, sections 3 and 4, and RFC 6749, section 4.1.3. Everything of the provider is
bounded and judged here; the ID token in `web/identity/id_token.py`.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

from web.identity import id_token
from web.identity.document import Document, json_object
from web.identity.id_token import Outside
from web.identity.jwt import Keys
from web.identity.outgoing import Fetch, FetchFailed, fault_of
from web.oidc_clients import OidcClient

PAUSE = 5.0
"""Seconds after which a provider is asked again that has not answered: somebody waits to sign in."""


class ProviderFault(Exception):
    """The provider does not do what it should. The message has no secret in it."""


class Configuration(NamedTuple):
    """What a provider says of itself, as far as it is needed here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_issuer: bool  # it says `iss` beside the code (RFC 9207)
    takes_basic: bool  # it takes the secret as a header


class Provider:
    """A provider, for the one client that this server is there."""

    def __init__(self, client: OidcClient, fetch: Fetch, clock: Callable[[], float]) -> None:
        self.client = client
        self._fetch = fetch
        self._clock = clock
        address = f"{client.issuer.rstrip('/')}/.well-known/openid-configuration"
        self._discovery = Document(address, fetch, json_object, pause=PAUSE, clock=clock)
        self._jwks: Keys | None = None
        self._jwks_uri = ""

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Returns where somebody signs in. Raises `ProviderFault`."""
        endpoint = (await self.configuration()).authorization_endpoint
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def person(self, code: str, *, redirect_uri: str, verifier: str, nonce: str) -> Outside:
        """Exchanges a code for who has signed in. Raises `ProviderFault` and `TokenRefused`."""
        token = await self._exchange(code, redirect_uri, verifier)
        keys, client = await self._keys(), self.client
        return await id_token.verify(token, keys, issuer=client.issuer, client_id=client.client_id, nonce=nonce)

    async def configuration(self) -> Configuration:
        """Returns what the provider says of itself. Raises `ProviderFault`."""
        try:
            said = await self._discovery.get()
        except FetchFailed as fault:
            raise ProviderFault(f"discovery: {fault}") from fault
        if said.get("issuer") != self.client.issuer:
            raise ProviderFault("discovery: it calls itself another issuer than the setting does")
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Configuration(
            self._endpoint(said, "authorization_endpoint"),
            self._endpoint(said, "token_endpoint"),
            self._endpoint(said, "jwks_uri"),
            names_issuer=said.get("authorization_response_iss_parameter_supported") is True,
            takes_basic=isinstance(methods, list) and "client_secret_basic" in methods,
        )

    async def _exchange(self, code: str, redirect_uri: str, verifier: str) -> str:
        configuration = await self.configuration()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        authorization = None
        if self.client.secret and configuration.takes_basic:
            authorization = _basic(self.client.client_id, self.client.secret)
        else:
            form |= {"client_id": self.client.client_id}
            form |= {"client_secret": self.client.secret} if self.client.secret else {}
        try:
            answer = await self._fetch(configuration.token_endpoint, form=form, authorization=authorization)
            said = json_object(answer.body)
        except FetchFailed as fault:
            raise ProviderFault(f"token endpoint: {fault}") from fault
        token = said.get("id_token")
        if answer.status != 200 or not isinstance(token, str):
            raise ProviderFault(f"token endpoint: expected an ID token, got {answer.status}{_error(said)}")
        return token

    async def _keys(self) -> Keys:
        from web.identity.jwks import Jwks  # PyJWT takes 0.1 s to import, and may not be installed

        url = (await self.configuration()).jwks_uri
        if self._jwks_uri != url:
            self._jwks_uri, self._jwks = url, Jwks(url, self._fetch, self._clock)
        assert self._jwks is not None
        return self._jwks

    def _endpoint(self, said: Mapping[str, Any], name: str) -> str:
        """A provider elsewhere has nothing to ask for on this machine, where plain http would be enough."""
        url = said.get(name)
        if not isinstance(url, str):
            raise ProviderFault(f"discovery: expected an address as {name}")
        fault = fault_of(url)
        if fault is None and urlsplit(self.client.issuer).scheme == "https" != urlsplit(url).scheme:
            fault = "it is not https, as the issuer is"
        if fault is not None:
            raise ProviderFault(f"discovery: {name}: {fault}")
        return url


def _basic(client_id: str, secret: str) -> str:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _error(said: Mapping[str, Any]) -> str:
    """Returns the provider's word for a fault, if it is a word: it goes to the log."""
    word = said.get("error")
    return f" {word}" if isinstance(word, str) and re.fullmatch(r"[a-z_]{1,40}", word) else ""
