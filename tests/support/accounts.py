"""The accounts of a test: rows in its database, or on a stage, where changes happen when the test says so."""

import asyncio
from collections.abc import Callable

from chatter.accounts.principal import Principal, Role, Scope
from chatter.accounts.values import AccountRefused, Change, What
from chatter.charter import Author
from schema import Database


def add_account(database: Database, id: int, handle: str, state: str = "active") -> None:
    """Adds an account; whatever else the table wants has its handle too."""
    others = {column.name: handle for column in database.get_columns("account") if not column.null}
    values = {**others, "id": id, "handle": handle, "state": state}
    places = ", ".join([database.param] * len(values))
    statement = f"INSERT INTO account ({', '.join(values)}) VALUES ({places})"
    database.execute_sql(statement, tuple(values.values()))


class AccountsOnStage:
    """Plays `Accounts` for sockets. A secret is looked up when the test `answers`, or at once if it is `known`."""

    def __init__(self) -> None:
        self.principals: dict[str, Principal] = {}
        self.remembered: set[str] = set()
        self.reserved: set[str] = set()
        self.asked: list[str] = []
        self.is_away = False
        self._waiting: list[asyncio.Future[None]] = []
        self.on_change: Callable[[Change], None] = lambda _change: None
        self.on_names_freed: Callable[[], None] = lambda: None

    @property
    def identities(self) -> "AccountsOnStage":
        """Plays that part of the accounts, too."""
        return self

    def has(
        self,
        secret: str,
        handle: str = "ann",
        *,
        id: int = 1,
        number: int = 1,
        role: Role = "member",
        has_role_of_token: bool = False,
        scopes: frozenset[Scope] | None = None,
        expires_at: float | None = None,
        is_known: bool = False,
    ) -> Principal:
        """Adds a secret. Its account is `id`, and it is the account's session or token `number`."""
        principal = Principal(
            kind="person",
            role=role,
            has_role_of_token=has_role_of_token,
            author=Author(id, handle),
            name=handle.title(),
            scopes=scopes,
            secret=number,
            expires_at=expires_at,
        )
        self.principals[secret] = principal
        if is_known:
            self.remembered.add(secret)
        return principal

    def answers(self) -> None:
        """The database answers what was asked."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def changes(self, what: What, *, id: int = 1, secret: int | None = None, role: Role = "member") -> None:
        """Something becomes of an account."""
        for text, principal in list(self.principals.items()):
            is_out = what in ("suspended", "erased") or (what == "revoked" and secret in (None, principal.secret))
            if principal.author is not None and principal.author.id == id and is_out:
                del self.principals[text]
                self.remembered.discard(text)
        self.on_change(Change(account=id, what=what, secret=secret, author=Author(id, "anna"), name="Anna", role=role))

    # ------------------------------------------------------------ `Accounts`

    def known(self, secret: str) -> Principal | None:
        return self.principals.get(secret) if secret in self.remembered else None

    async def identify(self, secret: str) -> Principal | None:
        self.asked.append(secret)
        principal = self.principals.get(secret)  # as it is when the database is asked
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting
        if self.is_away:
            raise AccountRefused("unavailable", retry_after_ms=1_000)
        return principal

    def is_reserved(self, name: str) -> bool:
        return name.casefold() in self.reserved

    def suggestion(self, name: str) -> str:
        return f"{name} (guest)"
