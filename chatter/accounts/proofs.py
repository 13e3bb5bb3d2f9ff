"""Proofs: whether whoever has a session has shown lately who they are.

A session that somebody has got hold of must not become theirs for good. So what would outlast it (ways to sign in,
handles, tokens, links, the end of the account) needs a proof: the session was opened within `proof_minutes`, or the
password, a passkey or a linked provider was shown in it since.
"""

from chatter.accounts import keys, people
from chatter.accounts.change_feed import ChangeFeed
from chatter.accounts.password_checks import PasswordChecks, wrong
from chatter.accounts.values import AccountRefused

MINUTE = 60.0

MOST_REMEMBERED = 10_000
"""Proofs that are remembered. Of more the oldest are forgotten, and asked for again."""


class Proofs:
    """Lives on the loop, as a part of `Accounts`. A restart forgets what was shown since a session was opened."""

    def __init__(self, feed: ChangeFeed, checks: PasswordChecks, minutes: float) -> None:
        self._feed = feed
        self._checks = checks
        self._seconds = minutes * MINUTE
        self._shown: dict[int, float] = {}  # seconds since 1970, by session, the oldest first

    async def check(self, account: int, session: int) -> None:
        """Raises `proof` where it is too long ago that the session has shown who has it, `gone` where it has ended."""
        since = self._feed.now.seconds - self._seconds
        if self._shown.get(session, 0.0) > since:
            return
        if await self._feed.read(lambda now: keys.opened_at(account, session, now)) <= since:
            raise AccountRefused("proof", message="show first that it is you, or sign in again")

    async def show_password(self, account: int, session: int, password: str) -> None:
        """Takes the password as a proof; `wrong`, also where the account has none."""
        row = await self._feed.read(lambda _now: people.found(account))
        if row.password is None:
            raise wrong()
        await self._checks.check_of_session(row, password, session)
        self.note(session)

    def note(self, session: int) -> None:
        """Remembers that whoever has the session has shown now who they are."""
        self._shown.pop(session, None)
        if len(self._shown) >= MOST_REMEMBERED:
            del self._shown[next(iter(self._shown))]
        self._shown[session] = self._feed.now.seconds
