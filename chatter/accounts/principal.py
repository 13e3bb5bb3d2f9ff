"""A principal: who a connection or a request is. Name, role and rights come from it, never from a payload."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from chatter.charter import Author, RoomRole, ServerRole

Role: TypeAlias = ServerRole
"""What somebody is on this server, the weakest first."""

Scope: TypeAlias = Literal["read", "post", "moderate", "admin"]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account, a program that acts for one, or a guest."""

    kind: Literal["guest", "person", "bot"]
    role: Role
    author: Author | None = None  # None for a guest
    name: str | None = None  # the display name; None for a guest, who gives one in each request
    scopes: frozenset[Scope] | None = None  # what an access token is for; None for everything
    secret: int | None = None  # the session or access token; None for a guest and for another server's token
    expires_at: float | None = None  # seconds since 1970; None for never
    has_role_of_token: bool = False  # the role is what another server's token says, in place of the account's
    rooms: Mapping[str, RoomRole] | None = None  # the only ones there are for them, by slug; None for all

    def reaches(self, slug: str) -> bool:
        """Returns whether a room is among those that there are for them, if it is there."""
        return self.rooms is None or slug in self.rooms

    @property
    def acting_role(self) -> Role:
        """What counts in rooms: a token acts as a moderator or an admin only if that is what it is for."""
        if self.scopes is None or self.role in ("guest", "member"):
            return self.role
        if self.role == "admin" and "admin" in self.scopes:
            return "admin"
        return "moderator" if "moderate" in self.scopes else "member"


GUEST = Principal(kind="guest", role="guest")
"""Whoever shows nothing."""

NOBODY = Principal(kind="guest", role="guest", scopes=frozenset())
"""Whoever shows a secret that proves nothing, or not any more. Compared by `is`."""
