"""Keys that verify signatures: shared ones from a setting, public ones from a JWKS (RFC 7517).

A key says for which algorithms it is; the `alg` of a token only has to agree. So a public key is never the secret of
an HMAC, and no key is for `none`. This module alone imports PyJWT, from the extra `chatter[jwt]`.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import Algorithm

from web.identity.outgoing import FetchFailed

logger = logging.getLogger(__name__)

MAX_KEYS = 20
RSA_BITS = range(2_048, 4_097)
"""Fewer are weak. More take longer on the loop: 39 µs with 2,048, 119 with 4,096, 310 with 8,192."""
MAX_EXPONENT = 2**32
"""The usual one is 65,537. A signature costs in proportion to the length of the exponent."""


class Key:
    """A key and the algorithms that it is for.

    A signature takes 5 µs with HS256, 39 with RS256 and 2,048 bits, 98 with ES256, 182 with EdDSA: all on the loop.
    PyJWT's own `decode` takes 100 µs more, and 600 for a token of 5 kB.
    """

    __slots__ = ("_algorithms", "_key")

    def __init__(self, key: Any, algorithms: Mapping[str, Algorithm]) -> None:
        """`key` is what these algorithms of PyJWT make of a key."""
        self._key = key
        self._algorithms = algorithms

    def is_for(self, algorithm: str) -> bool:
        """Whether tokens of this algorithm may be signed with this key."""
        return algorithm in self._algorithms

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether this key has signed. `algorithm` is one that the key is for."""
        return self._algorithms[algorithm].verify(signed, self._key, signature)


_HMAC = {name: jwt.get_algorithm_by_name(name) for name in ("HS256", "HS384", "HS512")}

_PUBLIC = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""The one algorithm of each kind of public key, by `kty` and `crv`."""


def shared_key(text: str) -> Key:
    """Makes a key for HMAC. Raises `ValueError` for a public key, a certificate or a JWK: everybody may know those."""
    try:
        return Key(_HMAC["HS256"].prepare_key(text), _HMAC)
    except jwt.InvalidKeyError as error:
        raise ValueError("a secret, not a public key") from error


class _Jwk(msgspec.Struct, frozen=True):
    kty: str
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    d: Any = None  # of a private key


def public_keys(document: bytes) -> dict[str | None, Key]:
    """Reads a JWKS: its keys by `kid`, None for one without. Raises `FetchFailed`.

    A key that cannot be used is left out with a warning, and so are all keys of a `kid` that is there twice.
    """
    keys = [read for read in map(_public_key, _entries(document)) if read is not None]
    times = Counter(kid for kid, _ in keys)
    for kid in (kid for kid, count in times.items() if count > 1):
        logger.warning("JWKS: keys are left out, since more than one has the kid %r", kid)
    return {kid: key for kid, key in keys if times[kid] == 1}


def _entries(document: bytes) -> list[Any]:
    try:
        entries = msgspec.json.decode(document)["keys"]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, LookupError, TypeError) as error:
        raise FetchFailed("expected a JSON object with keys") from error
    if not isinstance(entries, list):
        raise FetchFailed("expected keys to be a list")
    if len(entries) > MAX_KEYS:
        raise FetchFailed(f"expected at most {MAX_KEYS} keys, got {len(entries)}")
    return entries


def _public_key(entry: Any) -> tuple[str | None, Key] | None:
    try:
        jwk = msgspec.convert(entry, _Jwk)
        algorithm = _algorithm_of(jwk)
        key = jwt.PyJWK(entry, algorithm)
        _check_strength(key.key)
    except (msgspec.MsgspecError, jwt.PyJWTError, ValueError, TypeError) as error:
        # An error of the libraries may quote the key, which may be a private one.
        logger.warning("JWKS: a key is left out: %s", error if isinstance(error, _Unfit) else type(error).__name__)
        return None
    return jwk.kid, Key(key.key, {algorithm: key.Algorithm})


class _Unfit(ValueError):
    """A key that is none for this purpose."""


def _algorithm_of(jwk: _Jwk) -> str:
    algorithm = _PUBLIC.get((jwk.kty, jwk.crv))
    if algorithm is None or jwk.alg not in (None, algorithm):
        raise _Unfit("expected one for RS256, ES256 or EdDSA")
    if jwk.use not in (None, "sig") or (jwk.key_ops is not None and "verify" not in jwk.key_ops):
        raise _Unfit("it is not for signatures")
    if jwk.d is not None:
        raise _Unfit("it is a private key: whoever has read it can sign in as anybody")
    return algorithm


def _check_strength(key: Any) -> None:
    if not isinstance(key, RSAPublicKey):
        return
    if key.key_size not in RSA_BITS:
        raise _Unfit(f"expected an RSA key of {RSA_BITS[0]} to {RSA_BITS[-1]} bits, got {key.key_size}")
    if key.public_numbers().e > MAX_EXPONENT:
        raise _Unfit("its public exponent is too large")
