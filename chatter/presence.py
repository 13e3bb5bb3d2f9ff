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
    """The people of one room, and what changed among them since `changed` was last asked."""

    __slots__ = ("_expected", "_joins", "_leaves", "_most", "_names", "_people", "_unlisted")

    def __init__(self, most_listed: int) -> None:
        self._most = most_listed
        self._people: dict[str, list[tuple[object, Meta]]] = {}  # by the subscriber, or by a token for one expected
        self._unlisted: dict[str, None] = {}  # in the order in which they came
        self._expected: dict[str, list[object]] | None = None
        self._names: dict[Subscriber, str] = {}
        self._joins: dict[str, list[Meta]] | None = None
        self._leaves: dict[str, list[Meta]] | None = None

    def __len__(self) -> int:
        """How many people are here, each counted once."""
        return len(self._people)

    @property
    def connections(self) -> int:
        """How many connections these people have."""
        return len(self._names)

    @property
    def is_crowded(self) -> bool:
        """Whether more people are here than are listed."""
        return bool(self._unlisted)

    def tracks(self, subscriber: Subscriber) -> bool:
        """Whether this connection is shown as here."""
        return subscriber in self._names

    def track(self, subscriber: Subscriber, name: str, online_at: int) -> None:
        """Show a connection of `name` as here since `online_at` (seconds since 1970)."""
        meta = Meta(phx_ref=_next_phx_ref(), online_at=online_at)
        self._names[subscriber] = name
        if self._expected is not None:
            self._meet(name)
        if name not in self._people:
            self._people[name] = []
            if len(self._people) - len(self._unlisted) > self._most:
                self._unlisted[name] = None
        self._people[name].append((subscriber, meta))
        self._note_join(name, meta)

    def untrack(self, subscriber: Subscriber) -> None:
        """Show a connection as gone; nothing happens if it was not tracked."""
        name = self._names.pop(subscriber, None)
        if name is not None:
            self._drop(name, subscriber)

    def expect(self, people: People) -> None:
        """Show people as here who were when the server stopped, until they come or `expect_nobody` is called."""
        self._expected = {}
        for name, of_name in people.items():
            tokens = self._expected[name] = [object() for _ in of_name.metas]
            self._people[name] = list(zip(tokens, of_name.metas, strict=True))
        self._unlisted.update(dict.fromkeys(list(self._people)[self._most :]))

    def expect_nobody(self) -> None:
        """Those who did not come back are gone."""
        for name in list(self._expected or ()):
            while self._expected is not None and name in self._expected:
                self._meet(name)

    def listed(self, reader: Subscriber | None = None) -> PresenceListed:
        """Everybody who is listed now, and the `reader` whether listed or not."""
        own = self._names.get(reader) if reader is not None else None
        return PresenceListed(
            {
                name: _metas(of_name)
                for name, of_name in self._people.items()
                if name not in self._unlisted or name == own
            }
        )

    def all(self) -> People:
        """Everybody who is here now."""
        return {name: _metas(of_name) for name, of_name in self._people.items()}

    def counted(self) -> PresenceCounted:
        """How many people are here."""
        return PresenceCounted(len(self._people))

    def changed(self) -> PresenceChanged | None:
        """What changed since the last call among those who are listed, or None.

        One who came and went in between is in both halves: a client that was just sent the list may hold the coming.
        """
        if self._joins is None and self._leaves is None:
            return None
        change = PresenceChanged(joins=_people(self._joins), leaves=_people(self._leaves))
        self._joins = self._leaves = None
        return change

    def _meet(self, name: str) -> None:
        """One of the connections that were expected under this name has come, or is not expected any more."""
        tokens = self._expected.get(name) if self._expected is not None else None
        if tokens is None:
            return
        self._drop(name, tokens.pop(0))
        assert self._expected is not None
        if not tokens:
            del self._expected[name]
        if not self._expected:
            self._expected = None

    def _drop(self, name: str, key: object) -> None:
        of_name = self._people[name]
        at = next(place for place, (owner, _) in enumerate(of_name) if owner is key)
        _, meta = of_name.pop(at)
        if name not in self._unlisted:
            if self._leaves is None:
                self._leaves = {}
            self._leaves.setdefault(name, []).append(meta)
        if not of_name:
            del self._people[name]
            self._fill_list(name)

    def _fill_list(self, gone: str) -> None:
        """Somebody left: the one who has waited longest takes a free place on the list."""
        if gone in self._unlisted:
            del self._unlisted[gone]
        elif self._unlisted:
            name = next(iter(self._unlisted))
            del self._unlisted[name]
            for _, meta in self._people[name]:
                self._note_join(name, meta)

    def _note_join(self, name: str, meta: Meta) -> None:
        if name in self._unlisted:
            return
        if self._joins is None:
            self._joins = {}
        self._joins.setdefault(name, []).append(meta)


def _metas(of_name: list[tuple[object, Meta]]) -> Metas:
    return Metas(tuple(meta for _, meta in of_name))


def _people(metas: dict[str, list[Meta]] | None) -> People:
    return {name: Metas(tuple(of_name)) for name, of_name in (metas or {}).items()}
