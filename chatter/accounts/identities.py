"""Identities: whose a session, an access token or the word of another server is, and what is remembered of it."""

from collections.abc import Mapping

from chatter.accounts import keys, people, secrets
from chatter.accounts.change_feed import ChangeFeed
from chatter.accounts.chosen_names import ChosenNames
from chatter.accounts.principal import Principal, Role
from chatter.accounts.remembered import Remembered
from chatter.accounts.values import AccountRefused
from chatter.charter import RoomRole
from schema import AccountRow, BearerRow

MOST_REMEMBERED = 10_000
"""Sessions and tokens whose principals are remembered, 1.2 kB each."""


class Identities:
    """Lives on the loop, as a part of `Accounts`."""

    def __init__(self, feed: ChangeFeed, names: ChosenNames, session_days: float) -> None:
        self._feed = feed
        self._names = names
        self._session_days = session_days
        self._bearers: Remembered[tuple[BearerRow, Principal]] = Remembered(MOST_REMEMBERED)
        self._outside: Remembered[AccountRow] = Remembered(MOST_REMEMBERED)
        self._named_at: Remembered[float] = Remembered(MOST_REMEMBERED)  # the age of the newest word of each

    async def identify(self, secret: str) -> Principal | None:
        """Returns whose a session or access token is, None where it is nobody's (any more). Slides a session."""
        principal = self.known(secret)
        if principal is not None or not _is_bearer(secret):
            return principal
        digest = secrets.digest_of(secret)
        while True:
            seen = self._feed.newest
            row = await self._bearer(digest)
            if self._feed.newest == seen:
                break  # else it may have been revoked since it was read
        if row is None:
            self._bearers.forget(digest)
            return None
        principal = keys.principal_of(row)
        self._bearers.put(digest, row.account, (row, principal))
        return principal

    def known(self, secret: str) -> Principal | None:
        """Returns what `identify` remembers, at once; None says nothing about the secret."""
        if not _is_bearer(secret):
            return None
        found = self._bearers.get(secrets.digest_of(secret))
        if found is None:
            return None
        row, principal = found
        is_live = principal.expires_at is None or principal.expires_at > self._feed.now.seconds
        return principal if is_live and keys.is_fresh(row, self._feed.now) else None

    async def principal_of_outside(
        self,
        issuer: str,
        subject: str,
        *,
        name: str | None = None,
        made_at: float = 0.0,
        role: Role | None = None,
        expires_at: float | None = None,
        rooms: Mapping[str, RoomRole] | None = None,
    ) -> Principal:
        """Returns the principal of somebody that another server vouches for; makes the account at first sight.

        `role` and `rooms` count as long as the principal does. A name that cannot be one is left out, and so is that of
        a word that is older than another one: else whoever has two would be renamed to and fro by each use of them.
        """
        key, name = (issuer, subject), self._names.name_or_none(name)
        row, is_newest = self._outside.get(key), made_at >= self._newest_of(key)
        if row is None or row.state == "leaving" or (is_newest and name not in (None, row.name)):
            row = await self._feed.write(lambda now: people.of_outside(issuer, subject, name, now, renames=is_newest))
            self._outside.put(key, row.id, row)
        if made_at > self._newest_of(key):
            self._named_at.put(key, row.id, made_at)
        people.check_may_sign_in(row)
        known = people.shown(row)
        return Principal(
            kind="person",
            role=role or known.role,
            has_role_of_token=role is not None,
            author=known.author,
            name=known.name,
            expires_at=expires_at,
            rooms=rooms,
        )

    def forget(self, account: int) -> None:
        """Forgets what is remembered of an account, which has changed."""
        self._bearers.forget_account(account)
        self._outside.forget_account(account)

    def _newest_of(self, outside: tuple[str, str]) -> float:
        return self._named_at.get(outside) or 0.0

    async def _bearer(self, digest: str) -> BearerRow | None:
        """Reads whose a secret is; where the database is away, what is remembered counts until it expires."""
        remembered = self._bearers.get(digest)
        try:
            if remembered is None:
                row = await self._feed.read(lambda now: keys.bearer(digest, now))
                if row is None or keys.is_fresh(row, self._feed.now):
                    return row
            return await self._feed.read(lambda now: keys.slide(digest, self._session_days, now))
        except AccountRefused:
            if remembered is None or (remembered[1].expires_at or self._feed.now.seconds + 1) <= self._feed.now.seconds:
                raise
            return remembered[0]


def _is_bearer(secret: str) -> bool:
    return secret.startswith(("chs_", "cha_")) and len(secret) <= secrets.LONGEST
