"""`/api/join`: what a link is for, and coming in by it."""

import contextlib
from collections.abc import Iterator
from http import HTTPStatus

from chatter.accounts.principal import Principal
from chatter.accounts.room_links import Shown
from chatter.accounts.values import AccountRefused
from chatter.charter import is_private_slug
from chatter.messages import By, Refused
from web.channels.errands import bring_in
from web.channels.room_asker import UNAVAILABLE
from web.http.accounts.bodies import text
from web.http.rooms.handler import NOT_FOUND, RoomHandler, RoomRefused, refusing


@contextlib.contextmanager
def _alike() -> Iterator[None]:
    """Has a wrong code, a spent one and one try too many refused in the same way."""
    try:
        yield
    except AccountRefused as error:
        if error.reason != "invite":
            raise
        raise RoomRefused(NOT_FOUND) from error


class _JoinHandler(RoomHandler):
    """What both share."""

    async def look(self, code: str, principal: Principal) -> Shown:
        """Returns what a code is for. A wrong one, a spent one and one try too many are all alike.

        Whose token names rooms comes into them by it: for them all codes are wrong.
        """
        if principal.rooms is not None:
            raise RoomRefused(NOT_FOUND)
        with _alike():
            shown = await self.accounts.room_links.look(code, self.device.network)
        if await self._is_left_behind(shown):
            raise RoomRefused(NOT_FOUND)
        return shown

    async def _is_left_behind(self, shown: Shown) -> bool:
        """Returns whether who made a link is in that room no more, also where the database does not have that yet."""
        if self._endpoint.memberships is None or shown.by is None or not is_private_slug(shown.room or ""):
            return False
        return not await self.is_in(shown.room, shown.by)

    async def is_in(self, slug: str | None, account: int) -> bool:
        """Returns whether an account is a member of a room, as far as this server knows."""
        memberships = self._endpoint.memberships
        return memberships is not None and slug in await memberships.of(account)


class JoinHandler(_JoinHandler):
    """`POST {code}`, by somebody who is signed in."""

    @refusing
    async def post(self) -> None:
        """Answers the room that the code leads to, once the asker is a member of it."""
        principal, by = await self.person("operate")
        code = text(self.body("code"), "code")
        self.take_account_token(self._rooms.codes, by)
        shown = await self.look(code, principal)
        if shown.room is not None:
            await self._come_in(shown.room, shown.id, code, by)
        self.answer(HTTPStatus.OK, {} if shown.room is None else {"slug": shown.room})

    async def _come_in(self, slug: str, link: int, code: str, by: By) -> None:
        """Takes one use of the link for somebody who is not in the room yet. Raises a refusal."""
        if await self.is_in(slug, by.author.id):
            return
        await self.check_not_full(by)
        with _alike():
            await self.accounts.room_links.use(code)
        why_not = await bring_in(self._endpoint.supervisor, slug, by)
        if why_not is not None and why_not is not UNAVAILABLE:  # else they may have come in
            await self.accounts.room_links.give_back(link)
        if isinstance(why_not, Refused):
            raise RoomRefused(why_not)


class LookHandler(_JoinHandler):
    """`GET /api/join/<code>`: what it is for."""

    @refusing
    async def get(self, code: str) -> None:
        """Answers a room's title and people, and its slug to who is in it already."""
        principal = await self._endpoint.identify(self._asked, reads=True)
        shown = await self.look(code, principal)
        is_in = principal.author is not None and await self.is_in(shown.room, principal.author.id)
        slug = {"slug": shown.room} if is_in else {}
        room = {} if shown.room is None else {"room": {"title": shown.title, "people": shown.people, **slug}}
        self.answer(HTTPStatus.OK, {**room, "server": True})

    head = get
