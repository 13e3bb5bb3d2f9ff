"""Makes users of NATS as an operator does with `nsc`: keys, the tokens that they sign, and the file of a user."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
UNLIMITED = dict.fromkeys(("conn", "subs", "data", "payload"), -1)
WITH_STREAMS = UNLIMITED | dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


class Party:
    """An operator, an account or a user, with a key."""

    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._key = Ed25519PrivateKey.generate()

    @property
    def name(self) -> str:
        """Its public key."""
        return _encoded(bytes((self._kind,)) + self._key.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        """Its private key."""
        first = bytes((SEED | self._kind >> 5, (self._kind & 31) << 3))
        return _encoded(first + self._key.private_bytes_raw())

    def vouch(self, of: "Party", kind: str, **claims: Any) -> str:
        """Returns a token that says what another party may do."""
        nats = {"type": kind, "version": 2, **claims}
        parts = [
            {"typ": "JWT", "alg": "ed25519-nkey"},
            {"jti": of.name, "iat": 1, "iss": self.name, "name": kind, "sub": of.name, "nats": nats},
        ]
        text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{text}.{_base64(self._key.sign(text.encode()))}"


class Operator:
    """An operator with one account for nodes, and what the configuration of a server needs for that."""

    def __init__(self) -> None:
        self._operator, self._account, self._system = Party(OPERATOR), Party(ACCOUNT), Party(ACCOUNT)

    @property
    def configuration(self) -> str:
        """Lines for a nats-server that accepts the account's users and nobody else."""
        of_account = self._operator.vouch(self._account, "account", limits=WITH_STREAMS)
        of_system = self._operator.vouch(self._system, "account", limits=UNLIMITED)
        preload = f"{self._account.name}: {of_account}, {self._system.name}: {of_system}"
        return (
            f"operator: {self._operator.vouch(self._operator, 'operator')}\nsystem_account: {self._system.name}\n"
            f"resolver: MEMORY\nresolver_preload: {{ {preload} }}"
        )

    def credentials(self, path: Path) -> Path:
        """Writes the file of a user that may do what a node needs, and nothing else."""
        allowed = {"allow": ["chatter.>", "$JS.API.>", "_INBOX.>"]}
        user = Party(USER)
        token = self._account.vouch(user, "user", pub=allowed, sub=allowed, subs=-1, data=-1, payload=-1)
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )
        return path


def _encoded(raw: bytes) -> str:
    whole = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(whole).decode().rstrip("=")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
