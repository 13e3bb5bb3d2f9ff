"""Room claims: the roles in rooms that the token of an embedding app gives somebody there.

A token that names rooms restricts its person to these: `Principal.reaches`. Here is what it gives.
"""

from chatter.accounts.principal import Principal
from chatter.charter import RoomRole, is_stronger
from chatter.memberships.memberships import Memberships
from chatter.messages import By, Refused
from schema.slugs import kind_of
from web.channels.errands import bring_in
from web.channels.room_asker import Rooms


class RoomClaims:
    """One for a server that has accounts."""

    def __init__(self, memberships: Memberships, rooms: Rooms, most_rooms: int) -> None:
        """`most_rooms` is how many rooms an account may be a member of."""
        self._memberships = memberships
        self._rooms = rooms
        self._most_rooms = most_rooms

    def given(self, slug: str, principal: Principal) -> RoomRole | None:
        """Returns the role in a room that a token gives, None where it gives none.

        Groups and direct rooms have no roles. Everybody is let into public rooms, and a member once they speak.
        """
        if principal.rooms is None:
            return None
        role, kind = principal.rooms.get(slug), kind_of(slug)
        return role if kind == "private" or (kind == "public" and role != "member") else None

    def due(self, slug: str, principal: Principal) -> RoomRole | None:
        """Returns the role that a token gives somebody who has none in the room, or a weaker one; else None."""
        role, author = self.given(slug, principal), principal.author
        if role is None or author is None:
            return None
        membership = (self._memberships.known(author.id) or {}).get(slug)
        return role if membership is None or is_stronger(role, membership.role) else None

    async def bring_in(self, slug: str, principal: Principal, role: RoomRole, *, opens: bool) -> Refused | None:
        """Makes somebody a member with that role, through the log of the room; returns why not.

        `opens` says that they may open a public room. Raises `AccountRefused`.
        """
        author = principal.author
        assert author is not None, "guests have no tokens"
        rooms = await self._memberships.of(author.id)
        if slug not in rooms and len(rooms) >= self._most_rooms:
            return Refused("full", limit=self._most_rooms)
        by = By(author, principal.name or author.handle, principal.acting_role)
        answer = await bring_in(self._rooms, slug, by, role, opens=opens)
        return answer if isinstance(answer, Refused) else None
