"""Live: the sockets of accounts, so that a change of an account reaches them within one turn of the loop."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

import msgspec

from chatter.accounts.principal import Principal
from chatter.accounts.values import Change


class LiveSocket(Protocol):
    """A socket, as changes of its account see it."""

    @property
    def principal(self) -> Principal:
        """Who it is."""

    def become(self, principal: Principal) -> None:
        """Replaces who it is."""

    def look_again(self) -> None:
        """Finds out anew whose its secret is."""

    def sign_out(self, reason: str) -> None:
        """Tells the client why, and ends the connection."""


class Live:
    """Owns these sockets by account. Only the loop's thread uses it."""

    def __init__(self) -> None:
        self._sockets: dict[int, dict[LiveSocket, None]] = {}
        self._watches: list[set[int]] = []  # accounts that changed while somebody was being identified

    def add(self, account: int, socket: LiveSocket) -> None:
        """Adds a socket. A second time changes nothing."""
        self._sockets.setdefault(account, {})[socket] = None

    def remove(self, account: int, socket: LiveSocket) -> None:
        """Removes a socket, if it is there."""
        sockets = self._sockets.get(account, {})
        sockets.pop(socket, None)
        if not sockets:
            self._sockets.pop(account, None)

    def has(self, account: int) -> bool:
        """Returns whether the account has a socket."""
        return account in self._sockets

    @contextlib.contextmanager
    def watch(self) -> Iterator[set[int]]:
        """Collects the accounts that change while something about one of them is on its way."""
        changed: set[int] = set()
        self._watches.append(changed)
        try:
            yield changed
        finally:
            self._watches[:] = [watch for watch in self._watches if watch is not changed]

    def on_change(self, change: Change) -> None:
        """Ends or updates the sockets that a change is about, before it returns."""
        for watch in self._watches:
            watch.add(change.account)
        for socket in list(self._sockets.get(change.account, ())):
            match change.what:
                case "revoked" if change.secret is None or change.secret == socket.principal.secret:
                    socket.sign_out("revoked")
                case "renewed" if change.secret == socket.principal.secret:
                    socket.look_again()
                case "suspended" | "left" | "erased":
                    socket.sign_out(change.what)
                case "renamed":
                    socket.become(_renamed(socket.principal, change))
                case "role" if not socket.principal.has_role_of_token:
                    socket.become(msgspec.structs.replace(socket.principal, role=change.role))
                case _:
                    pass  # it is about another session, about nobody who is here, or about a role that does not count


def _renamed(principal: Principal, change: Change) -> Principal:
    """The role stays: a token of an embedding app may give another one than the account has."""
    return msgspec.structs.replace(principal, author=change.author, name=change.name)
