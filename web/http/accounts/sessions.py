"""`/api/sessions`: signing in and out, and where somebody is signed in."""

import msgspec

from chatter.accounts.principal import GUEST
from web.http.accounts.bodies import text
from web.http.accounts.handler import AccountsHandler, Refusal, refusing, shown


class SessionsHandler(AccountsHandler):
    """`GET`, `POST {handle, password}`, `DELETE`: all others."""

    @refusing
    async def get(self) -> None:
        account, session = await self.owner()
        sessions = await self.accounts.own.sessions(account)
        listed = [{**msgspec.structs.asdict(each), "current": each.id == session} for each in sessions]
        self.answer(200, {"sessions": listed})

    @refusing
    async def post(self) -> None:
        body = self.body("handle", "password")
        signed_in = await self.accounts.signing_in.sign_in(
            text(body, "handle"), text(body, "password"), device=self.device
        )
        await self.begin_session(signed_in)

    @refusing
    async def delete(self) -> None:
        account, session = await self.owner()
        ended = await self.accounts.own.end_other_sessions(account, session)
        self.set_cookie_of_session(ended.session)
        self.answer(200, {"ended": ended.number})


class SessionHandler(AccountsHandler):
    """`PUT {label}` and `DELETE` of `/api/sessions/<id>`, `DELETE` of `/api/sessions/current`."""

    @refusing
    async def put(self, number: str) -> None:
        account, session = await self.owner()
        label = text(self.body("label"), "label")
        await self.accounts.own.name_session(account, session if number == "current" else int(number), label)
        self.answer(204)

    @refusing
    async def delete(self, number: str) -> None:
        account, session = await self.owner()
        ended = session if number == "current" else int(number)
        await self.accounts.own.end_session(account, ended)
        if ended == session:
            self.forget_session()
        else:
            self.answer(204)


class EndedSessionHandler(AccountsHandler):
    """`DELETE` of `/api/sessions/ended`: the browser has the cookie of a session that is none any more."""

    @refusing
    async def delete(self) -> None:
        """Clears a dead cookie, and answers who is here then: a guest, or whoever has signed in meanwhile."""
        try:
            principal = await self.principal()
        except Refusal:
            if self.has_bearer:
                raise
            self.clear_cookie_of_session()
            principal = GUEST
        self.answer(200, shown(principal))
