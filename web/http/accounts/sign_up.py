"""`/api/accounts`: new accounts."""

from web.http.accounts.bodies import optional_text, text
from web.http.accounts.handler import AccountsHandler, refusing


class SignUpHandler(AccountsHandler):
    """`POST {handle, password, name?, invite?}`."""

    @refusing
    async def post(self) -> None:
        """Makes an account and signs in. The answer has the `room` that an invite leads to."""
        body = self.body("handle", "password", "name", "invite")
        handle, password, invite = text(body, "handle"), text(body, "password"), optional_text(body, "invite")
        room = await self.accounts.may_sign_up(invite, self.device.network)
        self.take_sign_up_token()  # after that: who has no invite takes nothing from those who have
        signed_in = await self.accounts.sign_up(
            handle, password, optional_text(body, "name"), invite, device=self.device
        )
        await self.begin_session(signed_in, **({} if room is None else {"room": room}))
