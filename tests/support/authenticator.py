"""An authenticator in Python: makes passkeys and shows them as a browser would, and also as none would."""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. Its `sign_count` is what a test sets."""

    def __init__(self, origin: str, rp_id: str, *, sign_count: int = 0) -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.sign_count = sign_count
        self.flags = PRESENT | VERIFIED
        self.id = secrets.token_bytes(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle = ""

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answers what the server asks to add one."""
        self.user_handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        described = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(key)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._state(HAS_CREDENTIAL) + described}
        response = {
            "clientDataJSON": text(self._client("webauthn.create", options)),
            "attestationObject": text(cbor2.dumps(attested)),
            "transports": ["internal"],
        }
        return self._credential(response)

    def show(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answers what the server asks to sign in."""
        client, state = self._client("webauthn.get", options), self._state(0)
        signature = self.key.sign(state + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": text(client),
            "authenticatorData": text(state),
            "signature": text(signature),
            "userHandle": self.user_handle,
        }
        return self._credential(response)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        client = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(client).encode()

    def _state(self, flags: int) -> bytes:
        return (
            hashlib.sha256(self.rp_id.encode()).digest()
            + bytes([self.flags | flags])
            + self.sign_count.to_bytes(4, "big")
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response}


def text(octets: bytes) -> str:
    """Writes base64url."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
