"""The committer: commits batches, and isolates a message that the database can never take."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from chatter.messages import NotSaved, Posted, Save
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.records import object_of, posted_of, row_of
from chatter.storage.room_activity import RoomActivity
from schema import Fence, Message, MessageRow, RowRefused, void_row


class PlaceRefused(Exception):
    """The database takes neither a message nor the void row that would keep its place. The message is one line."""

    def __init__(self, save: Save, void: MessageRow, message_error: RowRefused, void_error: RowRefused) -> None:
        super().__init__(
            f"room {save.slug}: the database takes neither message {void.seq} ({message_error}) nor a row without name"
            f" and text in its place ({void_error}): remove or change what forbids that row"
        )
        self.slug = save.slug


class Committer:
    """Commits what rooms said. A refused message goes to the dead letters, and a void row keeps its place."""

    def __init__(self, dead_letters: DeadLetters, fence: Fence | None = None) -> None:
        """`fence` is None only where nobody else can write to the database."""
        self._dead_letters = dead_letters
        self._fence = fence
        self._activity = RoomActivity()

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
            return self._commit_or_isolate(missing, guard)
        return []

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
        times = self._activity.due({save.slug: save.messages[-1].inserted_at for save in saves})
        rows = ((save.slug, save.epoch, [row_of(posted) for posted in save.messages]) for save in saves)
        with guard:
            Message.save_all(rows, self._fence, times)
        self._activity.stored(times)

    def _isolate(
        self, saves: Sequence[Save], error: RowRefused, guard: AbstractContextManager[None]
    ) -> list[tuple[Save, NotSaved]]:
        """Bisects the batch: a refused message costs a few small transactions, and its neighbours nothing."""
        if len(saves) > 1:
            middle = len(saves) // 2
            halves = (saves[:middle], saves[middle:])
            return [refused for half in halves for refused in self._commit_or_isolate(half, guard)]
        save = saves[0]
        if len(save.messages) > 1:
            middle = len(save.messages) // 2
            parts = (save.messages[:middle], save.messages[middle:])
            return self._isolate([Save(save.room, save.slug, save.epoch, part) for part in parts], error, guard)
        with guard:
            refused = self._void(save, save.messages[0], error)
        return [] if refused is None else [(save, refused)]

    def _void(self, save: Save, posted: Posted, error: RowRefused) -> NotSaved | None:
        """Voids the place of a refused message. A try that failed half-way may have done part of this already."""
        there = Message.at(save.slug, posted.seq)
        if there is not None and there.id == posted.id and there.name == posted.name:
            return None  # it was committed, and only the news of that was lost
        first = Message.by_client_id(save.slug, posted.name, posted.id)
        void = void_row(posted.seq, posted.inserted_at)

        def put_aside() -> None:
            if first is None:
                self._dead_letters.put(object_of(save, posted), _reason(error, there))

        if there is None:
            self._save_void(save, void, error, put_aside)
        elif there.id != void.id:
            put_aside()
        return NotSaved(posted_of(void), first and posted_of(first))

    def _save_void(self, save: Save, void: MessageRow, error: RowRefused, put_aside: Callable[[], None]) -> None:
        """Puts the message aside when its void row is in the transaction: it is written down before its place is void.

        A message whose void row is refused too stays with the room: what is refused may not be the message.
        """
        try:
            Message.save_all([(save.slug, save.epoch, [void])], self._fence, before_commit=put_aside)
        except RowRefused as refused:
            raise PlaceRefused(save, void, error, refused) from refused


def _missing(saves: Sequence[Save]) -> list[Save]:
    """Returns what is not in its place yet. All of a batch is where it was committed, and only the news was lost."""
    seqs: dict[str, list[int]] = {}
    for save in saves:
        seqs.setdefault(save.slug, []).extend(posted.seq for posted in save.messages)
    there = Message.senders([(slug, min(of_room), max(of_room)) for slug, of_room in seqs.items()])
    missing = []
    for save in saves:
        messages = tuple(each for each in save.messages if there.get((save.slug, each.seq)) != (each.name, each.id))
        if messages:
            missing.append(Save(save.room, save.slug, save.epoch, messages))
    return missing


def _reason(error: RowRefused, there: MessageRow | None) -> str:
    return str(error) if there is None else f"its place is taken by another message, {there.id!r} of {there.name!r}"
