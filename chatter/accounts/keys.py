"""Keys: transactions about sessions, access tokens and known devices. Each is called within one."""

from collections.abc import Collection
from typing import cast

from chatter.accounts import people, secrets
from chatter.accounts.principal import Principal, Role, Scope
from chatter.accounts.times import DAY, HOUR, Moment, seconds_of
from chatter.accounts.values import AccountRefused, Device, Made, Session, SignedIn, Token
from chatter.charter import Author
from schema import Account as AccountTable
from schema import AccountRow, BearerRow, Secret, SecretRow

MOST_SESSIONS = 100
"""Sessions of an account. With one more, the one that was used longest ago ends."""

MOST_TOKEN_DAYS = 3_650

MOST_DEVICES = 50
DEVICE_DAYS = 400
"""Days for which a device is known; browsers keep a cookie no longer."""

SLIDES_AFTER = HOUR
"""Seconds after which the use of a session or token is noted, and a session lasts anew."""

LONGEST_AGENT = 200
LONGEST_LABEL = 64
"""Characters of what a person calls a session, token or passkey."""

SCOPES: dict[Role, frozenset[Scope]] = {
    "guest": frozenset(),
    "member": frozenset({"read", "post"}),
    "moderator": frozenset({"read", "post", "moderate"}),
    "admin": frozenset({"read", "post", "moderate", "admin"}),
}
"""What each role may give a token."""


def open_session(row: AccountRow, device: Device, days: float, now: Moment) -> SignedIn:
    """Opens a session of an account, and knows the device from now on. One that was about to leave stays."""
    came_back = people.come_back(row, now)
    text = secrets.make("session")
    expires_at = now.later(days * DAY)
    number = Secret.add(
        hash=secrets.digest_of(text),
        kind="session",
        account=row.id,
        created_at=now.iso,
        used_at=now.iso,
        expires_at=expires_at,
        network=device.network,
        agent=device.agent[:LONGEST_AGENT],
    )
    AccountTable.set(row.id, seen_at=now.iso)
    sessions = Secret.of_account(row.id, "session", now.iso)
    _revoke(row.id, [session.id for session in sessions[MOST_SESSIONS:]], now)
    bearer = BearerRow(number, "session", "", now.iso, expires_at, row.id, row.handle, row.name, row.role, row.kind)
    return SignedIn(principal_of(bearer), text, _know(row.id, device, now), came_back)


def bearer(digest: str, now: Moment) -> BearerRow | None:
    """Returns whose a session or access token is."""
    return Secret.bearer(digest, now.iso)


def slide(digest: str, days: float, now: Moment) -> BearerRow | None:
    """Returns whose a session or token is, and notes that it is used."""
    row = Secret.bearer(digest, now.iso)
    if row is None or is_fresh(row, now):
        return row
    expires_at = now.later(days * DAY) if row.kind == "session" else row.expires_at
    Secret.set(row.id, used_at=now.iso, expires_at=expires_at)
    AccountTable.set(row.account, seen_at=now.iso)
    return row._replace(used_at=now.iso, expires_at=expires_at)


def is_fresh(row: BearerRow, now: Moment) -> bool:
    """Returns whether the use of a session or token need not be noted yet."""
    return row.used_at > now.later(-SLIDES_AFTER)


def principal_of(row: BearerRow) -> Principal:
    """Returns who shows this session or token."""
    return Principal(
        kind="bot" if row.account_kind == "bot" else "person",
        role=cast(Role, row.role),
        author=Author(row.account, row.handle),
        name=row.name,
        scopes=frozenset(cast(list[Scope], row.scopes.split())) if row.kind == "access" else None,
        secret=row.id,
        expires_at=None if row.expires_at is None else seconds_of(row.expires_at),
    )


def check_lives(session: int, now: Moment, *, role: Role | None = None) -> None:
    """Raises `unauthorized` where the session that asks for a change has ended since it was looked at.

    Also where its account may not sign in any more; `forbidden` where it has lost the `role`.
    """
    found = Secret.role_by(session, now.iso)
    if found is None:
        raise AccountRefused("unauthorized", message="this session has ended")
    if role is not None and found != role:
        raise AccountRefused("forbidden")


def is_known(account: int, device: Device, now: Moment) -> bool:
    """Returns whether an account was signed in on this device before."""
    digest = _device_digest(account, device.known or "")
    return Secret.by_hash(digest, ["device"], now.iso) is not None


def sessions(account: int, now: Moment) -> list[Session]:
    """Returns where an account is signed in."""
    return [_session(row) for row in Secret.of_account(account, "session", now.iso)]


def opened_at(account: int, session: int, now: Moment) -> float:
    """Returns when a session was opened, in seconds since 1970; `gone` where it has ended."""
    for row in Secret.of_account(account, "session", now.iso):
        if row.id == session:
            return seconds_of(row.created_at)
    raise AccountRefused("gone", message="the session has ended")


def name_session(account: int, number: int, label: str, now: Moment) -> None:
    """Gives a session a name; `not_found`, `invalid`."""
    check_label(label)
    _own(account, "session", number, now)
    Secret.set(number, label=label)


def check_label(label: str) -> None:
    """Raises `invalid` for what can be no label."""
    if len(label) > LONGEST_LABEL or len(label.splitlines()) > 1:
        message = f"expected at most {LONGEST_LABEL} characters in one line"
        raise AccountRefused("invalid", field="label", message=message)


def end(account: int, kind: str, number: int, now: Moment) -> None:
    """Ends a session or token; `not_found`."""
    _own(account, kind, number, now)
    _revoke(account, [number], now)


def end_sessions(account: int, keep: int | None, now: Moment) -> int:
    """Ends all sessions but one, and returns how many."""
    ended = [row.id for row in Secret.of_account(account, "session", now.iso) if row.id != keep]
    _revoke(account, ended, now)
    return len(ended)


def renew(account: int, session: int, now: Moment) -> str:
    """Gives a session another text, and returns it. The one that it had is nobody's."""
    text = secrets.make("session")
    Secret.set(session, hash=secrets.digest_of(text))
    people.note(account, "renewed", now, secret=session)
    return text


def end_for_new_password(account: int, keep: int | None, now: Moment) -> None:
    """Ends what may be in the hands of somebody else: sessions but `keep`, links, and known devices."""
    end_sessions(account, keep, now)
    for kind in ("reset", "link", "device"):
        Secret.revoke_kind(kind, now.iso, account=account)


def end_for_reset(account: int, now: Moment) -> None:
    """Ends the same, and what somebody else may have made with the account: access tokens, and links for others."""
    end_for_new_password(account, None, now)
    _revoke(account, [row.id for row in Secret.of_account(account, "access", now.iso)], now)
    Secret.revoke_made(account, now.iso)


def tokens(account: int, now: Moment) -> list[Token]:
    """Returns the access tokens of an account."""
    return [_token(row) for row in Secret.of_account(account, "access", now.iso)]


def make_token(
    account: int, label: str, scopes: Collection[Scope], *, days: float | None, most: int, now: Moment
) -> Made:
    """Makes an access token; `full`, `invalid`, `forbidden`."""
    check_label(label)
    row = people.found(account)
    if not scopes or not set(scopes) <= SCOPES["admin"]:
        raise AccountRefused(
            "invalid", field="scopes", message=f"scopes are some of {', '.join(sorted(SCOPES['admin']))}"
        )
    if not set(scopes) <= SCOPES[cast(Role, row.role)]:
        raise AccountRefused("forbidden", message=f"a {row.role} has not all of these scopes")
    if days is not None and not 0 < days <= MOST_TOKEN_DAYS:
        raise AccountRefused("invalid", field="days", message=f"a token is for up to {MOST_TOKEN_DAYS:,} days")
    if len(Secret.of_account(account, "access", now.iso)) >= most:
        raise AccountRefused("full", message=f"an account has at most {most} tokens")
    text = secrets.make("access")
    number = Secret.add(
        hash=secrets.digest_of(text),
        kind="access",
        account=account,
        label=label,
        scopes=" ".join(sorted(scopes)),
        created_at=now.iso,
        used_at=now.iso,
        expires_at=None if days is None else now.later(days * DAY),
    )
    return Made(number, text)


def _know(account: int, device: Device, now: Moment) -> str:
    """Knows a device from now on, and returns its text. One text serves all accounts that sign in there."""
    text = device.known or ""
    if not text.startswith(secrets.PREFIXES["device"]) or len(text) > secrets.LONGEST:
        text = secrets.make("device")
    digest = _device_digest(account, text)
    known = Secret.by_hash(digest, ["device"], now.iso)
    expires_at = now.later(DEVICE_DAYS * DAY)
    if known is not None:
        Secret.set(known.id, used_at=now.iso, expires_at=expires_at)
        return text
    Secret.delete_hash(digest)  # one that is known no more
    Secret.add(hash=digest, kind="device", account=account, created_at=now.iso, used_at=now.iso, expires_at=expires_at)
    devices = Secret.of_account(account, "device", now.iso)
    Secret.revoke([row.id for row in devices[MOST_DEVICES:]], now.iso)
    return text


def _device_digest(account: int, text: str) -> str:
    return secrets.digest_of(f"{text[: secrets.LONGEST]} {account}")


def _own(account: int, kind: str, number: int, now: Moment) -> None:
    if all(row.id != number for row in Secret.of_account(account, kind, now.iso)):
        raise AccountRefused("not_found")


def _revoke(account: int, numbers: list[int], now: Moment) -> None:
    if numbers:
        Secret.revoke(numbers, now.iso)
    for number in numbers:
        people.note(account, "revoked", now, secret=number)


def _session(row: SecretRow) -> Session:
    return Session(
        id=row.id,
        label=row.label,
        agent=row.agent,
        network=row.network,
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at or "",
    )


def _token(row: SecretRow) -> Token:
    return Token(
        id=row.id,
        label=row.label,
        scopes=tuple(cast(list[Scope], row.scopes.split())),
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
    )
