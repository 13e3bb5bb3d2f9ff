"""Plays rooms of two nodes over one lane: a model of its stream, the real rooms, the real lane, one database."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatter.actors import Tellable
from chatter.cluster.frames import GENESIS, Author, PlacedTurn
from chatter.cluster.lane import LaneLog
from chatter.lanes.people import People
from chatter.lanes.projection import Projection
from chatter.lanes.projector import Project, Projector
from chatter.lanes.rooms import LaneRooms
from chatter.messages import Acknowledged, Join, Post, Posted, Save
from chatter.room.context import RoomSettings
from chatter.room.supervisor import Supervisor
from chatter.storage.backlog import Backlog
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.history import History
from tests.support.log_model import LogModel
from tests.support.stage import Listener
from tests.support.virtual_time import run


class Direct:
    """Direct reads at once what rooms ask history for."""

    def __init__(self, database: Any) -> None:
        self._history = History(database)

    def tell(self, message: Any) -> None:
        self._history.on_receive(message)


class NoOthers:
    """Plays other nodes that hear nothing but the log."""

    def __init__(self) -> None:
        self.people = People(tell=lambda _body: None, ask=self._ask, on_moved=lambda _slug, _moved: None)

    def tell(self, slug: str, event: Any) -> None:
        pass

    async def _ask(self, name: str, body: bytes) -> bytes:
        raise AssertionError(f"{name} is asked")


class Inline:
    """Inline has the projector do at once what it is asked, on the loop.

    `failures` befall the next transactions, and `losses` the answers of those that are committed.
    """

    def __init__(self, database: Any, dead_letters: Path) -> None:
        self._projector = Projector(database, epoch=1, dead_letters=DeadLetters(dead_letters))
        self.failures: list[Exception] = []
        self.losses: list[Exception] = []
        self.projected = 0

    async def ask(self, message: Any) -> Any:
        await asyncio.sleep(0.01)
        if self.failures:
            raise self.failures.pop()
        answer = self._projector.on_receive(message)
        self.projected += isinstance(message, Project)
        await asyncio.sleep(0.01)
        if self.losses:
            raise self.losses.pop()
        return answer


class InterruptedRooms(LaneRooms):
    """Has something happen when rooms have decided what they say, and nothing of it is on its way."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.when_decided: Callable[[], object] = lambda: None

    async def _proposals(self) -> list[Save]:
        saves = await super()._proposals()
        self.when_decided()
        return saves


class Node:
    """Node is the rooms of one node, the clients that are connected to it, and what it writes to the database."""

    def __init__(
        self,
        name: str,
        model: LogModel,
        database: Any,
        dead_letters: Path,
        *,
        boot: int = 1,
        history: Tellable | None = None,
        settings: RoomSettings | None = None,
        on_saved: Callable[[int], None] = lambda _through: None,
        **options: Any,
    ) -> None:
        """`options` are those of `LaneRooms`."""
        self.writes = False
        self.author = Author(name, boot)
        self.turns: list[PlacedTurn] = []
        self.log = LaneLog(0, model, author=self.author, on_turn=self._on_turn)
        history = history or Direct(database)
        settings = settings or RoomSettings(ring_size=5, id_memory_size=5)
        self.supervisor = Supervisor(Backlog(), history, 1, range(2), settings, log_of=lambda _slug: self.rooms)
        self.rooms = InterruptedRooms(
            self.log,
            wait_for_turn=self._no_wait,
            rest=lambda: None,
            find_room=self.supervisor.find_room,
            history=history,
            others=NoOthers(),
            **options,
        )
        self.projector = Inline(database, dead_letters)
        self.projection = Projection(
            0,
            self.rooms,
            ask=self.projector.ask,
            read_log=model.read,
            find_first=model.find_first,
            is_mine=lambda: self.writes and not self.is_dead,
            on_saved=on_saved,
        )
        self.is_dead = False
        model.republish_to(self._hear)

    async def open(self, position: int = 0, chain: bytes = GENESIS) -> None:
        await self.log.open(position, chain)
        self.projection.open()

    def write(self, *, writes: bool = True) -> None:
        """Makes this node one that writes to the database, or none."""
        self.writes = writes
        self.projection.look()

    async def close(self) -> None:
        self.is_dead = True
        await self.projection.close()
        await self.rooms.close()
        await self.log.close()
        await self.supervisor.stop()

    def _hear(self, seq: int, frame: bytes) -> None:
        if not self.is_dead:
            self.log.hear(seq, frame)

    async def _no_wait(self) -> None:
        pass

    def _on_turn(self, turn: PlacedTurn) -> None:
        self.turns.append(turn)
        self.rooms.on_turn(turn, is_own=(turn.by, turn.boot) == self.author)
        self.projection.look()

    def join(self, slug: str) -> Listener:
        listener = Listener()
        self.supervisor.ensure_room(slug).tell(Join(listener, None))
        return listener

    def post(self, slug: str, sender: Listener, text: str, **options: Any) -> None:
        self.supervisor.ensure_room(slug).tell(Post(sender, text[:64].encode(), text[:64], "ann", text, **options))


Scenario = Callable[[LogModel, Node, Node], Any]


def play(database: Any, scenario: Scenario, tmp_path: Path, **options: Any) -> None:
    """Runs a scenario on two nodes; `options` are those of `LaneRooms`."""

    async def on_loop() -> None:
        model = LogModel()
        nodes = [Node(name, model, database, tmp_path / f"{name}.jsonl", **options) for name in ("east", "west")]
        for node in nodes:
            await node.open()
        await scenario(model, *nodes)
        for node in nodes:
            await node.close()

    run(on_loop())


async def until(condition: Callable[[], object]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition did not come true")


def heard(listener: Listener) -> list[tuple[int, str]]:
    return [(each.seq, each.message) for each in listener.heard if isinstance(each, Posted)]


def answers(listener: Listener) -> list[Any]:
    return [each[1] for each in listener.heard if isinstance(each, tuple)]


def places(listener: Listener) -> list[int]:
    return [answer.seq for answer in answers(listener) if isinstance(answer, Acknowledged)]
