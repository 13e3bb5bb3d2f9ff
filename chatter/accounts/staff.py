"""Staff: who has more rights on the server than other people, in memory, for rooms that judge what others have said."""

from collections.abc import Iterable

from chatter.charter import ServerRole


class Staff:
    """The accounts that are moderators or admins of the server. Filled at the start, and changed by what is learned."""

    def __init__(self) -> None:
        self._roles: dict[int, ServerRole] = {}

    def role_of(self, account: int) -> ServerRole:
        """Returns what somebody with an account is on the server."""
        return self._roles.get(account, "member")

    def fill(self, rows: Iterable[tuple[int, ServerRole]]) -> None:
        """Takes over all who are more than members."""
        self._roles = dict(rows)

    def update(self, account: int, role: ServerRole) -> None:
        """Notes what an account is now."""
        if role == "member":
            self._roles.pop(account, None)
        else:
            self._roles[account] = role
