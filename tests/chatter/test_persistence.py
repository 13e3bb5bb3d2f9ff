"""Persistence on a real database, with a recorder for the rooms; and a database that really fails."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pykka
import pytest

from chatter.messages import Flush, Load, Save, Saved
from chatter.persistence import Persistence
from schema import Database, Message, open_database
from schema.database import migrate
from tests.chatter.conftest import posted
from tests.support.stage import Recorder, Stage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chatter.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    assert isinstance(database, peewee.SqliteDatabase)
    database.timeout = 0.01  # how long SQLite itself waits for a lock: what is tested is what comes after
    yield database
    database.close()


@pytest.fixture
def give_up() -> threading.Event:
    return threading.Event()


class Desk:
    """Persistence, with a room and a history that only remember what they were told."""

    def __init__(self, stage: Stage, database: Database, give_up: threading.Event) -> None:
        self.told: list[Any] = []
        self.to_history: list[Any] = []
        self.room = stage.start(Recorder, self.told)
        history = stage.start(Recorder, self.to_history)
        self.persistence: pykka.ActorRef[Any] = stage.start(Persistence, database, history, give_up)

    def save(self, *seqs: int, slug: str = "lobby") -> None:
        """Have messages saved."""
        self.persistence.tell(Save(self.room, slug, tuple(posted(seq) for seq in seqs)))


@pytest.fixture
def desk(stage: Stage, opened: Database, give_up: threading.Event) -> Iterator[Desk]:
    desk = Desk(stage, opened, give_up)
    yield desk
    give_up.set()
    stage.run(desk.persistence.stop(block=False))


def rows(path: Path) -> list[tuple[Any, ...]]:
    """What another program finds in the database."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT room, seq FROM message ORDER BY room, seq").fetchall()
    finally:
        connection.close()


class Lock:
    """Another program that writes for a while: `with Lock(path):`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_a_room_is_told_what_is_saved_when_it_is_committed(stage: Stage, desk: Desk, path: Path) -> None:
    desk.save(1, 2)
    stage.until(lambda: desk.told)
    assert rows(path) == [("lobby", 1), ("lobby", 2)]
    assert desk.told == [Saved(2)]


def test_what_waits_is_committed_together_and_acknowledged_once(stage: Stage, desk: Desk, path: Path) -> None:
    with Lock(path):
        for seq in range(1, 51):
            desk.save(seq)
    stage.run(desk.persistence.ask(Flush(), block=False))
    stage.until(lambda: desk.told and desk.told[-1] == Saved(50))
    assert len(desk.told) < 50
    assert [seq for _, seq in rows(path)] == list(range(1, 51))


def test_a_locked_database_is_tried_again_until_it_is_free(
    stage: Stage, desk: Desk, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Lock(path):
        desk.save(1)
        desk.save(2)
        stage.until(lambda: caplog.text.count("saving failed, will be tried again") >= 2)
        assert desk.told == []
    stage.until(lambda: Saved(2) in desk.told)
    assert [seq for _, seq in rows(path)] == [1, 2]
    assert desk.persistence.is_alive()


def test_a_room_is_loaded_after_everything_told_before_is_committed(stage: Stage, desk: Desk, path: Path) -> None:
    load = Load(desk.room, "lobby", 10)
    desk.save(1)
    desk.persistence.tell(load)
    desk.save(2)
    stage.until(lambda: desk.to_history)
    assert ("lobby", 1) in rows(path)
    assert desk.to_history == [load]


def test_a_flush_is_answered_when_everything_is_committed(stage: Stage, desk: Desk, path: Path) -> None:
    desk.save(1)
    stage.run(desk.persistence.ask(Flush(), block=False))
    assert rows(path) == [("lobby", 1)]


def test_what_is_told_before_a_stop_is_committed(stage: Stage, desk: Desk, path: Path) -> None:
    for seq in (1, 2, 3):
        desk.save(seq)
    stage.run(desk.persistence.stop(block=False))
    assert [seq for _, seq in rows(path)] == [1, 2, 3]


def test_giving_up_says_how_much_is_not_saved(
    stage: Stage, desk: Desk, path: Path, give_up: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    with Lock(path):
        desk.save(1, 2, 3)
        give_up.set()
        stage.run(desk.persistence.stop(block=False))
    assert "3 messages are not saved" in caplog.text
    assert desk.told == []


def test_a_room_that_died_meanwhile_does_not_disturb_the_others(stage: Stage, desk: Desk, path: Path) -> None:
    alive: list[Any] = []
    other = stage.start(Recorder, alive)
    stage.run(desk.room.stop(block=False))
    desk.save(1)
    desk.persistence.tell(Save(other, "other", (posted(1),)))
    stage.until(lambda: alive)
    assert rows(path) == [("lobby", 1), ("other", 1)]
    assert Message.latest("lobby", 1)[0][0] == 1
