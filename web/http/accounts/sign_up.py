"""`/api/accounts`: new accounts."""

import logging

from chatter.accounts.principal import Principal
from chatter.messages import By
from web.channels.errands import bring_in
from web.http.accounts.bodies import optional_text, text
from web.http.accounts.handler import AccountsHandler, refusing

logger = logging.getLogger(__name__)


class SignUpHandler(AccountsHandler):
    """`POST {handle, password, name?, invite?}`."""

    @refusing
    async def post(self) -> None:
        """Makes an account and signs in. The answer has the `room` that an invite leads to."""
        body = self.body("handle", "password", "name", "invite")
        handle, password, invite = text(body, "handle"), text(body, "password"), optional_text(body, "invite")
        room = await self.accounts.signing_in.may_sign_up(invite, self.device.network)
        self.take_sign_up_token()  # after that: who has no invite takes nothing from those who have
        signed_in = await self.accounts.signing_in.sign_up(
            handle, password, optional_text(body, "name"), invite, device=self.device
        )
        if room is not None and signed_in.principal.author is not None:
            await self._come_in(room, signed_in.principal)
        await self.begin_session(signed_in, **({} if room is None else {"room": room}))

    async def _come_in(self, room: str, principal: Principal) -> None:
        """Makes a new person a member of the room that the invite leads to. If that fails, they have an account."""
        assert principal.author is not None
        by = By(principal.author, principal.name or principal.author.handle, principal.role)
        refused = await bring_in(self._endpoint.supervisor, room, by)
        if refused is not None:
            logger.info("an invite made an account, and did not open its room: %s", refused.reason)
