"""`/api/me/proof`: shows again who has a session, before it may do what would outlast it."""

from web.http.accounts.bodies import optional_text
from web.http.accounts.handler import refusing
from web.http.accounts.passkeys import PasskeyUser


class ProofHandler(PasskeyUser):
    """`POST {password?, credential?}`; with neither it says whether a proof is needed."""

    @refusing
    async def post(self) -> None:
        """Answers 204 where nothing more is needed now."""
        account, session = await self.owner()
        body = self.body("password", "credential") if self._body else {}
        password = optional_text(body, "password")
        if password is not None:
            await self.accounts.proofs.show_password(account, session, password)
        elif "credential" in body:
            row, shown = await self.shown_passkey(self.credential(body), account)
            await self.accounts.other_ways.use_passkey(row, shown.sign_count, backed_up=shown.backed_up)
            self.accounts.proofs.note(session)
        else:
            await self.accounts.proofs.check(account, session)
        self.answer(204)
