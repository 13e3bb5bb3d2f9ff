"""Credentials: what a request carries to show who sends it. Never a URL, which stands in logs and histories.

A secret that a client sends on purpose counts before a cookie, which its browser sends with everything. Whether a
cookie counts at all its origin decides: `web/channels/origins.py`.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

MAX_SECRET = 8_192
"""Longest secret in characters: a JWT with a long list of rooms. A head has at most twice that."""

PROTOCOL_PREFIX = "base64url.bearer.phx."
"""The subprotocol in which phoenix.js sends its `authToken`, since browsers let it set no header of a websocket."""

_URL_SAFE = str.maketrans("-_", "+/")


class Credentials(NamedTuple):
    """A secret, as it came."""

    text: str
    is_cookie: bool = False


class Fingerprint(NamedTuple):
    """A secret as another node is told of it: it can be compared, and not be used."""

    digest: bytes
    is_cookie: bool = False


Shown: TypeAlias = Credentials | Fingerprint | None
"""What somebody shows; None for nothing."""


def fingerprint_of(shown: Shown) -> Fingerprint | None:
    """Returns what another node may be told of a secret."""
    if not isinstance(shown, Credentials):
        return shown
    return Fingerprint(hashlib.sha256(shown.text.encode(errors="surrogatepass")).digest(), shown.is_cookie)


def is_same(one: Shown, other: Shown) -> bool:
    """Returns whether two show the same secret, each as it came or by its fingerprint."""
    return one == other or (None not in (one, other) and fingerprint_of(one) == fingerprint_of(other))


def sent_on_purpose(headers: Mapping[str, Sequence[str]]) -> Credentials | None:
    """Returns the secret in `Authorization`, phoenix.js's subprotocol or its header for long polling."""
    text = _bearer(headers.get("authorization", ()))
    if text is None:
        text = _in_protocol(headers.get("sec-websocket-protocol", ()))
    if text is None:
        text = next(iter(headers.get("x-phoenix-authtoken", ())), None)
    return None if text is None else Credentials(text[:MAX_SECRET])


def _bearer(values: Sequence[str]) -> str | None:
    scheme, _, text = (values[0] if values else "").strip().partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def _in_protocol(values: Sequence[str]) -> str | None:
    for offered in ",".join(values).split(","):
        if offered.strip().startswith(PROTOCOL_PREFIX):
            return _decoded(offered.strip().removeprefix(PROTOCOL_PREFIX))
    return None


def _decoded(text: str) -> str:
    """Reads either alphabet, with or without padding: phoenix.js writes that of `btoa`, which is not the one it says.

    What cannot be read is a secret of nobody, not the lack of one.
    """
    standard = text.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
