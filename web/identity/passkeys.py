"""Passkeys: what a browser is asked to make or show, and whether it did (Web Authentication, level 3).

A challenge is a ticket: it counts once, for five minutes, for one purpose and one name of this server. The package
`webauthn` judges what a browser sends, in a thread: it takes 0.3 s to load, and parses what strangers have written.
"""

import asyncio
import base64
import json
import logging
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from web.identity.tickets import TicketRefused, Tickets

logger = logging.getLogger(__name__)

CHALLENGE_LIFE = 300.0
"""Seconds to touch a key."""

ALGORITHMS = (-8, -7, -257)
"""EdDSA, ES256 and RS256, as COSE numbers them: between them what all authenticators have."""

MAX_CREDENTIAL = 1_364
"""Longest id of a credential: 1,023 bytes in base64url."""

MAX_CHECKS = 20
"""Answers of browsers that are judged at the same time."""

_TRANSPORTS = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})


class PasskeyRefused(Exception):
    """What a browser sent proves nothing. The message is for the log."""


class PasskeysBusy(Exception):
    """Too many answers are judged now."""


class RelyingParty(NamedTuple):
    """The server, as browsers know it."""

    id: str  # a host name, without a port
    origin: str  # of its pages


class Person(NamedTuple):
    """Whose passkey is made, as it will be shown."""

    account: int
    handle: str
    name: str
    user_handle: str | None  # of the passkeys that they have; None where this is the first


class MadePasskey(NamedTuple):
    """A passkey that a browser has made. Texts in base64url."""

    credential: str
    user_handle: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    backed_up: bool


class KnownPasskey(NamedTuple):
    """What is remembered of a passkey, to judge what it shows."""

    credential: str
    user_handle: str
    public_key: str
    sign_count: int


class Shown(NamedTuple):
    """A passkey has shown itself."""

    sign_count: int
    backed_up: bool


class Passkeys:
    """Owns the challenges that are under way. Used on the loop."""

    def __init__(self) -> None:
        self._tickets = Tickets(CHALLENGE_LIFE)
        self._checks = 0

    def options_to_add(
        self, party: RelyingParty, person: Person, known: Iterable[tuple[str, Sequence[str]]]
    ) -> dict[str, Any]:
        """Returns what `navigator.credentials.create` gets, as JSON. `known` are the person's passkeys."""
        user_handle = person.user_handle or _text(secrets.token_bytes(32))
        return {
            "rp": {"id": party.id, "name": f"Chatter at {party.id}"},
            "user": {"id": user_handle, "name": person.handle, "displayName": person.name},
            "challenge": self._challenge(party, ["add", person.account, user_handle]),
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
            "timeout": int(CHALLENGE_LIFE * 1_000),
            "excludeCredentials": [{"type": "public-key", "id": id, "transports": list(by)} for id, by in known],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "preferred",
            },
            "attestation": "none",
        }

    def options_to_show(self, party: RelyingParty, proves: int | None = None) -> dict[str, Any]:
        """Returns what `navigator.credentials.get` gets, as JSON: any passkey for this server.

        It is to sign in, or `proves` whose account it is.
        """
        return {
            "challenge": self._challenge(party, _purpose(proves)),
            "rpId": party.id,
            "timeout": int(CHALLENGE_LIFE * 1_000),
            "allowCredentials": [],
            "userVerification": "preferred",
        }

    async def added(self, party: RelyingParty, account: int, sent: Mapping[str, Any]) -> MadePasskey:
        """Judges what a browser has made for an account. Raises `PasskeyRefused` and `PasskeysBusy`."""
        challenge, told = self._redeem(party, sent)
        if told[:2] != ["add", account]:
            raise PasskeyRefused("the challenge was for something else")
        verified = await self._in_thread(_verify_new, dict(sent), challenge, party)
        return MadePasskey(
            credential=_text(verified.credential_id),
            user_handle=told[2],
            public_key=_text(verified.credential_public_key),
            sign_count=verified.sign_count,
            transports=_transports(sent),
            aaguid=verified.aaguid,
            backed_up=verified.credential_backed_up,
        )

    async def shown(
        self, party: RelyingParty, known: KnownPasskey, sent: Mapping[str, Any], *, proves: int | None = None
    ) -> Shown:
        """Judges what a passkey shows, for what the options were. Raises `PasskeyRefused` and `PasskeysBusy`."""
        challenge, told = self._redeem(party, sent)
        if told != _purpose(proves):
            raise PasskeyRefused("the challenge was for something else")
        user_handle = sent["response"].get("userHandle")
        if user_handle not in (None, known.user_handle):
            raise PasskeyRefused("it is another person's passkey")
        verified = await self._in_thread(_verify_shown, dict(sent), challenge, party, known)
        return Shown(verified.new_sign_count, verified.credential_backed_up)

    def _challenge(self, party: RelyingParty, told: list[Any]) -> str:
        return _text(self._tickets.issue(json.dumps(told).encode(), bound_to=party.id))

    def _redeem(self, party: RelyingParty, sent: Mapping[str, Any]) -> tuple[bytes, list[Any]]:
        try:
            client = json.loads(_octets(sent["response"]["clientDataJSON"]))
            challenge = _octets(client["challenge"])
            return challenge, json.loads(self._tickets.redeem(challenge, bound_to=party.id))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise PasskeyRefused("there is no challenge in it") from error
        except TicketRefused as error:
            raise PasskeyRefused(f"the challenge is {error}") from error

    async def _in_thread(self, verify: Any, *arguments: Any) -> Any:
        if self._checks >= MAX_CHECKS:
            raise PasskeysBusy
        self._checks += 1
        try:
            return await asyncio.to_thread(verify, *arguments)
        except Exception as error:  # `webauthn` and its parsers raise what they like about what a stranger has sent
            raise PasskeyRefused(f"{type(error).__name__}: {str(error)[:200]!r}") from error
        finally:
            self._checks -= 1


def _purpose(proves: int | None) -> list[Any]:
    return ["sign_in"] if proves is None else ["prove", proves]


def credential_of(sent: Mapping[str, Any]) -> str:
    """Returns the id of the passkey that a browser shows. Raises `PasskeyRefused`."""
    id = sent.get("id")
    if not isinstance(id, str) or not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MAX_CREDENTIAL}}}", id):
        raise PasskeyRefused("it has no id")
    if not isinstance(sent.get("response"), dict):
        raise PasskeyRefused("it has no response")
    return id


def _verify_new(sent: dict[str, Any], challenge: bytes, party: RelyingParty) -> Any:
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    verified = verify_registration_response(
        credential=sent,
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=party.origin,
        supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
    )
    if len(_text(verified.credential_id)) > MAX_CREDENTIAL:
        raise ValueError("the id of the credential is too long")
    return verified


def _verify_shown(sent: dict[str, Any], challenge: bytes, party: RelyingParty, known: KnownPasskey) -> Any:
    from webauthn import verify_authentication_response

    return verify_authentication_response(
        credential=sent,
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=party.origin,
        credential_public_key=_octets(known.public_key),
        credential_current_sign_count=known.sign_count,
    )


def _transports(sent: Mapping[str, Any]) -> tuple[str, ...]:
    """Only the browser knows how the authenticator is reached; it says so unsigned, as a hint for the next time."""
    said = sent["response"].get("transports")
    listed = said if isinstance(said, list) else []
    return tuple(sorted({each for each in listed if isinstance(each, str)} & _TRANSPORTS))


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: Any) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("expected base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
