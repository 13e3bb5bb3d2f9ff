"""Invitations: transactions about invites and links. Each is called within one."""

from typing import cast

from chatter.accounts import people, secrets
from chatter.accounts.principal import Role
from chatter.accounts.times import DAY, HOUR, Moment, seconds_of
from chatter.accounts.values import AccountRefused, Invite, Link, LinkKind, Made
from chatter.charter import is_private_slug
from chatter.messages import SLUG
from schema import Account, AccountRow, Member, Secret, SecretRow

INVITES_A_DAY = 20
FIRST_DAYS = 3
"""How many invites a member makes in a day, and after how many days the first. Moderators and admins are free."""

MOST_LINKS = 100
"""Invites to one room that may still be used."""

MOST_USES = 1_000
MOST_DAYS = 365

LINK_SECONDS: dict[LinkKind, float | None] = {"setup": None, "reset": 4 * HOUR, "link": 0.25 * HOUR}
"""How long a link works; the one for the first admin until the next start."""


def make_invite(
    account: int | None,
    now: Moment,
    *,
    room: str | None,
    uses: int | None,
    days: float | None,
    role: Role | None = None,
) -> Made:
    """Makes an invite, from an account or from who owns the machine; `forbidden`, `full`, `invalid`."""
    if uses is not None and not 1 <= uses <= MOST_USES:
        raise AccountRefused("invalid", field="uses", message=f"an invite has 1 to {MOST_USES:,} uses")
    if days is not None and not 0 < days <= MOST_DAYS:
        raise AccountRefused("invalid", field="days", message=f"an invite is for up to {MOST_DAYS} days")
    if room is not None and not SLUG.fullmatch(room):
        raise AccountRefused("invalid", field="room", message="this is no room's name")
    if account is not None:
        _check_may_invite(people.found(account), role, now)
    elif room is not None and is_private_slug(room):
        raise AccountRefused("invalid", field="room", message="who is in this room makes its links")
    if room is not None and Secret.count_of_room(room, now.iso) >= MOST_LINKS:
        raise AccountRefused("full", message=f"a room has at most {MOST_LINKS} links")
    code = secrets.make("invite")
    number = Secret.add(
        hash=secrets.digest_of(code),
        kind="invite",
        account=account,
        room=room,
        role=role,
        created_at=now.iso,
        used_at=now.iso,
        expires_at=None if days is None else now.later(days * DAY),
        uses_left=uses,
    )
    return Made(number, code)


def invites(account: int | None, now: Moment) -> list[Invite]:
    """Returns the invites that may still be used, those of an account or all."""
    rows = Secret.of_kind("invite", now.iso) if account is None else Secret.of_account(account, "invite", now.iso)
    return [_invite(row) for row in rows]


def end_invite(account: int | None, number: int, now: Moment) -> None:
    """Ends an invite, of an account or of anybody; `not_found`."""
    if all(invite.id != number for invite in invites(account, now)):
        raise AccountRefused("not_found", message="there is no such invite")
    Secret.revoke([number], now.iso)


def links(room: str, maker: int | None, now: Moment) -> list[Invite]:
    """Returns the invites to a room that may still be used: those that an account has made, or with None all."""
    return [_invite(row) for row in Secret.of_room(room, now.iso) if maker in (None, row.account)]


def end_link(room: str, number: int, maker: int | None, now: Moment) -> None:
    """Ends one of these invites; `not_found`."""
    if all(link.id != number for link in links(room, maker, now)):
        raise AccountRefused("not_found", message="there is no such link")
    Secret.revoke([number], now.iso)


def found_invite(code: str, now: Moment) -> SecretRow:
    """Returns an invite that may be used; `invite`. One to a private room counts while its maker is in there."""
    row = Secret.by_hash(secrets.digest_of(secrets.invite_code(code)), ["invite"], now.iso)
    if row is None or not _opens(row):
        raise AccountRefused("invite", message="there is no such invite, or it was used up")
    return row


def use_invite(code: str, now: Moment) -> SecretRow:
    """Takes one use of an invite; `invite`."""
    row = found_invite(code, now)
    if not Secret.use(row.id, now.iso):
        raise AccountRefused("invite", message="this invite was used up")
    return row


def make_link(handle: str, kind: LinkKind, now: Moment, *, maker: int | None = None) -> str:
    """Makes a link for somebody; `not_found`. Those for new passwords that were made before work no more.

    It works no longer than its `maker` is an admin; None for who owns the machine.
    """
    row = people.by_handle(handle)
    if kind == "reset":
        Secret.revoke_kind("reset", now.iso, account=row.id)
    return _make_link(kind, row.id, now, maker)


def make_setup_link(now: Moment, *, is_only: bool) -> str | None:
    """Makes a link for the first admin, the only one that works if it is so; None where there is an admin."""
    if is_only:
        Secret.revoke_kind("setup", now.iso)
    return None if Account.has_admin() else _make_link("setup", None, now)


def found_link(text: str, now: Moment) -> tuple[SecretRow, Link]:
    """Returns a link that may be used, and what it is for; `gone`."""
    row = Secret.by_hash(secrets.digest_of(text), ["setup", "reset", "link"], now.iso)
    if row is None or (row.kind == "setup" and Account.has_admin()):
        raise _gone()
    kind = cast(LinkKind, row.kind)
    if row.account is None:
        return row, Link(kind=kind, handle=None)
    account = people.found(row.account)
    people.check_may_sign_in(account)
    return row, Link(kind=kind, handle=account.handle, name=account.name)


def use_link(text: str, now: Moment) -> tuple[SecretRow, Link]:
    """Uses a link up; `gone`."""
    row, link = found_link(text, now)
    if not Secret.use(row.id, now.iso):
        raise _gone()
    return row, link


def _make_link(kind: LinkKind, account: int | None, now: Moment, maker: int | None = None) -> str:
    text, seconds = secrets.make(kind), LINK_SECONDS[kind]
    Secret.add(
        hash=secrets.digest_of(text),
        kind=kind,
        account=account,
        created_at=now.iso,
        used_at=now.iso,
        expires_at=None if seconds is None else now.later(seconds),
        uses_left=1,
        maker=maker,
    )
    return text


def _check_may_invite(row: AccountRow, role: Role | None, now: Moment) -> None:
    if row.role == "admin":
        return
    if role is not None:
        raise AccountRefused("forbidden", message="only an admin gives roles")
    if row.role != "member":
        return
    if now.seconds - seconds_of(row.created_at) < FIRST_DAYS * DAY:
        raise AccountRefused("forbidden", message=f"members invite others after {FIRST_DAYS} days")
    if Secret.count_made(row.id, "invite", now.later(-DAY)) >= INVITES_A_DAY:
        raise AccountRefused("full", message=f"members make at most {INVITES_A_DAY} invites a day")


def _opens(row: SecretRow) -> bool:
    """Returns whether who has made an invite could still let others in."""
    if row.room is None or not is_private_slug(row.room):
        return True
    return row.account is not None and Member.is_in(row.room, row.account)


def _gone() -> AccountRefused:
    return AccountRefused("gone", message="this link was used, or is too old")


def _invite(row: SecretRow) -> Invite:
    return Invite(
        id=row.id,
        by=row.account,
        room=row.room,
        uses_left=row.uses_left,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
