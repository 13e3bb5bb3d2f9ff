"""The supervisor with real rooms, persistence and history, on a SQLite database."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chatter.room.supervisor
from chatter.messages import (
    Acknowledged,
    Join,
    Leave,
    Load,
    Loaded,
    LoadFailed,
    Meta,
    Metas,
    Post,
    Posted,
    Recovery,
    Refused,
    Retire,
    Voided,
)
from chatter.room.context import RoomSettings
from chatter.room.supervisor import MAX_FAILURES, Supervisor
from chatter.storage.backlog import Backlog
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.history import History
from chatter.storage.persistence import Persistence
from schema import Database, Entry, open_database
from tests.chatter.conftest import EPOCH, post, said_in
from tests.chatter.room.test_room import poison
from tests.support.database import forbid, refusing
from tests.support.fragile_room import FAIL_AFTER, POISON, FragileRoom
from tests.support.stage import Listener, Recorder, Stage, join
from tests.support.templates import copy_sqlite
from tests.support.virtual_time import Loop, run


@pytest.fixture
def url(tmp_path: Path) -> str:
    return copy_sqlite(tmp_path / "chatter.db")


@pytest.fixture
def opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture
def supervisor(stage: Stage, opened: Database, tmp_path: Path) -> Iterator[Supervisor]:
    history = stage.start(History, opened)
    backlog = Backlog()
    options: dict[str, Any] = {
        "backlog": backlog,
        "committer": Committer(DeadLetters(tmp_path / "dead-letters")),
        "give_up": threading.Event(),
    }
    stage.call(backlog.open, lambda on_death: Persistence.start(opened, history, on_death=on_death, **options))
    settings = RoomSettings(room_idle_timeout=0.01, ring_size=20, id_memory_size=20)
    supervisor = Supervisor(backlog, history, EPOCH, {EPOCH}, settings)
    yield supervisor
    stage.run(supervisor.stop())
    stage.run(backlog.close())
    stage.run(history.stop(block=False))


class Rooms:
    """Rooms is a client of the supervisor: it finds a room and tells it messages."""

    def __init__(self, stage: Stage, supervisor: Supervisor) -> None:
        self.stage = stage
        self.supervisor = supervisor

    def tell(self, slug: str, *messages: Any) -> None:
        """Finds or starts the room, and tells it the messages."""

        async def tell() -> None:
            room = self.supervisor.ensure_room(slug)
            for message in messages:
                room.tell(message)

        self.stage.run(tell())

    def wait_until_heard(self, listener: Listener, what: object) -> None:
        """Runs the loop until `listener` has heard `what`, or an event of that type."""
        heard = (lambda: any(isinstance(one, what) for one in listener.heard)) if isinstance(what, type) else None
        self.stage.run_until(heard or (lambda: what in listener.heard))


@pytest.fixture
def rooms(stage: Stage, supervisor: Supervisor) -> Rooms:
    return Rooms(stage, supervisor)


def answers(listener: Listener) -> list[Acknowledged]:
    return [value[1] for value in listener.heard if isinstance(value, tuple)]


async def recalled(rooms: Rooms) -> list[str]:
    """Returns the texts that the rooms remember."""
    return [said.message for said in said_in(await rooms.supervisor.recall())]


def test_a_room_has_one_actor(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    rooms.tell("lobby", join(ann))
    rooms.tell("lobby", join(bo), post(bo, "hello"))
    rooms.wait_until_heard(ann, Posted)


def test_a_post_is_saved_in_the_database_and_acknowledged(rooms: Rooms, ann: Listener) -> None:
    rooms.tell("lobby", join(ann), post(ann, "hello"))
    rooms.stage.run_until(lambda: answers(ann))
    assert answers(ann)[0].seq == 1
    assert [row[:4] for row in Entry.latest("lobby", 10)] == [(1, "hello", "ann", "hello")]


def test_an_empty_room_retires_and_its_seq_continues(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    rooms.tell("lobby", join(ann), post(ann, "one"))
    rooms.stage.run_until(lambda: answers(ann))
    first = rooms.stage.run(_look_up(rooms, "lobby"))
    rooms.tell("lobby", Leave(ann))
    rooms.stage.run_until(lambda: not first.is_alive())
    rooms.tell("lobby", join(bo), post(bo, "two"))
    rooms.stage.run_until(lambda: answers(bo))
    assert [event.seq for event in bo.heard if isinstance(event, Posted)] == [1, 2]


def test_a_room_that_retires_while_rooms_are_recalled_is_passed_over(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    async def recall_beside_retirement() -> list[str]:
        rooms.supervisor.ensure_room("retiring").tell(Retire())
        return await recalled(rooms)

    rooms.tell("lobby", join(ann), post(ann, "hello"))
    rooms.stage.run_until(lambda: answers(ann))
    rooms.supervisor.keep_rooms()  # the test alone retires them
    rooms.tell("retiring", join(bo))
    rooms.wait_until_heard(bo, Recovery)
    rooms.tell("retiring", Leave(bo))
    assert rooms.stage.run(recall_beside_retirement()) == ["hello"]


def test_rooms_that_are_kept_do_not_retire(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    rooms.tell("lobby", join(ann), post(ann, "hello"))
    room = rooms.stage.run(_look_up(rooms, "lobby"))
    rooms.stage.run_until(lambda: answers(ann))
    rooms.supervisor.keep_rooms()
    rooms.tell("lobby", Leave(ann), join(bo))
    rooms.wait_until_heard(bo, Recovery)
    rooms.tell("lobby", Leave(bo))
    rooms.stage.run(asyncio.sleep(0.05))  # five times the time-out
    assert room.is_alive()
    assert rooms.stage.run(recalled(rooms)) == ["hello"]


def test_a_failed_room_is_rebuilt_with_its_subscribers_and_its_seq(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    rooms.tell("lobby", join(ann), join(bo, "bo"), *(post(ann, str(number)) for number in range(300)))
    rooms.tell("lobby", poison(), post(bo, "after the crash"))
    rooms.stage.run_until(lambda: answers(bo))
    assert answers(bo)[0].seq == 301
    rooms.stage.run_until(lambda: len(answers(ann)) == 300)
    assert [row[0] for row in Entry.latest("lobby", 1000)] == list(range(1, 302))
    for listener in (ann, bo):
        assert [said.seq for said in listener.heard if isinstance(said, Posted)] == list(range(1, 302))
        assert "crashed" not in listener.heard
    assert rooms.supervisor.people_counts["lobby"] == 2


@pytest.fixture
def fragile_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has rooms fail at certain posts."""
    monkeypatch.setattr(chatter.room.supervisor, "Room", FragileRoom)
    monkeypatch.setattr(FragileRoom, "failed_ids", set())


def fail_before_the_commit(rooms: Rooms, posts: list[Post], database_url: str) -> None:
    """Has a room fail when it has said the posts, none of which is committed yet."""
    with refusing(database_url):
        rooms.tell("lobby", *posts, post(Listener(), FAIL_AFTER))
        rooms.stage.run_turns()


def heard_posts(listener: Listener) -> list[str]:
    return [heard.message for heard in listener.heard if isinstance(heard, Posted)]


@pytest.mark.usefixtures("fragile_rooms")
def test_a_post_that_is_refused_after_its_room_failed_is_answered_so_however_far_back_it_is(
    rooms: Rooms, ann: Listener, bo: Listener, url: str
) -> None:
    forbid(url, "never this")
    rooms.tell("lobby", join(ann), join(bo))
    refused = [post(ann, "never this", ref=b"%d" % number, id=f"refused {number}") for number in (1, 2)]
    fail_before_the_commit(rooms, [*refused, *(post(ann, f"number {number}") for number in range(50))], url)
    rooms.stage.run_until(lambda: len(answers(ann)) == 52)
    assert [value for value in ann.heard if isinstance(value, tuple)][:2] == [
        (b"1", Refused("not_saved")),
        (b"2", Refused("not_saved")),
    ]
    assert [heard for heard in bo.heard if isinstance(heard, Voided)] == [Voided(1), Voided(2)]


@pytest.mark.usefixtures("fragile_rooms")
def test_a_place_that_becomes_void_after_its_room_failed_is_told_where_nobody_waits_for_an_answer(
    rooms: Rooms, ann: Listener, bo: Listener, url: str
) -> None:
    forbid(url, "never this")
    rooms.tell("lobby", join(ann), join(bo), post(ann, "before"))
    rooms.stage.run_until(lambda: answers(ann))
    fail_before_the_commit(rooms, [post(ann, "never this", ack="room"), post(ann, "after", ack="room")], url)
    rooms.wait_until_heard(bo, Voided(2))
    rooms.wait_until_heard(ann, Voided(2))


@pytest.mark.usefixtures("fragile_rooms")
def test_a_repeat_that_becomes_void_after_its_room_failed_is_answered_with_the_first(
    rooms: Rooms, ann: Listener, url: str
) -> None:
    rooms.tell("lobby", join(ann), *(post(ann, f"number {number}") for number in range(1, 51)))
    rooms.stage.run_until(lambda: len(answers(ann)) == 50)
    repeats = [post(ann, "number 1", ref=b"again"), post(ann, "another text", ref=b"other", id="number 2")]
    fail_before_the_commit(rooms, repeats, url)
    rooms.wait_until_heard(ann, (b"other", Refused("id_taken")))
    (again,) = [value[1] for value in ann.heard if isinstance(value, tuple) and value[0] == b"again"]
    assert (again.seq, again.duplicate) == (1, True)
    assert [heard for heard in ann.heard if isinstance(heard, Voided)] == [Voided(51), Voided(52)]
    rooms.tell("lobby", post(ann, "number 3"))  # the room looks up the ids of such a client
    rooms.stage.run_until(lambda: len(answers(ann)) == 53)
    assert heard_posts(ann)[-3:] == ["number 1", "another text", FAIL_AFTER]


def test_a_message_at_which_a_room_fails_twice_is_quarantined_and_answered(
    rooms: Rooms, ann: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(chatter.room.supervisor, "Room", FragileRoom)
    rooms.tell("lobby", join(ann))
    rooms.wait_until_heard(ann, Recovery)
    rooms.tell("lobby", post(ann, "before"), post(ann, POISON, ref=b"7"), post(ann, "after"))
    rooms.wait_until_heard(ann, (b"7", Refused("quarantined")))
    rooms.stage.run_until(lambda: len(answers(ann)) == 3)
    assert [said.message for said in ann.heard if isinstance(said, Posted)] == ["before", "after"]
    assert "quarantined" in caplog.text
    assert repr(POISON) in caplog.text


def test_a_second_join_that_is_quarantined_ends_the_first(rooms: Rooms, ann: Listener) -> None:
    class Unwelcome(Listener):
        def welcome(self, recovery: Recovery) -> bytes:
            raise ValueError("cannot be encoded")

    second = Unwelcome()
    rooms.tell("lobby", join(ann, "ann"))
    rooms.wait_until_heard(ann, Recovery)
    rooms.tell("lobby", Join(second, "ann", replaces=ann))
    rooms.wait_until_heard(ann, "closed")
    assert second.heard == [Refused("join crashed")]
    rooms.stage.run_until(lambda: "lobby" not in rooms.supervisor.people_counts)


def test_a_room_that_fails_too_often_tells_its_subscribers_that_it_crashed(
    rooms: Rooms, ann: Listener, bo: Listener
) -> None:
    rooms.tell("lobby", join(ann))
    rooms.wait_until_heard(ann, Recovery)
    for _ in range(MAX_FAILURES):
        rooms.tell("lobby", poison())
    rooms.wait_until_heard(ann, "crashed")
    rooms.tell("lobby", join(bo), post(bo, "a new beginning"))
    rooms.wait_until_heard(bo, Posted)


def test_the_failure_of_a_room_does_not_affect_another(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    rooms.tell("one", join(ann))
    rooms.tell("two", join(bo))
    for _ in range(MAX_FAILURES):
        rooms.tell("one", poison())
    rooms.wait_until_heard(ann, "crashed")
    rooms.tell("two", post(bo, "still here"))
    rooms.wait_until_heard(bo, Posted)
    assert "crashed" not in bo.heard


def test_people_are_counted_by_room(rooms: Rooms, ann: Listener, bo: Listener) -> None:
    rooms.tell("one", join(ann, "ann"))
    rooms.tell("two", join(bo), join(Listener()))
    rooms.stage.run_until(lambda: dict(rooms.supervisor.people_counts) == {"one": 1, "two": 2})
    rooms.tell("one", Leave(ann))
    rooms.stage.run_until(lambda: dict(rooms.supervisor.people_counts) == {"two": 2})


def test_a_room_that_crashed_has_no_people(rooms: Rooms, ann: Listener) -> None:
    rooms.tell("lobby", join(ann))
    rooms.stage.run_until(lambda: rooms.supervisor.people_counts)
    for _ in range(MAX_FAILURES):
        rooms.tell("lobby", poison())
    rooms.stage.run_until(lambda: not rooms.supervisor.people_counts)


def test_a_room_that_cannot_load_its_past_has_no_people(stage: Stage, ann: Listener) -> None:
    expected = {"lobby": {"bo": Metas((Meta("1", 0),))}}
    supervisor = Supervisor(Backlog(), stage.start(Recorder, []), EPOCH, {EPOCH}, expected=expected)
    rooms = Rooms(stage, supervisor)
    rooms.tell("lobby", join(ann))
    stage.run_until(lambda: supervisor.people_counts)
    rooms.tell("lobby", LoadFailed())
    rooms.wait_until_heard(ann, Refused("unavailable"))
    assert not supervisor.people_counts


def test_a_stop_handles_earlier_messages_first(rooms: Rooms, ann: Listener) -> None:
    rooms.tell("lobby", join(ann))
    rooms.wait_until_heard(ann, Recovery)
    rooms.tell("lobby", post(ann, "last words"))
    rooms.stage.run(rooms.supervisor.stop())
    assert heard_posts(ann) == ["last words"]  # behind which the answer may be


async def _look_up(rooms: Rooms, slug: str) -> Any:
    return rooms.supervisor.ensure_room(slug)


def test_people_of_a_room_that_ended_before_the_stop_are_not_remembered(rooms: Rooms) -> None:
    rooms.supervisor.on_stopped("lobby", {"bo": Metas((Meta("ref", 1),))})
    assert rooms.stage.run(rooms.supervisor.stop()) == {}


class NoPast:
    """Plays a history that has nothing of any room."""

    def tell(self, load: Load) -> None:
        load.room.tell(Loaded([]))


def test_idle_rooms_retire_where_a_timer_comes_a_moment_early(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = iter(range(1_000))  # else it would go on for ever
    call_at = Loop.call_at
    monkeypatch.setattr(Loop, "call_at", lambda *args, **options: (next(timers), call_at(*args, **options))[1])

    async def scenario() -> None:
        supervisor = Supervisor(Backlog(), NoPast(), EPOCH, {EPOCH}, RoomSettings(room_idle_timeout=0.2))
        names = [f"room-{number}" for number in range(100)]
        for name in names:
            supervisor.ensure_room(name)
            await asyncio.sleep(0.013)  # at most of these times, 0.2 more and 0.2 less is another time
        await asyncio.sleep(0.3)
        assert not any(map(supervisor.find_room, names))

    run(scenario())
