"""The names of rooms: which of them only a room can have that is not public."""

import re
from typing import Literal

PRIVATE_SLUG = re.compile("[pdg]--[a-z2-7]{26}")
"""130 bits that nobody guesses, behind the letter of the kind."""

_KINDS: dict[str, Literal["private", "direct", "group"]] = {"p": "private", "d": "direct", "g": "group"}


def kind_of(slug: str) -> Literal["public", "private", "direct", "group"]:
    """Returns the kind of the room with this name: it has that one from its first entry on, whatever is void."""
    return _KINDS[slug[0]] if PRIVATE_SLUG.fullmatch(slug) else "public"
