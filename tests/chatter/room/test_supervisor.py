"""Rooms, persistence and history together, on a real database."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chatter.room.supervisor
from chatter.messages import Acknowledged, Leave, Posted, Recovery, Refused
from chatter.room.context import RoomSettings
from chatter.room.supervisor import MAX_RESTARTS, Supervisor
from chatter.storage.backlog import Backlog
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.history import History
from chatter.storage.persistence import Persistence
from schema import Database, Message, open_database
from schema.database import migrate
from tests.chatter.conftest import EPOCH, post
from tests.chatter.room.test_room import poison
from tests.support.fragile_room import POISON, FragileRoom
from tests.support.stage import Listener, Stage, join


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/chatter.db")
    migrate(database)
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
    supervisor = Supervisor(backlog, history, EPOCH, RoomSettings(room_idle_timeout=0.01))
    yield supervisor
    stage.run(supervisor.stop())
    stage.run(backlog.close())
    stage.run(history.stop(block=False))


class House:
    """What a client does with a supervisor: look a room up and talk to it at once, on the loop."""

    def __init__(self, stage: Stage, supervisor: Supervisor) -> None:
        self.stage = stage
        self.supervisor = supervisor

    def tell(self, slug: str, *messages: Any) -> None:
        """Look up the room and tell it."""

        async def tell() -> None:
            room = self.supervisor.ensure_room(slug)
            for message in messages:
                room.tell(message)

        self.stage.run(tell())

    def hears(self, listener: Listener, what: object) -> None:
        """Wait until `listener` has heard `what`, or something of that type."""
        heard = (lambda: any(isinstance(one, what) for one in listener.heard)) if isinstance(what, type) else None
        self.stage.until(heard or (lambda: what in listener.heard))


@pytest.fixture
def house(stage: Stage, supervisor: Supervisor) -> House:
    return House(stage, supervisor)


def answers(listener: Listener) -> list[Acknowledged]:
    return [value[1] for value in listener.heard if isinstance(value, tuple)]


def test_one_room_has_one_actor(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("lobby", join(ann))
    house.tell("lobby", join(bo), post(bo, "hello"))
    house.hears(ann, Posted)


def test_a_post_goes_all_the_way_to_the_database_and_back(house: House, ann: Listener) -> None:
    house.tell("lobby", join(ann), post(ann, "hello"))
    house.stage.until(lambda: answers(ann))
    assert answers(ann)[0].seq == 1
    assert [row[:4] for row in Message.latest("lobby", 10)] == [(1, "hello", "ann", "hello")]


def test_an_empty_room_retires_and_its_numbers_continue(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("lobby", join(ann), post(ann, "one"))
    house.stage.until(lambda: answers(ann))
    first = house.stage.run(_look_up(house, "lobby"))
    house.tell("lobby", Leave(ann))
    house.stage.until(lambda: not first.is_alive())
    house.tell("lobby", join(bo), post(bo, "two"))
    house.stage.until(lambda: answers(bo))
    assert [event.seq for event in bo.heard if isinstance(event, Posted)] == [1, 2]


def test_a_dead_room_is_rebuilt_with_its_listeners_and_its_numbers(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("lobby", join(ann), join(bo, "bo"), *(post(ann, str(number)) for number in range(300)))
    house.tell("lobby", poison(), post(bo, "after the crash"))
    house.stage.until(lambda: answers(bo))
    assert answers(bo)[0].seq == 301
    house.stage.until(lambda: len(answers(ann)) == 300)
    assert [row[0] for row in Message.latest("lobby", 1000)] == list(range(1, 302))
    for listener in (ann, bo):
        assert [said.seq for said in listener.heard if isinstance(said, Posted)] == list(range(1, 302))
        assert "crashed" not in listener.heard
    assert house.supervisor.people_counts["lobby"] == 2


def test_a_message_that_kills_twice_is_quarantined_and_answered(
    house: House, ann: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(chatter.room.supervisor, "Room", FragileRoom)
    house.tell("lobby", join(ann))
    house.hears(ann, Recovery)
    house.tell("lobby", post(ann, "before"), post(ann, POISON, ref=b"7"), post(ann, "after"))
    house.hears(ann, (b"7", Refused("quarantined")))
    house.stage.until(lambda: len(answers(ann)) == 3)
    assert [said.message for said in ann.heard if isinstance(said, Posted)] == ["before", "after"]
    assert "quarantined" in caplog.text
    assert repr(POISON) in caplog.text


def test_a_room_that_dies_again_and_again_sends_its_listeners_away(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("lobby", join(ann))
    house.hears(ann, Recovery)
    for _ in range(MAX_RESTARTS):
        house.tell("lobby", poison())
    house.hears(ann, "crashed")
    house.tell("lobby", join(bo), post(bo, "a new beginning"))
    house.hears(bo, Posted)


def test_the_failure_of_a_room_reaches_no_other(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("one", join(ann))
    house.tell("two", join(bo))
    for _ in range(MAX_RESTARTS):
        house.tell("one", poison())
    house.hears(ann, "crashed")
    house.tell("two", post(bo, "still here"))
    house.hears(bo, Posted)
    assert "crashed" not in bo.heard


def test_people_are_counted_by_room(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("one", join(ann, "ann"))
    house.tell("two", join(bo), join(Listener()))
    house.stage.until(lambda: dict(house.supervisor.people_counts) == {"one": 1, "two": 2})
    house.tell("one", Leave(ann))
    house.stage.until(lambda: dict(house.supervisor.people_counts) == {"two": 2})


def test_a_room_that_sent_its_people_away_has_none(house: House, ann: Listener) -> None:
    house.tell("lobby", join(ann))
    house.stage.until(lambda: house.supervisor.people_counts)
    for _ in range(MAX_RESTARTS):
        house.tell("lobby", poison())
    house.stage.until(lambda: not house.supervisor.people_counts)


def test_stopping_handles_what_was_told_before(house: House, ann: Listener) -> None:
    house.tell("lobby", join(ann))
    house.hears(ann, Recovery)
    house.tell("lobby", post(ann, "last words"))
    house.stage.run(house.supervisor.stop())
    assert isinstance(ann.heard[-1], Posted)


async def _look_up(house: House, slug: str) -> Any:
    return house.supervisor.ensure_room(slug)
