"""A person with many connections: some are listed, and the list stays right."""

import random

import pytest

from chatter.messages import Meta, Metas, PresenceChanged, PresenceListed
from chatter.room.context import RoomSettings
from chatter.room.presence import Presence
from tests.chatter.conftest import RoomOnStage
from tests.chatter.room.test_crowded_room import Watcher
from tests.support.stage import Listener, Stage, join


@pytest.fixture
def presence() -> Presence:
    """One that lists two people, with two connections each."""
    return Presence(2, 2)


def times(presence: Presence, name: str = "ann") -> list[int]:
    """When the listed connections of a person came."""
    return [meta.online_at for meta in presence.listed().people[name].metas]


def come(presence: Presence, *online_at: int, name: str = "ann") -> list[Listener]:
    listeners = [Listener() for _ in online_at]
    for listener, at in zip(listeners, online_at, strict=True):
        presence.track(listener, name, at)
    return listeners


def test_only_the_first_connections_are_listed_and_all_are_counted(presence: Presence) -> None:
    watcher = Watcher(presence)
    come(presence, 1, 2, 3, 4)
    assert times(presence) == [1, 2]
    assert (len(presence), presence.connections) == (1, 4)
    assert watcher.update() == {"ann"}
    assert times(presence) == [1, 2]


def test_one_that_is_not_listed_comes_and_goes_without_a_word(presence: Presence) -> None:
    come(presence, 1, 2)
    presence.changes()
    (third,) = come(presence, 3)
    assert not presence.has_news
    presence.untrack(third)
    assert presence.changes() == []
    assert (times(presence), presence.connections) == ([1, 2], 2)


def test_the_next_takes_the_place_of_a_listed_one_that_goes(presence: Presence) -> None:
    watcher = Watcher(presence)
    first, *_ = come(presence, 1, 2, 3, 4)
    watcher.update()
    presence.untrack(first)
    [change] = presence.changes()
    assert isinstance(change, PresenceChanged)
    assert [meta.online_at for meta in change.joins["ann"].metas] == [3]
    assert [meta.online_at for meta in change.leaves["ann"].metas] == [1]
    assert times(presence) == [2, 3]


def test_a_person_is_gone_with_the_last_connection(presence: Presence) -> None:
    watcher = Watcher(presence)
    for listener in come(presence, 1, 2, 3, 4, 5):
        presence.untrack(listener)
    assert watcher.update() == set()
    assert (len(presence), presence.connections, presence.people) == (0, 0, {})


def test_people_who_are_not_listed_have_no_more_connections_when_they_are(presence: Presence) -> None:
    watcher = Watcher(presence)
    (ann,) = come(presence, 1)
    come(presence, 1, name="bo")
    come(presence, 1, 2, 3, name="cy")
    assert watcher.update() == {"ann", "bo"}
    presence.untrack(ann)
    assert watcher.update() == {"bo", "cy"}
    assert times(presence, "cy") == [1, 2]


def test_those_who_are_expected_back_are_listed_with_so_many(presence: Presence) -> None:
    presence.expect({"ann": Metas(tuple(Meta(f"ref-{at}", at) for at in range(5)))})
    watcher = Watcher(presence)
    come(presence, 10, 11, 12)
    watcher.update()
    assert times(presence) == [10, 11]
    presence.drop_expected()
    assert (watcher.update(), presence.connections) == ({"ann"}, 3)


def test_a_list_stays_right_whoever_comes_and_goes(presence: Presence) -> None:
    chance, watcher = random.Random(7), Watcher(presence)
    here: list[Listener] = []
    for step in range(2_000):
        if here and chance.random() < 0.5:
            presence.untrack(here.pop(chance.randrange(len(here))))
        else:
            here += come(presence, step, name=chance.choice("abcd"))
        if chance.random() < 0.3:
            watcher.update()
    for listener in here:
        presence.untrack(listener)
    assert watcher.update() == set()


def test_a_crowd_of_one_name_costs_each_newcomer_little(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_listed_connections=3), recent=[])
    room.tell(*(join(Listener(), "x") for _ in range(100)))
    room.tell(join(ann, "ann"))
    [listed] = [event for event in ann.heard if isinstance(event, PresenceListed)]
    assert {name: len(of.metas) for name, of in listed.people.items()} == {"x": 3, "ann": 1}
