"""One's own account: what it is, changes and departure, its sessions and its access tokens."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from chatter.accounts import invitations, keys, people
from chatter.accounts.change_feed import ChangeFeed
from chatter.accounts.chosen_names import ChosenNames, valid_handle
from chatter.accounts.other_ways import passkeys_of
from chatter.accounts.password_checks import PasswordChecks, wrong
from chatter.accounts.passwords import Passwords
from chatter.accounts.principal import Scope
from chatter.accounts.rules import AccountRules
from chatter.accounts.times import Moment
from chatter.accounts.values import Account, Changed, Invite, Made, OthersEnded, Session, Token
from schema import Account as Row
from schema import Outside


class OwnAccount:
    """Lives on the loop, as a part of `Accounts`."""

    def __init__(
        self, feed: ChangeFeed, rules: AccountRules, chosen: ChosenNames, passwords: Passwords, checks: PasswordChecks
    ) -> None:
        self._feed = feed
        self._rules = rules
        self._names = chosen
        self._passwords = passwords
        self._checks = checks

    async def account(self, account: int) -> Account:
        """Returns an account; `not_found`."""
        return people.shown(await self._feed.read(lambda _now: people.found(account)))

    async def change(
        self,
        account: int,
        *,
        name: str | None = None,
        handle: str | None = None,
        password: str | None = None,
        old_password: str | None = None,
        keep_session: int | None = None,
    ) -> Changed:
        """Changes what is not None. A new password needs the old one, and ends all sessions but `keep_session`.

        That one is renewed: whoever else may have it is out, too.
        """
        row = await self._feed.read(lambda _now: people.found(account))
        name = None if name is None else self._names.valid_name(name)
        handle = None if handle is None else valid_handle(handle)
        hashed: str | None = None
        if password is not None:
            self._passwords.check_choice(password, handle or row.handle, name or row.name)
            await self._checks.check_of_session(row, old_password, keep_session)
            hashed = await self._passwords.hash(password)

        def work(now: Moment) -> Changed:
            session = None
            if hashed is not None and people.found(account).password != row.password:
                raise wrong()  # another request has changed it while the old one was checked
            if name is not None and name != people.found(account).name:
                people.check_name_changes(account, self._rules.display_name_changes, now)
            people.rename(account, name, handle, now)
            if hashed is not None:
                Row.set(account, password=hashed)
                keys.end_for_new_password(account, keep_session, now)
                session = None if keep_session is None else keys.renew(account, keep_session, now)
            return Changed(people.shown(people.found(account)), session)

        return await self._feed.write(work, by=keep_session)

    async def leave(
        self, account: int, *, password: str | None, erases: bool = False, keep_session: int | None = None
    ) -> None:
        """Closes an account, which is erased after `leave_days`. One that has a password needs it (`wrong`).

        What it has said stays as a deleted account's, or goes with it: `erases`. `keep_session` is the session that
        asks.
        """
        row = await self._feed.read(lambda _now: people.found(account))
        await self._checks.check_of_session(row, password, keep_session)
        days = self._rules.leave_days
        await self._feed.write(lambda now: people.leave(account, erases=erases, days=days, now=now), by=keep_session)

    async def export(self, account: int) -> list[dict[str, Any]]:
        """Returns what is kept about an account but what it has said, as JSON objects with a `kind` each."""
        return await self._feed.read(lambda now: _export(account, now))

    async def sessions(self, account: int) -> list[Session]:
        """Returns where an account is signed in, the latest used first."""
        return await self._feed.read(lambda now: keys.sessions(account, now))

    async def name_session(self, account: int, session: int, label: str) -> None:
        """Gives a session a name; `not_found`, `invalid`."""
        await self._feed.write(lambda now: keys.name_session(account, session, label, now))

    async def end_session(self, account: int, session: int) -> None:
        """Ends a session; `not_found`."""
        await self._feed.write(lambda now: keys.end(account, "session", session, now))

    async def end_other_sessions(self, account: int, keep: int) -> OthersEnded:
        """Ends all sessions but `keep`, which is renewed: a copy of it is somewhere else, too."""

        def work(now: Moment) -> OthersEnded:
            return OthersEnded(keys.end_sessions(account, keep, now), keys.renew(account, keep, now))

        return await self._feed.write(work, by=keep)

    async def tokens(self, account: int) -> list[Token]:
        """Returns the access tokens of an account, the latest used first."""
        return await self._feed.read(lambda now: keys.tokens(account, now))

    async def make_token(
        self, account: int, label: str, scopes: Collection[Scope], days: float | None = 90, *, by: int | None = None
    ) -> Made:
        """Makes an access token; None days is for ever. `full`, `invalid`; `forbidden` for more than the role has.

        `by` is the session that asks, as in all of these: it must not have ended when this is done.
        """
        most = self._rules.max_tokens
        return await self._feed.write(
            lambda now: keys.make_token(account, label, scopes, days=days, most=most, now=now), by=by
        )

    async def end_token(self, account: int, token: int) -> None:
        """Revokes an access token; `not_found`."""
        await self._feed.write(lambda now: keys.end(account, "access", token, now))


def _export(account: int, now: Moment) -> list[dict[str, Any]]:
    shown = people.shown(people.found(account))
    others: dict[str, Sequence[Session | Token | Invite]] = {
        "session": keys.sessions(account, now),
        "token": keys.tokens(account, now),
        "invite": invitations.invites(account, now),
    }
    found: list[dict[str, Any]] = [{"kind": "account", "account": msgspec.to_builtins(shown)}]
    found += [{"kind": kind, kind: msgspec.to_builtins(value)} for kind, values in others.items() for value in values]
    found += [{"kind": "passkey", "passkey": msgspec.to_builtins(each)} for each in passkeys_of(account)]
    return found + [
        {"kind": "outside", "issuer": issuer, "subject": subject} for issuer, subject in Outside.of(account)
    ]
