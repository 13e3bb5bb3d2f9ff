"""Tokens of an embedding app: JSON Web Tokens (RFC 7519), signed with a shared key or one of its JWKS.

A token is parsed here once, in the compact form of RFC 7515, and strictly: three parts of base64url without padding.
"""

import binascii
import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from chatter.clock import Clock, wall_clock
from web.identity.claims import ClaimRules, Claims, TokenRefused
from web.identity.outgoing import Fetch
from web.settings import Settings

if TYPE_CHECKING:
    from web.identity.signing_keys import Key

logger = logging.getLogger(__name__)

MAX_TOKEN = 8_192
"""Longest token in characters: what fits into a header of HTTP."""

_PURPOSES = {"jwt", "at+jwt", "application/at+jwt"}
"""What `typ` may be. An issuer signs other things with the same key, such as notices that somebody has signed out."""


class Keys(Protocol):
    """Keys knows which keys may have signed a token."""

    async def of(self, kid: str | None) -> "Sequence[Key]":
        """Returns the keys for a token's `kid`. Raises `TokenRefused`."""


class SharedKeys:
    """The keys that the app and this server both have: one, or an old and a new one."""

    def __init__(self, keys: "Sequence[Key]") -> None:
        self._keys = keys

    async def of(self, _kid: str | None) -> "Sequence[Key]":
        return self._keys


class TokenVerifier:
    """Verifies tokens. Used on the loop."""

    def __init__(self, keys: Keys, rules: ClaimRules) -> None:
        self._keys = keys
        self._rules = rules

    def recognises(self, text: str) -> bool:
        """Whether a secret looks like a JWT, and not like one that this server has made."""
        return text.count(".") == 2

    async def verify(self, text: str) -> Claims:
        """Returns what a valid token says. Raises `TokenRefused`."""
        try:
            return self._rules.read(await signed_payload(text, self._keys))
        except TokenRefused as refused:
            logger.debug("a token is refused: %s", refused.reason)
            raise


async def signed_payload(text: str, keys: Keys) -> bytes:
    """Returns the payload of a token that one of `keys` has signed. Raises `TokenRefused`."""
    token = _parse(text)
    fitting = [key for key in await keys.of(token.kid) if key.is_for(token.algorithm)]
    if not fitting:
        raise TokenRefused("its algorithm is not that of its key")
    if not any(key.verifies(token.algorithm, token.signed, token.signature) for key in fitting):
        raise TokenRefused("its signature is wrong")
    return token.payload


def token_verifier(settings: Settings, fetch: Fetch, clock: Clock = wall_clock) -> TokenVerifier | None:
    """Makes the verifier that the settings ask for, or None where they name neither key nor JWKS."""
    rules = ClaimRules(settings.jwt_audience, settings.jwt_issuer, settings.jwt_leeway, clock)
    if settings.jwt_key:
        from web.identity.signing_keys import shared_key  # PyJWT takes 0.1 s to import, and may not be installed

        return TokenVerifier(SharedKeys([shared_key(key) for key in sorted(settings.jwt_key)]), rules)
    if settings.jwt_jwks:
        from web.identity.jwks import Jwks

        return TokenVerifier(Jwks(settings.jwt_jwks, fetch), rules)
    return None


class _Token(NamedTuple):
    algorithm: str
    kid: str | None
    signed: bytes
    payload: bytes
    signature: bytes


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str = ""
    typ: str = "JWT"
    crit: Any = msgspec.UNSET
    b64: Any = msgspec.UNSET


_decoder = msgspec.json.Decoder(_Header)


def _parse(text: str) -> _Token:
    if len(text) > MAX_TOKEN:
        raise TokenRefused(f"it has more than {MAX_TOKEN} characters")
    parts = text.split(".")
    if len(parts) != 3:
        raise TokenRefused("expected three parts with dots between them")
    head, payload, signature = map(_decode, parts)
    try:
        header = _decoder.decode(head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TokenRefused("its header is wrong") from error
    _check(header)
    signed = text[: text.rindex(".")].encode()
    return _Token(header.alg, header.kid or None, signed, payload, signature)


def _check(header: _Header) -> None:
    """Refuses what changes the meaning of a token: this server knows no extension (RFC 7515, 4.1.11; RFC 7797)."""
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise TokenRefused("its header asks for an extension (crit, b64)")
    if header.typ.lower() not in _PURPOSES:
        raise TokenRefused("its typ is that of another kind of token")


def _decode(part: str) -> bytes:
    """Decodes base64url. One text for each value: an altered last character is no other token."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", part) or len(part) % 4 == 1:
        raise TokenRefused("expected base64url without padding")
    value = binascii.a2b_base64(part.translate(_TO_BASE64) + "=" * (-len(part) % 4))
    if binascii.b2a_base64(value, newline=False).decode().translate(_TO_BASE64URL) != part:
        raise TokenRefused("expected base64url in its one form")
    return value


_TO_BASE64 = str.maketrans("-_", "+/")
_TO_BASE64URL = str.maketrans("+/", "-_", "=")
