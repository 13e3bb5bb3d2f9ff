"""What the endpoints of accounts share: who asks, whether a page may, how often, and how a refusal is answered."""

import contextlib
import functools
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, stream_request_body

from chatter.accounts.accounts import Accounts
from chatter.accounts.principal import NOBODY, Principal
from chatter.accounts.rights import Action
from chatter.accounts.values import Account, AccountRefused, Device, SignedIn
from web.channels.addresses import Headers
from web.channels.endpoint import Endpoint
from web.channels.origins import is_loopback
from web.channels.rate_limits import AddressLimiter
from web.http.accounts import bodies
from web.http.secure import SecureHandler
from web.identity.cookies import Cookies, cookie
from web.identity.credentials import sent_on_purpose
from web.identity.oidc import OpenIdConnect
from web.identity.passkeys import Passkeys
from web.limits import Rate
from web.page_address import page_address, page_link

MAX_BODY_BYTES = 16_384
"""Largest body: two passwords of 256 characters may be written with 12 bytes for each."""

REQUESTS = Rate(10, 100)
"""Requests of one network to all these endpoints."""

SIGN_UPS = Rate(0.05, 30)
"""New accounts of one network: a class that begins together, then three a minute."""

STATUSES = {
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "sign_in": HTTPStatus.UNAUTHORIZED,
    "wrong": HTTPStatus.UNAUTHORIZED,
    "invalid": HTTPStatus.BAD_REQUEST,
    "origin": HTTPStatus.FORBIDDEN,
    "forbidden": HTTPStatus.FORBIDDEN,
    "sign_up_closed": HTTPStatus.FORBIDDEN,
    "invite": HTTPStatus.FORBIDDEN,
    "suspended": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "handle_taken": HTTPStatus.CONFLICT,
    "slug_taken": HTTPStatus.CONFLICT,
    "full": HTTPStatus.CONFLICT,
    "archived": HTTPStatus.CONFLICT,
    "last_way": HTTPStatus.CONFLICT,
    "proof": HTTPStatus.FORBIDDEN,
    "no_passkeys": HTTPStatus.CONFLICT,
    "gone": HTTPStatus.GONE,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each reason."""


class Refusal(Exception):
    """The request is refused before accounts are asked."""

    def __init__(self, reason: str, retry_after_ms: int | None = None, status: HTTPStatus | None = None) -> None:
        """`status` is that of the reason, unless one is given."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after_ms = retry_after_ms
        self.status = status or STATUSES[reason]


Method = Callable[..., Awaitable[None]]


def refusing(method: Method) -> Method:
    """Answers what a method of a handler raises as a refusal."""

    @functools.wraps(method)
    async def answered(handler: "AccountsHandler", *arguments: str) -> None:
        try:
            await method(handler, *arguments)
        except (Refusal, AccountRefused) as error:
            handler.refuse(error)

    return answered


def shown(who: Principal | Account) -> dict[str, Any]:
    """Returns what everybody may know of somebody."""
    if who.author is None:
        return {"kind": who.kind, "role": who.role}
    return {"kind": who.kind, "id": who.author.id, "handle": who.author.handle, "name": who.name, "role": who.role}


class Limiters:
    """The budgets of networks for these endpoints."""

    def __init__(self) -> None:
        self.requests = AddressLimiter(REQUESTS)
        self.sign_ups = AddressLimiter(SIGN_UPS)
        self.exports = 0  # under way


class Ways(NamedTuple):
    """What is under way of people who sign in without a password."""

    openid: OpenIdConnect
    passkeys: Passkeys


@stream_request_body
class AccountsHandler(SecureHandler):
    """One endpoint. Gathers its body itself: it may be larger than those of requests that need none."""

    def initialize(self, endpoint: Endpoint, limiters: Limiters, ways: Ways) -> None:
        self._endpoint = endpoint
        self._limiters = limiters
        self._ways = ways
        self._body = bytearray()
        self._asked: Headers = {}

    def prepare(self) -> None:
        """Refuses what needs no look at the database."""
        self._asked = {name.lower(): self.request.headers.get_list(name) for name in self.request.headers}
        if self._endpoint.accounts is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        if not self._endpoint.knows_host(self._asked):
            raise HTTPError(HTTPStatus.FORBIDDEN)
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        connection.set_max_body_size(MAX_BODY_BYTES)
        try:
            self._take_token(self._limiters.requests)
            self._check_page()
        except Refusal as refusal:
            self.refuse(refusal)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    @property
    def accounts(self) -> Accounts:
        """The accounts of this server."""
        assert self._endpoint.accounts is not None
        return self._endpoint.accounts

    def body(self, *fields: str) -> bodies.Body:
        """Returns the body, which has no other fields. Raises `AccountRefused`."""
        body = bodies.object_of(bytes(self._body))
        bodies.only(body, *fields)
        return body

    # ------------------------------------------------------------ who asks

    async def principal(self) -> Principal:
        """Returns who asks. Raises `Refusal` for a secret that proves nothing.

        Its cookie stays: an answer that brings a newer one may reach the browser before this one does.
        """
        principal = await self._endpoint.identify(self._asked, reads=self._reads)
        if principal is NOBODY:
            raise Refusal("unauthorized")
        return principal

    @property
    def has_bearer(self) -> bool:
        """A secret was sent on purpose, so that a cookie does not count."""
        return sent_on_purpose(self._asked) is not None

    async def allowed(self, action: Action) -> Principal:
        """Returns who asks, if they may do that. Raises `Refusal`."""
        principal = await self.principal()
        decision = self._endpoint.rights.authorize(principal, None, action)
        if decision is not None:
            raise Refusal(decision)
        return principal

    async def owner(self) -> tuple[int, int]:
        """Returns the account and the session of a person who may change the account. Raises `Refusal`.

        An app that vouches for its people keeps their accounts itself.
        """
        principal = await self.allowed("manage")
        if principal.author is None or principal.secret is None:
            raise Refusal("forbidden")
        return principal.author.id, principal.secret

    async def proven_owner(self) -> tuple[int, int]:
        """Returns the same of a person who has shown lately who they are: for what would outlast a stolen session.

        Raises `AccountRefused`, too.
        """
        account, session = await self.owner()
        await self.accounts.proofs.check(account, session)
        return account, session

    def take_sign_up_token(self) -> None:
        """Counts a new account. Raises `Refusal`."""
        self._take_token(self._limiters.sign_ups)

    @property
    def device(self) -> Device:
        """Where the request comes from."""
        agent = self.request.headers.get("User-Agent", "")[:256]
        return Device(self._network, agent, cookie(self._asked, self._cookies.device))

    # ------------------------------------------------------------ answers

    def answer(self, status: int, body: Any = None) -> None:
        """Answers `body` as JSON that must not be cached; nothing where it is None."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        if body is None:
            self.finish()
        else:
            self.finish(body)

    async def begin_session(self, signed_in: SignedIn, **more: Any) -> None:
        """Answers who has signed in, with the cookie. A session that this browser had ends: it is out of reach."""
        await self._end_former_session()
        self.set_session(signed_in)
        came_back = {"came_back": True} if signed_in.came_back else {}
        self.answer(HTTPStatus.CREATED, {"account": shown(signed_in.principal), **came_back, **more})

    def set_session(self, signed_in: SignedIn) -> None:
        """Sets the cookies of somebody who has signed in."""
        self.set_cookie_of_session(signed_in.session)
        self.add_header("Set-Cookie", self._cookies.set_device(signed_in.device))

    def set_cookie_of_session(self, text: str) -> None:
        """Sets the cookie that shows a session."""
        self.add_header("Set-Cookie", self._cookies.set_session(text, self._endpoint.settings.session_days))

    def renew_cookie(self, principal: Principal) -> None:
        """Sets the cookie of a session anew: the session lasts from its last use, and the cookie must not end before.

        Each visit of the page asks who it is, so that is often enough.
        """
        shown = self._endpoint.credentials_of(self._asked, reads=self._reads)
        if shown is not None and shown.is_cookie and principal.secret is not None and principal.scopes is None:
            self.set_cookie_of_session(shown.text)

    def forget_session(self) -> None:
        """Answers that nobody is signed in any more."""
        self.clear_cookie_of_session()
        self.answer(HTTPStatus.NO_CONTENT)

    def clear_cookie_of_session(self) -> None:
        """Clears the cookie that shows a session. Only for those who ask for that: see `principal`."""
        self.add_header("Set-Cookie", self._cookies.clear_session())

    def link_to(self, kind: str, secret: str) -> str:
        """Returns a link to the page. It is relative where nothing says how this server is reached."""
        origin, settings = self._endpoint.page_origin(self._asked), self._endpoint.settings
        if origin is not None and not is_loopback(origin.name):  # one of several public hosts
            return page_link(str(origin), kind, secret)
        reached = self._origin_of_browser if origin is None else str(origin)
        return page_link(page_address(settings.public_url, settings.public_hosts, reached), kind, secret)

    def refuse(self, error: Refusal | AccountRefused) -> None:
        """Answers why not."""
        body: dict[str, Any] = {"reason": error.reason}
        if isinstance(error, AccountRefused):
            body |= {"field": error.field, "message": error.message}
        if error.retry_after_ms is not None:
            body["retry_after_ms"] = error.retry_after_ms
            self.set_header("Retry-After", math.ceil(error.retry_after_ms / 1_000))
        status = error.status if isinstance(error, Refusal) else STATUSES[error.reason]
        self.answer(status, {name: value for name, value in body.items() if value is not None})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Cache-Control", "no-store")
        super().write_error(status_code, **kwargs)

    async def _end_former_session(self) -> None:
        with contextlib.suppress(Refusal, AccountRefused):
            await self.accounts.own.end_session(*await self.owner())

    # ------------------------------------------------------------ what is checked first

    def _check_page(self) -> None:
        """Refuses changes that a page of another origin asks for. A secret in a header is no page's doing."""
        if self._reads or self.has_bearer or self._endpoint.is_own_page(self._asked):
            return
        raise Refusal("origin")

    def _take_token(self, limiter: AddressLimiter) -> None:
        wait = limiter.take(self._network) if self._endpoint.settings.rate_limits == "on" else 0.0
        if wait:
            raise Refusal("rate_limited", math.ceil(1_000 * wait))

    @property
    def _origin_of_browser(self) -> str:
        """Where a page of this server says that it is."""
        origin, host = self.request.headers.get("Origin", ""), self.request.headers.get("Host", "")
        return origin if host and origin.endswith(f"://{host}") else ""

    @property
    def _reads(self) -> bool:
        return self.request.method in ("GET", "HEAD")

    @property
    def _network(self) -> str:
        return self._endpoint.network_of(str(self.request.remote_ip), self._asked)

    @property
    def _cookies(self) -> Cookies:
        return self._endpoint.cookies_of(self._asked)
