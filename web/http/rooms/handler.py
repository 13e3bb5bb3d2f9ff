"""What the endpoints of rooms share: who asks, what may be known to them, and what a room has answered."""

import functools
from http import HTTPStatus
from typing import Any, NamedTuple

from chatter.accounts.principal import Principal
from chatter.accounts.rights import Action
from chatter.accounts.values import AccountRefused
from chatter.messages import Answer, By, Describe, Refused, RoomDescribed
from web.channels.endpoint import Endpoint
from web.channels.fields import InvalidPayload
from web.channels.rate_limits import AddressLimiter
from web.channels.room_asker import REF, UNAVAILABLE, Request, ask_room
from web.http.accounts.bodies import invalid
from web.http.accounts.handler import STATUSES, AccountsHandler, Limiters, Method, Refusal, Ways
from web.http.api import Listing, Shared

STATUSES_OF_ROOMS: dict[str, HTTPStatus] = STATUSES | {
    "id_taken": HTTPStatus.CONFLICT,
    "banned": HTTPStatus.FORBIDDEN,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "quarantined": HTTPStatus.INTERNAL_SERVER_ERROR,
    "not_saved": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of each reason that is given to who asks over HTTP."""

NOT_FOUND = Refused("not_found")
"""The one answer for a room that is not there, and for one that is not the asker's."""


class RoomServices(NamedTuple):
    """What the endpoints of rooms share."""

    listed: Shared[Listing | None]
    founding: AddressLimiter  # by account
    codes: AddressLimiter  # by account
    identity: str  # of the database: the names of direct rooms are made with it


class RoomRefused(Exception):
    """A room has refused what was asked of it."""

    def __init__(self, answer: Refused) -> None:
        super().__init__(answer.reason)
        self.answer = answer


def refusing(method: Method) -> Method:
    """Answers what a method of a handler raises as a refusal."""

    @functools.wraps(method)
    async def answered(handler: "RoomHandler", *arguments: str) -> None:
        try:
            await method(handler, *arguments)
        except InvalidPayload as error:
            wrong = error.answer
            handler.refuse(AccountRefused("invalid", field=wrong.field, message=wrong.message))
        except RoomRefused as error:
            handler.refuse_as(error.answer)
        except (Refusal, AccountRefused) as error:
            handler.refuse(error)

    return answered


class RoomHandler(AccountsHandler):
    """One endpoint."""

    def initialize(self, endpoint: Endpoint, limiters: Limiters, ways: Ways, rooms: RoomServices | None = None) -> None:
        super().initialize(endpoint, limiters, ways)
        assert rooms is not None
        self._rooms = rooms

    # ------------------------------------------------------------ who asks

    async def person(self, action: Action) -> tuple[Principal, By]:
        """Returns who asks, if that is an account that may do so. Raises `Refusal`."""
        principal = await self.allowed(action)
        return principal, by_of(principal)

    async def check_seen(self, slug: str, principal: Principal) -> None:
        """Raises `RoomRefused` where a room is none for the asker. Whether it is there is not looked up."""
        author, memberships = principal.author, self._endpoint.memberships
        if memberships is not None and author is not None and principal.reaches(slug):
            await memberships.of(author.id)
        if self._endpoint.hides(slug, principal):
            raise RoomRefused(NOT_FOUND)

    async def founder(self) -> tuple[Principal, By]:
        """Returns who asks, if they may make rooms. Raises `Refusal`.

        Whose token names the only rooms there are for them would not reach another one.
        """
        principal, by = await self.person("operate")
        if principal.rooms is not None:
            raise Refusal("forbidden")
        return principal, by

    def take_account_token(self, limiter: AddressLimiter, by: By) -> None:
        """Counts what an account does. Raises `Refusal`."""
        wait = limiter.take(str(by.author.id)) if self._endpoint.settings.rate_limits == "on" else 0.0
        if wait:
            raise Refusal("rate_limited", max(1, round(1_000 * wait)))

    async def check_not_full(self, by: By) -> None:
        """Raises `RoomRefused` where an account is a member of as many rooms as it may be."""
        memberships, most = self._endpoint.memberships, self._endpoint.settings.max_rooms_per_account
        if memberships is not None and len(await memberships.of(by.author.id)) >= most:
            raise RoomRefused(Refused("full", limit=most))

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """Returns a whole number of the query. Raises `AccountRefused`."""
        value = self.get_query_argument(name, str(default))
        if not (value.isascii() and value.isdecimal() and len(value) <= 10 and least <= int(value) <= most):
            raise invalid(name, f"expected a whole number from {least} to {most}")
        return int(value)

    async def people(self, *handles: str, arrive: bool = True) -> tuple[By, ...]:
        """Returns the accounts of these handles, who are to become members if they `arrive`. Raises `RoomRefused`."""
        assert self._endpoint.errands is not None
        people = await self._endpoint.errands.people(handles, arrive=arrive)
        if isinstance(people, Refused):
            raise RoomRefused(people)
        return people

    # ------------------------------------------------------------ what rooms are asked

    async def ask_room(self, slug: str, request: Request) -> Answer:
        """Returns what a room answers. Raises `RoomRefused`."""
        answer = await ask_room(self._endpoint.supervisor, slug, request)
        if isinstance(answer, Refused):
            raise RoomRefused(answer)
        return answer

    async def described(self, slug: str, principal: Principal) -> RoomDescribed:
        """Returns a room as who asks sees it. Raises `RoomRefused`."""
        await self.check_seen(slug, principal)
        by = None if principal.author is None else by_of(principal)
        answer = await self.ask_room(slug, lambda asker: Describe(asker, REF, by))
        if not isinstance(answer, RoomDescribed):
            raise RoomRefused(UNAVAILABLE)
        return answer

    # ------------------------------------------------------------ answers

    def refuse_as(self, refused: Refused) -> None:
        """Answers why not, in the words of rooms."""
        told = {name: getattr(refused, name) for name in ("limit", "until", "handles", "retry_after_ms")}
        body: dict[str, Any] = {"reason": refused.reason}
        body |= {name: value for name, value in told.items() if value is not None}
        self.answer(STATUSES_OF_ROOMS.get(refused.reason, HTTPStatus.FORBIDDEN), body)


def by_of(principal: Principal) -> By:
    """Returns who does something to a room. Raises `Refusal` for a guest."""
    author = principal.author
    if author is None:
        raise Refusal("sign_in")
    return By(author, principal.name or author.handle, principal.acting_role)
