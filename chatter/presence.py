"""Who is here, as Phoenix Presence tells it: people by name, with one meta for each of their connections."""

import secrets

from chatter.messages import Meta, Metas, People, PresenceChanged, PresenceListed, Subscriber


class Presence:
    """The people of one room, and what changed among them since `changed` was last asked."""

    def __init__(self) -> None:
        self._people: dict[str, dict[Subscriber, Meta]] = {}
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

    def track(self, subscriber: Subscriber, name: str, online_at: int) -> None:
        """Show a connection of `name` as here since `online_at` (seconds since 1970)."""
        meta = Meta(phx_ref=secrets.token_urlsafe(12), online_at=online_at)
        self._names[subscriber] = name
        self._people.setdefault(name, {})[subscriber] = meta
        self._joins.setdefault(name, []).append(meta)

    def untrack(self, subscriber: Subscriber) -> None:
        """Show a connection as gone; nothing happens if it was not tracked."""
        name = self._names.pop(subscriber, None)
        if name is None:
            return
        metas = self._people[name]
        self._leaves.setdefault(name, []).append(metas.pop(subscriber))
        if not metas:
            del self._people[name]

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


def _people(metas: dict[str, list[Meta]]) -> People:
    return {name: Metas(tuple(of_name)) for name, of_name in metas.items()}
