"""The stage, and a room on it with recorders around."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pykka
import pytest

from chatter.messages import Loaded, Post, Posted, Save
from chatter.room import Room, RoomSettings
from tests.support.stage import Listener, Recorder, Stage

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)


class RoomOnStage:
    """A room whose supervisor, persistence and history only remember what they were told."""

    def __init__(self, stage: Stage, settings: RoomSettings | None = None, recent: list[Posted] | None = None) -> None:
        self.stage = stage
        self.to_persistence: list[Any] = []
        self.to_history: list[Any] = []
        self.to_keeper: list[Any] = []
        persistence = stage.start(Recorder, self.to_persistence)
        history = stage.start(Recorder, self.to_history)
        self.ref: pykka.ActorRef[Any] = stage.start(
            Room,
            "lobby",
            keeper=self,
            persistence=persistence,
            history=history,
            loader=history,
            settings=settings or RoomSettings(),
            clock=lambda: NOON,
        )
        if recent is not None:
            self.told(Loaded(recent))

    def told(self, *messages: object) -> None:
        """Tell the room all of these in one turn, and let it happen."""
        for message in messages:
            self.ref.tell(message)
        self.stage.turn()

    def counted(self, slug: str, people: int) -> None:
        """As `Keeper`."""
        self.to_keeper.append(("counted", slug, people))

    def retired(self, slug: str) -> None:
        """As `Keeper`."""
        self.to_keeper.append(("retired", slug))

    def died(self, slug: str) -> None:
        """As `Keeper`."""
        self.to_keeper.append(("died", slug))

    @property
    def saves(self) -> list[Save]:
        """What persistence was told to save."""
        return [message for message in self.to_persistence if isinstance(message, Save)]


def post(sender: Listener, message: str, ref: bytes = b'"1"', id: str = "a1") -> Post:
    """A post by ann."""
    return Post(sender, ref, id, "ann", message)


def posted(seq: int, message: str = "hello", id: str = "a1") -> Posted:
    """What everyone hears of a post by ann."""
    return Posted(seq, id, "ann", message, "2026-05-04T12:00:00.123456Z")


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
