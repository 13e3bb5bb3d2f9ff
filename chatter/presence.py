"""Who is here, as Phoenix Presence tells it: people by name, with one meta for each of their connections."""

import secrets

from chatter.messages import Meta, Metas, People, PresenceChanged, PresenceListed, Subscriber


class Presence:
    """The people of one room, and what changed among them since `changed` was last asked."""

    def __init__(self) -> None:
        self._people: dict[str, dict[object, Meta]] = {}  # metas by the subscriber, or by a token for one expected
        self._expected: dict[str, list[object]] = {}
        self._names: dict[Subscriber, str] = {}
        self._joins: dict[str, list[Meta]] = {}
        self._leaves: dict[str, list[Meta]] = {}

    def __len__(self) -> int:
        """How many people are here, each counted once."""
        return len(self._people)

    @property
    def connections(self) -> int:
        """How many connections these people have."""
        return len(self._names)

    def tracks(self, subscriber: Subscriber) -> bool:
        """Whether this connection is shown as here."""
        return subscriber in self._names

    def track(self, subscriber: Subscriber, name: str, online_at: int) -> None:
        """Show a connection of `name` as here since `online_at` (seconds since 1970)."""
        meta = Meta(phx_ref=secrets.token_urlsafe(12), online_at=online_at)
        self._names[subscriber] = name
        if self._expected:
            self._meet(name)
        self._people.setdefault(name, {})[subscriber] = meta
        self._joins.setdefault(name, []).append(meta)

    def untrack(self, subscriber: Subscriber) -> None:
        """Show a connection as gone; nothing happens if it was not tracked."""
        name = self._names.pop(subscriber, None)
        if name is None:
            return
        self._drop(name, subscriber)

    def expect(self, people: People) -> None:
        """Show people as here who were when the server stopped, until they come or `expect_nobody` is called."""
        for name, of_name in people.items():
            tokens = self._expected[name] = [object() for _ in of_name.metas]
            self._people[name] = dict(zip(tokens, of_name.metas, strict=True))

    def expect_nobody(self) -> None:
        """Those who did not come back are gone."""
        for name in list(self._expected):
            while name in self._expected:
                self._meet(name)

    def listed(self) -> PresenceListed:
        """Everybody who is here now."""
        return PresenceListed({name: Metas(tuple(metas.values())) for name, metas in self._people.items()})

    def changed(self) -> PresenceChanged | None:
        """What changed since the last call, or None.

        One who came and went in between is in both halves: a client that was just sent the list may hold the coming.
        """
        if not self._joins and not self._leaves:
            return None
        change = PresenceChanged(joins=_people(self._joins), leaves=_people(self._leaves))
        self._joins, self._leaves = {}, {}
        return change

    def _meet(self, name: str) -> None:
        """One of the connections that were expected under this name has come, or is not expected any more."""
        tokens = self._expected.get(name)
        if tokens is None:
            return
        self._drop(name, tokens.pop(0))
        if not tokens:
            del self._expected[name]

    def _drop(self, name: str, key: object) -> None:
        metas = self._people[name]
        self._leaves.setdefault(name, []).append(metas.pop(key))
        if not metas:
            del self._people[name]


def _people(metas: dict[str, list[Meta]]) -> People:
    return {name: Metas(tuple(of_name)) for name, of_name in metas.items()}
