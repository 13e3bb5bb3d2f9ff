"""ID tokens: what a provider says of who has signed in (OpenID Connect Core 1.0, section 3.1.3.7).

The signature is that of any token: `web/identity/jwt.py`. The key says for which algorithm it is.
"""

import hmac
import time
from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeAlias

import msgspec

from web.identity.claims import TokenRefused
from web.identity.jwt import Keys, signed_payload

LEEWAY = 30.0
"""Seconds that the provider's clock may differ from ours."""

MAX_AGE = 600.0
"""Seconds since a token was made: as long as somebody may take to sign in."""


class Outside(NamedTuple):
    """Somebody, as a provider knows them. Only issuer and subject together say who it is."""

    issuer: str
    subject: str
    name: str | None  # what they may be called; says nothing about who they are
    handle: str | None  # what they would like to be called here, if they can


_Subject: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"\A[^\x00-\x1f\x7f-\x9f]*\Z")]


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: _Subject
    aud: str | list[str]
    exp: int | float
    iat: int | float
    nonce: str
    azp: str | None = None
    nbf: int | float = 0
    name: object = None
    preferred_username: object = None


_decoder = msgspec.json.Decoder(_Claims)


async def verify(
    token: str, keys: Keys, *, issuer: str, client_id: str, nonce: str, now: Callable[[], float] = time.time
) -> Outside:
    """Returns whom a token is about that one of `keys` has signed for us. Raises `TokenRefused`."""
    payload = await signed_payload(token, keys)
    try:
        claims = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TokenRefused(f"its claims are wrong: {' '.join(str(error).split())}") from error
    _check_parties(claims, issuer, client_id)
    _check_time(claims, now())
    if not hmac.compare_digest(claims.nonce.encode(), nonce.encode()):
        raise TokenRefused("its nonce is not the one that was sent")
    return Outside(issuer, claims.sub, _text(claims.name), _text(claims.preferred_username))


def _check_parties(claims: _Claims, issuer: str, client_id: str) -> None:
    """A token for several clients is for us where we are the one that has asked for it."""
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != issuer:
        raise TokenRefused("its iss is another issuer")
    if client_id not in audience:
        raise TokenRefused("its aud is not this client")
    if claims.azp != client_id and (claims.azp is not None or len(audience) > 1):
        raise TokenRefused("its azp is not this client")


def _check_time(claims: _Claims, now: float) -> None:
    if claims.exp + LEEWAY <= now:
        raise TokenRefused("it has expired")
    if max(claims.iat, claims.nbf) - LEEWAY > now:
        raise TokenRefused("it is of the future (iat, nbf)")
    if claims.iat + MAX_AGE + LEEWAY < now:
        raise TokenRefused("it was made too long ago (iat)")


def _text(claim: object) -> str | None:
    return claim if isinstance(claim, str) and 0 < len(claim) <= 256 else None
