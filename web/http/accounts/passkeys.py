"""`/api/passkeys`, `/api/sessions/passkey`: adding passkeys, and signing in with them."""

import importlib.util
import logging
from typing import Any, Literal, TypeAlias

import msgspec

from chatter.accounts.keys import check_label
from chatter.accounts.other_ways import NewPasskey
from chatter.accounts.values import AccountRefused
from schema import PasskeyRow
from web.channels.addresses import Headers, parse_address
from web.channels.endpoint import Endpoint
from web.channels.origins import is_loopback
from web.http.accounts import bodies
from web.http.accounts.bodies import invalid, optional_text, text
from web.http.accounts.handler import AccountsHandler, refusing
from web.identity.passkeys import (
    KnownPasskey,
    PasskeyRefused,
    PasskeysBusy,
    Person,
    RelyingParty,
    Shown,
    credential_of,
)

logger = logging.getLogger(__name__)

Fault: TypeAlias = Literal["off", "not_installed", "insecure", "address"]

FAULTS: dict[Fault, str] = {
    "off": "passkeys are turned off here",
    "not_installed": "the server lacks the package webauthn: pip install 'chatter[passkeys]'",
    "insecure": "browsers have passkeys only on https and on localhost",
    "address": "passkeys belong to a host name: open the page at its public address, or at localhost",
}
"""Why there are no passkeys, in words."""


class PasskeyUser(AccountsHandler):
    """What these addresses share."""

    @property
    def party(self) -> RelyingParty:
        """The server, as the browser knows it. Raises `AccountRefused` where it can have no passkeys."""
        fault, origin = passkey_fault(self._endpoint, self._asked), self._endpoint.page_origin(self._asked)
        if fault is not None or origin is None:
            raise AccountRefused("no_passkeys", message=FAULTS[fault or "address"])
        return RelyingParty(origin.name, str(origin))

    def credential(self, body: bodies.Body) -> dict[str, Any]:
        """Returns what the browser's `credential.toJSON()` has made."""
        sent = body.get("credential")
        if not isinstance(sent, dict):
            raise invalid("credential", "expected what PublicKeyCredential.toJSON() returns")
        return sent

    async def shown_passkey(self, sent: dict[str, Any], account: int | None = None) -> tuple[PasskeyRow, Shown]:
        """Returns the passkey that somebody shows, to sign in or to prove that they own an `account`; `wrong`."""
        party = self.party
        try:
            row = await self.accounts.other_ways.passkey_row(credential_of(sent))
            if row is None or account not in (None, row.account):
                raise PasskeyRefused("nobody has it" if row is None else "it is another account's")
            known = KnownPasskey(row.credential, row.user_handle, row.public_key, row.sign_count)
            return row, await self._ways.passkeys.shown(party, known, sent, proves=account)
        except PasskeyRefused as refused:
            logger.info("a passkey proves nothing: %s", refused)
            raise AccountRefused("wrong", message="this passkey is not known here, or was not taken") from refused
        except PasskeysBusy as busy:
            raise AccountRefused("busy", retry_after_ms=1_000) from busy


class PasskeyOptionsHandler(PasskeyUser):
    """`POST /api/passkeys/options {for: "add"|"prove"|"sign_in"}`: `{publicKey}`, for the browser."""

    @refusing
    async def post(self) -> None:
        body = self.body("for")
        match text(body, "for"):
            case "add":
                options = await self._options_to_add()
            case "sign_in":
                options = self._ways.passkeys.options_to_show(self.party)
            case "prove":
                options = self._ways.passkeys.options_to_show(self.party, (await self.owner())[0])
            case _:
                raise invalid("for", "expected add, prove or sign_in")
        self.answer(200, {"publicKey": options})

    async def _options_to_add(self) -> dict[str, Any]:
        number, _ = await self.proven_owner()
        party, account = self.party, await self.accounts.own.account(number)
        rows = await self.accounts.other_ways.passkey_rows(number)
        person = Person(number, account.handle, account.name, rows[0].user_handle if rows else None)
        known = [(row.credential, row.transports.split()) for row in rows]
        return self._ways.passkeys.options_to_add(party, person, known)


class PasskeysHandler(PasskeyUser):
    """`GET /api/passkeys`, `POST {credential, label?}`."""

    @refusing
    async def get(self) -> None:
        account, _ = await self.owner()
        passkeys = await self.accounts.other_ways.passkeys(account)
        self.answer(200, {"passkeys": [msgspec.structs.asdict(each) for each in passkeys]})

    @refusing
    async def post(self) -> None:
        account, session = await self.proven_owner()
        body = self.body("credential", "label")
        label, sent = optional_text(body, "label") or "", self.credential(body)
        check_label(label)
        try:
            credential_of(sent)
            made = await self._ways.passkeys.added(self.party, account, sent)
        except PasskeyRefused as refused:
            logger.info("a passkey is not added: %s", refused)
            raise invalid("credential", "this is no passkey that was asked for; begin again") from refused
        except PasskeysBusy as busy:
            raise AccountRefused("busy", retry_after_ms=1_000) from busy
        new = NewPasskey(**made._asdict(), label=label)
        self.answer(201, {"id": await self.accounts.other_ways.add_passkey(account, new, by=session)})


class PasskeyHandler(PasskeyUser):
    """`DELETE /api/passkeys/<id>`."""

    @refusing
    async def delete(self, number: str) -> None:
        account, session = await self.proven_owner()
        await self.accounts.other_ways.end_passkey(account, int(number), by=session)
        self.answer(204)


class PasskeySessionHandler(PasskeyUser):
    """`POST /api/sessions/passkey {credential}`: signs in."""

    @refusing
    async def post(self) -> None:
        row, shown = await self.shown_passkey(self.credential(self.body("credential")))
        ways = self.accounts.other_ways
        signed_in = await ways.sign_in_by_passkey(row, shown.sign_count, backed_up=shown.backed_up, device=self.device)
        await self.begin_session(signed_in)


def passkey_fault(endpoint: Endpoint, headers: Headers) -> Fault | None:
    """Returns why the page that a request is sent to has no passkeys, None where it has."""
    settings, origin = endpoint.settings, endpoint.page_origin(headers)
    if settings.passkeys == "off":
        return "off"
    if importlib.util.find_spec("webauthn") is None:
        return "not_installed"
    if origin is None:
        has_address = settings.public_url or settings.public_hosts or "https" in headers.get("x-forwarded-proto", ())
        return "address" if has_address else "insecure"
    if origin.scheme != "https" and not is_loopback(origin.name):
        return "insecure"
    return None if parse_address(origin.name.strip("[]")) is None else "address"
