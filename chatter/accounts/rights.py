"""Rights: decides what a principal may do. One decision for sockets and HTTP, whatever the action."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from chatter.accounts.principal import NOBODY, Principal, Scope

Action: TypeAlias = Literal[
    "join",
    "read",  # the past of a room
    "post",
    "operate",  # edit, delete, react, pin
    "type",
    "relay",  # bytes that are not saved
    "list",  # the rooms
    "manage",  # one's own account: its sessions, tokens and invites
    "administer",  # the accounts of others
]

Decision: TypeAlias = Literal["unauthorized", "sign_in", "forbidden"] | None
"""Why an action is refused, None where it is granted."""

_SCOPES: Mapping[Action, Scope] = {
    "join": "read",
    "read": "read",
    "list": "read",
    "post": "post",
    "operate": "post",
    "type": "post",
    "relay": "post",
}
"""The scope that an access token needs. Without a row no access token suffices: it shall not make others."""


class Rights:
    """The rules of a server."""

    def __init__(self, *, admits_guests: bool) -> None:
        self._admits_guests = admits_guests

    def authorize(self, principal: Principal, room: str | None, action: Action) -> Decision:
        """Decides about an action in a room, or beyond all rooms: None."""
        if principal is NOBODY:
            return "unauthorized"
        if principal.author is None:
            return None if self._admits_guests and action in _SCOPES else "sign_in"
        if principal.scopes is not None and _SCOPES.get(action) not in principal.scopes:
            return "forbidden"
        if action == "administer" and principal.role != "admin":
            return "forbidden"
        if room is not None and not principal.reaches(room):
            return "forbidden"
        return None

    def restricts(self, principal: Principal) -> bool:
        """Returns whether somebody who has joined may still be refused something there."""
        return principal.author is not None and any(self.authorize(principal, None, action) for action in _SCOPES)
