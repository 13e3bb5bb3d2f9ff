"""Claims: what a token of an embedding app says of somebody, and whether that may be believed now.

Reads the payload of a token whose signature has been verified. RFC 7519 has the meaning of the registered claims.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec

from chatter.charter import RoomRole
from chatter.clock import SECOND, Clock
from chatter.messages import SLUG

LAST_MOMENT = 253_402_300_799
"""The end of the year 9999 in seconds since 1970. An `exp` beyond it was given in milliseconds."""


class TokenRefused(Exception):
    """A token that proves nothing. `reason` is for the log; it never quotes the token."""

    def __init__(self, reason: str, *, is_temporary: bool = False) -> None:
        """`is_temporary` says that the same token may be accepted later: its key could not be looked up now."""
        super().__init__(reason)
        self.reason = reason
        self.is_temporary = is_temporary


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid token says. `issuer` and `subject` together are one person for ever."""

    issuer: str  # "" where the token names none
    subject: str
    expires_at: float  # seconds since 1970: `exp` as it is, without leeway
    made_at: float  # says which of two tokens is newer: `iat`, else `exp`
    name: str | None = None  # as the app gave it, not in the normal form of names
    avatar: str | None = None
    role: Literal["member", "moderator", "admin"] | None = None
    rooms: Mapping[str, RoomRole] | None = None  # by slug; None where the token says nothing of rooms


_PLAIN = r"\A[^\x00-\x1f\x7f-\x9f]*\Z"  # without control characters, which PostgreSQL or a log may choke on
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern=_PLAIN)]
_Slug: TypeAlias = Annotated[str, msgspec.Meta(pattern=rf"\A{SLUG.pattern}\Z")]
_Avatar: TypeAlias = Annotated[str, msgspec.Meta(max_length=2_048, pattern=r"\Ahttps?://[!-~]+\Z")]
_Moment: TypeAlias = int | float


class _Payload(msgspec.Struct, frozen=True):
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=_PLAIN)]
    exp: _Moment
    nbf: _Moment | msgspec.UnsetType = msgspec.UNSET
    iat: _Moment | msgspec.UnsetType = msgspec.UNSET
    iss: _Name | msgspec.UnsetType = msgspec.UNSET
    aud: str | list[str] | msgspec.UnsetType = msgspec.UNSET
    name: _Name | None = None
    avatar: _Avatar | None = None
    role: Literal["member", "moderator", "admin"] | None = None
    rooms: dict[_Slug, RoomRole] | msgspec.UnsetType = msgspec.UNSET  # null would be all rooms, where none was meant


_decoder = msgspec.json.Decoder(_Payload)


class ClaimRules:
    """What this server expects of claims."""

    def __init__(self, audience: str, issuer: str, leeway: int, clock: Clock) -> None:
        """`leeway` is how many seconds the app's clock may differ. `audience` and `issuer` may be ""."""
        self._audience = audience
        self._issuer = issuer
        self._leeway = leeway
        self._clock = clock

    def read(self, payload: bytes) -> Claims:
        """Reads the payload of a verified token. Raises `TokenRefused`."""
        try:
            claims = _decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise TokenRefused(f"its claims are wrong: {' '.join(str(error).split())}") from error
        self._check_time(claims)
        self._check_parties(claims)
        return Claims(
            issuer=claims.iss or "",
            subject=claims.sub,
            expires_at=float(claims.exp),
            made_at=claims.exp if claims.iat is msgspec.UNSET else claims.iat,
            name=claims.name,
            avatar=claims.avatar,
            role=claims.role,
            rooms=None if claims.rooms is msgspec.UNSET else claims.rooms,
        )

    def _check_time(self, claims: _Payload) -> None:
        now = self._clock() / SECOND
        if claims.exp > LAST_MOMENT:
            raise TokenRefused("its exp is beyond the year 9999: expected seconds since 1970")
        if claims.exp + self._leeway <= now:
            raise TokenRefused("it has expired")
        if claims.nbf is not msgspec.UNSET and claims.nbf - self._leeway > now:
            raise TokenRefused("it is not valid yet (nbf)")
        if claims.iat is not msgspec.UNSET and claims.iat - self._leeway > now:
            raise TokenRefused("it was issued in the future (iat)")

    def _check_parties(self, claims: _Payload) -> None:
        """Checks for whom the token is, and from whom: one for another program of the same issuer is none for us."""
        audience = [] if claims.aud is msgspec.UNSET else [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if self._audience and self._audience not in audience:
            raise TokenRefused("its aud is not jwt_audience")
        if not self._audience and claims.aud is not msgspec.UNSET:
            raise TokenRefused("it has an aud, and jwt_audience is not set")
        if self._issuer and claims.iss != self._issuer:
            raise TokenRefused("its iss is not jwt_issuer")
