"""People: transactions about accounts. Each is called within one, in the store's thread or by the command line."""

from collections.abc import Sequence
from secrets import token_hex
from typing import NamedTuple

import peewee

from chatter.accounts import names
from chatter.accounts.principal import Role
from chatter.accounts.times import DAY, Moment, seconds_of
from chatter.accounts.values import Account, AccountRefused, What
from schema import Account as Row
from schema import AccountRow, Departure, DepartureRow, Outside, Passkey, Reserved, Revocation, Secret

OLD_HANDLE_DAYS = 90
"""Days for which nobody else gets a handle that somebody has given up."""

MOST_OLD_HANDLES = 3
"""Handles that an account has given up and that are kept from others; with more it cannot change its handle."""

ROLES: Sequence[Role] = ("member", "moderator", "admin")


class NewAccount(NamedTuple):
    """What an account is made of, checked."""

    handle: str
    name: str
    password: str | None = None  # its hash
    role: Role = "member"
    kind: str = "person"


def add(new: NewAccount, now: Moment) -> AccountRow:
    """Adds an account; `handle_taken`."""
    skeleton = _free_skeleton(new.handle, now, but=None)
    try:
        number = Row.add(
            **new._asdict(),
            skeleton=skeleton,
            skeleton_version=names.SKELETON_VERSION,
            state="active",
            created_at=now.iso,
            seen_at=now.iso,
        )
    except peewee.IntegrityError as error:
        raise _taken(new.handle) from error
    Reserved.replace_of(number, {skeleton, names.skeleton(new.name)} - {""})
    _on_role(new.role, now)
    note(number, "created", now)
    return found(number)


def check_handle(handle: str, now: Moment) -> None:
    """Raises `handle_taken`."""
    _free_skeleton(handle, now, but=None)


def found(number: int) -> AccountRow:
    """Returns an account; `not_found`."""
    row = Row.by_id(number)
    if row is None:
        raise AccountRefused("not_found", message="there is no such account")
    return row


def by_handle(handle: str) -> AccountRow:
    """Returns the account that has a handle; `not_found`."""
    row = Row.by_handle(handle)
    if row is None:
        raise AccountRefused("not_found", message=f"there is no account @{handle}")
    return row


def rename(number: int, name: str | None, handle: str | None, now: Moment) -> None:
    """Gives an account another name or handle; `handle_taken`."""
    row = found(number)
    name, handle = row.name if name is None else name, row.handle if handle is None else handle
    if (name, handle) == (row.name, row.handle):
        return
    skeleton = names.skeleton(handle) if handle == row.handle else _free_skeleton(handle, now, but=number)
    gives_up = names.skeleton(row.handle) != skeleton
    if gives_up and Reserved.count_kept(number, now.iso) >= MOST_OLD_HANDLES:
        raise AccountRefused("full", message=f"{MOST_OLD_HANDLES} handles were given up in {OLD_HANDLE_DAYS} days")
    try:
        Row.set(number, name=name, handle=handle, **({"skeleton": skeleton} if handle != row.handle else {}))
    except peewee.IntegrityError as error:
        raise _taken(handle) from error
    if gives_up:
        Reserved.keep(number, names.skeleton(row.handle), now.later(OLD_HANDLE_DAYS * DAY))
    Reserved.replace_of(number, {skeleton, names.skeleton(name)} - {""})
    note(number, "renamed", now)


def check_name_changes(number: int, most: int, now: Moment) -> None:
    """Raises `rate_limited` where an account has been renamed so many times in a day: a name drives guests from it."""
    times = Revocation.times(number, "renamed", now.later(-DAY))
    if len(times) >= most:
        wait = seconds_of(times[most - 1]) + DAY - now.seconds if most else DAY
        message = f"a name changes at most {most} times a day"
        raise AccountRefused("rate_limited", retry_after_ms=max(1, round(1_000 * wait)), message=message)


def set_role(handle: str, role: Role, now: Moment) -> None:
    """Gives an account another role; `not_found`."""
    row = by_handle(handle)
    Row.set(row.id, role=role)
    _on_role(role, now)
    if row.role == "admin" and role != "admin":
        Secret.revoke_made(row.id, now.iso)
    note(row.id, "role", now)


def suspend(handle: str, now: Moment) -> None:
    """Keeps an account out and ends all its secrets; `not_found`."""
    row = by_handle(handle)
    Row.set(row.id, state="suspended")
    for kind in ("session", "access", "invite", "reset", "link"):
        Secret.revoke_kind(kind, now.iso, account=row.id)
    Secret.revoke_made(row.id, now.iso)
    note(row.id, "suspended", now)


def resume(handle: str, now: Moment) -> None:
    """Lets a suspended account in again; `not_found`."""
    row = by_handle(handle)
    if row.state == "suspended":
        Row.set(row.id, state="leaving" if Departure.of(row.id) else "active")
        note(row.id, "resumed", now)


def may_sign_in(row: AccountRow) -> bool:
    """Returns whether an account may sign in; one that leaves comes back by it."""
    return row.state in ("active", "leaving")


def check_may_sign_in(row: AccountRow) -> None:
    """Raises `suspended`."""
    if not may_sign_in(row):
        raise AccountRefused("suspended", message="this account is suspended")


def leave(number: int, *, erases: bool, days: float, now: Moment) -> None:
    """Closes an account, which is erased in so many days unless it comes back; `erases` takes its texts along."""
    Row.set(found(number).id, state="leaving")
    for kind in ("session", "access", "invite", "reset", "link"):
        Secret.revoke_kind(kind, now.iso, account=number)
    Secret.revoke_made(number, now.iso)
    Departure.add(number, erases=erases, due_at=now.later(days * DAY))
    note(number, "left", now)


def come_back(row: AccountRow, now: Moment) -> bool:
    """Opens an account again that was about to leave; returns False where it was not."""
    if row.state != "leaving":
        return False
    Row.set(row.id, state="active")
    Departure.delete_of(row.id)
    note(row.id, "returned", now)
    return True


def erase_due(now: Moment) -> list[DepartureRow]:
    """Erases the accounts that leave and whose time has come. Returns those of which something may be left."""
    due = Departure.due(now.iso)
    for departure in due:
        if not departure.begun:
            erase(departure.account, now)
            Departure.begin(departure.account)
    return due


def erase_at_once(number: int, *, erases: bool, now: Moment) -> None:
    """Erases an account that cannot come back. What it has left in rooms is for a server to purge."""
    earlier = Departure.of(number)  # what the person wanted gone goes
    Departure.add(number, erases=erases or (earlier is not None and earlier.erases), due_at=now.iso)
    Departure.begin(number)
    erase(number, now)


def erase(number: int, now: Moment) -> None:
    """Erases an account with all that is kept about it, but its number and its handles, which nobody gets again."""
    row = found(number)
    Reserved.keep_for_ever(number)
    Row.set(number, state="deleted", name="", password=None, avatar=None, seen_at=row.created_at)
    Secret.delete_of(number)
    Secret.revoke_made(number, now.iso)
    Outside.delete_of(number)
    Passkey.delete_of(number)
    Reserved.replace_of(number, {names.skeleton(row.handle)})
    if skeleton := names.skeleton(row.name):  # which stands in what the account has said
        Reserved.keep(number, skeleton, now.later(OLD_HANDLE_DAYS * DAY))
    note(number, "erased", now)


def renew_skeletons() -> None:
    """Makes the skeletons anew that an earlier version has made by other rules.

    Accounts whose handles look alike by the new ones keep them: one has the skeleton, the others what they had.
    """
    for number, handle, name, state in Row.with_old_skeletons(names.SKELETON_VERSION):
        skeleton = names.skeleton(handle)
        if not Row.skeleton_is_taken(skeleton, but=number):
            Row.set(number, skeleton=skeleton)
        Row.set(number, skeleton_version=names.SKELETON_VERSION)
        its_names = {skeleton} if state == "deleted" else {skeleton, names.skeleton(name)}
        Reserved.replace_of(number, its_names - {""})
        for kept, old in Reserved.kept_of(number):
            Reserved.set(kept, names.skeleton(old))


def of_outside(
    issuer: str, subject: str, name: str | None, now: Moment, *, handle: str | None = None, renames: bool = True
) -> AccountRow:
    """Returns the account of somebody that another server vouches for, made at first sight, by the name it tells.

    The handle of a new account resembles `handle`, else the subject. One that is there gets the name if this `renames`.
    """
    number = Outside.account_of(issuer, subject)
    if number is None:
        handle = _free_handle(names.handle_from(handle or subject), now)
        row = add(NewAccount(handle, name or handle), now)
        Outside.add(issuer, subject, row.id)
        return row
    row = found(number)
    if come_back(row, now):
        row = found(number)
    if renames and name is not None and name != row.name:
        rename(number, name, None, now)
        row = found(number)
    return row


def note(account: int, what: What, now: Moment, *, secret: int | None = None) -> None:
    """Notes a change, so that all servers learn of it."""
    Revocation.append(account, what, now.iso, secret=secret)


def shown(row: AccountRow) -> Account:
    """Returns an account without its password."""
    columns = row._asdict()
    return Account(has_password=columns.pop("password") is not None, **columns)


def _on_role(role: str, now: Moment) -> None:
    """Ends the link for the first admin with the first admin, also where that one goes again."""
    if role == "admin":
        Secret.revoke_kind("setup", now.iso)


def _free_skeleton(handle: str, now: Moment, *, but: int | None) -> str:
    """Returns the skeleton of a handle that no other account has or had lately; `handle_taken`."""
    skeleton = names.skeleton(handle)
    if Row.skeleton_is_taken(skeleton, but=but) or Reserved.keeps_handle(skeleton, now.iso, but=but):
        raise _taken(handle)
    return skeleton


def _free_handle(handle: str, now: Moment) -> str:
    """Returns this handle, or one with something behind it."""
    for candidate in (handle, f"{handle}-2", f"{handle}-3"):
        skeleton = names.skeleton(candidate)
        if not Row.skeleton_is_taken(skeleton, but=None) and not Reserved.keeps_handle(skeleton, now.iso, but=None):
            return candidate
    return f"{handle[:19]}-{token_hex(6)}"  # nobody has it: 48 bits


def _taken(handle: str) -> AccountRefused:
    return AccountRefused("handle_taken", message=f"somebody has the handle {handle}, or one that looks like it")
