"""`/api/invites`: invites of people who are to make an account."""

import msgspec

from chatter.charter import is_private_slug
from chatter.messages import By
from web.channels.errands import link_refusal
from web.http.accounts.bodies import invalid, number, optional_text
from web.http.accounts.handler import STATUSES, AccountsHandler, Refusal, refusing


class InvitesHandler(AccountsHandler):
    """`GET`, `POST {room?, uses?, days?}`: null is for any number of uses, and for ever."""

    @refusing
    async def get(self) -> None:
        account, _ = await self.owner()
        invites = await self.accounts.invites(account)
        self.answer(200, {"invites": [msgspec.structs.asdict(each) for each in invites]})

    @refusing
    async def post(self) -> None:
        account, session = await self.owner()
        body = self.body("room", "uses", "days") if self._body else {}
        room, uses = optional_text(body, "room"), number(body, "uses", 1, 1_000, 1)
        if isinstance(uses, float):
            raise invalid("uses", "expected a whole number")
        days = number(body, "days", 0.01, 365, 7)
        if room is not None:
            await self._check_may_link(room)
        made = await self.accounts.make_invite(account, room=room, uses=uses, days=days, by=session)
        self.answer(201, {"id": made.id, "code": made.text, "url": self.link_to("invite", made.text)})

    async def _check_may_link(self, room: str) -> None:
        """Raises a refusal for somebody who may make no links to that room. One that may come to be is everybody's."""
        principal = await self.principal()
        assert principal.author is not None
        if self._endpoint.memberships is not None:
            await self._endpoint.memberships.of(principal.author.id)
        if self._endpoint.hides(room, principal):
            raise Refusal("not_found")
        by = By(principal.author, principal.name or principal.author.handle, principal.role)
        refused = await link_refusal(self._endpoint.supervisor, room, by)
        if refused is not None and (refused.reason != "not_found" or is_private_slug(room)):
            raise Refusal(refused.reason if refused.reason in STATUSES else "forbidden", refused.retry_after_ms)


class InviteHandler(AccountsHandler):
    """`DELETE /api/invites/<id>`."""

    @refusing
    async def delete(self, number: str) -> None:
        account, _ = await self.owner()
        await self.accounts.end_invite(account, int(number))
        self.answer(204)
