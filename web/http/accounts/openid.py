"""`/api/oidc`: signing in with an OpenID provider, as redirects of a browser, and linking one to an account."""

import contextlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import parse_qs

from tornado.web import HTTPError

from chatter.accounts.values import AccountRefused
from web.http.accounts.bodies import invalid
from web.http.accounts.handler import AccountsHandler, Refusal, refusing
from web.identity.claims import TokenRefused
from web.identity.cookies import cookie
from web.identity.credentials import Credentials
from web.identity.id_token import Outside
from web.identity.oidc import STATE_LIFE, NotSignedIn, Starter, is_page
from web.identity.oidc_provider import ProviderFault

logger = logging.getLogger(__name__)

FAILED = "sign-in=failed"
"""What is behind the address of the page for somebody who could not be signed in; `&reason=` may follow."""

CAME_BACK = "sign-in=back"
"""What is there for somebody whose account was about to be deleted."""

_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


class _Handler(AccountsHandler):
    """What the addresses of providers share."""

    page = "/"
    """A page of this server: where this browser has begun, once that is known."""

    def go(self, address: str) -> None:
        """Sends the browser to an address of this server, or to a provider's."""
        self.set_status(HTTPStatus.FOUND)
        self.set_header("Location", address)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    async def go_on_or_fail(self, id: str, steps: Callable[[str], Awaitable[str]]) -> None:
        """Sends the browser where `steps` of a known provider lead, or to the page with a word about why not."""
        if not self._ways.openid.knows(id):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        try:
            address = await steps(id)
        except NotSignedIn as refused:
            # What a stranger makes up is no news; what a provider does wrong, the operator has to mend.
            level = logging.WARNING if isinstance(refused.__cause__, ProviderFault | TokenRefused) else logging.INFO
            logger.log(level, "OpenID: nobody is signed in: %s", refused)
            address = self.page_with(FAILED if refused.reason == "failed" else f"{FAILED}&reason={refused.reason}")
        except (Refusal, AccountRefused) as refused:
            address = self.page_with(f"{FAILED}&reason={refused.reason}")
        self.go(address)

    def page_with(self, fragment: str) -> str:
        """Returns the address of the page, with a word about what became of it in place of its own fragment."""
        return f"{self.page.partition('#')[0]}#{fragment}"

    def callback(self, id: str) -> str:
        """Returns where the provider sends the browser back to. Raises `NotSignedIn` where the address is not known."""
        origin = self._endpoint.page_origin(self._asked)
        if origin is None:
            raise NotSignedIn("the request names no public host: set public_url or public_hosts", "address")
        return f"{origin}/api/oidc/{id}/callback"

    @property
    def browser(self) -> str | None:
        """The secret of this browser, if it has one."""
        text = cookie(self._asked, self._cookies.openid) or ""
        return text if _BROWSER.fullmatch(text) else None


class ProvidersHandler(_Handler):
    """`GET /api/oidc`: `{providers: [{id, label}]}`."""

    @refusing
    async def get(self) -> None:
        self.answer(200, {"providers": self._ways.openid.listed})


class StartHandler(_Handler):
    """`GET /api/oidc/<id>/start?next=/rooms/x`: the page goes here to sign in, or to link what it signs in with."""

    @refusing
    async def get(self, id: str) -> None:
        page = self.get_query_argument("next", "/", strip=False)
        if not is_page(page):
            raise invalid("next", "expected the path of a page of this server")
        if not self._endpoint.admits_page(self._asked):
            raise Refusal("origin")  # a foreign page that has somebody sign in decides where, and as whom
        self.page = page
        await self.go_on_or_fail(id, self._begin)

    async def _begin(self, id: str) -> str:
        browser = self.browser or secrets.token_urlsafe(32)
        address = await self._ways.openid.begin(
            id, browser=browser, redirect_uri=self.callback(id), page=self.page, starter=await self._starter()
        )
        self.add_header("Set-Cookie", self._cookies.set_openid(browser, int(STATE_LIFE)))
        return address

    async def _starter(self) -> Starter | None:
        """Returns who is signed in, to link the provider; nobody where a session has ended."""
        try:
            principal = await self.principal()
        except Refusal:
            return None
        if principal.author is None:
            return None
        return Starter(*await self.owner())


class CallbackHandler(_Handler):
    """`GET /api/oidc/<id>/callback?code=…&state=…`: the provider sends the browser here."""

    @refusing
    async def get(self, id: str) -> None:
        await self.go_on_or_fail(id, self._finish)

    async def _finish(self, id: str) -> str:
        answered = self._answered()
        browser = self.browser
        if browser is None:
            raise NotSignedIn("state: this browser has begun nothing")
        begun = self._ways.openid.resume(id, browser=browser, answered=answered)
        self.page = begun.page
        person = await self._ways.openid.finish(
            id, begun, browser=browser, redirect_uri=self.callback(id), answered=answered
        )
        if begun.starter is None:
            return self.page_with(CAME_BACK) if await self._sign_in(person) else self.page
        await self._link(person, *begun.starter)
        return self.page

    async def _link(self, person: Outside, account: int, session: int) -> None:
        """Links a person to the account that has begun it. One who is linked has shown that it is theirs."""
        if await self.accounts.other_ways.is_linked(person.issuer, person.subject, account):
            self.accounts.proofs.note(session)
            return
        await self.accounts.proofs.check(account, session)
        await self.accounts.other_ways.link(person.issuer, person.subject, account, session)

    async def _sign_in(self, person: Outside) -> bool:
        """A person who is known signs in; one who is not makes an account, where anybody may.

        Returns whether the account was about to be deleted.
        """
        ways = self.accounts.other_ways
        signed_in = await ways.sign_in_outside(person.issuer, person.subject, device=self.device)
        if signed_in is None:
            ways.check_open()
            self.take_sign_up_token()
            signed_in = await ways.sign_up_outside(
                person.issuer, person.subject, name=person.name, handle=person.handle, device=self.device
            )
        await self._end_session_of_browser()
        self.set_session(signed_in)
        return signed_in.came_back

    async def _end_session_of_browser(self) -> None:
        """Ends the session that is replaced. Its cookie comes from a foreign page, but the state is this browser's."""
        text = cookie(self._asked, self._cookies.session)
        identity = self._endpoint.identity
        if text is None or identity is None:
            return
        with contextlib.suppress(AccountRefused):
            principal = await identity.identify(Credentials(text, is_cookie=True))
            if principal.author is not None and principal.secret is not None and principal.scopes is None:
                await self.accounts.own.end_session(principal.author.id, principal.secret)

    def _answered(self) -> dict[str, list[str]]:
        try:
            return parse_qs(self.request.query, keep_blank_values=True, errors="strict", max_num_fields=50)
        except ValueError as error:
            raise NotSignedIn("the provider's answer cannot be read") from error
