"""History on a real database, with a recorder for the room."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest

from chatter.history import History
from chatter.messages import (
    HistoryRead,
    ListRooms,
    Load,
    Loaded,
    LoadFailed,
    Page,
    Ping,
    ReadHistory,
    ReadPage,
    Refused,
    RoomListed,
)
from schema import Database, Message, open_database
from schema.database import migrate
from tests.chatter.conftest import posted
from tests.support.stage import Listener, Recorder, Stage


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/chatter.db")
    migrate(database)
    said = [posted(seq) for seq in range(1, 31)]
    rows = [(each.seq, each.id, each.name, each.message, each.inserted_at) for each in said]
    Message.save_all([("lobby", rows)])
    yield database
    database.close()


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def room(stage: Stage, told: list[Any]) -> pykka.ActorRef[Any]:
    return stage.start(Recorder, told)


@pytest.fixture
def history(stage: Stage, opened: Database) -> Iterator[pykka.ActorRef[Any]]:
    history = stage.start(History, opened)
    yield history
    stage.run(history.stop(block=False))


def lose_tables(database: Database) -> None:
    """From now on no read succeeds."""
    for table in ("message", "room"):
        database.execute_sql(f"DROP TABLE {table}")


def test_a_room_is_loaded_with_its_latest_messages(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    history.tell(Load(room, "lobby", 3))
    stage.until(lambda: told)
    assert told == [Loaded((posted(28), posted(29), posted(30)))]


def test_a_new_room_has_no_past(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    history.tell(Load(room, "elsewhere", 3))
    stage.until(lambda: told)
    assert told == [Loaded(())]


@pytest.mark.parametrize(("before", "limit", "seqs", "more"), [(10, 3, (7, 8, 9), True), (3, 5, (1, 2), False)])
def test_a_page_says_whether_there_is_more(
    stage: Stage,
    history: pykka.ActorRef[Any],
    room: pykka.ActorRef[Any],
    told: list[Any],
    before: int,
    limit: int,
    seqs: tuple[int, ...],
    more: bool,
) -> None:
    reader = Listener()
    history.tell(ReadPage(room, "lobby", before, ReadHistory(reader, b"1", before, limit)))
    stage.until(lambda: told)
    assert told == [HistoryRead(reader, b"1", Page(tuple(posted(seq) for seq in seqs), more))]


def test_a_read_that_fails_is_refused_and_the_next_one_is_tried(
    stage: Stage,
    history: pykka.ActorRef[Any],
    room: pykka.ActorRef[Any],
    told: list[Any],
    opened: Database,
) -> None:
    reader = Listener()
    lose_tables(opened)
    history.tell(Load(room, "lobby", 3))
    history.tell(ReadPage(room, "lobby", 9, ReadHistory(reader, b"1", 9, 3)))
    stage.until(lambda: len(told) == 2)
    assert told == [LoadFailed(), HistoryRead(reader, b"1", Refused("unavailable"))]
    for question in (ListRooms(10), Ping()):
        with pytest.raises(Exception, match="no such table"):
            stage.run(history.ask(question, block=False))
    assert history.is_alive()


def test_a_database_that_answers_is_well(stage: Stage, history: pykka.ActorRef[Any]) -> None:
    assert stage.run(history.ask(Ping(), block=False)) is None


def test_rooms_are_listed(stage: Stage, history: pykka.ActorRef[Any]) -> None:
    assert stage.run(history.ask(ListRooms(10), block=False)) == [RoomListed("lobby", posted(30).inserted_at)]
