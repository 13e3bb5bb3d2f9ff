"""Persistence on a real database that can fail, with recorders around it."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import peewee
import pykka
import pytest

from chatter.messages import Load, NotSaved, Posted, Save, Saved, size_of
from chatter.storage.backlog import Backlog
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.persistence import Persistence
from chatter.storage.spool import Spool
from schema import Database, Entry, EntryRow, open_database
from tests.chatter.conftest import posted
from tests.support.database import allow, forbid, query, refusing
from tests.support.stage import Recorder, Stage


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    if isinstance(database, peewee.SqliteDatabase):
        database.timeout = 0.01  # SQLite's own wait for a lock, which comes before the retries that are tested
    database.close()  # as the server does: each thread opens its own connection
    yield database
    database.close()


@pytest.fixture
def give_up() -> threading.Event:
    return threading.Event()


class PersistenceOnStage:
    """PersistenceOnStage is a persistence actor, with recorders as room and history."""

    def __init__(self, stage: Stage, database: Database, dead_letters: Path, give_up: threading.Event) -> None:
        self.to_room: list[Any] = []
        self.to_history: list[Any] = []
        self.room = stage.start(Recorder, self.to_room)
        history = stage.start(Recorder, self.to_history)
        self.backlog = Backlog()
        self.dead_letters = dead_letters

        def start(on_death: Callable[[], None]) -> pykka.ActorRef[Any]:
            self.ref: pykka.ActorRef[Any] = Persistence.start(
                database,
                history,
                backlog=self.backlog,
                committer=Committer(DeadLetters(self.dead_letters)),
                give_up=give_up,
                on_death=on_death,
            )
            return self.ref

        stage.call(self.backlog.open, start)

    def save(self, *seqs: int, slug: str = "lobby") -> None:
        """Tells persistence to save these messages."""
        self.tell(Save(self.room, slug, 1, tuple(said(seq) for seq in seqs)))

    def tell(self, message: Save | Load) -> None:
        """Tells the backlog, which counts what is not committed and tells persistence."""
        if isinstance(message, Save):
            for posted in message.entries:
                self.backlog.count(size_of(posted))
        self.backlog.tell(message)


def said(seq: int) -> Posted:
    """Makes the message with this seq."""
    return posted(seq, f"number {seq}")


@pytest.fixture
def persistence(
    stage: Stage, opened: Database, tmp_path: Path, give_up: threading.Event
) -> Iterator[PersistenceOnStage]:
    persistence = PersistenceOnStage(stage, opened, tmp_path / "dead-letters.jsonl", give_up)
    yield persistence
    give_up.set()
    stage.run(persistence.ref.stop(block=False))


def rows(url: str) -> list[tuple[Any, ...]]:
    """Returns the saved places, read over another connection."""
    return query(url, "SELECT slug, seq FROM entry JOIN room ON room.id = entry.room ORDER BY slug, seq")


def test_a_room_is_told_saved_after_the_commit(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    persistence.save(1, 2)
    stage.run_until(lambda: persistence.to_room)
    assert rows(database_url) == [("lobby", 1), ("lobby", 2)]
    assert persistence.to_room == [Saved(2)]


def test_a_message_has_left_the_backlog_when_its_room_is_told_saved(
    stage: Stage, persistence: PersistenceOnStage
) -> None:
    unsaved: list[int] = []

    class Room:
        def tell(self, _message: Saved) -> None:
            unsaved.append(persistence.backlog.unsaved)

    persistence.tell(Save(cast(Any, Room()), "lobby", 1, (said(1), said(2))))
    stage.run_until(lambda: unsaved)
    assert unsaved == [0]


def test_waiting_messages_are_committed_together_and_acknowledged_once(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    with refusing(database_url):
        for seq in range(1, 51):
            persistence.save(seq)
    stage.run(persistence.backlog.flush())
    stage.run_until(lambda: persistence.to_room and persistence.to_room[-1] == Saved(50))
    assert len(persistence.to_room) < 50
    assert [seq for _, seq in rows(database_url)] == list(range(1, 51))


def test_a_failed_commit_is_tried_again_until_it_succeeds(
    stage: Stage, persistence: PersistenceOnStage, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing(database_url):
        persistence.save(1)
        persistence.save(2)
        stage.run_until(lambda: "messages cannot be saved, which will be tried again" in caplog.text)
        assert persistence.to_room == []
    stage.run_until(lambda: Saved(2) in persistence.to_room)
    assert [seq for _, seq in rows(database_url)] == [1, 2]
    assert persistence.ref.is_alive()


def test_a_room_is_loaded_after_all_earlier_messages_are_committed(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    load = Load(persistence.room, "lobby", 10)
    persistence.save(1)
    persistence.tell(load)
    persistence.save(2)
    stage.run_until(lambda: persistence.to_history)
    assert ("lobby", 1) in rows(database_url)
    assert persistence.to_history == [load]


def test_a_flush_is_answered_when_everything_is_committed(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    persistence.save(1)
    stage.run(persistence.backlog.flush())
    assert rows(database_url) == [("lobby", 1)]


def test_messages_told_before_a_stop_are_committed(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    for seq in (1, 2, 3):
        persistence.save(seq)
    assert stage.run(persistence.backlog.close()) == []
    assert [seq for _, seq in rows(database_url)] == [1, 2, 3]


def test_giving_up_logs_how_many_messages_are_not_saved(
    stage: Stage,
    persistence: PersistenceOnStage,
    database_url: str,
    give_up: threading.Event,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with refusing(database_url):
        persistence.save(1, 2, 3)
        give_up.set()
        stage.run(persistence.backlog.close())
    assert "3 messages are not saved" in caplog.text
    assert persistence.to_room == []


def test_a_room_that_stopped_before_its_commit_does_not_affect_others(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    alive: list[Any] = []
    other = stage.start(Recorder, alive)
    stage.run(persistence.room.stop(block=False))
    persistence.save(1)
    persistence.tell(Save(other, "other", 1, (said(1),)))
    stage.run_until(lambda: alive)
    assert rows(database_url) == [("lobby", 1), ("other", 1)]
    assert Entry.latest("lobby", 1)[0][0] == 1


def test_a_refused_message_blocks_no_other_and_becomes_a_void_place(
    stage: Stage, persistence: PersistenceOnStage, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    forbid(database_url, "number 7")
    with refusing(database_url):
        persistence.save(1, 2, 3)
        persistence.save(4)
        persistence.save(5, 6, 7, 8, 9)
        persistence.save(1, slug="other")
    stage.run_until(lambda: Saved(1) in persistence.to_room)
    void = Posted(7, "void-7", "", "", said(7).inserted_at, void=True, nth=7)
    assert persistence.to_room[-2:] == [NotSaved(void, None), Saved(1)]  # the void comes before the acknowledgement
    assert rows(database_url) == [*(("lobby", seq) for seq in range(1, 10)), ("other", 1)]
    assert Entry.at("lobby", 7) == EntryRow(7, "void-7", "", "", said(7).inserted_at, nth=7)
    (letter,) = map(json.loads, persistence.dead_letters.read_text().splitlines())
    assert (letter["room"], letter["seq"], letter["message"]) == ("lobby", 7, "number 7")
    assert "never_this" in letter["error"]
    assert "number 7" in caplog.text
    assert persistence.backlog.unsaved == persistence.backlog.unsaved_bytes == 0


def test_a_database_that_takes_no_void_row_either_is_named_once(
    stage: Stage, persistence: PersistenceOnStage, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    forbid(database_url, "number 7", "")
    with caplog.at_level("DEBUG", "peewee"):
        persistence.save(6, 7, 8)
        stage.run_until(lambda: caplog.text.count("'ann', 'number 7'") >= 2)  # looked up at each try
    assert caplog.text.count("saving waits until the database is changed: room lobby: ") == 1
    assert "never_this" in caplog.text
    assert persistence.to_room == []
    allow(database_url)
    stage.run_until(lambda: Saved(8) in persistence.to_room)
    # A try that was under way may have been refused the message, and then has taken the void row.
    assert persistence.dead_letters.exists() is (persistence.to_room != [Saved(8)])
    assert rows(database_url) == [("lobby", seq) for seq in (6, 7, 8)]


def test_a_used_id_makes_a_void_place_and_names_the_first_message(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    persistence.save(1)
    repeat = msgspec.structs.replace(said(1), seq=2)
    persistence.tell(Save(persistence.room, "lobby", 1, (repeat, said(3))))
    stage.run_until(lambda: Saved(3) in persistence.to_room)
    (not_saved,) = [told for told in persistence.to_room if isinstance(told, NotSaved)]
    assert (not_saved.void.seq, not_saved.first) == (2, said(1))
    assert not persistence.dead_letters.exists()


def test_a_committed_message_is_not_saved_again(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    persistence.save(1, 2)
    stage.run_until(lambda: Saved(2) in persistence.to_room)
    persistence.save(1, 2)
    persistence.save(3)
    stage.run_until(lambda: Saved(3) in persistence.to_room)
    assert not [told for told in persistence.to_room if isinstance(told, NotSaved)]
    assert [seq for _, seq in rows(database_url)] == [1, 2, 3]


def test_a_persistence_actor_that_dies_is_restarted_and_told_again(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    first = persistence.ref
    with refusing(database_url):
        persistence.save(1)
        first.tell("something that it does not know")
        persistence.save(2)
        persistence.tell(Load(persistence.room, "lobby", 10))
    stage.run_until(lambda: Saved(2) in persistence.to_room)
    assert not first.is_alive()
    assert [seq for _, seq in rows(database_url)] == [1, 2]
    stage.run_until(lambda: persistence.to_history)
    stage.run(persistence.backlog.flush())
    assert persistence.backlog.unsaved == 0


def test_unsaved_messages_are_spooled_and_replayed_by_the_next_server(
    stage: Stage, persistence: PersistenceOnStage, database_url: str, tmp_path: Path, give_up: threading.Event
) -> None:
    with refusing(database_url):
        persistence.save(1, 2)
        give_up.set()
        left = stage.run(persistence.backlog.close())
    assert [posted.seq for save in left for posted in save.entries] == [1, 2]
    spool = Spool(tmp_path / "unsaved.jsonl", "an identity")
    spool.write(left)
    letters = DeadLetters(persistence.dead_letters)
    assert spool.replay(Committer(letters), letters, (1, 2)) == 2
    assert [seq for _, seq in rows(database_url)] == [1, 2]
    assert spool.replay(Committer(letters), letters, (1, 2)) == 0


def test_a_backlog_is_full_by_number_or_by_size(
    stage: Stage, persistence: PersistenceOnStage, database_url: str
) -> None:
    by_number, by_size = Backlog(max_messages=3), Backlog(max_bytes=1_000)
    for backlog, size in ((by_number, 1), (by_size, 400)):
        for _ in range(2):
            backlog.count(size)
            assert not backlog.is_full
        backlog.count(size)
        assert backlog.is_full
        backlog.mark_done(1, size)
        assert not backlog.is_full
