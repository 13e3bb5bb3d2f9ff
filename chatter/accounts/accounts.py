"""Accounts: what the loop calls for everything about people. Refusals are raised as `AccountRefused`.

The store's thread has the database, the passwords' threads have argon2, and the loop waits for neither: all methods
that need one are async. What has changed, here or elsewhere, is read once a second, and at once after what is done
here.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

import msgspec

from chatter.accounts import audit, changes, invitations, keys, names, people, secrets
from chatter.accounts.attempts import Attempts
from chatter.accounts.audit import Deed
from chatter.accounts.beginning import Beginning
from chatter.accounts.departures import Departures
from chatter.accounts.other_ways import OtherWays, passkeys_of
from chatter.accounts.passwords import Passwords
from chatter.accounts.principal import Principal, Role, Scope
from chatter.accounts.remembered import Remembered
from chatter.accounts.reserved_names import ReservedNames
from chatter.accounts.room_links import RoomLinks
from chatter.accounts.staff import Staff
from chatter.accounts.store import TransactionQueue
from chatter.accounts.times import HOUR, Moment
from chatter.accounts.values import (
    Account,
    AccountRefused,
    Change,
    Device,
    Invite,
    Link,
    Made,
    Session,
    SignedIn,
    Token,
)
from chatter.charter import RoomRole
from chatter.clock import Clock, wall_clock
from schema import Account as Row
from schema import AccountRow, BearerRow, Outside

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_INTERVAL = 1.0
"""Seconds between two looks at what the command line and other servers have changed."""

TIDY_INTERVAL = HOUR

MOST_REMEMBERED = 10_000
"""Sessions and tokens whose principals are remembered, 1.2 kB each."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """How accounts are run. Each is the setting of the same name."""

    sign_up: Literal["open", "invite", "closed"] = "invite"
    session_days: float = 30.0
    password_min: int = 10
    max_tokens: int = 20
    display_name_changes: int = 3
    max_name_length: int = 64
    leave_days: float = 7.0


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
        self._store = store
        self._rules = rules
        self._normal_name = normal_name
        self._on_admin = on_admin
        self._clock = clock
        self._passwords = passwords or Passwords(rules.password_min)
        self._attempts = attempts or Attempts()
        self._reserved = ReservedNames(beginning.reserved)
        self._staff = staff or Staff()
        self._staff.fill(beginning.staff)
        self._last_change = beginning.last_change
        self._bearers: Remembered[tuple[BearerRow, Principal]] = Remembered(MOST_REMEMBERED)
        self._outside: Remembered[AccountRow] = Remembered(MOST_REMEMBERED)
        self.on_change: Callable[[Change], None] = lambda _change: None
        """Called on the loop for each change of an account, whoever made it, at most about a second after."""
        self.on_names_freed: Callable[[], None] = lambda: None
        """Called on the loop when guests may have names again that were kept for a while."""
        self.other_ways = OtherWays(
            self._read,
            self._write,
            is_open=rules.sign_up == "open",
            session_days=rules.session_days,
            name_or_none=self._name_or_none,
        )
        """Passkeys and OpenID providers."""
        self.departures = Departures(self._read, self._write)
        """The accounts that leave."""
        self.room_links = RoomLinks(self._read, self._write, self._attempts)
        """Invites that lead to rooms."""
        self._watch = asyncio.get_running_loop().create_task(self._watch_changes())

    async def close(self, timeout: float = 60.0) -> None:
        """Finishes the transaction under way and closes the connection; waits at most `timeout` seconds."""
        self._watch.cancel()
        self.departures.close()
        self._passwords.close()
        await self._store.close(timeout)

    # ------------------------------------------------------------ who somebody is

    async def identify(self, secret: str) -> Principal | None:
        """Returns whose a session or access token is, None where it is nobody's (any more). Slides a session."""
        principal = self.known(secret)
        if principal is not None or not _is_bearer(secret):
            return principal
        digest = secrets.digest_of(secret)
        while True:
            seen = self._last_change
            row = await self._bearer(digest)
            if self._last_change == seen:
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
        is_live = principal.expires_at is None or principal.expires_at > self._now.seconds
        return principal if is_live and keys.is_fresh(row, self._now) else None

    async def principal_of_outside(
        self,
        issuer: str,
        subject: str,
        *,
        name: str | None = None,
        role: Role | None = None,
        expires_at: float | None = None,
        rooms: Mapping[str, RoomRole] | None = None,
    ) -> Principal:
        """Returns the principal of somebody that another server vouches for; makes the account at first sight.

        `role` and `rooms` count as long as the principal does. A name that cannot be one is left out.
        """
        name = self._name_or_none(name)
        row = self._outside.get((issuer, subject))
        if row is None or row.state == "leaving" or (name is not None and name != row.name):
            row = await self._write(lambda now: people.of_outside(issuer, subject, name, now))
            self._outside.put((issuer, subject), row.id, row)
        people.check_may_sign_in(row)
        known = people.shown(row)
        return Principal(
            kind="person",
            role=role or known.role,
            author=known.author,
            name=known.name,
            expires_at=expires_at,
            rooms=rooms,
        )

    # ------------------------------------------------------------ signing in

    async def sign_up(
        self, handle: str, password: str, name: str | None = None, invite: str | None = None, *, device: Device
    ) -> SignedIn:
        """Makes an account, as the setting `sign_up` allows it. What is costly comes after `may_sign_up`."""
        self._check_open(invite)
        new = self._new_account(handle, name, password)
        await self._read(lambda now: people.check_handle(new.handle, now))  # before the costly hash
        new = new._replace(password=await self._passwords.hash(password))

        def work(now: Moment) -> SignedIn:
            used = invitations.use_invite(invite, now) if invite is not None else None
            role = cast(Role, used.role) if used is not None and used.role else new.role
            row = people.add(new._replace(role=role), now)
            return keys.open_session(row, device, self._rules.session_days, now)

        return await self._write(work)

    async def sign_in(self, handle: str, password: str, *, device: Device) -> SignedIn:
        """Opens a session. `wrong` is the same for a wrong password and an unknown handle, with `retry_after_ms`."""
        handle = handle.strip().removeprefix("@").lower()[: names.LONGEST_HANDLE + 1]
        row, is_known = await self._read(lambda now: _account_and_device(handle, device, now))
        # A device that is known has a budget of its own, which nobody else of its network can use up.
        attempt, wait = self._attempts.begin(f"device {device.known}" if is_known else device.network, handle)
        _refuse_for(wait)
        try:
            if not is_known:
                _refuse_for(self._attempts.count_for_account(attempt, handle))
            is_right = await self._passwords.verify(row and row.password, password)
        except AccountRefused:
            attempt.give_back()  # nothing was found out
            raise
        if row is None or not is_right:
            raise _wrong()
        attempt.give_back()
        return await self._open(row, password, device)

    async def link(self, text: str) -> Link:
        """Returns what a link is for, without using it; `gone`."""
        return await self._read(lambda now: invitations.found_link(text, now)[1])

    async def redeem(
        self,
        text: str,
        *,
        password: str | None = None,
        handle: str | None = None,
        name: str | None = None,
        device: Device,
    ) -> SignedIn:
        """Uses a link: `setup` needs a handle and a password, `reset` a password, `link` neither."""
        link = await self.link(text)
        if link.kind == "setup":
            new = self._new_account(_given("handle", handle), name, _given("password", password))
            await self._read(lambda now: people.check_handle(new.handle, now))
        elif link.kind == "reset":
            self._passwords.check_choice(_given("password", password), link.handle or "")
        hashed = None if link.kind == "link" else await self._passwords.hash(_given("password", password))

        def work(now: Moment) -> SignedIn:
            used, _ = invitations.use_link(text, now)
            if link.kind == "setup":
                row = people.add(new._replace(password=hashed, role="admin"), now)
            else:
                row = people.found(used.account or 0)
            if link.kind == "reset":
                Row.set(row.id, password=hashed)
                keys.end_for_new_password(row.id, None, now)
                keys.end_tokens(row.id, now)
            return keys.open_session(row, device, self._rules.session_days, now)

        return await self._write(work)

    # ------------------------------------------------------------ sessions and tokens of an account

    async def sessions(self, account: int) -> list[Session]:
        """Returns where an account is signed in, the latest used first."""
        return await self._read(lambda now: keys.sessions(account, now))

    async def name_session(self, account: int, session: int, label: str) -> None:
        """Gives a session a name; `not_found`."""
        await self._write(lambda now: keys.name_session(account, session, label, now))

    async def end_session(self, account: int, session: int) -> None:
        """Ends a session; `not_found`."""
        await self._write(lambda now: keys.end(account, "session", session, now))

    async def end_other_sessions(self, account: int, keep: int | None) -> int:
        """Ends all sessions but `keep`, and returns how many."""
        return await self._write(lambda now: keys.end_sessions(account, keep, now))

    async def tokens(self, account: int) -> list[Token]:
        """Returns the access tokens of an account, the latest used first."""
        return await self._read(lambda now: keys.tokens(account, now))

    async def make_token(
        self, account: int, label: str, scopes: Collection[Scope], days: float | None = 90, *, by: int | None = None
    ) -> Made:
        """Makes an access token; None days is for ever. `full`, `invalid`; `forbidden` for more than the role has.

        `by` is the session that asks, as in all of these: it must not have ended when this is done.
        """
        most = self._rules.max_tokens
        return await self._write(
            lambda now: keys.make_token(account, label, scopes, days=days, most=most, now=now), by=by
        )

    async def end_token(self, account: int, token: int) -> None:
        """Revokes an access token; `not_found`."""
        await self._write(lambda now: keys.end(account, "access", token, now))

    # ------------------------------------------------------------ an account

    async def account(self, account: int) -> Account:
        """Returns an account; `not_found`."""
        return people.shown(await self._read(lambda _now: people.found(account)))

    async def accounts(self) -> list[Account]:
        """Returns all accounts that are not deleted, by handle."""
        return [people.shown(row) for row in await self._read(lambda _now: Row.listed())]

    async def change(
        self,
        account: int,
        *,
        name: str | None = None,
        handle: str | None = None,
        password: str | None = None,
        old_password: str | None = None,
        keep_session: int | None = None,
    ) -> Account:
        """Changes what is not None. A new password needs the old one, and ends all sessions but `keep_session`."""
        row = await self._read(lambda _now: people.found(account))
        name = None if name is None else self._valid_name(name)
        handle = None if handle is None else _valid_handle(handle)
        hashed: str | None = None
        if password is not None:
            self._passwords.check_choice(password, handle or row.handle, name or row.name)
            await self._check_password(row, old_password, keep_session)
            hashed = await self._passwords.hash(password)

        def work(now: Moment) -> AccountRow:
            if name is not None and name != people.found(account).name:
                people.check_name_changes(account, self._rules.display_name_changes, now)
            people.rename(account, name, handle, now)
            if hashed is not None:
                Row.set(account, password=hashed)
                keys.end_for_new_password(account, keep_session, now)
            return people.found(account)

        return people.shown(await self._write(work, by=keep_session))

    async def leave(
        self, account: int, *, password: str | None, erases: bool = False, keep_session: int | None = None
    ) -> None:
        """Closes an account, which is erased after `leave_days`. One that has a password needs it (`wrong`).

        What it has said stays as a deleted account's, or goes with it: `erases`. `keep_session` is the session that
        asks.
        """
        row = await self._read(lambda _now: people.found(account))
        await self._check_password(row, password, keep_session)
        days = self._rules.leave_days
        await self._write(lambda now: people.leave(account, erases=erases, days=days, now=now), by=keep_session)

    async def export(self, account: int) -> list[dict[str, Any]]:
        """Returns what is kept about an account but what it has said, as JSON objects with a `kind` each."""
        return await self._read(lambda now: _export(account, now))

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
        return await self._write(
            lambda now: invitations.make_invite(account, now, room=room, uses=uses, days=days, role=role), by=by
        )

    async def invites(self, account: int | None) -> list[Invite]:
        """Returns the invites that may still be used, those of an account or all."""
        return await self._read(lambda now: invitations.invites(account, now))

    async def end_invite(self, account: int | None, invite: int) -> None:
        """Ends an invite, of an account or of anybody; `not_found`."""
        await self._write(lambda now: invitations.end_invite(account, invite, now))

    async def may_sign_up(self, invite: str | None, network: str) -> str | None:
        """Returns the room that an invite leads to, if it leads to one; `sign_up_closed`, `invite`."""
        self._check_open(invite)
        return None if invite is None else await self._check_invite(invite, network)

    async def make_link(
        self, handle: str, kind: Literal["reset", "link"], *, maker: int | None = None, by: int | None = None
    ) -> str:
        """Makes a link for somebody; `not_found`, `forbidden` where `by` is no admin's session, that of the `maker`."""
        return await self._write(lambda now: invitations.make_link(handle, kind, now, maker=maker), by=by, role="admin")

    # ------------------------------------------------------------ what admins do

    async def set_role(self, handle: str, role: Role) -> None:
        """Gives an account another role. Its sessions go on with the new one; `not_found`."""
        await self._write(lambda now: people.set_role(handle, role, now))

    async def suspend(self, handle: str) -> None:
        """Keeps an account out, and ends its sessions and tokens; `not_found`."""
        await self._write(lambda now: people.suspend(handle, now))

    async def resume(self, handle: str) -> None:
        """Lets a suspended account in again; `not_found`."""
        await self._write(lambda now: people.resume(handle, now))

    async def audit(self, before: int | None, limit: int) -> list[Deed]:
        """Returns up to `limit` deeds of people with more rights than others, the latest first."""
        return await self._read(lambda _now: audit.deeds(before, limit))

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
        return names.suggestion(name, self._rules.max_name_length)

    # ------------------------------------------------------------ how it is done

    @property
    def _now(self) -> Moment:
        return Moment(self._clock())

    async def _read(self, work: Callable[[Moment], T]) -> T:
        now = self._now
        return await self._store.read(lambda: work(now))

    async def _write(self, work: Callable[[Moment], T], *, by: int | None = None, role: Role | None = None) -> T:
        """Has something done, and learns at once what it has changed.

        The session `by` asks for it: whether that has ended, or lost its `role`, is looked at in the transaction.
        """
        now, last = self._now, self._last_change

        def transaction() -> tuple[T, list[changes.Learned]]:
            if by is not None:
                keys.check_lives(by, now, role=role)
            return work(now), changes.since(last, now)

        done, learned = await self._store.write(transaction)
        self._learn(learned)
        return done

    async def _bearer(self, digest: str) -> BearerRow | None:
        """Reads whose a secret is; where the database is away, what is remembered counts until it expires."""
        remembered = self._bearers.get(digest)
        try:
            if remembered is None:
                row = await self._read(lambda now: keys.bearer(digest, now))
                if row is None or keys.is_fresh(row, self._now):
                    return row
            return await self._read(lambda now: keys.slide(digest, self._rules.session_days, now))
        except AccountRefused:
            if remembered is None or (remembered[1].expires_at or self._now.seconds + 1) <= self._now.seconds:
                raise
            return remembered[0]

    async def _open(self, row: AccountRow, password: str, device: Device) -> SignedIn:
        """Opens a session for somebody who has shown the password; `suspended`."""
        people.check_may_sign_in(row)
        is_outdated = row.password is not None and self._passwords.is_outdated(row.password)
        hashed = await self._passwords.hash(password) if is_outdated else None

        def work(now: Moment) -> SignedIn:
            current = people.found(row.id)
            if not people.may_sign_in(current) or current.password != row.password:
                raise _wrong()  # it was changed while the password was checked
            if hashed is not None:
                Row.set(row.id, password=hashed)
            return keys.open_session(current, device, self._rules.session_days, now)

        return await self._write(work)

    async def _check_password(self, row: AccountRow, password: str | None, session: int | None) -> None:
        """Raises `wrong`. Whoever has got hold of a session cannot try more passwords than others."""
        if row.password is None:
            return
        attempt, wait = self._attempts.begin(f"session {session}", row.handle)
        _refuse_for(wait)
        try:
            is_right = await self._passwords.verify(row.password, password or "")
        except AccountRefused:
            attempt.give_back()
            raise
        if not is_right:
            raise _wrong()
        attempt.give_back()

    def _check_open(self, invite: str | None) -> None:
        if self._rules.sign_up == "closed":
            raise AccountRefused("sign_up_closed", message="only an admin makes accounts here")
        if invite is None and self._rules.sign_up == "invite":
            raise AccountRefused("invite", message="an account needs an invite here")

    async def _check_invite(self, code: str, network: str) -> str | None:
        """Returns the room of an invite; `invite`. A guess is counted."""
        return (await self.room_links.look(code, network)).room

    def _new_account(self, handle: str, name: str | None, password: str) -> people.NewAccount:
        """Returns what an account is made of, without a password; `invalid`."""
        handle = _valid_handle(handle)
        name = handle if name is None else self._valid_name(name)
        self._passwords.check_choice(password, handle, name)
        return people.NewAccount(handle, name)

    def _valid_name(self, name: str) -> str:
        found = self._name_or_none(name)
        if found is None:
            most = self._rules.max_name_length
            message = f"a name has 1 to {most} characters, among them a letter, digit or emoji, and no (guest)"
            raise AccountRefused("invalid", field="name", message=message)
        return found

    def _name_or_none(self, name: str | None) -> str | None:
        normal = self._normal_name(name) if name is not None and len(name) <= 4 * self._rules.max_name_length else ""
        return normal if names.is_name(normal, self._rules.max_name_length) else None

    def _learn(self, learned: list[changes.Learned]) -> None:
        for number, change, skeletons in learned:
            if number <= self._last_change:
                continue  # learned while this was read
            self._last_change = number
            self._bearers.forget_account(change.account)
            self._outside.forget_account(change.account)
            self._staff.update(change.account, change.role)
            if skeletons is not None:
                self._reserved.update(change.account, skeletons)
            try:
                self.on_change(change)
            except Exception:
                logger.exception("a change of account %d was not passed on", change.account)
            if change.what in ("left", "erased"):
                self.departures.look()
            if change.role == "admin":
                self._on_admin()

    async def _watch_changes(self) -> None:
        tidied_at = 0.0
        pause = POLL_INTERVAL
        while True:
            await asyncio.sleep(pause)
            try:
                await self._look_for_changes()
                if self._now.seconds - tidied_at > TIDY_INTERVAL:
                    await self._tidy()
                    tidied_at = self._now.seconds
            except AccountRefused:
                pause = min(2 * pause, 5 * POLL_INTERVAL)  # the store has logged why
            except Exception:  # without this task the next who is suspended would stay
                logger.exception("changes of accounts could not be taken over")
            else:
                pause = POLL_INTERVAL

    async def _look_for_changes(self) -> None:
        last = self._last_change
        self._learn(await self._read(lambda now: changes.since(last, now)))

    async def _tidy(self) -> None:
        read = self._last_change
        freed = await self._write(lambda now: changes.tidy(read, now))
        for account, skeletons in freed.items():
            self._reserved.update(account, skeletons)
        if freed:
            self.on_names_freed()


def _account_and_device(handle: str, device: Device, now: Moment) -> tuple[AccountRow | None, bool]:
    """Returns the account of a handle, and whether it knows the device. Unknown handles take as many queries."""
    row = Row.by_handle(handle)
    is_known = keys.is_known(0 if row is None else row.id, device, now)
    return row, is_known and row is not None


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


def _is_bearer(secret: str) -> bool:
    return secret.startswith(("chs_", "cha_")) and len(secret) <= secrets.LONGEST


def _valid_handle(handle: str) -> str:
    handle = handle.strip().removeprefix("@").lower()
    if not names.is_handle(handle):
        message = "a handle has 2 to 32 of a-z, 0-9, dot, dash and underscore, with a letter or digit at both ends"
        raise AccountRefused("invalid", field="handle", message=message)
    return handle


def _given(field: str, value: str | None) -> str:
    if value is None:
        raise AccountRefused("invalid", field=field, message=f"this link needs a {field}")
    return value


def _wrong() -> AccountRefused:
    return AccountRefused("wrong", message="the handle or the password is wrong")


def _refuse_for(wait: float) -> None:
    if wait:
        message = "the handle or the password is wrong"
        raise AccountRefused("wrong", retry_after_ms=_milliseconds(wait), message=message)


def _milliseconds(wait: float) -> int:
    return max(1, round(1_000 * wait))
