"""The committer: commits batches, and isolates a message that the database can never take."""

from collections.abc import Sequence

from chatter.messages import NotSaved, Posted, Save
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.records import object_of, posted_of, row_of
from chatter.storage.room_activity import RoomActivity
from schema import Fence, Message, MessageRow, RowRefused, void_row


class Committer:
    """Commits what rooms said. A refused message goes to the dead letters, and a void row keeps its place."""

    def __init__(self, dead_letters: DeadLetters, fence: Fence | None = None) -> None:
        """`fence` is None only where nobody else can write to the database."""
        self._dead_letters = dead_letters
        self._fence = fence
        self._activity = RoomActivity()

    def commit(self, saves: Sequence[Save]) -> list[tuple[Save, NotSaved]]:
        """Commits `saves` in their order, and returns the refused messages, whose places are void now.

        Raises `Superseded`, `WentBack`, or what the driver raises where another try may help. What was committed before
        that may be tried again.
        """
        try:
            self._save(saves)
        except RowRefused as error:
            return self._isolate(saves, error)
        return []

    def _save(self, saves: Sequence[Save]) -> None:
        times = self._activity.due({save.slug: save.messages[-1].inserted_at for save in saves})
        rows = ((save.slug, save.epoch, [row_of(posted) for posted in save.messages]) for save in saves)
        Message.save_all(rows, self._fence, times)
        self._activity.stored(times)

    def _isolate(self, saves: Sequence[Save], error: RowRefused) -> list[tuple[Save, NotSaved]]:
        """Bisects the batch: a refused message costs a few small transactions, and its neighbours nothing."""
        if len(saves) > 1:
            middle = len(saves) // 2
            return self.commit(saves[:middle]) + self.commit(saves[middle:])
        save = saves[0]
        if len(save.messages) > 1:
            middle = len(save.messages) // 2
            halves = (save.messages[:middle], save.messages[middle:])
            return [
                (save, refused)
                for half in halves
                for _, refused in self.commit([Save(save.room, save.slug, save.epoch, half)])
            ]
        refused = self._void(save, save.messages[0], error)
        return [] if refused is None else [(save, refused)]

    def _void(self, save: Save, posted: Posted, error: RowRefused) -> NotSaved | None:
        """Voids the place of a refused message. A try that failed half-way may have done part of this already."""
        there = Message.at(save.slug, posted.seq)
        if there is not None and there.id == posted.id and there.name == posted.name:
            return None  # it was committed, and only the news of that was lost
        first = Message.by_client_id(save.slug, posted.name, posted.id)
        void = void_row(posted.seq, posted.inserted_at)
        was_voided = there is not None and there.id == void.id
        if first is None and not was_voided:
            self._dead_letters.put(object_of(save, posted), _reason(error, there))
        if there is None:
            Message.save_all([(save.slug, save.epoch, [void])], self._fence)
        return NotSaved(posted_of(void), first and posted_of(first))


def _reason(error: RowRefused, there: MessageRow | None) -> str:
    return str(error) if there is None else f"its place is taken by another message, {there.id!r} of {there.name!r}"
