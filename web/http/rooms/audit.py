"""`/api/audit`: what people with more rights than others have done with them."""

from http import HTTPStatus

import msgspec

from web.http.rooms.handler import RoomHandler, refusing

MOST_LISTED = 500
USUALLY_LISTED = 100


class AuditHandler(RoomHandler):
    """`GET ?before=&limit=`, for admins: the latest first."""

    @refusing
    async def get(self) -> None:
        await self.owner()
        await self.allowed("administer")
        before, limit = self.number("before", 0, 2**31 - 1, 0), self.number("limit", 1, MOST_LISTED, USUALLY_LISTED)
        deeds = await self.accounts.audit(before or None, limit + 1)
        shown = [msgspec.to_builtins(deed) for deed in deeds[:limit]]
        self.answer(HTTPStatus.OK, {"audit": shown, "more": len(deeds) > limit})

    head = get
