"""`/api/direct`: the room of two people."""

from http import HTTPStatus

from chatter.charter import direct_slug
from chatter.messages import Found
from web.channels.room_asker import REF
from web.channels.room_requests import handle_of
from web.http.rooms.handler import RoomHandler, refusing


class DirectHandler(RoomHandler):
    """`POST {handle}`: the room with somebody, or one's own notes."""

    @refusing
    async def post(self) -> None:
        """Answers the name of the room, once it is there. Two who ask at once get one room: its name is theirs."""
        _, by = await self.founder()
        handle = handle_of(self.body("handle"))
        self.take_account_token(self._rooms.founding, by)
        (other,) = await self.people(handle, arrive=False)
        slug = direct_slug(self._rooms.identity, (by.author.id, other.author.id))
        memberships = self._endpoint.memberships
        if memberships is None or slug not in await memberships.of(by.author.id):
            await self.people(handle)
            await self.check_not_full(by)
        others = () if other.author.id == by.author.id else (other,)
        await self.ask_room(slug, lambda asker: Found(asker, REF, None, by, "direct", members=others))
        self.answer(HTTPStatus.OK, {"slug": slug})
