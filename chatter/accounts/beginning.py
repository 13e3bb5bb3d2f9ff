"""The beginning: what a server reads of accounts before it listens, and the link with which the first admin is made."""

import os
from pathlib import Path
from typing import NamedTuple, cast

import peewee

from chatter.accounts import invitations, people
from chatter.accounts.principal import Role
from chatter.accounts.times import Moment
from schema import Account, Database, DatabaseUnusable, Reserved, Revocation
from schema.base import writing_transaction
from schema.errors import in_one_line


class Beginning(NamedTuple):
    """What is known of accounts at the start."""

    reserved: list[tuple[int, str]]
    staff: list[tuple[int, Role]]
    last_change: int
    setup_link: str | None  # None where there is an admin

    @classmethod
    def read(cls, database: Database, now: Moment, *, is_node: bool = False) -> "Beginning":
        """Reads what is needed, and makes a link for the first admin. Raises `DatabaseUnusable`.

        The links of other nodes lead there, too.
        """
        try:
            with writing_transaction():
                people.renew_skeletons()
                return cls(
                    Reserved.every(now.iso),
                    cast(list[tuple[int, Role]], Account.staff()),
                    Revocation.newest(),
                    invitations.make_setup_link(now, is_only=not is_node),
                )
        except peewee.PeeweeException as error:
            raise DatabaseUnusable(f"cannot read the accounts: {in_one_line(error)}") from error
        finally:
            database.close()


class SetupFile:
    """The file with the address at which the first admin is made, for its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, address: str) -> None:
        """Writes the address. Raises `OSError`."""
        self.remove()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(address + "\n")

    def remove(self) -> None:
        """Removes the file, once its link leads nowhere."""
        self._path.unlink(missing_ok=True)
