"""Presence: the people in one room, in the form of Phoenix Presence: by name, with one meta for each connection.

An account is listed as `@handle`, so that nobody else is taken for it; its metas have its id and its name.

A crowded room lists only so many people, the same to everybody: those who came first. When one of them leaves, the
next takes the place. A Phoenix Presence client thus holds a small, correct list, and the cost of one arrival does not
grow with the room: without this, 10,000 arrivals would be told to 10,000 people each. In the same way only so many
connections of each person are listed, the oldest.
"""

import base64
import functools
import itertools
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from chatter.charter import Author
from chatter.messages import (
    Meta,
    Metas,
    People,
    PresenceChanged,
    PresenceCounted,
    PresenceListed,
    Subscriber,
    label_of,
)

_connection_numbers = itertools.count()


def _next_phx_ref() -> str:
    """Makes a unique ref in the form of Phoenix's, without asking the kernel for random bytes each time."""
    return base64.urlsafe_b64encode(_process_prefix() + next(_connection_numbers).to_bytes(6)).decode()


@functools.cache  # made at the first use, not at import: an imported module may be forked
def _process_prefix() -> bytes:
    return secrets.token_bytes(6)


def called(subscriber: Subscriber, name: str) -> tuple[str, Author | None]:
    """Returns what somebody who has given this name is called now, and the account."""
    author = subscriber.author
    if author is None:
        return subscriber.guest_name(name), None
    return subscriber.person_name or author.handle, author


OnChange: TypeAlias = Callable[[str, Meta, bool], None]
"""Gets the name and the connection that has come, or that has gone where the last is False."""


class Presence:
    """Owns the people of one room, and what changed among them since the last `changes`."""

    __slots__ = (
        "_connections",
        "_elsewhere",
        "_expected",
        "_joins",
        "_leaves",
        "_listed",
        "_max_connections",
        "_max_listed",
        "_surplus",
        "_told_count",
        "_unlisted",
        "on_change",
    )

    def __init__(self, max_listed: int, max_connections: int = 10) -> None:
        """`max_listed` people are listed, with `max_connections` each."""
        self._max_listed = max_listed
        self._max_connections = max_connections
        self._listed: dict[str, Metas] = {}
        self._unlisted: dict[str, Metas] = {}  # in the order in which they came
        self._surplus: dict[str, OrderedDict[Meta, None]] | None = None  # connections beyond these
        self._connections: dict[Subscriber, tuple[str, Meta]] = {}
        self._elsewhere: dict[str, tuple[str, Meta]] | None = None  # connections to other nodes, by `phx_ref`
        self._expected: dict[str, list[Meta]] | None = None
        self._joins: dict[str, list[Meta]] | None = None
        self._leaves: dict[str, list[Meta]] | None = None
        self._told_count: int | None = None  # the number told last; None where the list is complete
        self.on_change: OnChange | None = None  # told of connections to this node

    def __len__(self) -> int:
        """Returns how many people are present, each counted once."""
        return len(self._listed) + len(self._unlisted)

    @property
    def connections(self) -> int:
        """How many connections these people have."""
        return len(self._connections)

    @property
    def is_crowded(self) -> bool:
        """Whether more people are present than are listed."""
        return bool(self._unlisted)

    @property
    def people(self) -> People:
        """Everybody who is present, with the connections that are listed."""
        return {**self._listed, **self._unlisted}

    @property
    def has_news(self) -> bool:
        """Whether `changes` may return something."""
        return (
            self._joins is not None or self._leaves is not None or bool(self._unlisted) or self._told_count is not None
        )

    def track(self, subscriber: Subscriber, name: str, online_at: int, author: Author | None = None) -> None:
        """Shows a connection of `name`, or of an account of that name, as present since `online_at` (since 1970)."""
        self.untrack(subscriber)  # a join may be handled twice, by a room that fails and by its successor
        if author is None:
            meta = Meta(_next_phx_ref(), online_at)
        else:
            meta, name = Meta(_next_phx_ref(), online_at, author.id, name), label_of(author)
        self._connections[subscriber] = (name, meta)
        if self.on_change is not None:
            self.on_change(name, meta, True)
        if self._expected is not None:
            self._settle_expected(name)
        self._place(name, meta)

    def _place(self, name: str, meta: Meta) -> None:
        roster = self._roster_of(name)
        others = roster[name].metas if name in roster else ()
        if len(others) >= self._max_connections:
            self._add_surplus(name, meta)
            return
        roster[name] = Metas((*others, meta))
        if roster is self._listed:
            self._joins = _with(self._joins, name, meta)

    @property
    def subscribers(self) -> list[Subscriber]:
        """The connections of these people."""
        return list(self._connections)

    def refresh(self, subscriber: Subscriber) -> None:
        """Shows a connection under the name that its person has now. To others the one leaves and the other comes."""
        tracked = self._connections.get(subscriber)
        if tracked is None:
            return
        label, meta = tracked
        name, author = called(subscriber, label)
        if (label, meta.name) != ((name, None) if author is None else (label_of(author), name)):
            self.track(subscriber, name, meta.online_at, author)

    def untrack(self, subscriber: Subscriber) -> None:
        """Shows a connection as gone; does nothing if it was not tracked."""
        if subscriber in self._connections:
            name, meta = self._connections.pop(subscriber)
            if self.on_change is not None:
                self.on_change(name, meta, False)
            self._drop(name, meta)

    def meet(self, name: str, meta: Meta) -> None:
        """Shows a connection to another node as present."""
        if self._elsewhere is None:
            self._elsewhere = {}
        if meta.phx_ref not in self._elsewhere:
            self._elsewhere[meta.phx_ref] = (name, meta)
            self._place(name, meta)

    def miss(self, phx_ref: str) -> None:
        """Shows a connection to another node as gone."""
        met = None if self._elsewhere is None else self._elsewhere.pop(phx_ref, None)
        if met is not None:
            self._drop(*met)

    def expect(self, people: People) -> None:
        """Shows people as present who were when the server stopped, until they come or `drop_expected` is called."""
        self._expected = {name: list(of_name.metas[: self._max_connections]) for name, of_name in people.items()}
        for name, metas in self._expected.items():
            self._roster_of(name)[name] = Metas(tuple(metas))

    def drop_expected(self) -> None:
        """Shows those who were expected and did not come as gone."""
        while self._expected:
            self._settle_expected(next(iter(self._expected)))

    def listed(self, reader: Subscriber | None = None) -> PresenceListed:
        """Returns the listed people, and the `reader` in any case."""
        people = dict(self._listed)
        own = self._connections.get(reader) if reader is not None else None
        if own is not None and own[0] not in people:
            people[own[0]] = self._unlisted[own[0]]
        return PresenceListed(people)

    def counted(self) -> PresenceCounted:
        """Returns how many people are present."""
        return PresenceCounted(len(self))

    def changes(self) -> list[PresenceChanged | PresenceCounted]:
        """Returns what all subscribers have to be told since the last call.

        That is which of the listed people came and left; and the number of people, where the list is incomplete or has
        become complete again. Somebody who came and left in between is in both halves: a client that was just sent the
        list may hold the arrival.
        """
        changes: list[PresenceChanged | PresenceCounted] = []
        if self._joins is not None or self._leaves is not None:
            changes.append(PresenceChanged(joins=_people(self._joins), leaves=_people(self._leaves)))
            self._joins = self._leaves = None
        number = len(self) if self._unlisted else None
        if number != self._told_count:
            changes.append(self.counted())
            self._told_count = number
        return changes

    def _settle_expected(self, name: str) -> None:
        """Drops one connection that was expected under this name: it has come, or is not expected any more."""
        if self._expected is None or name not in self._expected:
            return
        metas = self._expected[name]
        self._drop(name, metas.pop(0))
        if not metas:
            del self._expected[name]
        if not self._expected:
            self._expected = None

    def _roster_of(self, name: str) -> dict[str, Metas]:
        """Returns the dict that holds `name`, or would hold it."""
        if name in self._listed or (name not in self._unlisted and len(self._listed) < self._max_listed):
            return self._listed
        return self._unlisted

    def _add_surplus(self, name: str, meta: Meta) -> None:
        if self._surplus is None:
            self._surplus = {}
        self._surplus.setdefault(name, OrderedDict())[meta] = None

    def _take_surplus(self, name: str, meta: Meta | None = None) -> Meta | None:
        """Removes and returns `meta`, or the oldest, of the connections of `name` that are not listed."""
        if self._surplus is None or name not in self._surplus:
            return None
        surplus = self._surplus[name]
        taken = next(iter(surplus)) if meta is None else meta
        if taken not in surplus:
            return None
        del surplus[taken]
        if not surplus:
            del self._surplus[name]
            self._surplus = self._surplus or None
        return taken

    def _drop(self, name: str, meta: Meta) -> None:
        if self._take_surplus(name, meta) is not None:
            return
        roster = self._roster_of(name)
        if roster is self._listed:
            self._leaves = _with(self._leaves, name, meta)
        rest = tuple(other for other in roster[name].metas if other is not meta)
        following = self._take_surplus(name)
        if following is not None:
            rest = (*rest, following)
            if roster is self._listed:
                self._joins = _with(self._joins, name, following)
        if rest:
            roster[name] = Metas(rest)
        else:
            del roster[name]
            self._fill_list()

    def _fill_list(self) -> None:
        """Gives a free place on the list to the person who has waited longest."""
        while self._unlisted and len(self._listed) < self._max_listed:
            name = next(iter(self._unlisted))
            of_name = self._listed[name] = self._unlisted.pop(name)
            for meta in of_name.metas:
                self._joins = _with(self._joins, name, meta)


def _with(metas: dict[str, list[Meta]] | None, name: str, meta: Meta) -> dict[str, list[Meta]]:
    """Adds `meta`, and makes the dict where there is none: most rooms have no changes most of the time."""
    metas = {} if metas is None else metas
    metas.setdefault(name, []).append(meta)
    return metas


def _people(metas: dict[str, list[Meta]] | None) -> People:
    return {name: Metas(tuple(of_name)) for name, of_name in (metas or {}).items()}
