"""`/api/rooms/<slug>/links`: the links of a room that may still be used."""

from http import HTTPStatus

from chatter.accounts.values import Invite
from web.http.accounts.handler import Refusal
from web.http.rooms.handler import RoomHandler, refusing


class _LinksHandler(RoomHandler):
    """What both share."""

    async def check_may_link(self, slug: str) -> None:
        """Raises a refusal for somebody who may make no links there."""
        principal, _ = await self.person("operate")
        if "make_link" not in (await self.described(slug, principal)).powers:
            raise Refusal("forbidden")


class RoomLinksHandler(_LinksHandler):
    """`GET`. Their codes are shown once, when they are made."""

    @refusing
    async def get(self, slug: str) -> None:
        await self.check_may_link(slug)
        self.answer(HTTPStatus.OK, {"links": list(map(_row, await self.accounts.room_links.links(slug)))})

    head = get


class RoomLinkHandler(_LinksHandler):
    """`DELETE`."""

    @refusing
    async def delete(self, slug: str, number: str) -> None:
        await self.check_may_link(slug)
        await self.accounts.room_links.end(slug, int(number))
        self.answer(HTTPStatus.NO_CONTENT)


def _row(link: Invite) -> dict[str, object]:
    return {
        "id": link.id,
        "by": link.by,
        "uses_left": link.uses_left,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
    }
