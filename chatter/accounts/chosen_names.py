"""The handles and names that people choose: the one form of each, or what is wrong with it."""

from collections.abc import Callable

from chatter.accounts import names
from chatter.accounts.values import AccountRefused


class ChosenNames:
    """What a server takes for a name."""

    def __init__(self, normal_name: Callable[[str], str], longest: int) -> None:
        """`normal_name` returns the one form of a name, which has at most `longest` characters."""
        self._normal_name = normal_name
        self._longest = longest

    def valid_name(self, name: str) -> str:
        """Returns the one form of a name; `invalid`."""
        found = self.name_or_none(name)
        if found is None:
            message = f"a name has 1 to {self._longest} characters, among them a letter, digit or emoji, and no (guest)"
            raise AccountRefused("invalid", field="name", message=message)
        return found

    def name_or_none(self, name: str | None) -> str | None:
        """Returns the one form of a name, None of what can be none."""
        normal = self._normal_name(name) if name is not None and len(name) <= 4 * self._longest else ""
        return normal if names.is_name(normal, self._longest) else None


def valid_handle(handle: str) -> str:
    """Returns the one form of a handle; `invalid`."""
    handle = handle.strip().removeprefix("@").lower()
    if not names.is_handle(handle):
        message = "a handle has 2 to 32 of a-z, 0-9, dot, dash and underscore, with a letter or digit at both ends"
        raise AccountRefused("invalid", field="handle", message=message)
    return handle
