"""Other ways to sign in than a password: passkeys, and people for whom an OpenID provider vouches.

Here are the transactions, and what the loop calls for them. What proves who somebody is has been judged before.
"""

import hashlib
from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec
import peewee

from chatter.accounts import keys, people
from chatter.accounts.times import Moment, Transactions
from chatter.accounts.values import AccountRefused, Device, SignedIn, WaysIn
from schema import AccountRow, Outside, PasskeyRow
from schema import Passkey as Row

MOST_PASSKEYS = 20
"""Passkeys of an account."""


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey, as its person sees it."""

    id: int
    label: str
    created_at: str
    used_at: str | None
    backed_up: bool  # it is on more than one device


class NewPasskey(NamedTuple):
    """A passkey that was made now. Texts of octets are in base64url."""

    credential: str
    user_handle: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    backed_up: bool
    label: str


class OtherWays:
    """Lives on the loop, as a part of `Accounts`."""

    def __init__(
        self,
        read: Transactions,
        write: Transactions,
        *,
        is_open: bool,
        session_days: float,
        name_or_none: Callable[[str | None], str | None],
    ) -> None:
        """`is_open` says that anybody may make an account; `name_or_none` returns the one form of a name."""
        self._read = read
        self._write = write
        self._is_open = is_open
        self._session_days = session_days
        self._name_or_none = name_or_none
        self.issuers: Collection[str] = ()
        """The providers that people can sign in with now."""
        self.is_apps: Callable[[str], bool] = lambda _issuer: False
        """Says of an issuer whether it may be that of an embedding app, which keeps its people's accounts itself."""

    # ------------------------------------------------------------ people of providers

    async def sign_in_outside(self, issuer: str, subject: str, *, device: Device) -> SignedIn | None:
        """Opens a session of somebody whom a provider knows; None where nobody here is linked. `suspended`."""

        def work(now: Moment) -> SignedIn | None:
            number = Outside.account_of(issuer, subject)
            return None if number is None else self._open(_active(number), device, now)

        return await self._write(work)

    async def sign_up_outside(
        self, issuer: str, subject: str, *, name: str | None, handle: str | None, device: Device
    ) -> SignedIn:
        """Makes an account for somebody whom a provider knows, and opens a session; `sign_up_closed`.

        A mail address is no handle: its first part may be, since the rest says where somebody works.
        """
        self.check_open()
        name, wished = self._name_or_none(name), (handle or name or subject).partition("@")[0]

        def work(now: Moment) -> SignedIn:
            row = people.of_outside(issuer, subject, name, now, handle=wished)
            return self._open(_active(row.id), device, now)

        return await self._write(work)

    def check_open(self) -> None:
        """Raises `sign_up_closed` where a provider's word makes no account."""
        if not self._is_open:
            raise AccountRefused("sign_up_closed", message="an account is needed before it can be linked")

    async def link(self, issuer: str, subject: str, account: int, session: int) -> None:
        """Links somebody whom a provider knows to the account that has begun it; `gone` where it has signed out since.

        `forbidden` where they are linked to another account: whose they are is not for this one to say.
        """

        def work(now: Moment) -> None:
            if all(each.id != session for each in keys.sessions(account, now)):
                raise AccountRefused("gone", message="the session has ended")
            _active(account)
            owner = Outside.account_of(issuer, subject)
            if owner is None:
                Outside.add(issuer, subject, account)
            elif owner != account:
                raise AccountRefused("forbidden", message="another account is linked to this person")

        await self._write(work)

    async def is_linked(self, issuer: str, subject: str, account: int) -> bool:
        """Returns whether somebody whom a provider knows is linked to this account."""
        return await self._read(lambda _now: Outside.account_of(issuer, subject) == account)

    async def links(self, account: int) -> dict[str, str]:
        """Returns the issuers of the providers that are linked to an account, those of former ones too, by id."""
        return await self._read(lambda _now: {id: issuer for id, (issuer, _) in self._links(account).items()})

    async def unlink(self, account: int, id: str, *, by: int) -> None:
        """Unlinks a provider; `not_found`, `last_way` where the person could sign in no more."""
        issuers = frozenset(self.issuers)

        def work(now: Moment) -> None:
            keys.check_lives(by, now)
            found = self._links(account).get(id)
            if found is None:
                raise AccountRefused("not_found")
            Outside.delete_one(*found)
            _check_way_in(account, issuers)

        await self._write(work)

    # ------------------------------------------------------------ passkeys

    async def passkeys(self, account: int) -> list[Passkey]:
        """Returns the passkeys of an account, the newest first."""
        return await self._read(lambda _now: passkeys_of(account))

    async def passkey_rows(self, account: int) -> list[PasskeyRow]:
        """Returns the passkeys of an account with their keys, the newest first."""
        return await self._read(lambda _now: Row.of_account(account))

    async def passkey_row(self, credential: str) -> PasskeyRow | None:
        """Returns the passkey with this id of a credential."""
        return await self._read(lambda _now: Row.by_credential(credential))

    async def add_passkey(self, account: int, new: NewPasskey, *, by: int) -> int:
        """Adds a passkey and returns its number; `full`, `invalid` where it is known. `by` is the session that asks."""

        def work(now: Moment) -> int:
            keys.check_lives(by, now)
            return _add(account, new, now)

        return await self._write(work)

    async def sign_in_by_passkey(
        self, row: PasskeyRow, sign_count: int, *, backed_up: bool, device: Device
    ) -> SignedIn:
        """Opens a session of somebody whose passkey was shown; `wrong` where it was shown elsewhere meanwhile."""

        def work(now: Moment) -> SignedIn:
            _use(row, sign_count, backed_up=backed_up, now=now)
            return self._open(_active(row.account), device, now)

        return await self._write(work)

    async def use_passkey(self, row: PasskeyRow, sign_count: int, *, backed_up: bool) -> None:
        """Notes that a passkey was shown; `wrong` where it was shown elsewhere meanwhile."""
        await self._write(lambda now: _use(row, sign_count, backed_up=backed_up, now=now))

    async def end_passkey(self, account: int, number: int, *, by: int) -> None:
        """Deletes a passkey; `not_found`, `last_way` where the person could sign in no more."""
        issuers = frozenset(self.issuers)

        def work(now: Moment) -> None:
            keys.check_lives(by, now)
            _end(account, number, issuers)

        await self._write(work)

    # ------------------------------------------------------------ both, in a transaction

    def left(self, account: int) -> WaysIn:
        """Returns by what an account can sign in, those providers too that the server does not have any more."""
        issuers = tuple(sorted(issuer for issuer, _ in self._links(account).values()))
        return WaysIn(len(Row.of_account(account)), issuers)

    def end_all(self, account: int) -> None:
        """Deletes the passkeys of an account and unlinks its providers: somebody else may have added them."""
        Row.delete_of(account)
        for link in self._links(account).values():
            Outside.delete_one(*link)

    def _links(self, account: int) -> dict[str, tuple[str, str]]:
        return {_id_of(*each): each for each in Outside.of(account) if not self.is_apps(each[0])}

    def _open(self, row: AccountRow, device: Device, now: Moment) -> SignedIn:
        return keys.open_session(row, device, self._session_days, now)


def passkeys_of(account: int) -> list[Passkey]:
    """Returns the passkeys of an account, in a transaction."""
    return [_shown(row) for row in Row.of_account(account)]


def _id_of(issuer: str, subject: str) -> str:
    """Returns what a link is called: its row has no number."""
    return hashlib.sha256(msgspec.json.encode((issuer, subject))).hexdigest()[:32]


def _active(number: int) -> AccountRow:
    row = people.found(number)
    people.check_may_sign_in(row)
    return row


def _add(account: int, new: NewPasskey, now: Moment) -> int:
    _active(account)
    if len(Row.of_account(account)) >= MOST_PASSKEYS:
        raise AccountRefused("full", message=f"an account has at most {MOST_PASSKEYS} passkeys")
    columns = new._asdict() | {"transports": " ".join(new.transports), "backed_up": int(new.backed_up)}
    try:
        return Row.add(account=account, created_at=now.iso, **columns)
    except peewee.IntegrityError as error:
        raise AccountRefused("invalid", field="credential", message="this passkey is known already") from error


def _use(row: PasskeyRow, sign_count: int, *, backed_up: bool, now: Moment) -> None:
    if not Row.use(row, sign_count=sign_count, backed_up=backed_up, now=now.iso):
        raise AccountRefused("wrong", message="this passkey was used elsewhere, or is deleted")


def _end(account: int, number: int, issuers: Collection[str]) -> None:
    if not Row.delete_one(account, number):
        raise AccountRefused("not_found")
    _check_way_in(account, issuers)


def _check_way_in(account: int, issuers: Collection[str]) -> None:
    """Raises `last_way` where nothing is left to sign in with. To be called in the transaction that takes one away."""
    has_password = people.found(account).password is not None
    is_linked = any(issuer in issuers for issuer, _ in Outside.of(account))
    if not (has_password or is_linked or Row.of_account(account)):
        raise AccountRefused("last_way", message="this is the last way to sign in: set a password before")


def _shown(row: PasskeyRow) -> Passkey:
    return Passkey(
        id=row.id, label=row.label, created_at=row.created_at, used_at=row.used_at, backed_up=bool(row.backed_up)
    )
