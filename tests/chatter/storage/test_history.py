"""History on a real database of each kind, with a recorder as the room."""

from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from chatter.messages import (
    ListRooms,
    Load,
    Loaded,
    LoadFailed,
    LoadMissed,
    LoadPage,
    LoadTarget,
    LookedUp,
    LookUp,
    MissedLoaded,
    Page,
    PageLoaded,
    Ping,
    Position,
    Posted,
    ReadHistory,
    Refused,
    RoomListed,
    RoomsListed,
    Sync,
    TargetLoaded,
)
from chatter.storage.history import History
from chatter.storage.records import row_of
from schema import Database, Entry, open_database, void_row
from tests.chatter.conftest import post, posted
from tests.support.stage import Listener, Recorder, Stage


def said(seq: int) -> Posted:
    """Makes the message with this seq."""
    return posted(seq, f"number {seq}")


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    for epoch, seqs in ((1, range(1, 21)), (3, range(21, 31))):
        Entry.save_all([("lobby", epoch, [row_of(said(seq)) for seq in seqs])])
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
    """Drops the tables, so that all reads fail from now on."""
    for table in ("entry", "post", "room"):
        database.execute_sql(f"DROP TABLE {table}")


def test_a_room_is_loaded_with_its_latest_messages(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    history.tell(Load(room, "lobby", 3))
    stage.run_until(lambda: told)
    assert told == [Loaded((said(28), said(29), said(30)), [(3, 30)], [])]


def test_a_new_room_has_no_past(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    history.tell(Load(room, "elsewhere", 3))
    stage.run_until(lambda: told)
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
    request = ReadHistory(Listener(), b"1", before, limit)
    history.tell(LoadPage(room, "lobby", 30, request))
    stage.run_until(lambda: told)
    assert told == [PageLoaded(request, Page(tuple(said(seq) for seq in seqs), more, as_of=30))]


def test_a_page_after_a_seq_says_whether_there_is_more(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    reader = Listener()
    for after in (2, 28):
        history.tell(LoadPage(room, "lobby", 30, ReadHistory(reader, b"1", None, 2, after)))
    stage.run_until(lambda: len(told) == 2)
    assert told[0].answer == Page((said(3), said(4)), more=True, as_of=30)
    assert told[1].answer == Page((said(29), said(30)), more=False, as_of=30)


@pytest.mark.parametrize(
    ("around", "limit", "first", "last"),
    [(12, 4, 10, 13), (1, 4, 1, 4), (30, 4, 27, 30), (99, 3, 28, 30), (9, 99, 1, 30)],
)
def test_a_page_around_a_place_is_one_read(
    stage: Stage,
    history: pykka.ActorRef[Any],
    room: pykka.ActorRef[Any],
    told: list[Any],
    around: int,
    limit: int,
    first: int,
    last: int,
) -> None:
    request = ReadHistory(Listener(), b"1", None, limit, around=around)
    history.tell(LoadPage(room, "lobby", 30, request))
    stage.run_until(lambda: told)
    assert told[0].answer == Page(tuple(said(seq) for seq in range(first, last + 1)), more=first > 1, as_of=30)


@pytest.mark.parametrize("place", [{"before": 34}, {"before": None}, {"before": None, "around": 32}])
def test_what_the_room_holds_and_is_not_saved_ends_the_page_that_is_read(
    stage: Stage,
    history: pykka.ActorRef[Any],
    room: pykka.ActorRef[Any],
    told: list[Any],
    place: dict[str, Any],
) -> None:
    unsaved = tuple(posted(seq, "not saved yet") for seq in (31, 32, 33))
    request = ReadHistory(Listener(), b"1", limit=5, **place)
    history.tell(LoadPage(room, "lobby", 33, request, unsaved))
    stage.run_until(lambda: told)
    assert told[0].answer == Page((said(29), said(30), *unsaved), more=True, as_of=30)


@pytest.mark.parametrize(
    ("since", "epoch", "base", "first"),
    [
        (25, None, 25, 26),  # heard from this server
        (10, 1, 20, 11),
        (24, 1, 20, 21),  # heard 21 to 24, which were never committed
        (24, 2, 20, 21),  # an epoch in which nothing was committed
        (30, 3, 30, None),
        (7, 4, 30, 8),  # a later one, likewise
        (7, 0, 0, 1),
    ],
)
def test_what_a_client_missed_is_read_from_where_its_epoch_ended(
    stage: Stage,
    history: pykka.ActorRef[Any],
    room: pykka.ActorRef[Any],
    told: list[Any],
    since: int,
    epoch: int | None,
    base: int,
    first: int | None,
) -> None:
    sync = Sync(Listener(), b"1", Position(since, epoch))
    history.tell(LoadMissed(room, "lobby", since, epoch, 3, 0, sync))
    stage.run_until(lambda: told)
    assert told[0].base == base
    places = [] if first is None else [*range(first, min(first + 3, 31))]
    assert list(told[0].entries) == [said(seq) for seq in places]


def test_a_message_is_found_by_its_name_and_client_id(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    known, unknown = post(Listener(), "number 5"), post(Listener(), "number 99")
    for each in (known, unknown):
        history.tell(LookUp(room, "lobby", each))
    stage.run_until(lambda: len(told) == 2)
    assert told == [LookedUp(known, said(5)), LookedUp(unknown, None)]


def test_what_a_reply_answers_is_found_with_it_unless_its_place_is_void(
    stage: Stage, history: pykka.ActorRef[Any], room: pykka.ActorRef[Any], told: list[Any]
) -> None:
    Entry.save_all([("lobby", 3, [void_row(31, said(30).inserted_at, 30)])])
    replies = [post(Listener(), f"answer to {seq}", reply_to=seq) for seq in (30, 31)]
    for reply in replies:
        history.tell(LookUp(room, "lobby", reply))
    history.tell(LoadTarget(room, "lobby", 31, None))
    stage.run_until(lambda: len(told) == 3)
    assert told == [LookedUp(replies[0], None, (said(30),)), LookedUp(replies[1], None), TargetLoaded(31, None)]


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
    page = ReadHistory(reader, b"1", 9, 3)
    history.tell(LoadPage(room, "lobby", 30, page))
    sync, repeat = Sync(reader, b"2", Position(0, 1)), post(reader, "hello")
    history.tell(LoadMissed(room, "lobby", 0, 1, 10, 0, sync))
    history.tell(LookUp(room, "lobby", repeat))
    stage.run_until(lambda: len(told) == 4)
    assert told[:2] == [LoadFailed(), PageLoaded(page, Refused("unavailable"))]
    assert told[2:] == [MissedLoaded(sync, 0, (), Refused("unavailable")), LookedUp(repeat, None, failed=True)]
    for question in (ListRooms(10), Ping()):
        with pytest.raises(Exception, match=r"no such table|does not exist"):
            stage.run(history.ask(question, block=False))
    assert history.is_alive()


def test_a_ping_is_answered_when_the_database_answers(stage: Stage, history: pykka.ActorRef[Any]) -> None:
    assert stage.run(history.ask(Ping(), block=False)) is None


def test_rooms_are_listed(stage: Stage, history: pykka.ActorRef[Any]) -> None:
    assert stage.run(history.ask(ListRooms(10), block=False)) == RoomsListed(
        [RoomListed("lobby", 30, 30, said(30).inserted_at)]
    )
