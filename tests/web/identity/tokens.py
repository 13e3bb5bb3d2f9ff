"""Makes tokens as an app does, and as somebody does who forges them."""

import asyncio
import base64
import contextlib
import ipaddress
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt import get_algorithm_by_name

from chatter.clock import SECOND
from tests.support.keys import EC_KEY, RSA_KEY
from web.http.outgoing import Outgoing
from web.identity.claims import Claims, TokenRefused
from web.identity.jwt import TokenVerifier, token_verifier
from web.identity.outgoing import Answer, Fetch, FetchFailed
from web.settings import read_settings

NOW = 1_800_000_000
SECRET = "a shared secret of forty bytes, or so it is".replace(" ", "-")
OTHER_SECRET = SECRET[::-1]
_SECRET_BYTES = SECRET.encode()

ED_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, Any] = {"RS256": RSA_KEY, "ES256": EC_KEY, "EdDSA": ED_KEY}

GOOD = {"sub": "7", "exp": NOW + 600}


class FakeClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def nanoseconds(self) -> int:
        return round(self.seconds * SECOND)


async def nobody(url: str, **_: object) -> Answer:
    """Fetches nothing: a server whose tokens need no answer of others."""
    raise FetchFailed(f"{url} is not to be asked")


def verifier(fetch: Fetch = nobody, **settings: str) -> TokenVerifier:
    """Makes the verifier of a server with these settings, at `NOW`."""
    made = token_verifier(read_settings(settings, {}), fetch, FakeClock().nanoseconds)
    assert made is not None
    return made


def verified(token: str, **settings: str) -> Claims:
    """Returns what a token says to a server that shares `SECRET` with its app, or has other settings."""

    async def verify() -> Claims:
        with contextlib.closing(Outgoing()) as fetch:
            return await verifier(fetch, **(settings or {"jwt_key": SECRET})).verify(token)

    return asyncio.run(verify())


def refusal_of(token: str, **settings: str) -> str:
    """Returns why a token is refused, and checks that the reason does not repeat any of its parts."""
    with pytest.raises(TokenRefused) as refused:
        verified(token, **settings)
    assert not any(part in refused.value.reason for part in token.split(".") if len(part) > 8)
    return refused.value.reason


def signed(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    """Signs claims as an app does."""
    return jwt.encode(claims, key, algorithm, headers=header)


def forged(header: object, claims: object, key: Any = _SECRET_BYTES, algorithm: str = "HS256") -> str:
    """Signs anything, whatever the header says."""
    head, payload = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims))
    text = encoded(head) + b"." + encoded(payload)
    signature = get_algorithm_by_name(algorithm).sign(text, key)
    return (text + b"." + encoded(signature)).decode()


def encoded(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def jwk(key: Any, kid: str | None = None, **more: Any) -> dict[str, Any]:
    """Returns the public half of a key as an app publishes it."""
    return _jwk(key, key.public_key()) | ({} if kid is None else {"kid": kid}) | more


def private_jwk(key: Any, kid: str) -> dict[str, Any]:
    """Returns all of a key, as no app should publish it."""
    return _jwk(key, key) | {"kid": kid}


def _jwk(key: Any, published: Any) -> dict[str, Any]:
    made: dict[str, Any] = get_algorithm_by_name(_algorithm_of(key)).to_jwk(published, as_dict=True)
    made.pop("key_ops", None)  # PyJWT says of public RSA keys alone that they verify
    return made


def self_signed(host: str) -> bytes:
    """Makes a certificate for an address, with its key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an app")])
    made = (
        x509.CertificateBuilder(name, name, EC_KEY.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(EC_KEY, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM) + EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _algorithm_of(key: Any) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    return "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "EdDSA"


def pem(key: Any) -> bytes:
    public: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public
