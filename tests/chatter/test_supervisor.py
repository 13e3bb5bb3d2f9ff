"""Rooms, persistence and history together, on a real database."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatter.history import History
from chatter.messages import Acknowledged, Done, Leave, Posted
from chatter.persistence import Persistence
from chatter.room import RoomSettings
from chatter.supervisor import Supervisor
from schema import Database, Message, open_database
from schema.database import migrate
from tests.chatter.conftest import post
from tests.chatter.test_room import Poison
from tests.support.stage import Listener, Stage, join


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/chatter.db")
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def supervisor(stage: Stage, opened: Database) -> Iterator[Supervisor]:
    history = stage.start(History, opened)
    persistence = stage.start(Persistence, opened, history, threading.Event())
    supervisor = Supervisor(persistence, history, RoomSettings(idle_timeout=0.01))
    yield supervisor
    stage.run(supervisor.stop())
    for actor in (persistence, history):
        stage.run(actor.stop(block=False))


class House:
    """What a client does with a supervisor: look a room up and talk to it at once, on the loop."""

    def __init__(self, stage: Stage, supervisor: Supervisor) -> None:
        self.stage = stage
        self.supervisor = supervisor

    def tell(self, slug: str, *messages: Any) -> None:
        """Look up the room and tell it."""

        async def tell() -> None:
            room = self.supervisor.room(slug)
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
    assert [row[:4] for row in Message.latest("lobby", 10)] == [(1, "a1", "ann", "hello")]


def test_an_empty_room_retires_and_its_numbers_continue(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("lobby", join(ann), post(ann, "one"))
    house.stage.until(lambda: answers(ann))
    first = house.stage.run(_look_up(house, "lobby"))
    house.tell("lobby", Leave(ann))
    house.stage.until(lambda: not first.is_alive())
    house.tell("lobby", join(bo), post(bo, "two"))
    house.stage.until(lambda: answers(bo))
    assert [event.seq for event in bo.heard if isinstance(event, Posted)] == [1, 2]


def test_a_dead_room_is_rebuilt_with_all_that_was_told_to_persistence(
    house: House, ann: Listener, bo: Listener
) -> None:
    house.tell("lobby", join(ann), *(post(ann, str(number)) for number in range(300)))
    house.hears(ann, Posted)
    house.tell("lobby", Poison())
    house.hears(ann, "crashed")
    house.tell("lobby", join(bo), post(bo, "after the crash"))
    house.stage.until(lambda: answers(bo))
    assert answers(bo)[0].seq == 301
    assert [row[0] for row in Message.latest("lobby", 1000)] == list(range(1, 302))


def test_the_failure_of_a_room_reaches_no_other(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("one", join(ann))
    house.tell("two", join(bo))
    house.tell("one", Poison())
    house.hears(ann, "crashed")
    house.tell("two", post(bo, "still here"))
    house.hears(bo, Posted)
    assert "crashed" not in bo.heard


def test_people_are_counted_by_room(house: House, ann: Listener, bo: Listener) -> None:
    house.tell("one", join(ann, "ann"))
    house.tell("two", join(bo), join(Listener()))
    house.stage.until(lambda: dict(house.supervisor.people) == {"one": 1, "two": 2})
    house.tell("one", Leave(ann))
    house.stage.until(lambda: dict(house.supervisor.people) == {"two": 2})


def test_a_dead_room_has_no_people(house: House, ann: Listener) -> None:
    house.tell("lobby", join(ann))
    house.hears(ann, Done())
    house.stage.until(lambda: house.supervisor.people)
    house.tell("lobby", Poison())
    house.stage.until(lambda: not house.supervisor.people)


def test_stopping_handles_what_was_told_before(house: House, ann: Listener) -> None:
    house.tell("lobby", join(ann))
    house.hears(ann, Done())
    house.tell("lobby", post(ann, "last words"))
    house.stage.run(house.supervisor.stop())
    assert isinstance(ann.heard[-1], Posted)


async def _look_up(house: House, slug: str) -> Any:
    return house.supervisor.room(slug)
