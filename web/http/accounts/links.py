"""`/api/links`: links in place of mail, that make the first admin, set a password or sign in once."""

from chatter.accounts.values import LinkKind
from web.http.accounts.bodies import invalid, optional_text, text
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
    """`POST /api/links/look {link}`: what a link is for, without using it."""

    @refusing
    async def post(self) -> None:
        link = await self.accounts.signing_in.link(text(self.body("link"), "link"))
        handle = {} if link.handle is None else {"handle": link.handle}
        self.answer(200, {"kind": _SHOWN[link.kind], **handle})


class LinkUseHandler(AccountsHandler):
    """`POST /api/links/use {link, password?, handle?, name?}`: does what a link is for, and signs in."""

    @refusing
    async def post(self) -> None:
        body = self.body("link", "password", "handle", "name")
        signed_in = await self.accounts.signing_in.redeem(
            text(body, "link"),
            password=optional_text(body, "password"),
            handle=optional_text(body, "handle"),
            name=optional_text(body, "name"),
            device=self.device,
        )
        await self.begin_session(signed_in)
