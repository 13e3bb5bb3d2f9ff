"""Who is here, as Phoenix Presence tells it: people by name, with one meta for each of their connections.

In a crowded room only so many people are listed, the same to everybody: who came first. Whoever is listed and goes is
replaced by the next. So a client of Phoenix Presence holds a list that is right and small, and what one arrival costs
does not grow with the room: 10,000 people who come would otherwise be told to 10,000 people each.
"""

import base64
import functools
import itertools
import secrets

from chatter.messages import Meta, Metas, People, PresenceChanged, PresenceCounted, PresenceListed, Subscriber

_connections = itertools.count()


def _next_phx_ref() -> str:
    """As Phoenix's refs look, and as unique; without asking the kernel for random bytes each time."""
    return base64.urlsafe_b64encode(_this_server() + next(_connections).to_bytes(6)).decode()


@functools.cache  # at the first use: what is imported may be forked
def _this_server() -> bytes:
    return secrets.token_bytes(6)


class Presence:
    """The people of one room, and what changed among them since it was last asked."""

    __slots__ = ("_expected", "_here", "_joins", "_leaves", "_listed", "_most", "_told", "_unlisted")

    def __init__(self, most_listed: int) -> None:
        self._most = most_listed
        self._listed: dict[str, Metas] = {}
        self._unlisted: dict[str, Metas] = {}  # in the order in which they came
        self._here: dict[Subscriber, tuple[str, Meta]] = {}
        self._expected: dict[str, list[Meta]] | None = None
        self._joins: dict[str, list[Meta]] | None = None
        self._leaves: dict[str, list[Meta]] | None = None
        self._told: int | None = None  # how many people; None where the list says it

    def __len__(self) -> int:
        """How many people are here, each counted once."""
        return len(self._listed) + len(self._unlisted)

    @property
    def connections(self) -> int:
        """How many connections these people have."""
        return len(self._here)

    @property
    def is_crowded(self) -> bool:
        """Whether more people are here than are listed."""
        return bool(self._unlisted)

    @property
    def people(self) -> People:
        """Everybody who is here now."""
        return {**self._listed, **self._unlisted}

    @property
    def has_news(self) -> bool:
        """Whether `changes` has something to tell."""
        return self._joins is not None or self._leaves is not None or bool(self._unlisted) or self._told is not None

    def tracks(self, subscriber: Subscriber) -> bool:
        """Whether this connection is shown as here."""
        return subscriber in self._here

    def track(self, subscriber: Subscriber, name: str, online_at: int) -> None:
        """Show a connection of `name` as here since `online_at` (seconds since 1970)."""
        meta = Meta(phx_ref=_next_phx_ref(), online_at=online_at)
        self._here[subscriber] = (name, meta)
        if self._expected is not None:
            self._meet(name)
        page = self._page_of(name)
        others = page[name].metas if name in page else ()
        page[name] = Metas((*others, meta))
        if page is self._listed:
            self._joins = _with(self._joins, name, meta)

    def untrack(self, subscriber: Subscriber) -> None:
        """Show a connection as gone; nothing happens if it was not tracked."""
        if subscriber in self._here:
            self._drop(*self._here.pop(subscriber))

    def expect(self, people: People) -> None:
        """Show people as here who were when the server stopped, until they come or `expect_nobody` is called."""
        for name, of_name in people.items():
            self._page_of(name)[name] = of_name
        self._expected = {name: list(of_name.metas) for name, of_name in people.items()}

    def expect_nobody(self) -> None:
        """Those who did not come back are gone."""
        while self._expected:
            self._meet(next(iter(self._expected)))

    def listed(self, reader: Subscriber | None = None) -> PresenceListed:
        """Everybody who is listed now, and the `reader` whether listed or not."""
        people = dict(self._listed)
        own = self._here.get(reader) if reader is not None else None
        if own is not None and own[0] not in people:
            people[own[0]] = self._unlisted[own[0]]
        return PresenceListed(people)

    def counted(self) -> PresenceCounted:
        """How many people are here."""
        return PresenceCounted(len(self))

    def changes(self) -> list[PresenceChanged | PresenceCounted]:
        """What everybody has to be told since the last call: who came and went, of those who are listed; and how many
        there are, where not all are listed, or are again.

        One who came and went in between is in both halves: a client that was just sent the list may hold the coming.
        """
        changes: list[PresenceChanged | PresenceCounted] = []
        if self._joins is not None or self._leaves is not None:
            changes.append(PresenceChanged(joins=_people(self._joins), leaves=_people(self._leaves)))
            self._joins = self._leaves = None
        number = len(self) if self._unlisted else None
        if number != self._told:
            changes.append(self.counted())
            self._told = number
        return changes

    def _meet(self, name: str) -> None:
        """One of the connections that were expected under this name has come, or is not expected any more."""
        if self._expected is None or name not in self._expected:
            return
        metas = self._expected[name]
        self._drop(name, metas.pop(0))
        if not metas:
            del self._expected[name]
        if not self._expected:
            self._expected = None

    def _page_of(self, name: str) -> dict[str, Metas]:
        """Where somebody of that name stands, or will stand."""
        if name in self._listed or (name not in self._unlisted and len(self._listed) < self._most):
            return self._listed
        return self._unlisted

    def _drop(self, name: str, meta: Meta) -> None:
        page = self._page_of(name)
        if page is self._listed:
            self._leaves = _with(self._leaves, name, meta)
        rest = tuple(other for other in page[name].metas if other is not meta)
        if rest:
            page[name] = Metas(rest)
        else:
            del page[name]
            self._fill_list()

    def _fill_list(self) -> None:
        """Who has waited longest takes a free place on the list."""
        while self._unlisted and len(self._listed) < self._most:
            name = next(iter(self._unlisted))
            of_name = self._listed[name] = self._unlisted.pop(name)
            for meta in of_name.metas:
                self._joins = _with(self._joins, name, meta)


def _with(metas: dict[str, list[Meta]] | None, name: str, meta: Meta) -> dict[str, list[Meta]]:
    """`metas` and this one: no dict is kept while there is nothing to keep."""
    metas = {} if metas is None else metas
    metas.setdefault(name, []).append(meta)
    return metas


def _people(metas: dict[str, list[Meta]] | None) -> People:
    return {name: Metas(tuple(of_name)) for name, of_name in (metas or {}).items()}
