"""Mentions: finds whom a text calls, outside of code. Who is no member of the room is not called."""

import re
from collections.abc import Iterable, Sequence

from chatter.charter import Charter
from chatter.messages import Mentions

MOST = 10
"""People whom one message calls by their handles; the others are only words."""

_CODE = re.compile("```.*?(?:```|$)|`[^`\n]*`", re.DOTALL)

_HANDLE = re.compile(r"(?<![\w@./-])@([a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?)(?![\w@])", re.IGNORECASE)

_EVERYBODY = {"here", "room"}


def handles_in(text: str) -> list[str]:
    """Returns the words after an `@`, in small letters, each once, in their order."""
    if "@" not in text:
        return []
    found = (word.lower() for word in _HANDLE.findall(_CODE.sub(" ", text)))
    return list(dict.fromkeys(found))


def calls_everybody(words: Iterable[str]) -> bool:
    """Returns whether some of these words call more than one person."""
    return not _EVERYBODY.isdisjoint(words)


def mentions_of(words: Iterable[str], charter: Charter) -> Mentions:
    """Returns which members of a room are called by their handles."""
    ids = {member.author.handle: member.author.id for member in charter.members.values()}
    called = [ids[word] for word in words if word in ids and word not in _EVERYBODY]
    return Mentions(accounts=tuple(called[:MOST]))


def absent(words: Sequence[str], charter: Charter) -> tuple[str, ...]:
    """Returns the handles that are no member's of a room."""
    if not words:
        return ()  # as nearly always, and in a room of 2,000 to look takes 400 µs
    there = {member.author.handle for member in charter.members.values()}
    return tuple(word for word in words if word not in there and word not in _EVERYBODY)[:MOST]
