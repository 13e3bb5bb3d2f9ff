"""Fixtures: a stage, a room with recorders around it, and two subscribers."""

from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pykka
import pytest

from chatter.charter import Charter
from chatter.clock import SECOND
from chatter.messages import Entry, Load, Loaded, People, Post, Posted, Recovery, RoomMessage, Save, Work
from chatter.room.context import NO_MEMBERSHIPS, RoomContext, RoomSettings
from chatter.room.handover import Handover
from chatter.room.room import Room
from chatter.room.shared_room import SharedRoom
from chatter.storage.backlog import Backlog
from tests.support.stage import Listener, Recorder, Stage

EPOCH = 7
NOON = int(datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()) * SECOND + 123_456_789
NOON_ISO = "2026-05-04T12:00:00.123456Z"


class RoomOnStage:
    """RoomOnStage is a room with recorders as its persistence and history.

    It plays the `RoomSupervisor` itself, and records what the room reports.
    """

    def __init__(
        self,
        stage: Stage,
        settings: RoomSettings | None = None,
        recent: Sequence[Entry] | None = None,
        epochs: tuple[tuple[int, int], ...] = (),
        voids: Sequence[int] = (),
        server_epoch: int = EPOCH,
        known_epochs: Container[int] | None = None,
        charter: Charter | None = None,
        **options: Any,
    ) -> None:
        self.stage = stage
        self._works: list[Work] = []
        self.to_history: list[Any] = []
        self.to_supervisor: list[Any] = []
        self.has_successors = True  # whether another room takes the place of one that fails
        self.backlog = Backlog(max_messages=1_000)
        stage.call(self.backlog.open, lambda _on_death: Recorder.start(self._works))
        shared_log = options.pop("shared_log", None)
        self.context = RoomContext(
            settings=settings or RoomSettings(),
            epoch=server_epoch,
            epochs=range(server_epoch + 1) if known_epochs is None else known_epochs,
            supervisor=self,
            backlog=shared_log or self.backlog,
            history=stage.start(Recorder, self.to_history),
            clock=options.pop("clock", lambda: NOON),
            memberships=options.pop("memberships", NO_MEMBERSHIPS),
        )
        self.slug = options.pop("slug", "lobby")
        kind, log = (Room, {}) if shared_log is None else (SharedRoom, {"log": shared_log})
        self.ref: pykka.ActorRef[Any] = stage.start(kind, self.slug, self.context, **log, **options)
        if recent is not None:
            self.tell(Loaded(recent, epochs, voids, charter=charter))

    def tell(self, *messages: object) -> None:
        """Tells the room these messages in one turn, and lets it handle them."""
        for message in messages:
            self.ref.tell(message)
        self.stage.run_turns()

    def on_people_count(self, slug: str, people: int) -> None:
        self.to_supervisor.append(("on_people_count", slug, people))

    def on_idle(self, slug: str) -> None:
        self.to_supervisor.append(("on_idle", slug))

    def on_busy(self, slug: str) -> None:
        self.to_supervisor.append(("on_busy", slug))

    def on_retired(self, slug: str) -> None:
        self.to_supervisor.append(("on_retired", slug))

    def on_crashed(self, slug: str, handover: Handover | None) -> bool:
        self.to_supervisor.append(("on_crashed", slug, handover))
        return self.has_successors

    def on_stopped(self, slug: str, people: People) -> None:
        self.to_supervisor.append(("on_stopped", slug, people))

    def forward(self, slug: str, message: RoomMessage) -> None:
        self.to_supervisor.append(("forward", slug, message))

    @property
    def to_persistence(self) -> list[Save | Load]:
        """What the backlog told persistence."""
        return [told for work in self._works for told in work.told]

    @property
    def saves(self) -> list[Save]:
        """What persistence is to save."""
        return [message for message in self.to_persistence if isinstance(message, Save)]


def post(sender: Listener, message: str, ref: bytes = b'"1"', id: str = "", **options: Any) -> Post:
    """Makes a post by ann, whose id is its text unless the test gives another."""
    return Post(sender, ref, id or message, "ann", message, **options)


def welcome(newest: int = 0, **others: Any) -> Recovery:
    """Makes the answer to a join in a room whose newest `seq` is `newest`."""
    usual = {"base": newest, "recovered": True, "missed": 0, "more": False}
    return Recovery(EPOCH, newest, **{**usual, **others})


def posted(seq: int, message: str = "hello", id: str = "") -> Posted:
    """Makes the broadcast of a post by ann."""
    return Posted(seq, id or message, "ann", message, NOON_ISO, nth=seq)


def said_in(saves: Iterable[Save]) -> list[Posted]:
    """Returns the messages that are to be saved, where nothing else is."""
    said: list[Posted] = []
    for save in saves:
        for entry in save.entries:
            assert isinstance(entry, Posted)
            said.append(entry)
    return said


@pytest.fixture
def room(stage: Stage) -> RoomOnStage:
    """Starts a room without messages."""
    return RoomOnStage(stage, recent=[])


@pytest.fixture
def ann() -> Listener:
    return Listener()


@pytest.fixture
def bo() -> Listener:
    return Listener()
