"""The wait of one socket until the rooms of its account are loaded: its join and what comes behind it keep their order.

It is waited for at most once, as the first join that needs them comes: while the socket lives, they stay known as a
rule.
"""

import asyncio
import logging
from typing import Protocol

from chatter.accounts.values import AccountRefused
from chatter.memberships.memberships import Memberships
from chatter.messages import Refused
from web.channels.held_frames import HeldFrames
from web.channels.wire import Frame
from web.io.rfc6455 import CloseCode

logger = logging.getLogger(__name__)


class RoomsOwner(Protocol):
    """The socket as this wait sees it."""

    def join_late(self, join: Frame, refused: Refused | None) -> None:
        """Carries out the join, or answers it with what went wrong."""

    def receive_held(self, frame: Frame) -> None:
        """Handles a frame that has come behind the join."""

    def on_rooms_settled(self) -> None:
        """Nothing waits any more."""

    def close(self, code: CloseCode) -> None:
        """Ends the connection."""


class RoomsWait:
    """Owns the join and the frames that wait."""

    __slots__ = ("_held", "_join", "_owner", "_task", "is_handing_over", "refused")

    def __init__(self, owner: RoomsOwner, memberships: Memberships, account: int, join: Frame) -> None:
        self._owner = owner
        self._join = join
        self._held = HeldFrames()
        self.refused = Refused("unavailable")  # what joins are answered that need the rooms all the same
        self.is_handing_over = False  # the rooms are known, or cannot be
        self._task = asyncio.get_running_loop().create_task(self._load(memberships, account))
        self._task.add_done_callback(self._on_done)

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
        self._task.cancel()

    async def _load(self, memberships: Memberships, account: int) -> None:
        refused = None
        try:
            await memberships.of(account)
        except AccountRefused as error:
            refused = self.refused = Refused("unavailable", retry_after_ms=error.retry_after_ms)
        self.is_handing_over = True
        self._owner.join_late(self._join, refused)
        await self._held.drain(self._owner.receive_held)
        self._owner.on_rooms_settled()

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("the rooms of an account could not be loaded", exc_info=error)
            self._owner.close(CloseCode.INTERNAL_ERROR)
