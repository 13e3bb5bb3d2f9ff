"""Accounts: what the loop calls for everything about people. Refusals are raised as `AccountRefused`.

The store's thread has the database, the passwords' threads have argon2, and the loop waits for neither: all methods
that need one are async. What is about one subject is done by the part that has its name.
"""

import logging
from collections.abc import Callable
from typing import Literal

from chatter.accounts import audit, invitations, names, people
from chatter.accounts.attempts import Attempts
from chatter.accounts.audit import Deed
from chatter.accounts.beginning import Beginning
from chatter.accounts.change_feed import ChangeFeed
from chatter.accounts.changes import Learned
from chatter.accounts.chosen_names import ChosenNames
from chatter.accounts.departures import Departures
from chatter.accounts.identities import Identities
from chatter.accounts.other_ways import OtherWays
from chatter.accounts.own_account import OwnAccount
from chatter.accounts.password_checks import PasswordChecks
from chatter.accounts.passwords import Passwords
from chatter.accounts.principal import Role
from chatter.accounts.proofs import Proofs
from chatter.accounts.reserved_names import ReservedNames
from chatter.accounts.room_links import RoomLinks
from chatter.accounts.rules import AccountRules
from chatter.accounts.signing_in import SigningIn
from chatter.accounts.staff import Staff
from chatter.accounts.store import TransactionQueue
from chatter.accounts.values import Account, Change, Invite, Made
from chatter.clock import Clock, wall_clock
from schema import Account as Row

logger = logging.getLogger(__name__)


class Accounts:
    """The accounts of this server. Lives on the loop; only the thread of its store touches the database."""

    def __init__(
        self,
        store: TransactionQueue,
        beginning: Beginning,
        rules: AccountRules,
        *,
        normal_name: Callable[[str], str],
        staff: Staff | None = None,
        on_admin: Callable[[], None] = lambda: None,
        clock: Clock = wall_clock,
        passwords: Passwords | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        """`normal_name` returns the one form of a name; `on_admin` is called once there is an admin.

        `staff` is kept up to date for those who ask it.
        """
        self._max_name_length = rules.max_name_length
        self._on_admin = on_admin
        self._passwords = passwords or Passwords(rules.password_min)
        self._reserved = ReservedNames(beginning.reserved)
        self._staff = staff or Staff()
        self._staff.fill(beginning.staff)
        self._feed = ChangeFeed(store, beginning.last_change, clock, self._learn, self._free_names)
        self.on_change: Callable[[Change], None] = lambda _change: None
        """Called on the loop for each change of an account, whoever made it, at most about a second after."""
        self.on_names_freed: Callable[[], None] = lambda: None
        """Called on the loop when guests may have names again that were kept for a while."""
        self.changes = self._feed
        """What has changed, here and on other servers."""
        feed, chosen, attempts = self._feed, ChosenNames(normal_name, rules.max_name_length), attempts or Attempts()
        checks = PasswordChecks(self._passwords, attempts)
        self.identities = Identities(feed, chosen, rules.session_days)
        """Who somebody is."""
        self.room_links = RoomLinks(feed.read, feed.write, attempts)
        """Invites that lead to rooms."""
        self.other_ways = OtherWays(
            feed.read,
            feed.write,
            is_open=rules.sign_up == "open",
            session_days=rules.session_days,
            name_or_none=chosen.name_or_none,
        )
        """Passkeys and OpenID providers."""
        self.signing_in = SigningIn(
            feed,
            rules,
            chosen,
            passwords=self._passwords,
            checks=checks,
            room_links=self.room_links,
            other_ways=self.other_ways,
        )
        """New accounts, passwords and links."""
        self.proofs = Proofs(feed, checks, rules.proof_minutes)
        """Whether whoever has a session has shown lately who they are."""
        self.own = OwnAccount(feed, rules, chosen, self._passwords, checks)
        """One's own account, with its sessions and access tokens."""
        self.departures = Departures(feed.read, feed.write)
        """The accounts that leave."""

    async def close(self, timeout: float = 60.0) -> None:
        """Finishes the transaction under way and closes the connection; waits at most `timeout` seconds."""
        self._feed.stop()
        self.departures.close()
        self._passwords.close()
        await self._feed.close(timeout)

    # ------------------------------------------------------------ invites and links

    async def make_invite(
        self,
        account: int,
        *,
        room: str | None = None,
        uses: int | None = 1,
        days: float | None = 7,
        role: Role | None = None,
        by: int | None = None,
    ) -> Made:
        """Makes an invite; `forbidden` for members in their first days, `full` past so many a day, `invalid`."""
        return await self._feed.write(
            lambda now: invitations.make_invite(account, now, room=room, uses=uses, days=days, role=role), by=by
        )

    async def invites(self, account: int | None) -> list[Invite]:
        """Returns the invites that may still be used, those of an account or all."""
        return await self._feed.read(lambda now: invitations.invites(account, now))

    async def end_invite(self, account: int | None, invite: int) -> None:
        """Ends an invite, of an account or of anybody; `not_found`."""
        await self._feed.write(lambda now: invitations.end_invite(account, invite, now))

    async def make_link(
        self, handle: str, kind: Literal["reset", "link"], *, maker: int | None = None, by: int | None = None
    ) -> str:
        """Makes a link for somebody; `not_found`, `forbidden` where `by` is no admin's session, that of the `maker`."""
        return await self._feed.write(
            lambda now: invitations.make_link(handle, kind, now, maker=maker), by=by, role="admin"
        )

    # ------------------------------------------------------------ what admins do

    async def accounts(self) -> list[Account]:
        """Returns all accounts that are not deleted, by handle."""
        return [people.shown(row) for row in await self._feed.read(lambda _now: Row.listed())]

    async def set_role(self, handle: str, role: Role) -> None:
        """Gives an account another role. Its sessions go on with the new one; `not_found`."""
        await self._feed.write(lambda now: people.set_role(handle, role, now))

    async def suspend(self, handle: str) -> None:
        """Keeps an account out, and ends its sessions and tokens; `not_found`."""
        await self._feed.write(lambda now: people.suspend(handle, now))

    async def resume(self, handle: str) -> None:
        """Lets a suspended account in again; `not_found`."""
        await self._feed.write(lambda now: people.resume(handle, now))

    async def audit(self, before: int | None, limit: int) -> list[Deed]:
        """Returns up to `limit` deeds of people with more rights than others, the latest first."""
        return await self._feed.read(lambda _now: audit.deeds(before, limit))

    # ------------------------------------------------------------ the names of guests

    @property
    def has_any(self) -> bool:
        """Whether there is an account, or was one."""
        return bool(self._reserved)

    def is_reserved(self, name: str) -> bool:
        """Returns whether a guest may not have this name, since it looks like an account's."""
        return name in self._reserved or names.is_nobodys(name)

    def suggestion(self, name: str) -> str:
        """Returns the name that a guest may have in its place, which is never reserved: `ann (guest)`."""
        return names.suggestion(name, self._max_name_length)

    # ------------------------------------------------------------ what has changed

    def _learn(self, learned: Learned) -> None:
        change = learned.change
        self.identities.forget(change.account)
        self._staff.update(change.account, change.role)
        if learned.skeletons is not None:
            self._reserved.update(change.account, learned.skeletons)
        try:
            self.on_change(change)
        except Exception:
            logger.exception("a change of account %d was not passed on", change.account)
        if change.what in ("left", "erased"):
            self.departures.look()
        if change.role == "admin":
            self._on_admin()

    def _free_names(self, freed: dict[int, tuple[str, ...]]) -> None:
        for account, skeletons in freed.items():
            self._reserved.update(account, skeletons)
        self.on_names_freed()
