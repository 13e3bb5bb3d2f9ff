"""The stage, and a room on it with recorders around."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pykka
import pytest

from chatter.clock import SECOND
from chatter.messages import Load, Loaded, People, Post, Posted, Recovery, RoomMessage, Save, Work
from chatter.room.context import RoomContext, RoomSettings
from chatter.room.handover import Handover
from chatter.room.room import Room
from chatter.storage.backlog import Backlog
from tests.support.stage import Listener, Recorder, Stage

EPOCH = 7
NOON = int(datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()) * SECOND + 123_456_789
NOON_ISO = "2026-05-04T12:00:00.123456Z"


class RoomOnStage:
    """A room whose supervisor, persistence and history only remember what they were told."""

    def __init__(
        self,
        stage: Stage,
        settings: RoomSettings | None = None,
        recent: list[Posted] | None = None,
        epochs: tuple[tuple[int, int], ...] = (),
        voids: Sequence[int] = (),
        server_epoch: int = EPOCH,
        **options: Any,
    ) -> None:
        self.stage = stage
        self._works: list[Work] = []
        self.to_history: list[Any] = []
        self.to_supervisor: list[Any] = []
        self.has_successors = True  # whether another room takes the place of one that fails
        self.backlog = Backlog(max_messages=1_000)
        stage.call(self.backlog.open, lambda _on_death: Recorder.start(self._works))
        self.ref: pykka.ActorRef[Any] = stage.start(
            Room,
            "lobby",
            RoomContext(
                settings=settings or RoomSettings(),
                epoch=server_epoch,
                supervisor=self,
                backlog=self.backlog,
                history=stage.start(Recorder, self.to_history),
                clock=lambda: NOON,
            ),
            **options,
        )
        if recent is not None:
            self.told(Loaded(recent, epochs, voids))

    def told(self, *messages: object) -> None:
        """Tell the room all of these in one turn, and let it happen."""
        for message in messages:
            self.ref.tell(message)
        self.stage.turn()

    def on_people_count(self, slug: str, people: int) -> None:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("on_people_count", slug, people))

    def on_idle(self, slug: str) -> None:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("on_idle", slug))

    def on_busy(self, slug: str) -> None:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("on_busy", slug))

    def on_retired(self, slug: str) -> None:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("on_retired", slug))

    def on_crashed(self, slug: str, handover: Handover | None) -> bool:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("on_crashed", slug, handover))
        return self.has_successors

    def on_stopped(self, slug: str, people: People) -> None:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("on_stopped", slug, people))

    def forward(self, slug: str, message: RoomMessage) -> None:
        """As `RoomSupervisor`."""
        self.to_supervisor.append(("forward", slug, message))

    @property
    def to_persistence(self) -> list[Save | Load]:
        """What persistence was told, by way of the backlog."""
        return [told for work in self._works for told in work.told]

    @property
    def saves(self) -> list[Save]:
        """What persistence was told to save."""
        return [message for message in self.to_persistence if isinstance(message, Save)]


def post(sender: Listener, message: str, ref: bytes = b'"1"', id: str = "", **options: Any) -> Post:
    """A post by ann, whose id is its text unless the test gives it another."""
    return Post(sender, ref, id or message, "ann", message, **options)


def welcome(newest: int = 0, **others: Any) -> Recovery:
    """The answer to a join in a room whose newest message this is."""
    usual = {"base": newest, "recovered": True, "missed": 0, "more": False}
    return Recovery(EPOCH, newest, **{**usual, **others})


def posted(seq: int, message: str = "hello", id: str = "") -> Posted:
    """What everyone hears of a post by ann."""
    return Posted(seq, id or message, "ann", message, NOON_ISO)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A loop for actors."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def room(stage: Stage) -> RoomOnStage:
    """A new room in which nothing has been said."""
    return RoomOnStage(stage, recent=[])


@pytest.fixture
def ann() -> Listener:
    """A client."""
    return Listener()


@pytest.fixture
def bo() -> Listener:
    """Another one."""
    return Listener()
