"""Nodes whose news arrives when a test says so, what the log has to say of it, and who listens on them."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any

from chatter.cluster.frames import GENESIS, History
from chatter.lanes.turns import RoomTurn, turn_of
from chatter.messages import Entry, Join, Lagged, Leave, Load, Posted, Recovery, View, Voided
from schema import Lane
from tests.lanes.nodes import Node
from tests.support.log_model import LogModel
from tests.support.stage import Listener, PlainSerializer
from tests.support.wire_listener import WireListener


class Questions:
    """Questions keeps what rooms ask history for, and so plays one that takes its time."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.loaded: list[tuple[Any, Any]] = []  # answers that have not arrived, each with its question

    def tell(self, message: Any) -> None:
        self.asked.append(message)

    @property
    def is_loading(self) -> bool:
        """Whether a room waits for its past."""
        return any(isinstance(each, Load) for each in (*self.asked, *(asked for asked, _ in self.loaded)))


class StagedNode(Node):
    """StagedNode hears of turns some milliseconds late, in their order, or when it is told to."""

    def __init__(self, name: str, model: LogModel, database: Any, dead_letters: Path, **options: Any) -> None:
        self.questions = Questions()
        super().__init__(name, model, database, dead_letters, history=self.questions, **options)
        self.model = model
        self.applied = 0  # turns that its rooms have surely heard
        self.must_wait = False  # what is republished waits until it is told to hear
        self.to_lose = 0  # turns that it will not hear of
        self.position = 0  # where it began
        self.poisoned: list[float] = []  # when its room was told what it fails at
        self._arriving: deque[tuple[int, bytes]] = deque()

    async def begin(self) -> None:
        """Begins where the database is, as a node does that starts."""
        row = Lane.rows()[0]
        self.position = self.applied = row.head
        await self.open(row.head, bytes.fromhex(row.chain))

    def hear_some(self, most: int) -> None:
        """Hears of turns that were republished."""
        for _ in range(min(most, len(self._arriving))):
            self._arrive()

    def hear_beat(self, other: Node) -> None:
        """Hears the heartbeat of another node."""
        self.log.hear_head(other.log.head)
        if (saved := other.projection.saved_through) is not None:
            self.rooms.on_saved(saved)

    def look(self) -> None:
        """Notes how far its rooms have surely heard."""
        room = self.supervisor.find_room("lobby")
        is_busy = self.rooms.is_saying or self.questions.is_loading
        if not is_busy and (room is None or room.actor_inbox.empty()):
            self.applied = self.log.head

    def _hear(self, seq: int, frame: bytes) -> None:
        if self.to_lose:
            self.to_lose -= 1
            return
        self._arriving.append((seq, frame))
        if not self.must_wait:
            asyncio.get_running_loop().call_later(self.model.delay, self._arrive)

    def _arrive(self) -> None:
        if self._arriving:
            super()._hear(*self._arriving.popleft())


class Truth:
    """Truth is what the log says, read by somebody who misses nothing."""

    def __init__(self, model: LogModel) -> None:
        self.turns: list[RoomTurn] = []
        self.said: dict[str, list[Entry]] = {}  # by room, as it was said
        self.voids: dict[str, dict[int, Posted]] = {}  # the void places of each room of which the log has told
        self._model = model
        self._history = History(0, 0, GENESIS)

    def read(self) -> None:
        """Reads what is new."""
        for seq, frame in enumerate(self._model.frames[len(self.turns) :], len(self.turns) + 1):
            turn = turn_of(self._history.place(seq, frame))
            self.turns.append(turn)
            for slug, entries in turn.said:
                log = self.said.setdefault(slug, [])
                assert [each.seq for each in entries] == list(range(len(log) + 1, len(log) + len(entries) + 1))
                log += entries
            for slug, not_saved in turn.voids:
                voids = self.voids.setdefault(slug, {})
                assert not_saved.void.seq not in voids, "the log tells of a void place twice"
                voids[not_saved.void.seq] = not_saved.void

    def heard_by(self, slug: str, turn: int) -> list[Entry]:
        """Returns what a room has said up to a turn."""
        said = (said for turn in self.turns[:turn] for said in turn.said)
        return [entry for each in said if each.slug == slug for entry in each.entries]

    def log_of(self, slug: str) -> list[Entry]:
        """Returns a room's log, with the void places of which the log has told."""
        voids = self.voids.get(slug, {})
        return [voids.get(entry.seq, entry) for entry in self.said.get(slug, ())]


class Witness:
    """Witness listens in a room on one node, from its join on: it hears the log, in order, each entry once."""

    def __init__(self, node: StagedNode, slug: str) -> None:
        self.node = node
        self.slug = slug
        self.listener = Listener(PlainSerializer(), View.LOG)
        self.at: int | None = None  # the last entry that it has heard; None before its join is answered
        self.answers: list[Any] = []
        self._is_greeted = False
        self.tell(Join(self.listener, None))

    def tell(self, message: Any) -> None:
        """Tells the room."""
        self.node.supervisor.ensure_room(self.slug).tell(message)

    def leave(self) -> None:
        """Hears nothing more."""
        self.tell(Leave(self.listener))

    def check(self, truth: Truth) -> None:
        """Checks what has come since the last time."""
        heard = self.listener.heard
        self.listener.clear()
        for each in heard:
            match each:
                case Recovery():
                    assert self.at is None
                    self.at = each.seq
                case Lagged():
                    assert self.at is not None
                    self.at, self._is_greeted = max(self.at, each.seq), True
                case Voided():
                    pass  # members hear it, too, and act on it
                case tuple():
                    self.answers.append(each[1])
                case _:
                    self._hear(each, truth)

    def _hear(self, entry: Entry, truth: Truth) -> None:
        assert self.at is not None
        assert isinstance(entry.seq, int), entry
        if not self._is_greeted and entry.seq <= self.at:
            assert isinstance(entry, Posted)
            return
        self._is_greeted = True
        assert entry.seq == self.at + 1, f"{self.node.author.name} heard {entry} after {self.at}"
        assert entry == truth.said[self.slug][self.at], "it is not what the log has"
        self.at = entry.seq


class Connection(WireListener):
    """Connection is a `WireListener` that is answered each request once."""

    def __init__(self, view: View, said: set[int], said_by_person: set[int]) -> None:
        """`said` is what the connection has said, `said_by_person` what somebody has on all nodes."""
        super().__init__(view, said)
        self._said_by_person = said_by_person
        self.unanswered: set[str] = set()
        self.refused: dict[str, str] = {}  # reasons by ref

    def note_said(self, seq: int) -> None:
        super().note_said(seq)
        self._said_by_person.add(seq)

    def unnote_said(self, seq: int) -> None:
        super().unnote_said(seq)
        self._said_by_person.discard(seq)

    def take(self) -> list[tuple[str, str | None, Any]]:
        """Returns what was written since the last call."""
        taken = super().take()
        for event, ref, payload in taken:
            if event == "phx_reply" and ref != "join":
                assert ref in self.unanswered, f"{ref} is answered twice"
                self.unanswered.remove(ref)
                if payload["status"] != "ok":
                    self.refused[ref] = payload["response"]["reason"]
        return taken
