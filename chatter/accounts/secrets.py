"""Secrets: how they are made, told apart and stored. Who has the database cannot use what is in it."""

import hashlib
import secrets
import string
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["session", "access", "device", "invite", "setup", "reset", "link"]

PREFIXES: dict[Kind, str] = {
    "session": "chs_",
    "access": "cha_",
    "device": "chd_",
    "setup": "chl_",
    "reset": "chl_",
    "link": "chl_",
    "invite": "",
}

LONGEST = 128
"""Characters of a text that is looked up at all."""

_BASE62 = string.ascii_letters + string.digits
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def make(kind: Kind) -> str:
    """Returns a new secret: 43 letters and digits, 256 bits; an invite, which people copy by hand, 10 and 50 bits."""
    if kind == "invite":
        return "".join(secrets.choice(_BASE32) for _ in range(10))
    return PREFIXES[kind] + "".join(secrets.choice(_BASE62) for _ in range(43))


def digest_of(text: str) -> str:
    """Returns what is stored of a secret. A plain hash is enough, since nobody can guess the secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def invite_code(text: str) -> str:
    """Returns an invite's code as it was made, however somebody has typed it."""
    return text.strip().lower().replace("-", "").replace(" ", "")
