"""Reactions: how those of one turn are counted."""

from collections.abc import Container, Iterable, Mapping
from itertools import islice

from chatter.messages import React, ReactionCount

LISTED_NAMES = 10
"""Names that a count has: of those who came first."""


def net_changes(before: Container[str], requests: Iterable[React]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns who is added and who is removed in the end, by what each of them asked for last.

    They are in the order in which the database, which knows only their entry, lists them too.
    """
    last = {request.name: request.is_added for request in requests}
    added = tuple(name for name, is_added in sorted(last.items()) if is_added and name not in before)
    removed = tuple(name for name, is_added in sorted(last.items()) if not is_added and name in before)
    return added, removed


def counts_of(reactors: Mapping[str, Mapping[str, int]]) -> tuple[ReactionCount, ...]:
    """Returns how many people reacted with each key, and the first of them."""
    return tuple(
        ReactionCount(key, len(people), tuple(islice(people, LISTED_NAMES)))
        for key, people in reactors.items()
        if people
    )
