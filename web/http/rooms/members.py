"""`/api/rooms/<slug>/members`: who is in a room."""

from http import HTTPStatus
from typing import Any

from chatter.charter import Member
from chatter.messages import ChangeMembers
from web.channels.room_asker import REF
from web.http.rooms.handler import RoomHandler, refusing

MOST_LISTED = 500
USUALLY_LISTED = 100


class MembersHandler(RoomHandler):
    """`GET ?after=&limit=`; `POST`: the asker becomes a member."""

    @refusing
    async def get(self, slug: str) -> None:
        """Answers the members and the banned in the order of their accounts' numbers, after one of them."""
        after, limit = self.number("after", 0, 2**31 - 1, 0), self.number("limit", 1, MOST_LISTED, USUALLY_LISTED)
        described = await self.described(slug, await self.allowed("read"))
        members = {member.author.id: member for member in described.members}
        people = sorted(number for number in (*members, *described.banned) if number > after)
        page, more = people[:limit], len(people) > limit
        out = [number for number in page if number not in members]
        banned = await self.accounts.room_links.named(out) if out else []
        shown = [_row(members[number]) for number in page if number in members]
        answer: dict[str, Any] = {"members": shown, "more": more, **({"next": page[-1]} if more else {})}
        if banned:
            answer["banned"] = [{"id": each.id, "handle": each.handle, "name": each.name} for each in banned]
        self.answer(HTTPStatus.OK, answer)

    head = get

    @refusing
    async def post(self, slug: str) -> None:
        """Lets the asker in where they may come by themselves. An admin who must look into a room joins it so."""
        principal, by = await self.person("operate")
        if principal.acting_role != "admin" or not principal.reaches(slug):
            await self.check_seen(slug, principal)
        await self.check_not_full(by)
        await self.ask_room(slug, lambda asker: ChangeMembers(asker, REF, None, by, "joined", (by,)))
        self.answer(HTTPStatus.NO_CONTENT)


def _row(member: Member) -> dict[str, Any]:
    row = {"id": member.author.id, "handle": member.author.handle, "name": member.name, "role": member.role}
    more = {"joined_seq": member.joined_seq, "muted_until": member.muted_until}
    return row | {name: value for name, value in more.items() if value is not None}
