"""A log that several nodes share, without servers: what NATS JetStream does for one lane, step by step.

It compares before it appends, and it may leave a node without an answer: then what was sent is in the log, comes into
it later, or never does. What a node hears of others comes late.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from chatter.messages import Entry, Heard, Load, NotPlaced, NotSaved, Placed, Propose, RoomMessage, Save, Saved
from tests.support.stage import Stage

Fate: TypeAlias = Literal["placed", "unknown", "lost", "late"]
"""What becomes of an append: it is answered; it is in the log, is in none, or will be if nobody is first, untold."""


@dataclasses.dataclass
class LaneModel:
    """LaneModel is the log, and how much of it the database has."""

    turns: list[Save | NotSaved] = dataclasses.field(default_factory=list)
    late: list[tuple[int, Save]] = dataclasses.field(default_factory=list)  # with the head that each is compared with
    saved: int = 0  # turns that the database has
    announced: list[tuple[int, int]] = dataclasses.field(default_factory=list)  # that, and the head by then

    def announce(self) -> None:
        """Tells the nodes how much the database has, once the log has what is void of it."""
        self.announced.append((self.saved, self.head))

    @property
    def head(self) -> int:
        """How many turns there are."""
        return len(self.turns)

    @property
    def entries(self) -> list[Entry]:
        """All entries, with the void places of those that the database has refused."""
        found = [entry for turn in self.turns if isinstance(turn, Save) for entry in turn.entries]
        for turn in self.turns:
            if isinstance(turn, NotSaved):
                found[turn.void.seq - 1] = turn.void
        return found

    @property
    def voids(self) -> set[int]:
        """The places of what the database has refused."""
        return {turn.void.seq for turn in self.turns if isinstance(turn, NotSaved)}

    def append(self, turn: Save | NotSaved, head: int) -> bool:
        """Adds a turn if the log is as it was when that was decided."""
        if head != self.head:
            return False
        self.turns.append(turn)
        return True

    def arrive(self) -> None:
        """Lets what was delayed on its way arrive."""
        late, self.late = self.late, []
        for head, turn in late:
            self.append(turn, head)


class NodeModel:
    """NodeModel is the log as one node sees it. It plays the `SharedLog` of one room."""

    is_full = is_half_full = False

    def __init__(self, lane: LaneModel, stage: Stage) -> None:
        self.lane = lane
        self.room: Any = None  # its reference
        self.revive: Callable[[], None] = lambda: None  # starts a successor of a room that has failed
        self.loads: list[Load] = []
        self.applied = lane.head  # turns that the room was told
        self._told_saved = 0  # turns that the room knows to be saved
        self._stage = stage
        self._is_asked = False
        self._proposal: tuple[int, Save] | None = None

    # ------------------------------------------------------------ what the room calls

    def count(self, size: int) -> None:
        pass

    def tell(self, message: Save | Load) -> None:
        assert isinstance(message, Load), "a shared room saves nothing by itself"
        self.loads.append(message)

    def ask_for_turn(self, room: Any, slug: str) -> None:
        self.room, self._is_asked = room, True

    def tell_elsewhere(self, slug: str, event: Any) -> None:
        pass  # who is where is shown by others

    def tell_person(self, slug: str, name: str, meta: Any, is_here: bool) -> None:
        pass

    def people_elsewhere(self, slug: str) -> list[Any]:
        return []

    def forget_people(self, slug: str) -> None:
        pass

    # ------------------------------------------------------------ steps

    @property
    def heard(self) -> int:
        """How many turns the subscribers have heard. A room that is ahead of the log keeps the others as mail."""
        return self.applied if self._proposal is None else self._proposal[0]

    @property
    def is_quiet(self) -> bool:
        """Whether the room was told all that the log has, and has nothing to say."""
        return self.applied == self.lane.head and not self._is_asked and self._proposal is None

    def unsaved(self) -> list[Entry]:
        """Returns what the log has, as far as this node has applied it, and the database has not."""
        turns = self.lane.turns[self.lane.saved : self.applied]
        return [entry for turn in turns if isinstance(turn, Save) for entry in turn.entries]

    def propose(self) -> None:
        """Has the room decide what waits."""
        if self._is_asked and self._proposal is None and self.room.is_alive():
            self._is_asked = False
            save = self._stage.run(self.room.ask(Propose(), block=False))
            if save is not None:
                self._proposal = (self.applied, save)

    def append(self, fate: Fate) -> None:
        """Sends the proposal. One that is not first is lost."""
        if self._proposal is None:
            return
        (head, save), self._proposal = self._proposal, None
        if fate == "placed" and self.lane.append(save, head):
            self.applied += 1
            self.tell_room(Placed(save.entries[-1].seq), successor=Heard(save.entries), proposer=save.room)
            return
        if fate == "unknown":
            self.lane.append(save, head)
        elif fate == "late":
            self.lane.late.append((head, save))
        self.tell_room(NotPlaced(), successor=None, proposer=save.room)

    def hear(self, most: int) -> None:
        """Hears of others' turns."""
        for turn in self.lane.turns[self.applied :][:most]:
            self.applied += 1
            told = turn if isinstance(turn, NotSaved) else Heard(turn.entries)
            self.tell_room(told, successor=told, proposer=None)
        self.hear_of_saves()

    def hear_of_saves(self) -> None:
        """Hears how much the database has of what was heard."""
        through = max((saved for saved, head in self.lane.announced if head <= self.applied), default=0)
        saves = [turn for turn in self.lane.turns[self._told_saved : through] if isinstance(turn, Save)]
        self._told_saved = max(self._told_saved, through)
        if saves:
            told = Saved(saves[-1].entries[-1].seq)
            self.tell_room(told, successor=told, proposer=None)

    def tell_room(self, message: RoomMessage, *, successor: RoomMessage | None, proposer: Any) -> None:
        """Tells the room, or what has taken its place since it proposed something."""
        self.revive()
        if proposer is not None and proposer is not self.room:
            if successor is not None:
                self.room.tell(successor)
        else:
            self.room.tell(message)
        self._stage.run_turns()
