"""Repeaters: clients that used an id a second time, long after the first, and so made a void place."""

from collections.abc import Collection, Iterable

from chatter.messages import Asker, Subscriber


class Repeaters:
    """Owns these clients of one room, and who said what is not committed and awaits no answer.

    Without this a client could void places at will: ids that it used more than `id_memory_size` messages ago.
    """

    __slots__ = ("_repeaters", "_senders")

    def __init__(self) -> None:
        self._repeaters: set[Asker] = set()
        self._senders: dict[int, Subscriber] = {}  # by seq, in ascending order

    def __len__(self) -> int:
        return len(self._repeaters)

    def __contains__(self, sender: Asker) -> bool:
        """Returns whether the ids of this client are to be looked up before it says anything."""
        return sender in self._repeaters

    def copy(self) -> "Repeaters":
        """Returns others that begin with the same clients."""
        other = Repeaters()
        other._repeaters, other._senders = {*self._repeaters}, {**self._senders}
        return other

    def sender_of(self, seq: int) -> Subscriber | None:
        """Returns who said a message that was answered before it is committed."""
        return self._senders.get(seq)

    def add_said(self, seq: int, sender: Subscriber) -> None:
        """Notes who said a message that is answered before it is committed."""
        self._senders[seq] = sender

    def on_committed(self, through: int) -> None:
        """Forgets who said the messages up to this `seq`."""
        while self._senders and (seq := next(iter(self._senders))) <= through:
            del self._senders[seq]

    def on_taken(self, seq: int, senders: Iterable[Asker], subscribers: Collection[Subscriber]) -> None:
        """Adds those of the `subscribers` who said what was `seq`: its id was taken."""
        early = self._senders.pop(seq, None)
        everyone = {*senders} if early is None else {*senders, early}
        self._repeaters.update(sender for sender in everyone if sender in subscribers)

    def forget(self, subscriber: Subscriber) -> None:
        """Drops a client that has left."""
        self._repeaters.discard(subscriber)
