"""`/api/me/providers`: the providers that sign a person in, and how one is unlinked."""

from web.http.accounts.handler import AccountsHandler, refusing


class LinkedProvidersHandler(AccountsHandler):
    """`GET`: `{providers: [{id, name}]}`. One that the server does not have any more is named by its issuer."""

    @refusing
    async def get(self) -> None:
        account, _ = await self.owner()
        links = await self.accounts.other_ways.links(account)
        named = sorted((self._ways.openid.name_of(issuer), id) for id, issuer in links.items())
        self.answer(200, {"providers": [{"id": id, "name": name} for name, id in named]})


class LinkedProviderHandler(AccountsHandler):
    """`DELETE /api/me/providers/<id>`."""

    @refusing
    async def delete(self, id: str) -> None:
        account, session = await self.proven_owner()
        await self.accounts.other_ways.unlink(account, id, by=session)
        self.answer(204)
