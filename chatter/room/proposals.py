"""Proposals: what a room decides while its log is shared with other nodes.

Such a room decides nothing by itself. Requests wait until the log tells it `Propose`. Then it decides all of them, on
the log as it is, and what results is heard once the log has it (`Placed`). Until then the room is ahead of the log, so
nobody hears or reads anything: mail waits, as a rule for milliseconds. Where another node was first, or nobody knows
yet (`NotPlaced`), the room is put back to where it was, and the requests are decided anew.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from chatter.messages import (
    ChangeMembers,
    ChangeRoom,
    Delete,
    Edit,
    Found,
    LookedUp,
    NotPlaced,
    Pin,
    Placed,
    Post,
    Purge,
    React,
    ReactionsDue,
    RefreshNames,
    RoomMessage,
    Save,
    TargetLoaded,
)
from chatter.room.sequencer import new_id

Restore: TypeAlias = Callable[[], None]
"""Puts one part of a room back to where it was."""

MAX_WAITING_REQUESTS = 1_000
"""Requests of one room that wait for the log, beyond which others are refused as `overloaded`."""

_ASKED = Post | Edit | Delete | React | Pin | Found | ChangeRoom | ChangeMembers | Purge
"""What is asked for, and may be refused."""

_DECIDED = _ASKED | LookedUp | TargetLoaded | ReactionsDue | RefreshNames
"""What may add to the log."""


_NAMED = Post | Edit | Delete | Pin | Found | ChangeRoom | ChangeMembers
"""What may have an id of its own."""


class Proposals:
    """Owns the requests that wait for the log, and the way back while a proposal is on its way into it."""

    __slots__ = ("_decided", "_mail", "_requests", "_restores", "expelled", "is_asked", "is_deciding", "save")

    def __init__(self) -> None:
        self._requests: deque[RoomMessage] = deque()
        self._decided: list[RoomMessage] = []  # of these, what the proposal is about
        self._mail: deque[RoomMessage] = deque()  # what has come since
        self._restores: Sequence[Restore] = ()
        self.save: Save | None = None  # the proposal that is under way
        self.expelled: list[Collection[int] | None] = []  # the accounts that it turns out of the room
        self.is_asked = False  # the log knows that requests wait
        self.is_deciding = False

    @property
    def are_waiting(self) -> bool:
        """Whether requests wait for the log."""
        return bool(self._requests)

    @property
    def undecided(self) -> list[RoomMessage]:
        """The requests that have no place in the log as far as is known, and the mail behind them."""
        return [*self._decided, *self._requests, *self._mail]

    def keep(self, message: RoomMessage) -> bool:
        """Keeps a message that has to wait, and returns whether it does."""
        if self.is_deciding or isinstance(message, Placed | NotPlaced):
            return False
        if self.save is not None:
            self._mail.append(message)
            return True
        if isinstance(message, _DECIDED):
            self._requests.append(_with_id(message))
            return True
        return False

    def is_refused(self, message: RoomMessage, *, is_full: bool) -> bool:
        """Returns whether a request may not wait, since the log takes none or so many wait already."""
        is_too_much = is_full or len(self._requests) + len(self._mail) >= MAX_WAITING_REQUESTS
        return is_too_much and not self.is_deciding and isinstance(message, _ASKED)

    def decide(self, restores: Sequence[Restore]) -> Iterator[RoomMessage]:
        """Yields the requests. After one that turns somebody out of the room come no more: that person hears no more.

        `restores` put the room back to where it is now.
        """
        self._restores = restores
        self.is_asked, self.is_deciding = False, True
        while self._requests and not self.expelled:
            self._decided.append(self._requests.popleft())
            yield self._decided[-1]

    def end(self, save: Save | None) -> None:
        """Ends the decisions. Without a proposal the requests are done with."""
        self.is_deciding = False
        self.save = save
        if save is None:
            self._forget()

    def placed(self) -> tuple[list[Collection[int] | None], deque[RoomMessage]]:
        """Ends a proposal that is in the log. Returns whom to turn out, and the mail that has waited."""
        expelled, mail = self.expelled, self._mail
        self._mail = deque()
        self._forget()
        return expelled, mail

    def take_back(self) -> deque[RoomMessage]:
        """Puts the room back to where it was before the last decisions, whose requests wait again. Returns the mail."""
        for restore in self._restores:
            restore()
        self._requests.extendleft(reversed(self._decided))
        mail, self._mail = self._mail, deque()
        self._forget()
        return mail

    @property
    def decided_number(self) -> int:
        """How many requests the proposal is about that is under way."""
        return len(self._decided)

    def take_asked(self, number: int) -> list[RoomMessage]:
        """Takes what clients ask for out of the first requests that wait, since it is too much for the log."""
        first = [self._requests.popleft() for _ in range(number)]
        self._requests.extendleft(each for each in reversed(first) if not isinstance(each, _ASKED))
        return [each for each in first if isinstance(each, _ASKED)]

    def _forget(self) -> None:
        self._decided, self._restores, self.expelled = [], (), []
        self.save, self.is_deciding = None, False


def _with_id(message: RoomMessage) -> RoomMessage:
    """Gives a request an id: if it is in the log after all, it is known as a repeat where it is decided anew."""
    if isinstance(message, _NAMED) and message.id is None:
        return replace(message, id=new_id())
    return message
