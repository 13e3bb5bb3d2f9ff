"""The wait of one socket for rooms of its account: a join, and what comes behind it, keep their order.

A join waits until the rooms are loaded, which is at most once as a rule: while the socket lives, they stay known. It
waits, too, until its account is in the room, where a token gives it a role there that it has not yet.
"""

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from chatter.accounts.principal import Principal
from chatter.accounts.values import AccountRefused
from chatter.charter import RoomRole
from chatter.memberships.memberships import Memberships
from chatter.messages import Refused
from web.channels.held_frames import HeldFrames
from web.channels.pending_joins import JoinRequest
from web.channels.room_claims import RoomClaims
from web.channels.wire import Frame
from web.io.rfc6455 import CloseCode

logger = logging.getLogger(__name__)


class RoomsOwner(Protocol):
    """The socket as this wait sees it."""

    def join_late(self, join: Frame, refused: Refused | None) -> None:
        """Carries out the join, or answers it with what went wrong: the rooms are loaded, or cannot be."""

    def brought_in(self, request: JoinRequest, refused: Refused | None) -> None:
        """Carries out the join, or answers it with why the account is not in the room."""

    def receive_waited(self, frame: Frame) -> None:
        """Handles a frame that has come behind the join."""

    def on_rooms_settled(self) -> None:
        """Nothing waits any more."""

    def close(self, code: CloseCode) -> None:
        """Ends the connection."""


class RoomsWait:
    """Owns what is waited for, one after the other, and the frames that wait."""

    __slots__ = ("_held", "_owner", "_steps", "_task", "refused")

    def __init__(self, owner: RoomsOwner) -> None:
        self._owner = owner
        self._held = HeldFrames()
        self._steps: deque[Callable[[], Awaitable[None]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self.refused: Refused | None = None  # what joins are answered, if the rooms could not be loaded just now

    def load(self, memberships: Memberships, account: int, join: Frame) -> None:
        """Has a join wait until the rooms of the account are loaded."""
        self._wait_for(functools.partial(self._load, memberships, account, join))

    def bring_in(
        self, claims: RoomClaims, principal: Principal, request: JoinRequest, role: RoomRole, *, opens: bool
    ) -> None:
        """Has a join wait until its account is in the room. `opens` says that it may open a public one."""
        self._wait_for(functools.partial(self._bring_in, claims, principal, request, role, opens=opens))

    def hold(self, frame: Frame) -> bool:
        """Keeps a frame. Returns False for a heartbeat, which needs no rooms."""
        if frame.topic == "phoenix" and frame.event == "heartbeat":
            return False
        if not self._held.add(frame):
            self._owner.close(CloseCode.TRY_AGAIN_LATER)
        return True

    def end(self) -> None:
        """Gives up: the connection is gone."""
        self._held.clear()
        self._steps.clear()
        if self._task is not None:
            self._task.cancel()

    def _wait_for(self, step: Callable[[], Awaitable[None]]) -> None:
        self._steps.append(step)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._on_done)

    async def _run(self) -> None:
        while self._steps:
            await self._steps.popleft()()
            await self._held.drain(self._owner.receive_waited, stops=lambda: bool(self._steps))
        self._owner.on_rooms_settled()

    async def _load(self, memberships: Memberships, account: int, join: Frame) -> None:
        refused = None
        try:
            await memberships.of(account)
        except AccountRefused as error:
            refused = self.refused = _unavailable(error)
        self._owner.join_late(join, refused)

    async def _bring_in(
        self, claims: RoomClaims, principal: Principal, request: JoinRequest, role: RoomRole, *, opens: bool
    ) -> None:
        try:
            refused = await claims.bring_in(request.topic.slug, principal, role, opens=opens)
        except AccountRefused as error:
            refused = _unavailable(error)
        self._owner.brought_in(request, refused)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a join could not be carried out", exc_info=error)
            self._owner.close(CloseCode.INTERNAL_ERROR)


def _unavailable(error: AccountRefused) -> Refused:
    return Refused("unavailable", retry_after_ms=error.retry_after_ms)
