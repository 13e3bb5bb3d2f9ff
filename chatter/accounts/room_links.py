"""Room links: invites that lead to a room, as the loop asks about them.

A link is an invite like any other: who has no account can make one with it. To somebody who has one it opens the room.
"""

from collections.abc import Sequence
from typing import NamedTuple

from chatter.accounts import invitations, people
from chatter.accounts.attempts import Attempts
from chatter.accounts.times import Transactions
from chatter.accounts.values import Account, AccountRefused, Invite, Made
from chatter.charter import is_private_slug
from schema import Account as Row
from schema import Member, Room, Secret, SecretRow


class Shown(NamedTuple):
    """What the code of an invite is for."""

    id: int
    room: str | None  # the slug; None where it leads to no room
    title: str = ""
    people: int = 0
    by: int | None = None  # who has made it
    is_archived: bool = False


class Invitee(NamedTuple):
    """Somebody who is named by a handle, and how many rooms they are a member of."""

    account: Account
    rooms: int


class RoomLinks:
    """Lives on the loop, as a part of `Accounts`."""

    def __init__(self, read: Transactions, write: Transactions, attempts: Attempts) -> None:
        self._read = read
        self._write = write
        self._attempts = attempts

    async def make(self, account: int, room: str, *, uses: int | None, days: float | None) -> Made:
        """Makes a link that an account may make in a room, as the room has said; `forbidden`, `full`, `invalid`."""
        return await self._write(lambda now: invitations.make_invite(account, now, room=room, uses=uses, days=days))

    async def links(self, room: str, maker: int | None) -> list[Invite]:
        """Returns the links of a room that may still be used: those of one account, or with None all."""
        return await self._read(lambda now: invitations.links(room, maker, now))

    async def end(self, room: str, link: int, maker: int | None) -> None:
        """Ends one of these links; `not_found`."""
        await self._write(lambda now: invitations.end_link(room, link, maker, now))

    async def look(self, code: str, network: str) -> Shown:
        """Returns what an invite is for, without using it; `invite`. A wrong code is counted."""
        attempt, wait = self._attempts.begin_code(network)
        if wait:
            raise AccountRefused("invite", retry_after_ms=max(1, round(1_000 * wait)))
        try:
            shown = await self._read(lambda now: _shown(invitations.found_invite(code, now)))
        except AccountRefused as error:
            if error.reason != "invite":
                attempt.give_back()  # nothing was found out
            raise
        attempt.give_back()
        return shown

    async def use(self, code: str) -> None:
        """Takes one use of an invite; `invite`."""
        await self._write(lambda now: invitations.use_invite(code, now))

    async def give_back(self, link: int) -> None:
        """Gives a use back: the room did not let in who had taken it."""
        await self._write(lambda _now: Secret.give_back(link))

    async def invitees(self, handles: tuple[str, ...], *, arrive: bool) -> tuple[list[Invitee], tuple[str, ...]]:
        """Returns who has these handles, and the handles that nobody has, or nobody who could come if they `arrive`."""
        return await self._read(lambda _now: _invitees(handles, arrive=arrive))

    async def named(self, accounts: Sequence[int]) -> list[Account]:
        """Returns those of these accounts, a page at most, that are not deleted."""
        numbers = tuple(accounts)
        return await self._read(lambda _now: list(map(people.shown, Row.by_ids(numbers))))


def _shown(row: SecretRow) -> Shown:
    if row.room is None:
        return Shown(row.id, None)
    charter, count = Room.charter(row.room), 0
    if charter is not None:
        number, settled = charter
        count = Member.count_in(number)
        title, is_archived = settled.title or row.room, settled.archived_at is not None
        return Shown(row.id, row.room, title, count, row.account, is_archived)
    if is_private_slug(row.room):
        raise AccountRefused("invite", message="there is no such invite, or it was used up")
    return Shown(row.id, row.room, row.room, count)


def _invitees(handles: tuple[str, ...], *, arrive: bool) -> tuple[list[Invitee], tuple[str, ...]]:
    found, unknown = [], []
    for handle in handles:
        try:
            row = people.by_handle(handle)
        except AccountRefused:
            unknown.append(handle)
            continue
        if row.state == "active" or not arrive:
            found.append(Invitee(people.shown(row), Member.count_rooms(row.id)))
        else:
            unknown.append(handle)
    return found, tuple(unknown)
