"""Health: whether a server can take clients, in words that anybody may know."""

from typing import NamedTuple


class Health(NamedTuple):
    """What is wrong with a server."""

    fault: str | None = None
    """Why it should get no clients; None where it should."""

    trouble: str | None = None
    """What does not work although people can talk, and would at no other node either."""
