"""`/api/tokens`: access tokens for programs."""

from typing import cast, get_args

import msgspec

from chatter.accounts.keys import MOST_TOKEN_DAYS
from chatter.accounts.principal import Scope
from chatter.accounts.times import DAY
from web.http.accounts.bodies import invalid, number, text, texts
from web.http.accounts.handler import AccountsHandler, refusing

DEFAULT_LIFE = 90 * DAY
LONGEST_LIFE = MOST_TOKEN_DAYS * DAY


class TokensHandler(AccountsHandler):
    """`GET`, `POST {label, scopes, expires_in?}`: seconds, or null for no end."""

    @refusing
    async def get(self) -> None:
        account, _ = await self.owner()
        tokens = await self.accounts.own.tokens(account)
        self.answer(200, {"tokens": [msgspec.structs.asdict(each) for each in tokens]})

    @refusing
    async def post(self) -> None:
        account, session = await self.proven_owner()
        body = self.body("label", "scopes", "expires_in")
        scopes = texts(body, "scopes", len(get_args(Scope)))
        if not set(scopes) <= set(get_args(Scope)):
            raise invalid("scopes", f"expected some of {', '.join(get_args(Scope))}")
        seconds = number(body, "expires_in", 1, LONGEST_LIFE, DEFAULT_LIFE)
        made = await self.accounts.own.make_token(
            account,
            text(body, "label"),
            cast(list[Scope], scopes),
            None if seconds is None else seconds / DAY,
            by=session,
        )
        self.answer(201, {"token": made.text, "id": made.id})


class TokenHandler(AccountsHandler):
    """`DELETE /api/tokens/<id>`."""

    @refusing
    async def delete(self, number: str) -> None:
        account, _ = await self.owner()
        await self.accounts.own.end_token(account, int(number))
        self.answer(204)
