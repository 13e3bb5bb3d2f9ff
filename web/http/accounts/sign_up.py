"""`/api/accounts`: new accounts."""

import logging

from chatter.accounts.principal import Principal
from chatter.accounts.room_links import Shown
from chatter.charter import is_private_slug
from chatter.messages import By, Refused
from web.channels.errands import bring_in
from web.channels.room_asker import UNAVAILABLE
from web.http.accounts.bodies import optional_text, text
from web.http.accounts.handler import AccountsHandler, Refusal, refusing

logger = logging.getLogger(__name__)


class SignUpHandler(AccountsHandler):
    """`POST {handle, password, name?, invite?}`."""

    @refusing
    async def post(self) -> None:
        """Makes an account and signs in. The answer has the `room` that an invite leads to."""
        body = self.body("handle", "password", "name", "invite")
        handle, password, invite = text(body, "handle"), text(body, "password"), optional_text(body, "invite")
        shown = await self.accounts.signing_in.may_sign_up(invite, self.device.network)
        room = None if shown is None else shown.room
        if shown is not None:
            self._check_takes_somebody(shown)  # else the invite would be used up for less than it promises
        self.take_sign_up_token()  # after that: who has no invite takes nothing from those who have
        signed_in = await self.accounts.signing_in.sign_up(
            handle, password, optional_text(body, "name"), invite, device=self.device
        )
        if room is not None and not await self._come_in(room, signed_in.principal):
            room = None
        await self.begin_session(signed_in, **({} if room is None else {"room": room}))

    def _check_takes_somebody(self, shown: Shown) -> None:
        """Raises a refusal where the private room that an invite leads to takes nobody now."""
        if shown.room is None or not is_private_slug(shown.room):
            return  # anybody reads it
        if shown.is_archived:
            raise Refusal("archived")
        if shown.people >= self._endpoint.settings.max_room_members:
            raise Refusal("full")

    async def _come_in(self, room: str, principal: Principal) -> bool:
        """Makes a new person a member of the room that the invite leads to. If that fails, they have an account.

        Returns whether the room is there for them, as far as is known.
        """
        assert principal.author is not None
        by = By(principal.author, principal.name or principal.author.handle, principal.role)
        answer = await bring_in(self._endpoint.supervisor, room, by)
        if not isinstance(answer, Refused):
            return True
        logger.info("an invite made an account, and did not open its room: %s", answer.reason)
        return answer is UNAVAILABLE or not is_private_slug(room)
