"""Signing in: new accounts, passwords and links, each of which opens a session."""

from typing import cast

import msgspec

from chatter.accounts import invitations, keys, names, people
from chatter.accounts.change_feed import ChangeFeed
from chatter.accounts.chosen_names import ChosenNames, valid_handle
from chatter.accounts.other_ways import OtherWays
from chatter.accounts.password_checks import PasswordChecks, wrong
from chatter.accounts.passwords import Passwords
from chatter.accounts.principal import Role
from chatter.accounts.room_links import RoomLinks, Shown
from chatter.accounts.rules import AccountRules
from chatter.accounts.times import Moment
from chatter.accounts.values import AccountRefused, Device, Link, SignedIn
from schema import Account as Row
from schema import AccountRow


class SigningIn:
    """Lives on the loop, as a part of `Accounts`."""

    def __init__(
        self,
        feed: ChangeFeed,
        rules: AccountRules,
        chosen: ChosenNames,
        *,
        passwords: Passwords,
        checks: PasswordChecks,
        room_links: RoomLinks,
        other_ways: OtherWays,
    ) -> None:
        self._feed = feed
        self._rules = rules
        self._names = chosen
        self._passwords = passwords
        self._checks = checks
        self._room_links = room_links
        self._other_ways = other_ways

    async def sign_up(
        self, handle: str, password: str, name: str | None = None, invite: str | None = None, *, device: Device
    ) -> SignedIn:
        """Makes an account, as the setting `sign_up` allows it. What is costly comes after `may_sign_up`."""
        self._check_open(invite)
        new = self._new_account(handle, name, password)
        await self._feed.read(lambda now: people.check_handle(new.handle, now))  # before the costly hash
        new = new._replace(password=await self._passwords.hash(password))

        def work(now: Moment) -> SignedIn:
            used = invitations.use_invite(invite, now) if invite is not None else None
            role = cast(Role, used.role) if used is not None and used.role else new.role
            row = people.add(new._replace(role=role), now)
            return keys.open_session(row, device, self._rules.session_days, now)

        return await self._feed.write(work)

    async def sign_in(self, handle: str, password: str, *, device: Device) -> SignedIn:
        """Opens a session. `wrong` is the same for a wrong password and an unknown handle, with `retry_after_ms`."""
        handle = handle.strip().removeprefix("@").lower()[: names.LONGEST_HANDLE + 1]
        if device.known is None:
            self._checks.check_network(device.network)  # before the database is asked: a flood costs little
        row, is_known = await self._feed.read(lambda now: _account_and_device(handle, device, now))
        row = await self._checks.check_of_device(row, handle, password, device, is_known=is_known)
        return await self._open(row, password, device)

    async def may_sign_up(self, invite: str | None, network: str) -> Shown | None:
        """Returns what an invite is for, None without one; `sign_up_closed`, `invite`."""
        self._check_open(invite)
        return None if invite is None else await self._room_links.look(invite, network)

    async def link(self, text: str) -> Link:
        """Returns what a link is for, without using it; `gone`."""

        def work(now: Moment) -> Link:
            row, link = invitations.found_link(text, now)
            if link.kind != "reset":
                return link
            return msgspec.structs.replace(link, other_ways=self._other_ways.left(row.account or 0))

        return await self._feed.read(work)

    async def redeem(
        self,
        text: str,
        *,
        password: str | None = None,
        handle: str | None = None,
        name: str | None = None,
        ends_other_ways: bool = False,
        device: Device,
    ) -> SignedIn:
        """Uses a link: `setup` needs a handle and a password, `reset` a password, `link` neither.

        A `reset` leaves passkeys and linked providers, unless it `ends_other_ways`.
        """
        link = await self.link(text)
        if ends_other_ways and link.kind != "reset":
            raise AccountRefused("invalid", field="other_ways", message="this link resets no password")
        if link.kind == "setup":
            new = self._new_account(_given("handle", handle), name, _given("password", password))
            await self._feed.read(lambda now: people.check_handle(new.handle, now))
        elif link.kind == "reset":
            self._passwords.check_choice(_given("password", password), link.handle or "", link.name or "")
        hashed = None if link.kind == "link" else await self._passwords.hash(_given("password", password))

        def work(now: Moment) -> SignedIn:
            used, _ = invitations.use_link(text, now)
            if link.kind == "setup":
                row = people.add(new._replace(password=hashed, role="admin"), now)
            else:
                row = people.found(used.account or 0)
            if link.kind == "reset":
                Row.set(row.id, password=hashed)
                keys.end_for_reset(row.id, now)
            if ends_other_ways:
                self._other_ways.end_all(row.id)
            return keys.open_session(row, device, self._rules.session_days, now)

        return await self._feed.write(work)

    async def _open(self, row: AccountRow, password: str, device: Device) -> SignedIn:
        """Opens a session for somebody who has shown the password; `suspended`."""
        people.check_may_sign_in(row)
        is_outdated = row.password is not None and self._passwords.is_outdated(row.password)
        hashed = await self._passwords.hash(password) if is_outdated else None

        def work(now: Moment) -> SignedIn:
            current = people.found(row.id)
            if not people.may_sign_in(current) or current.password != row.password:
                raise wrong()  # it was changed while the password was checked
            if hashed is not None:
                Row.set(row.id, password=hashed)
            return keys.open_session(current, device, self._rules.session_days, now)

        return await self._feed.write(work)

    def _check_open(self, invite: str | None) -> None:
        if self._rules.sign_up == "closed":
            raise AccountRefused("sign_up_closed", message="only an admin makes accounts here")
        if invite is None and self._rules.sign_up == "invite":
            raise AccountRefused("invite", message="an account needs an invite here")

    def _new_account(self, handle: str, name: str | None, password: str) -> people.NewAccount:
        """Returns what an account is made of, without a password; `invalid`."""
        handle = valid_handle(handle)
        name = handle if name is None else self._names.valid_name(name)
        self._passwords.check_choice(password, handle, name)
        return people.NewAccount(handle, name)


def _account_and_device(handle: str, device: Device, now: Moment) -> tuple[AccountRow | None, bool]:
    """Returns the account of a handle, and whether it knows the device. Unknown handles take as many queries."""
    row = Row.by_handle(handle)
    is_known = keys.is_known(0 if row is None else row.id, device, now)
    return row, is_known and row is not None


def _given(field: str, value: str | None) -> str:
    if value is None:
        raise AccountRefused("invalid", field=field, message=f"this link needs a {field}")
    return value
