"""`/api/links`: links in place of mail, that make the first admin, set a password or sign in once."""

from typing import Any

from chatter.accounts.values import LinkKind, WaysIn
from web.http.accounts.bodies import invalid, one_of, optional_text, text
from web.http.accounts.handler import AccountsHandler, refusing

_SHOWN: dict[LinkKind, str] = {"setup": "setup", "reset": "reset", "link": "sign_in"}
"""What each kind of link is called."""


class LinksHandler(AccountsHandler):
    """`POST {handle, kind}`: makes a link, for admins."""

    @refusing
    async def post(self) -> None:
        body = self.body("handle", "kind")
        maker, session = await self.owner()
        await self.allowed("administer")
        await self.proven_owner()  # such a link makes whoever opens it that person
        handle = text(body, "handle")
        match text(body, "kind"):
            case "reset":
                link = await self.accounts.make_link(handle, "reset", maker=maker, by=session)
            case "sign_in":
                link = await self.accounts.make_link(handle, "link", maker=maker, by=session)
            case _:
                raise invalid("kind", "expected reset or sign_in")
        self.answer(201, {"link": link, "url": self.link_to("link", link)})


class LinkHandler(AccountsHandler):
    """`POST /api/links/look {link}`: what a link is for, without using it, and what a new password leaves."""

    @refusing
    async def post(self) -> None:
        link = await self.accounts.signing_in.link(text(self.body("link"), "link"))
        handle = {} if link.handle is None else {"handle": link.handle}
        ways = {} if link.other_ways is None else {"other_ways": self._shown(link.other_ways)}
        self.answer(200, {"kind": _SHOWN[link.kind], **handle, **ways})

    def _shown(self, ways: WaysIn) -> dict[str, Any]:
        return {"passkeys": ways.passkeys, "providers": [self._ways.openid.name_of(issuer) for issuer in ways.issuers]}


class LinkUseHandler(AccountsHandler):
    """`POST /api/links/use {link, password?, handle?, name?, other_ways?}`: does what a link is for, and signs in."""

    @refusing
    async def post(self) -> None:
        body = self.body("link", "password", "handle", "name", "other_ways")
        signed_in = await self.accounts.signing_in.redeem(
            text(body, "link"),
            password=optional_text(body, "password"),
            handle=optional_text(body, "handle"),
            name=optional_text(body, "name"),
            ends_other_ways=one_of(body, "other_ways", "keep", "end") == "end",
            device=self.device,
        )
        await self.begin_session(signed_in)
