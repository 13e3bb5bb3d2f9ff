"""`/api/rooms/<slug>/links`: the links of a room that may still be used: one's own, or all for who moderates it."""

from http import HTTPStatus

from chatter.accounts.values import Invite
from web.http.accounts.handler import Refusal
from web.http.rooms.handler import RoomHandler, refusing


class _LinksHandler(RoomHandler):
    """What both share."""

    async def maker(self, slug: str) -> int | None:
        """Returns whose links somebody may see and end; None for all. Raises a refusal for who may make none there."""
        principal, by = await self.person("operate")
        powers = (await self.described(slug, principal)).powers
        if "make_link" not in powers:
            raise Refusal("forbidden")
        return None if "operate_others" in powers else by.author.id


class RoomLinksHandler(_LinksHandler):
    """`GET`. Their codes are shown once, when they are made."""

    @refusing
    async def get(self, slug: str) -> None:
        links = await self.accounts.room_links.links(slug, await self.maker(slug))
        self.answer(HTTPStatus.OK, {"links": list(map(_row, links))})

    head = get


class RoomLinkHandler(_LinksHandler):
    """`DELETE`."""

    @refusing
    async def delete(self, slug: str, number: str) -> None:
        await self.accounts.room_links.end(slug, int(number), await self.maker(slug))
        self.answer(HTTPStatus.NO_CONTENT)


def _row(link: Invite) -> dict[str, object]:
    return {
        "id": link.id,
        "by": link.by,
        "uses_left": link.uses_left,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
    }
