"""The committer: commits batches, and isolates a message that the database can never take."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext

from chatter.clock import SECOND, to_iso, wall_clock
from chatter.messages import Deleted, NotSaved, Purged, Save
from chatter.messages import Entry as LogEntry
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.records import entry_of, object_of, posted_of, row_of
from schema import Database, Entry, EntryRow, Fence, Removed, RoomIds, RowRefused, void_row
from schema.database import drop_old_pages

_DELETING = (Deleted, Purged)


class PlaceRefused(Exception):
    """The database takes neither a message nor the void row that would keep its place. The message is one line."""

    def __init__(self, save: Save, void: EntryRow, message_error: RowRefused, void_error: RowRefused) -> None:
        super().__init__(
            f"room {save.slug}: the database takes neither message {void.seq} ({message_error}) nor a row without name"
            f" and text in its place ({void_error}): remove or change what forbids that row"
        )
        self.slug = save.slug


class Committer:
    """Commits what rooms said. A refused entry goes to the dead letters, and a void row keeps its place."""

    def __init__(self, dead_letters: DeadLetters, fence: Fence | None = None, *, removed_days: float = 0.0) -> None:
        """`fence` is None only where nobody else can write to the database.

        The text of a deleted message is put aside for `removed_days`.
        """
        self._dead_letters = dead_letters
        self._fence = fence
        self._removed_days = removed_days
        self._has_deleted = False  # text may still be in SQLite's log
        self._ids = RoomIds()

    def commit(
        self, saves: Sequence[Save], guard: AbstractContextManager[None] | None = None
    ) -> list[tuple[Save, NotSaved]]:
        """Commits `saves` in their order, and returns the refused messages, whose places are void now.

        `guard` bounds the time of each transaction. Raises `Superseded`, `WentBack`, or, where another try may help,
        `PlaceRefused` and what the driver raises. What was committed before that may be tried again.
        """
        guard = guard or nullcontext()
        try:
            self._save(saves, guard)
        except RowRefused:
            with guard:
                missing = _missing(saves)
            refused = self._commit_or_isolate(missing, guard)
            self._drop_texts(saves, {(save.slug, each.void.seq) for save, each in refused})
            return refused
        return []

    def tidy(self, database: Database) -> None:
        """Drops the texts that were put aside for long enough, and what SQLite's log still has of others.

        Raises as `commit` does.
        """
        before = to_iso(wall_clock() - round(self._removed_days * 86_400 * SECOND))
        if Removed.drop(before, self._fence):
            self._has_deleted = True
        if self._has_deleted:
            self._has_deleted = not drop_old_pages(database)

    def forget(self, account: int, database: Database, *, erases: bool) -> None:
        """Drops what the dead letters and SQLite's log still have of an account that has left.

        Raises `OSError`, and what the driver raises.
        """
        self._dead_letters.forget(account, erases=erases)
        self._has_deleted = not drop_old_pages(database)

    def _commit_or_isolate(
        self, saves: Sequence[Save], guard: AbstractContextManager[None]
    ) -> list[tuple[Save, NotSaved]]:
        try:
            if saves:
                self._save(saves, guard)
        except RowRefused as error:
            return self._isolate(saves, error, guard)
        return []

    def _save(self, saves: Sequence[Save], guard: AbstractContextManager[None]) -> None:
        rows = [(save.slug, save.epoch, [row_of(entry) for entry in save.entries]) for save in saves]
        with guard:
            Entry.save_all(rows, self._fence, self._ids, keeps_removed=self._removed_days > 0)
        self._drop_texts(saves)

    def _drop_texts(self, saves: Sequence[Save], refused: Collection[tuple[str, int]] = ()) -> None:
        """Drops the texts of what is deleted from the dead letters, also where an earlier try has committed that."""
        for save in saves:
            for entry in save.entries:
                if not isinstance(entry, _DELETING) or (save.slug, entry.seq) in refused:
                    continue
                self._has_deleted = True
                if isinstance(entry, Deleted):
                    self._dead_letters.blank(save.slug, entry.target)

    def _isolate(
        self, saves: Sequence[Save], error: RowRefused, guard: AbstractContextManager[None]
    ) -> list[tuple[Save, NotSaved]]:
        """Bisects the batch: a refused message costs a few small transactions, and its neighbours nothing."""
        if len(saves) > 1:
            middle = len(saves) // 2
            halves = (saves[:middle], saves[middle:])
            return [refused for half in halves for refused in self._commit_or_isolate(half, guard)]
        save = saves[0]
        if len(save.entries) > 1:
            middle = len(save.entries) // 2
            parts = (save.entries[:middle], save.entries[middle:])
            return self._isolate([Save(save.room, save.slug, save.epoch, part) for part in parts], error, guard)
        with guard:
            refused = self._void(save, save.entries[0], error)
        return [] if refused is None else [(save, refused)]

    def _void(self, save: Save, entry: LogEntry, error: RowRefused) -> NotSaved | None:
        """Voids the place of a refused message. A try that failed half-way may have done part of this already."""
        there = Entry.at(save.slug, entry.seq)
        if there is not None and there.id == entry.id and there.owner == entry.owner:
            return None  # it was committed, and only the news of that was lost
        first = Entry.by_client_id(save.slug, entry.owner, entry.id)
        void = void_row(entry.seq, entry.inserted_at, entry.nth)

        def put_aside() -> None:
            if first is None:
                self._dead_letters.put(object_of(save, entry), _reason(error, there))

        if there is None:
            self._save_void(save, void, error, put_aside)
        elif there.id != void.id:
            put_aside()
        return NotSaved(posted_of(void), first and entry_of(first))

    def _save_void(self, save: Save, void: EntryRow, error: RowRefused, put_aside: Callable[[], None]) -> None:
        """Puts the message aside when its void row is in the transaction: it is written down before its place is void.

        A message whose void row is refused too stays with the room: what is refused may not be the message.
        """
        try:
            Entry.save_all([(save.slug, save.epoch, [void])], self._fence, self._ids, before_commit=put_aside)
        except RowRefused as refused:
            raise PlaceRefused(save, void, error, refused) from refused


def _missing(saves: Sequence[Save]) -> list[Save]:
    """Returns what is not in its place yet. All of a batch is where it was committed, and only the news was lost."""
    seqs: dict[str, list[int]] = {}
    for save in saves:
        seqs.setdefault(save.slug, []).extend(entry.seq for entry in save.entries)
    there = Entry.owners([(slug, min(of_room), max(of_room)) for slug, of_room in seqs.items()])
    missing = []
    for save in saves:
        entries = tuple(each for each in save.entries if there.get((save.slug, each.seq)) != (each.owner, each.id))
        if entries:
            missing.append(Save(save.room, save.slug, save.epoch, entries))
    return missing


def _reason(error: RowRefused, there: EntryRow | None) -> str:
    """Returns why an entry was refused. The row that PostgreSQL quotes goes: the letter has it, and may be blanked."""
    if there is None:
        return str(error).partition(" DETAIL:")[0]
    return f"its place is taken by another entry, {there.id!r} of {there.name!r}"
