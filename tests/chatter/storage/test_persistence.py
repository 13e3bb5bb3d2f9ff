"""Persistence on a real database, with a recorder for the rooms; and a database that really fails."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
from schema import Database, Message, open_database
from schema.database import migrate
from tests.chatter.conftest import posted
from tests.support.database import forbid, query, refusing
from tests.support.stage import Recorder, Stage


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    migrate(database)
    if isinstance(database, peewee.SqliteDatabase):
        database.timeout = 0.01  # how long SQLite itself waits for a lock: what is tested is what comes after
    database.close()  # as the server does: each thread opens a connection when it needs one
    yield database
    database.close()


@pytest.fixture
def give_up() -> threading.Event:
    return threading.Event()


class Desk:
    """Persistence, with a room and a history that only remember what they were told."""

    def __init__(self, stage: Stage, database: Database, dead_letters: Path, give_up: threading.Event) -> None:
        self.told: list[Any] = []
        self.to_history: list[Any] = []
        self.room = stage.start(Recorder, self.told)
        history = stage.start(Recorder, self.to_history)
        self.backlog = Backlog()
        self.dead_letters = dead_letters

        def start(on_death: Callable[[], None]) -> pykka.ActorRef[Any]:
            self.persistence: pykka.ActorRef[Any] = Persistence.start(
                database,
                history,
                backlog=self.backlog,
                committer=Committer(DeadLetters(self.dead_letters)),
                give_up=give_up,
                on_death=on_death,
            )
            return self.persistence

        stage.call(self.backlog.open, start)

    def save(self, *seqs: int, slug: str = "lobby") -> None:
        """Have messages saved."""
        self.tell(Save(self.room, slug, 1, tuple(said(seq) for seq in seqs)))

    def tell(self, message: Save | Load) -> None:
        """Tell persistence by way of the backlog, which counts what is not committed."""
        if isinstance(message, Save):
            for posted in message.messages:
                self.backlog.count(size_of(posted))
        self.backlog.tell(message)


def said(seq: int) -> Posted:
    """What a room says."""
    return posted(seq, f"number {seq}")


@pytest.fixture
def desk(stage: Stage, opened: Database, tmp_path: Path, give_up: threading.Event) -> Iterator[Desk]:
    desk = Desk(stage, opened, tmp_path / "dead-letters.jsonl", give_up)
    yield desk
    give_up.set()
    stage.run(desk.persistence.stop(block=False))


def rows(url: str) -> list[tuple[Any, ...]]:
    """What another program finds in the database."""
    return query(url, "SELECT room, seq FROM message ORDER BY room, seq")


def test_a_room_is_told_what_is_saved_when_it_is_committed(stage: Stage, desk: Desk, database_url: str) -> None:
    desk.save(1, 2)
    stage.until(lambda: desk.told)
    assert rows(database_url) == [("lobby", 1), ("lobby", 2)]
    assert desk.told == [Saved(2)]


def test_what_waits_is_committed_together_and_acknowledged_once(stage: Stage, desk: Desk, database_url: str) -> None:
    with refusing(database_url):
        for seq in range(1, 51):
            desk.save(seq)
    stage.run(desk.backlog.flush())
    stage.until(lambda: desk.told and desk.told[-1] == Saved(50))
    assert len(desk.told) < 50
    assert [seq for _, seq in rows(database_url)] == list(range(1, 51))


def test_a_database_that_refuses_is_tried_again_until_it_does_not(
    stage: Stage, desk: Desk, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing(database_url):
        desk.save(1)
        desk.save(2)
        stage.until(lambda: caplog.text.count("saving failed, will be tried again") >= 2)
        assert desk.told == []
    stage.until(lambda: Saved(2) in desk.told)
    assert [seq for _, seq in rows(database_url)] == [1, 2]
    assert desk.persistence.is_alive()


def test_a_room_is_loaded_after_everything_told_before_is_committed(
    stage: Stage, desk: Desk, database_url: str
) -> None:
    load = Load(desk.room, "lobby", 10)
    desk.save(1)
    desk.tell(load)
    desk.save(2)
    stage.until(lambda: desk.to_history)
    assert ("lobby", 1) in rows(database_url)
    assert desk.to_history == [load]


def test_a_flush_is_answered_when_everything_is_committed(stage: Stage, desk: Desk, database_url: str) -> None:
    desk.save(1)
    stage.run(desk.backlog.flush())
    assert rows(database_url) == [("lobby", 1)]


def test_what_is_told_before_a_stop_is_committed(stage: Stage, desk: Desk, database_url: str) -> None:
    for seq in (1, 2, 3):
        desk.save(seq)
    assert stage.run(desk.backlog.close()) == []
    assert [seq for _, seq in rows(database_url)] == [1, 2, 3]


def test_giving_up_says_how_much_is_not_saved(
    stage: Stage, desk: Desk, database_url: str, give_up: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing(database_url):
        desk.save(1, 2, 3)
        give_up.set()
        stage.run(desk.backlog.close())
    assert "3 messages are not saved" in caplog.text
    assert desk.told == []


def test_a_room_that_died_meanwhile_does_not_disturb_the_others(stage: Stage, desk: Desk, database_url: str) -> None:
    alive: list[Any] = []
    other = stage.start(Recorder, alive)
    stage.run(desk.room.stop(block=False))
    desk.save(1)
    desk.tell(Save(other, "other", 1, (said(1),)))
    stage.until(lambda: alive)
    assert rows(database_url) == [("lobby", 1), ("other", 1)]
    assert Message.latest("lobby", 1)[0][0] == 1


def test_a_message_that_is_refused_blocks_no_other_and_keeps_its_place(
    stage: Stage, desk: Desk, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    forbid(database_url, "number 7")
    with refusing(database_url):
        desk.save(1, 2, 3)
        desk.save(4)
        desk.save(5, 6, 7, 8, 9)
        desk.save(1, slug="other")
    stage.until(lambda: Saved(1) in desk.told)
    void = Posted(7, "void-7", "", "", said(7).inserted_at, void=True)
    assert desk.told[-2:] == [NotSaved(void, None), Saved(1)]  # first what the answer hangs on
    assert rows(database_url) == [*(("lobby", seq) for seq in range(1, 10)), ("other", 1)]
    assert Message.at("lobby", 7) == (7, "void-7", "", "", said(7).inserted_at)
    (letter,) = map(json.loads, desk.dead_letters.read_text().splitlines())
    assert (letter["room"], letter["seq"], letter["message"]) == ("lobby", 7, "number 7")
    assert "never_this" in letter["error"]
    assert "number 7" in caplog.text
    assert desk.backlog.unsaved == desk.backlog.unsaved_bytes == 0


def test_an_id_that_was_used_before_makes_a_void_place_and_names_the_first(
    stage: Stage, desk: Desk, database_url: str
) -> None:
    desk.save(1)
    repeat = msgspec.structs.replace(said(1), seq=2)
    desk.tell(Save(desk.room, "lobby", 1, (repeat, said(3))))
    stage.until(lambda: Saved(3) in desk.told)
    (news,) = [told for told in desk.told if isinstance(told, NotSaved)]
    assert (news.void.seq, news.first) == (2, said(1))
    assert not desk.dead_letters.exists()


def test_what_is_committed_already_is_saved_once(stage: Stage, desk: Desk, database_url: str) -> None:
    desk.save(1, 2)
    stage.until(lambda: Saved(2) in desk.told)
    desk.save(1, 2)
    desk.save(3)
    stage.until(lambda: Saved(3) in desk.told)
    assert not [told for told in desk.told if isinstance(told, NotSaved)]
    assert [seq for _, seq in rows(database_url)] == [1, 2, 3]


def test_persistence_that_dies_is_started_anew_and_told_again(stage: Stage, desk: Desk, database_url: str) -> None:
    first = desk.persistence
    with refusing(database_url):
        desk.save(1)
        first.tell("something that it does not know")
        desk.save(2)
        desk.tell(Load(desk.room, "lobby", 10))
    stage.until(lambda: Saved(2) in desk.told)
    assert not first.is_alive()
    assert [seq for _, seq in rows(database_url)] == [1, 2]
    stage.until(lambda: desk.to_history)
    stage.run(desk.backlog.flush())
    assert desk.backlog.unsaved == 0


def test_what_is_not_saved_at_the_end_is_left_to_the_next_server(
    stage: Stage, desk: Desk, database_url: str, tmp_path: Path, give_up: threading.Event
) -> None:
    with refusing(database_url):
        desk.save(1, 2)
        give_up.set()
        left = stage.run(desk.backlog.close())
    assert [posted.seq for save in left for posted in save.messages] == [1, 2]
    spool = Spool(tmp_path / "unsaved.jsonl", "an identity")
    spool.write(left)
    letters = DeadLetters(desk.dead_letters)
    assert spool.replay(Committer(letters), letters) == 2
    assert [seq for _, seq in rows(database_url)] == [1, 2]
    assert spool.replay(Committer(letters), letters) == 0


def test_a_backlog_is_full_by_number_or_by_size(stage: Stage, desk: Desk, database_url: str) -> None:
    by_number, by_size = Backlog(max_messages=3), Backlog(max_bytes=1_000)
    for backlog, size in ((by_number, 1), (by_size, 400)):
        for _ in range(2):
            backlog.count(size)
            assert not backlog.is_full
        backlog.count(size)
        assert backlog.is_full
        backlog.mark_done(1, size)
        assert not backlog.is_full
