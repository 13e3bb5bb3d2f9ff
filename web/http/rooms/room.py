"""`/api/rooms/<slug>`: what a room is."""

from http import HTTPStatus

import msgspec

from web.http.rooms.handler import RoomHandler, refusing


class OneRoomHandler(RoomHandler):
    """`GET`."""

    @refusing
    async def get(self, slug: str) -> None:
        """Answers the room as the asker sees it; of a plain one there is no more than its name."""
        described = await self.described(slug, await self.allowed("read"))
        room = {"kind": "public", "title": ""} if described.room is None else msgspec.to_builtins(described.room)
        self.answer(HTTPStatus.OK, {"slug": slug, **room, "powers": sorted(described.powers)})

    head = get
