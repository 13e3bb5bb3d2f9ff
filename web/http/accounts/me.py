"""`/api/me`: who asks, what they may change about themselves, and how they leave."""

import msgspec

from web.http.accounts.bodies import optional_text
from web.http.accounts.handler import AccountsHandler, refusing, shown
from web.http.accounts.passkeys import passkey_fault


class MeHandler(AccountsHandler):
    """`GET`, `PUT {name?, password?, old_password?, handle?}`, `DELETE {password?}`."""

    @refusing
    async def get(self) -> None:
        """Answers whoever the cookie or the bearer says, a guest without either."""
        principal = await self.principal()
        self.renew_cookie(principal)
        self.answer(200, {**shown(principal), "server": self._server})

    @refusing
    async def put(self) -> None:
        """Changes what is given. A new password ends all other sessions."""
        account, session = await self.owner()
        body = self.body("name", "handle", "password", "old_password")
        changed = await self.accounts.change(
            account,
            name=optional_text(body, "name"),
            handle=optional_text(body, "handle"),
            password=optional_text(body, "password"),
            old_password=optional_text(body, "old_password"),
            keep_session=session,
        )
        self.answer(200, shown(changed))

    @refusing
    async def delete(self) -> None:
        """Erases the account for ever."""
        account, session = await self.owner()
        body = self.body("password") if self._body else {}
        await self.accounts.erase(account, password=optional_text(body, "password"), keep_session=session)
        self.forget_session()

    @property
    def _server(self) -> dict[str, object]:
        """What a page offers by."""
        settings, no_passkeys = self._endpoint.settings, passkey_fault(self._endpoint, self._asked)
        return {
            "accounts": settings.accounts,
            "sign_up": settings.sign_up,
            "has_accounts": self.accounts.has_any,
            "no_passkeys": no_passkeys,
        }


class ExportHandler(AccountsHandler):
    """`GET /api/me/export`: what is kept about the account, as JSON lines."""

    @refusing
    async def get(self) -> None:
        account, _ = await self.owner()
        lines = [msgspec.json.encode(each) + b"\n" for each in await self.accounts.export(account)]
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("Content-Disposition", 'attachment; filename="chatter.jsonl"')
        self.answer(200, b"".join(lines))
