"""Changes: what has become of accounts since a server last looked, and the tidying of what is old."""

from typing import NamedTuple, cast

from chatter.accounts.principal import Role
from chatter.accounts.times import DAY, Moment
from chatter.accounts.values import Change, What
from chatter.charter import Author
from schema import Reserved, Revocation, Secret

KEPT_DAYS = 1
"""Days for which a change is kept, though a server reads each within a second."""

DEAD_SECRET_DAYS = 30
"""Days after which a secret that is revoked or has expired is deleted."""


class Learned(NamedTuple):
    """A change, with its number."""

    number: int
    change: Change
    skeletons: tuple[str, ...] | None  # of the account, where they may have changed


def since(number: int, now: Moment) -> list[Learned]:
    """Returns the changes above a number, oldest first."""
    return [
        Learned(
            row.id,
            Change(
                account=row.account,
                what=cast(What, row.what),
                secret=row.secret,
                author=Author(row.account, row.handle),
                name=row.name,
                role=cast(Role, row.role),
            ),
            Reserved.of(row.account, now.iso) if row.what in ("created", "renamed", "erased") else None,
        )
        for row in Revocation.after(number)
    ]


def tidy(read: int, now: Moment) -> dict[int, tuple[str, ...]]:
    """Deletes what is old; returns the skeletons of the accounts whose old handles are free again."""
    Secret.delete_dead(now.later(-DEAD_SECRET_DAYS * DAY))
    Revocation.delete_old(now.later(-KEPT_DAYS * DAY), read)
    return {account: Reserved.of(account, now.iso) for account in Reserved.delete_expired(now.iso)}
