"""Credentials: the file of NATS with which a node shows who it is, and the signature that proves it."""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_SEED_OF_A_USER = bytes((18 << 3 | 20 << 3 >> 5, (20 << 3 & 31) << 3))
"""The first two bytes of a seed: that it is one, and whose."""


class Credentials(NamedTuple):
    """A user of NATS."""

    token: bytes  # what the account has signed
    sign: Callable[[bytes], bytes]  # with the key that the token names


def read_credentials(path: str) -> Credentials:
    """Reads a file as `nsc generate creds` writes it. Raises OSError, and ValueError where it is none."""
    # nats-py reads such files with a package of its own for signatures; this is the one that tokens of apps need.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = Path(path).read_text(encoding="ascii", errors="replace")
    token, seed = _block(text, "NATS USER JWT"), _block(text, "USER NKEY SEED")
    return Credentials(token.encode(), Ed25519PrivateKey.from_private_bytes(_key(seed)).sign)


def _block(text: str, name: str) -> str:
    found = re.search(f"-+BEGIN {name}-+\\s+(\\S+)\\s+-+END {name}-+", text)
    if found is None:
        raise ValueError(f"expected a block {name}, found none")
    return found[1]


def _key(seed: str) -> bytes:
    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    checksum = int.from_bytes(raw[-2:], "little")
    if len(raw) != 36 or raw[:2] != _SEED_OF_A_USER or binascii.crc_hqx(raw[:-2], 0) != checksum:
        raise ValueError("expected the seed of a user's key, got another text")
    return raw[2:34]
