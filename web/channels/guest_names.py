"""Guests' names: keeps guests from names that look like those of people with accounts."""

import functools
from collections.abc import Callable
from typing import Protocol

import msgspec

from chatter.messages import ListReactors, Pin, Post, React, ShowTyping, View
from web.channels.room_requests import Request
from web.channels.wire import NameTaken

NAMES_REMEMBERED = 8_192
"""Names whose looks are not compared again: a look-up takes 0.1 µs."""

_NAMED = (Post, React, Pin)
"""The requests whose name somebody has to choose. Who is typing, or only reads, is nothing to be asked about."""


class ReservedNames(Protocol):
    """The names that guests may not have."""

    def is_reserved(self, name: str) -> bool:
        """Returns whether a guest may not have this name."""

    def suggestion(self, name: str) -> str:
        """Returns the name that a guest may have in its place."""


class NameRefused(Exception):
    """A guest may not have this name."""

    def __init__(self, suggestion: str) -> None:
        super().__init__(suggestion)
        self.answer = NameTaken(suggestion)


class GuestNames:
    """Decides what guests are called. One for a server that has accounts."""

    def __init__(self, names: ReservedNames) -> None:
        self._names = names
        self._is_reserved = self._remembering()

    def forget(self) -> None:
        """Compares all names again: an account has come, or has another name."""
        self._is_reserved = self._remembering()

    def _remembering(self) -> Callable[[str], bool]:
        return functools.lru_cache(NAMES_REMEMBERED)(self._names.is_reserved)

    def name_now(self, name: str) -> str:
        """Returns what a guest is called who has got this name, perhaps before an account took it."""
        return self._names.suggestion(name) if self._is_reserved(name) else name

    def name_for(self, name: str, view: View) -> str:
        """Returns the name that a guest gets. Raises `NameRefused` where the client can choose another one.

        Clients that know nothing of places are often pages that show no errors: they are shown as guests.
        """
        if not self._is_reserved(name):
            return name
        if view is View.MESSAGES:
            return self.name_now(name)
        raise NameRefused(self._names.suggestion(name))

    def checked(self, request: Request | None, view: View) -> Request | None:
        """Returns a guest's request under the name that the guest gets. Raises `NameRefused`."""
        if isinstance(request, ShowTyping) or (isinstance(request, ListReactors) and request.name):
            return msgspec.structs.replace(request, name=self.name_now(request.name))
        if not isinstance(request, _NAMED) or not self._is_reserved(request.name):
            return request
        return msgspec.structs.replace(request, name=self.name_for(request.name, view))
