"""`/api/me`: who asks, what they may change about themselves, what they take along, and how they leave."""

import asyncio
import contextlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.iostream import StreamClosedError

from chatter.accounts.principal import Principal
from chatter.accounts.values import AccountRefused
from chatter.messages import LoadOwn, OwnPage
from chatter.storage.read_queue import Busy
from web.channels import log_payloads
from web.http.accounts.bodies import Body, one_of, optional_text
from web.http.accounts.handler import AccountsHandler, Refusal, refusing, shown
from web.http.accounts.passkeys import passkey_fault

MOST_EXPORTS = 2
"""Exports at the same time."""

BUSY_MS = 10_000
"""When to try again where there are as many."""

BUSY_PAUSE = 1.0
"""Seconds after which an export reads on where too many others read."""


class MeHandler(AccountsHandler):
    """`GET`, `PUT {name?, password?, old_password?, handle?}`, `DELETE {password?, messages?}`."""

    @refusing
    async def get(self) -> None:
        """Answers whoever the cookie or the bearer says, a guest without either."""
        principal = await self.principal()
        self.renew_cookie(principal)
        self.answer(200, {**shown(principal), **await self._own(principal), "server": self._server})

    @refusing
    async def put(self) -> None:
        """Changes what is given. A new password ends all other sessions, and renews the one that asks."""
        account, session = await self.owner()
        body = self.body("name", "handle", "password", "old_password")
        if body.get("handle") is not None or await self._is_without_password(account, body):
            await self.accounts.proofs.check(account, session)
        changed = await self.accounts.own.change(
            account,
            name=optional_text(body, "name"),
            handle=optional_text(body, "handle"),
            password=optional_text(body, "password"),
            old_password=optional_text(body, "old_password"),
            keep_session=session,
        )
        if changed.session is not None:
            self.set_cookie_of_session(changed.session)
        self.answer(200, shown(changed.account))

    @refusing
    async def delete(self) -> None:
        """Closes the account, which is erased unless it comes back."""
        account, session = await self.owner()
        body = self.body("password", "messages") if self._body else {}
        if not (await self.accounts.own.account(account)).has_password:
            await self.accounts.proofs.check(account, session)
        erases = one_of(body, "messages", "keep", "erase") == "erase"
        password = optional_text(body, "password")
        await self.accounts.own.leave(account, password=password, erases=erases, keep_session=session)
        self.forget_session()

    async def _is_without_password(self, account: int, body: Body) -> bool:
        """Returns whether the first password is chosen: no old one is asked for."""
        if body.get("password") is None:
            return False
        return not (await self.accounts.own.account(account)).has_password

    async def _own(self, principal: Principal) -> dict[str, Any]:
        """Returns what only the person is told. Without the database that is nothing."""
        if principal.author is None or principal.secret is None or principal.scopes is not None:
            return {}
        with contextlib.suppress(AccountRefused):
            return {"has_password": (await self.accounts.own.account(principal.author.id)).has_password}
        return {}

    @property
    def _server(self) -> dict[str, object]:
        """What a page offers by."""
        settings, no_passkeys = self._endpoint.settings, passkey_fault(self._endpoint, self._asked)
        return {
            "accounts": settings.accounts,
            "sign_up": settings.sign_up,
            "has_accounts": self.accounts.has_any,
            "no_passkeys": no_passkeys,
            "password_min": settings.password_min,
            "leave_days": settings.leave_days,
        }


class ExportHandler(AccountsHandler):
    """`GET /api/me/export`: what is kept about the account, and what it has said, as JSON lines."""

    @refusing
    async def get(self) -> None:
        """Reads and writes a page after the other, as fast as the client takes them; the last line is `end`."""
        account, _ = await self.owner()
        kept = await self.accounts.own.export(account)
        limiters = self._limiters
        if limiters.exports >= MOST_EXPORTS:
            raise Refusal("busy", BUSY_MS, HTTPStatus.TOO_MANY_REQUESTS)
        limiters.exports += 1
        try:
            await self._send(account, kept)
        except StreamClosedError:
            pass  # whoever asked has gone
        finally:
            limiters.exports -= 1

    async def _send(self, account: int, kept: list[dict[str, Any]]) -> None:
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("Content-Disposition", 'attachment; filename="chatter.jsonl"')
        self.set_header("Cache-Control", "no-store")
        self._write_lines(map(msgspec.json.encode, kept))
        await self._endpoint.catch_up()
        number = 0
        wanted: LoadOwn | None = LoadOwn(account)
        while wanted is not None:
            page = await self._page(wanted)
            self._write_lines(log_payloads.exported(page.slug, posted) for posted in page.messages)
            number, wanted = number + len(page.messages), page.next
            await self.flush()
        self._write_lines([msgspec.json.encode({"kind": "end", "messages": number})])
        await self.finish()

    async def _page(self, wanted: LoadOwn) -> OwnPage:
        """Reads a page, behind those who chat."""
        while True:
            try:
                page: OwnPage = await self._endpoint.history.ask(wanted)
                return page
            except Busy:
                await asyncio.sleep(BUSY_PAUSE)

    def _write_lines(self, lines: Iterable[bytes]) -> None:
        self.write(b"".join(line + b"\n" for line in lines))
