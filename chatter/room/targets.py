"""Targets: the messages that operations and replies are about, as they are now, with everybody who reacted to them."""

from collections.abc import Callable, Container, Iterable

from chatter.charter import Author
from chatter.messages import Deleted, Entry, Posted, Purged, Reacted, TargetLoaded
from chatter.room.fold import fold, shown, target_of
from chatter.room.reactions import Reactors
from chatter.room.recent_entries import RecentEntries

MOST = 128
"""Messages outside of the room's memory, and lists of reactions, that are kept after they were read."""

_NONE_READ: dict[int, Posted] = {}
_NO_REACTORS: dict[int, Reactors] = {}
"""Never written to: most rooms never need dicts of their own, which take 64 bytes each."""


class Targets:
    """Finds a message in the room's memory, or among those that were read from the database."""

    __slots__ = ("_reactors", "_read", "_recent")

    def __init__(self, recent: RecentEntries) -> None:
        self._recent = recent
        self._read: dict[int, Posted] = _NONE_READ
        self._reactors: dict[int, Reactors] = _NO_REACTORS

    def find(self, seq: int) -> Posted | None:
        """Returns a message as it is now; None where it is not known, or in that place is none."""
        entry = self._recent.at(seq)
        if entry is not None:
            return entry if isinstance(entry, Posted) and not entry.void else None
        return self._read.get(seq)

    def is_known(self, seq: int) -> bool:
        """Returns whether it is known what is in that place."""
        return seq > self._recent.newest or self._recent.at(seq) is not None or seq in self._read

    def reactors(self, posted: Posted) -> Reactors | None:
        """Returns everybody who reacted to a message; None where the database has to be asked."""
        reactors = self._reactors.get(posted.seq)
        if reactors is None and not (posted.state and posted.state.reactions) and self._recent.at(posted.seq):
            reactors = self._keep_reactors(posted.seq, Reactors())
        return reactors

    def learn(self, loaded: TargetLoaded) -> None:
        """Keeps what the database has answered, brought up to what was not saved when it was asked."""
        if loaded.posted is not None:
            self.add((loaded.posted,))
        if loaded.reactions is not None:
            reactors = Reactors()
            for key, person, seq in loaded.reactions:
                reactors.change(key, (person,), (), seq)
            for entry in self._recent.changes_of(loaded.target):
                if isinstance(entry, Reacted):
                    reactors.apply(entry)
            reactors.sort()
            self._keep_reactors(loaded.target, reactors)

    def add(self, messages: Iterable[Posted]) -> None:
        """Keeps messages that were read from the database, with what was not saved then. A void place is none."""
        for posted in messages:
            if not posted.void and self._recent.at(posted.seq) is None:
                if self._read is _NONE_READ:
                    self._read = {}
                (self._read[posted.seq],) = self._recent.as_now((posted,))

    def apply(self, entry: Entry) -> None:
        """Folds an entry into what is known of a message outside of the room's memory, and of its reactions.

        After a purge, which may have touched any of them, the database is asked again.
        """
        if isinstance(entry, Purged):
            self._read, self._reactors = _NONE_READ, _NO_REACTORS
            return
        seq = target_of(entry)
        assert seq is not None
        if (posted := self._read.get(seq)) is not None:
            self._read[seq] = shown(posted, fold(posted.state, entry))
        if isinstance(entry, Reacted) and (reactors := self._reactors.get(seq)) is not None:
            reactors.apply(entry)
        elif isinstance(entry, Deleted):
            self._reactors.pop(seq, None)

    def rename(self, account: Author) -> None:
        """Gives an account among those who reacted the handle that it has now."""
        for reactors in self._reactors.values():
            reactors.rename(account)

    def forget(self, seq: int) -> None:
        """Drops what is known of a message, since an entry that was about it could not be saved."""
        self._read.pop(seq, None)
        self._reactors.pop(seq, None)

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        read, reactors = dict(self._read), dict(self._reactors)
        restores = [each.snapshot() for each in reactors.values()]

        def restore() -> None:
            self._read, self._reactors = read or _NONE_READ, reactors or _NO_REACTORS
            for restore_reactors in restores:
                restore_reactors()

        return restore

    def trim(self, in_use: Container[int]) -> None:
        """Drops what was read longest ago, but none that is in use."""
        for kept in (self._read, self._reactors):
            for seq in list(kept)[: max(len(kept) - MOST, 0)]:
                if seq not in in_use:
                    del kept[seq]

    def _keep_reactors(self, seq: int, reactors: Reactors) -> Reactors:
        if self._reactors is _NO_REACTORS:
            self._reactors = {}
        self._reactors[seq] = reactors
        return reactors
