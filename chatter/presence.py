"""Who is here, as Phoenix Presence tells it: people by name, with one meta for each of their connections.

In a crowded room only so many people are listed, the same to everybody: who came first. Whoever is listed and goes is
replaced by the next. So a client of Phoenix Presence holds a list that is right and small, and what one arrival costs
does not grow with the room: 10,000 people who come would otherwise be told to 10,000 people each.
"""

import base64
import itertools
import secrets

from chatter.messages import Meta, Metas, People, PresenceChanged, PresenceCounted, PresenceListed, Subscriber

_SERVER = secrets.token_bytes(6)
_connections = itertools.count()


def _next_phx_ref() -> str:
    """As Phoenix's refs look, and as unique; without asking the kernel for random bytes each time."""
    return base64.urlsafe_b64encode(_SERVER + next(_connections).to_bytes(6)).decode()


class Presence:
    """The people of one room, and what changed among them since it was last asked."""

    __slots__ = ("_expected", "_here", "_joins", "_leaves", "_most", "_people", "_told", "_unlisted")

    def __init__(self, most_listed: int) -> None:
        self._most = most_listed
        self._people: dict[str, Metas] = {}
        self._here: dict[Subscriber, tuple[str, Meta]] = {}
        self._unlisted: dict[str, None] = {}  # in the order in which they came
        self._expected: dict[str, list[Meta]] | None = None
        self._joins: dict[str, list[Meta]] | None = None
        self._leaves: dict[str, list[Meta]] | None = None
        self._told: int | None = None  # how many people; None where the list says it

    def __len__(self) -> int:
        """How many people are here, each counted once."""
        return len(self._people)

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
        return dict(self._people)

    def tracks(self, subscriber: Subscriber) -> bool:
        """Whether this connection is shown as here."""
        return subscriber in self._here

    def track(self, subscriber: Subscriber, name: str, online_at: int) -> None:
        """Show a connection of `name` as here since `online_at` (seconds since 1970)."""
        meta = Meta(phx_ref=_next_phx_ref(), online_at=online_at)
        self._here[subscriber] = (name, meta)
        if self._expected is not None:
            self._meet(name)
        others = self._people.get(name)
        self._people[name] = Metas((meta,) if others is None else (*others.metas, meta))
        if others is None and len(self._people) - len(self._unlisted) > self._most:
            self._unlisted[name] = None
        self._note_join(name, meta)

    def untrack(self, subscriber: Subscriber) -> None:
        """Show a connection as gone; nothing happens if it was not tracked."""
        if subscriber in self._here:
            self._drop(*self._here.pop(subscriber))

    def expect(self, people: People) -> None:
        """Show people as here who were when the server stopped, until they come or `expect_nobody` is called."""
        self._people.update(people)
        self._expected = {name: list(of_name.metas) for name, of_name in people.items()}
        self._unlisted.update(dict.fromkeys(list(people)[self._most :]))

    def expect_nobody(self) -> None:
        """Those who did not come back are gone."""
        while self._expected:
            self._meet(next(iter(self._expected)))

    def listed(self, reader: Subscriber | None = None) -> PresenceListed:
        """Everybody who is listed now, and the `reader` whether listed or not."""
        if not self._unlisted:
            return PresenceListed(dict(self._people))
        own = self._here.get(reader, (None,))[0] if reader is not None else None
        return PresenceListed(
            {name: metas for name, metas in self._people.items() if name not in self._unlisted or name == own}
        )

    def counted(self) -> PresenceCounted:
        """How many people are here."""
        return PresenceCounted(len(self._people))

    def changes(self) -> list[PresenceChanged | PresenceCounted]:
        """What everybody has to be told since the last call: who came and went, of those who are listed; and how many
        there are, where not all are listed, or are again.

        One who came and went in between is in both halves: a client that was just sent the list may hold the coming.
        """
        changes: list[PresenceChanged | PresenceCounted] = []
        if self._joins is not None or self._leaves is not None:
            changes.append(PresenceChanged(joins=_people(self._joins), leaves=_people(self._leaves)))
            self._joins = self._leaves = None
        number = len(self._people) if self._unlisted else None
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

    def _drop(self, name: str, meta: Meta) -> None:
        if name not in self._unlisted:
            if self._leaves is None:
                self._leaves = {}
            self._leaves.setdefault(name, []).append(meta)
        rest = tuple(other for other in self._people[name].metas if other is not meta)
        if rest:
            self._people[name] = Metas(rest)
        else:
            del self._people[name]
            self._fill_list(name)

    def _fill_list(self, gone: str) -> None:
        """Somebody left: the one who has waited longest takes a free place on the list."""
        if gone in self._unlisted:
            del self._unlisted[gone]
        elif self._unlisted:
            name = next(iter(self._unlisted))
            del self._unlisted[name]
            for meta in self._people[name].metas:
                self._note_join(name, meta)

    def _note_join(self, name: str, meta: Meta) -> None:
        if name in self._unlisted:
            return
        if self._joins is None:
            self._joins = {}
        self._joins.setdefault(name, []).append(meta)


def _people(metas: dict[str, list[Meta]] | None) -> People:
    return {name: Metas(tuple(of_name)) for name, of_name in (metas or {}).items()}
