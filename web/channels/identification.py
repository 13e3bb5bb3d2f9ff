"""Identification: who one socket is, while that is found out, can be shown anew, and expires.

A handshake is never refused for it, since clients would come back for ever. Frames wait for it in their order. Sockets
of guests have none.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from chatter.accounts.principal import NOBODY, Principal
from chatter.accounts.values import AccountRefused
from chatter.messages import Refused
from web.channels.held_frames import HeldFrames
from web.channels.wire import Frame, TokenTaken, WebAnswer
from web.identity.credentials import Credentials
from web.identity.identify import Identity
from web.io.rfc6455 import CloseCode

logger = logging.getLogger(__name__)

GRACE = 25.0
"""Seconds that a client has for a new token once the old one has expired."""

VERIFY_INTERVAL = 10.0
"""Seconds between two verifications of new tokens: one is dear, and Supabase's clients send one to each channel."""

LOOK_AGAIN = 86_400.0
"""Most seconds until a session is looked up again: a connection counts as use of it, from which its end moves on."""

LOOK_AGAIN_SOON = 60.0
"""The same where the database did not answer."""

Answering = Callable[[WebAnswer], None]


class Owner(Protocol):
    """The socket as its identification sees it."""

    @property
    def principal(self) -> Principal:
        """Who it is so far."""

    def may_become(self, principal: Principal) -> bool:
        """Returns whether that is the same person, or the first."""

    def become(self, principal: Principal) -> None:
        """Takes over who it is."""

    def receive_held(self, frame: Frame) -> None:
        """Handles a frame that has waited."""

    def refuse_held(self, frame: Frame, refused: Refused) -> None:
        """Answers a frame that has waited in vain."""

    def notify(self, event: bytes, payload: bytes) -> None:
        """Pushes an event to each channel."""

    def refuse_pending(self, refused: Refused) -> None:
        """Refuses the joins that are not decided."""

    def close(self, code: CloseCode) -> None:
        """Ends the connection."""


class Identification:
    """Owns the secret of one socket, the frames that wait for it, and its end."""

    __slots__ = (
        "_has_ended",
        "_held",
        "_identity",
        "_is_expiring",
        "_is_handling_held",
        "_newer",
        "_owner",
        "_secret",
        "_task",
        "_timer",
        "_verified_at",
        "_verify_timer",
    )

    def __init__(self, owner: Owner, secret: Credentials | None, identity: Identity) -> None:
        self._owner = owner
        self._secret = secret
        self._identity = identity
        self._held = HeldFrames()
        self._is_handling_held = False
        self._has_ended = False
        self._is_expiring = False  # the client was told that its secret has ended
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None  # for the end of the secret
        self._newer: tuple[Credentials, Answering] | None = None  # the latest that came, not yet verified
        self._verify_timer: asyncio.TimerHandle | None = None
        self._verified_at = -VERIFY_INTERVAL

    @property
    def is_holding(self) -> bool:
        """Whether frames that come now have to wait for others, though it is known who sends them."""
        return self._is_handling_held

    @property
    def is_expiring(self) -> bool:
        """Whether the secret has ended, and no newer one has come."""
        return self._is_expiring

    def begin(self) -> None:
        """Finds out who the socket is, at once if that is remembered."""
        principal = self._identity.known(self._secret)
        if principal is None:
            self._run(self._find_out())
        else:
            self._owner.become(principal)

    def end(self) -> None:
        """Gives up: the connection is gone."""
        self._has_ended = True
        self._held.clear()
        for each in (self._task, self._timer, self._verify_timer):
            if each is not None:
                each.cancel()

    # ------------------------------------------------------------ while it is not known

    def hold(self, frame: Frame) -> bool:
        """Keeps a frame until it is known who sends it. Returns False for a heartbeat, which nobody needs to be for."""
        if frame.topic == "phoenix" and frame.event == "heartbeat":
            return False
        if not self._held.add(frame):
            self._owner.close(CloseCode.TRY_AGAIN_LATER)
        elif self._task is None:
            self._run(self._find_out())
        return True

    async def _find_out(self) -> None:
        try:
            principal = await self._identity.identify(self._secret)
        except AccountRefused as error:
            self._refuse_held(Refused("unavailable", retry_after_ms=error.retry_after_ms))
        else:
            self._is_handling_held = bool(self._held)
            self._owner.become(principal)
            await self._held.drain(self._owner.receive_held)
        if self._is_handling_held and not self._has_ended:
            self._is_handling_held = False
            self._owner.become(self._owner.principal)

    def _refuse_held(self, refused: Refused) -> None:
        """Answers what waits. The next frame has the socket try again."""
        while self._held:
            self._owner.refuse_held(self._held.pop(), refused)

    # ------------------------------------------------------------ a newer secret

    def refresh(self, secret: Credentials, answer: Answering) -> None:
        """Has a newer secret of the same person count, if it is one. Of several that come fast the last counts."""
        wait = self._verified_at + VERIFY_INTERVAL - time.monotonic()
        if self._newer is not None:
            self._newer[1](Refused("rate_limited", retry_after_ms=max(1, int(1_000 * wait))))
        elif wait > 0:
            self._verify_timer = asyncio.get_running_loop().call_later(wait, self._verify)
        else:
            asyncio.get_running_loop().call_soon(self._verify)
        self._newer = secret, answer

    def _verify(self) -> None:
        if self._has_ended or self._newer is None:
            return
        if self._task is not None:
            self._verify_timer = asyncio.get_running_loop().call_later(1.0, self._verify)
            return
        (secret, answer), self._newer = self._newer, None
        self._verified_at = time.monotonic()
        self._run(self._take_newer(secret, answer))

    async def _take_newer(self, secret: Credentials, answer: Answering) -> None:
        try:
            principal = await self._identity.identify(secret)
        except AccountRefused as error:
            answer(Refused("unavailable", retry_after_ms=error.retry_after_ms))
            return
        if principal is NOBODY:
            answer(Refused("unauthorized"))
        elif not self._owner.may_become(principal):
            answer(Refused("other_person"))
        else:
            self._secret = secret
            self._owner.become(principal)
            answer(TokenTaken(None if principal.expires_at is None else int(principal.expires_at)))

    # ------------------------------------------------------------ the end of a secret

    def watch_end(self, expires_at: float | None, at_most: float = LOOK_AGAIN) -> None:
        """Notices the end of the secret that counts now. Of one that has ended already, nothing makes it later."""
        if self._is_expiring and expires_at is not None and expires_at <= time.time():
            return
        self._is_expiring = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if expires_at is not None and not self._has_ended:
            wait = min(max(0.0, expires_at - time.time()), at_most)
            self._timer = asyncio.get_running_loop().call_later(wait, self._look_again)

    def look_again(self) -> None:
        """Looks up at once whose the secret is. What is under way is awaited: it may bring another one."""
        if self._has_ended:
            return
        if self._task is None:
            self._run(self._look_up())
        else:
            asyncio.get_running_loop().call_later(1.0, self.look_again)

    def _look_again(self) -> None:
        self._timer = None
        principal = self._owner.principal
        if principal.secret is not None and self._task is None:
            self._run(self._look_up())  # a session may have been used elsewhere, and end later
        else:
            self._expire_or_wait(principal)

    async def _look_up(self) -> None:
        try:
            principal = await self._identity.identify(self._secret)
        except AccountRefused:
            self._expire_or_wait(self._owner.principal, LOOK_AGAIN_SOON)
            return
        if principal is NOBODY:
            self._expire()
            return
        self._owner.become(principal)
        self._expire_or_wait(principal)

    def _expire_or_wait(self, principal: Principal, at_most: float = LOOK_AGAIN) -> None:
        if principal.expires_at is None or principal.expires_at > time.time():
            self.watch_end(principal.expires_at, at_most)
        else:
            self._expire()

    def _expire(self) -> None:
        if self._is_expiring:
            return
        self._is_expiring = True
        if self._timer is not None:
            self._timer.cancel()
        self._owner.notify(b"token_expired", b'{"grace_ms":%d}' % int(1_000 * GRACE))
        self._owner.refuse_pending(Refused("unauthorized"))
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._owner.close, CloseCode.TOKEN_EXPIRED)

    # ------------------------------------------------------------ one thing at a time

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a socket could not be identified", exc_info=error)
            self._owner.close(CloseCode.INTERNAL_ERROR)
        elif self._held and not self._has_ended:
            self._run(self._find_out())  # a frame came after the refusal, while the task was still there
