"""Errands: what has to be looked up or made before a request of a channel is answered or passed on to its room.

Frames of the channel that come meanwhile wait in their order.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol, TypeAlias, assert_never

from chatter.accounts.accounts import Accounts
from chatter.accounts.room_links import Invitee
from chatter.accounts.values import AccountRefused
from chatter.charter import RoomRole, is_private_slug
from chatter.memberships.memberships import Memberships
from chatter.messages import AlreadySo, By, ChangeMembers, Describe, Reason, Refused, RoomDescribed
from web.channels.room_asker import REF, Rooms, ask_room
from web.channels.room_requests import Errand, MakesLink, NamesPeople
from web.channels.wire import Frame, Invalid, LinkMade

logger = logging.getLogger(__name__)

MAX_HELD_FRAMES = 100
"""Frames of a channel that wait for its errand; the next ones are refused."""

BANNED = Refused("banned")

NEAR_FULL = 50
"""Rooms that somebody may come into while a request about them is on its way."""

OVERLOADED = Refused("overloaded", retry_after_ms=1_000)

Outcome: TypeAlias = ChangeMembers | LinkMade | Refused | Invalid
"""What the room is told, or what the client is answered."""


class ErrandRunner:
    """Does errands. One for a server that has accounts."""

    def __init__(self, accounts: Accounts, memberships: Memberships, rooms: Rooms, most_rooms: int) -> None:
        """`most_rooms` is how many rooms an account may be a member of."""
        self._accounts = accounts
        self._memberships = memberships
        self._rooms = rooms
        self._most_rooms = most_rooms

    async def run(self, slug: str, errand: Errand) -> Outcome:
        """Returns what becomes of an errand for the room of that name."""
        try:
            match errand:
                case NamesPeople():
                    return await self._name(errand)
                case MakesLink():
                    return await self._make_link(slug, errand)
                case _:
                    assert_never(errand)
        except AccountRefused as error:
            return refusal_of(error)

    async def people(self, handles: tuple[str, ...], *, arrive: bool) -> tuple[By, ...] | Refused:
        """Returns who has these handles; refused where one is nobody's, or they `arrive` and are in too many rooms.

        Raises `AccountRefused`.
        """
        found, unknown = await self._accounts.room_links.invitees(handles, arrive=arrive)
        if unknown:
            return Refused("not_found", handles=unknown)
        if arrive and any([await self._is_full(each) for each in found]):
            return Refused("full", limit=self._most_rooms)
        people = (each.account for each in found)
        return tuple(By(each.author, each.name, each.role) for each in people)

    async def _is_full(self, invitee: Invitee) -> bool:
        """Returns whether somebody is in as many rooms as they may be.

        The rooms of whoever is near that are loaded: then the room that they come into knows of others that take them
        in at the same moment.
        """
        rooms = invitee.rooms
        if rooms + NEAR_FULL >= self._most_rooms:
            rooms = len(await self._memberships.of(invitee.account.author.id))
        return rooms >= self._most_rooms

    async def _name(self, errand: NamesPeople) -> Outcome:
        people = await self.people(errand.handles, arrive=errand.is_arrival)
        return people if isinstance(people, Refused) else errand.request(people)

    async def _make_link(self, slug: str, errand: MakesLink) -> Outcome:
        refused = await link_refusal(self._rooms, slug, errand.by)
        if refused is not None:
            return refused
        made = await self._accounts.room_links.make(errand.by.author.id, slug, uses=errand.uses, days=errand.days)
        return LinkMade(made.id, made.text, f"/join/{made.text}")


async def link_refusal(rooms: Rooms, slug: str, by: By) -> Refused | None:
    """Returns why somebody may make no links to a room, None where they may."""
    answer = await ask_room(rooms, slug, lambda asker: Describe(asker, REF, by))
    if isinstance(answer, RoomDescribed):
        return None if "make_link" in answer.powers else Refused("forbidden")
    return answer if isinstance(answer, Refused) else Refused("unavailable")


async def bring_in(
    rooms: Rooms, slug: str, by: By, role: RoomRole | None = None, *, opens: bool = False
) -> Refused | AlreadySo | None:
    """Makes somebody a member who has shown a link to the room, or a token that gives a `role`; returns why not.

    A link to a plain room makes nobody a member: it has none. A role does, and where it `opens` rooms also in one that
    is not there.
    """
    if role is None and not is_private_slug(slug):
        described = await ask_room(rooms, slug, lambda asker: Describe(asker, REF, by))
        if described == BANNED:
            return BANNED
        if not isinstance(described, RoomDescribed) or described.room is None:
            return None
    answer = await ask_room(
        rooms,
        slug,
        lambda asker: ChangeMembers(asker, REF, None, by, "joined", (by,), role, is_invited=True, opens=opens),
    )
    return answer if isinstance(answer, Refused | AlreadySo) else None


_REASONS: dict[str, Reason] = {
    "forbidden": "forbidden",
    "full": "full",
    "not_found": "not_found",
    "busy": "busy",
    "unavailable": "unavailable",
}
"""The reasons of accounts that mean the same in a channel."""


def refusal_of(error: AccountRefused) -> Refused | Invalid:
    """Returns what accounts have refused in the words of channels."""
    if error.reason == "invalid":
        return Invalid(error.field or "payload", error.message or "")
    return Refused(_REASONS.get(error.reason, "forbidden"), error.retry_after_ms)


class Waiter(Protocol):
    """The channel, as its errand sees it."""

    def on_errand_done(self, frame: Frame, outcome: Outcome, held: Iterable[Frame]) -> None:
        """Passes on what has become of the errand, and handles the frames that have waited."""


class ErrandUnderWay:
    """Owns one errand of a channel, and the frames that wait for it."""

    __slots__ = ("_frame", "_held", "_task", "_waiter")

    def __init__(self, waiter: Waiter, frame: Frame, outcome: Coroutine[Any, Any, Outcome]) -> None:
        """`frame` is the one that it is for."""
        self._waiter = waiter
        self._frame = frame
        self._held: deque[Frame] = deque()
        self._task = asyncio.get_running_loop().create_task(outcome)
        self._task.add_done_callback(self._on_done)

    def hold(self, frame: Frame) -> bool:
        """Keeps a frame until the errand is done; returns False where no more are kept."""
        if len(self._held) >= MAX_HELD_FRAMES:
            return False
        self._held.append(frame)
        return True

    def cancel(self) -> list[Frame]:
        """Gives the errand up, since the channel has ended; returns the frames that are not answered."""
        self._task.remove_done_callback(self._on_done)
        self._task.cancel()
        return [self._frame, *self._held]

    def _on_done(self, task: "asyncio.Task[Outcome]") -> None:
        outcome: Outcome = Refused("unavailable", retry_after_ms=1_000)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("an errand failed", exc_info=error)
        elif not task.cancelled():
            outcome = task.result()
        self._waiter.on_errand_done(self._frame, outcome, self._held)
