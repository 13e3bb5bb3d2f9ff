"""More people in a room than are listed: a sample that stays right, and a count."""

import pytest

from chatter.messages import CountDue, Leave, PresenceChanged, PresenceCounted, PresenceListed
from chatter.presence import Presence
from chatter.room import RoomSettings
from tests.chatter.conftest import RoomOnStage
from tests.support.stage import Listener, Stage, join


class Watcher:
    """A list of people, kept as Phoenix Presence keeps it."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self.people = {name: set(of.metas) for name, of in presence.listed().people.items()}

    def looks(self) -> set[str]:
        """The names on the list after what has changed; metas that nobody has heard of must not leave."""
        change = self._presence.changed()
        if change is not None:
            for name, joined in change.joins.items():
                self.people.setdefault(name, set()).update(joined.metas)
            for name, left in change.leaves.items():
                assert self.people[name] >= set(left.metas)
                self.people[name] -= set(left.metas)
            self.people = {name: metas for name, metas in self.people.items() if metas}
        listed = self._presence.listed().people
        assert self.people == {name: set(of.metas) for name, of in listed.items()}
        return set(self.people)


@pytest.fixture
def presence() -> Presence:
    return Presence(2)


def test_only_so_many_are_listed_and_all_are_counted(presence: Presence) -> None:
    watcher = Watcher(presence)
    for name in ("ann", "bo", "cy", "di"):
        presence.track(Listener(), name, 1)
    assert watcher.looks() == {"ann", "bo"}
    assert presence.is_crowded
    assert presence.counted() == PresenceCounted(4)
    assert set(presence.all()) == {"ann", "bo", "cy", "di"}


def test_one_who_is_not_listed_comes_and_goes_unannounced(presence: Presence) -> None:
    presence.track(Listener(), "ann", 1)
    presence.track(Listener(), "bo", 1)
    presence.changed()
    cy = Listener()
    presence.track(cy, "cy", 1)
    presence.track(Listener(), "cy", 2)
    assert presence.changed() is None
    presence.untrack(cy)
    assert presence.changed() is None


def test_who_has_waited_longest_takes_a_free_place_with_all_connections(presence: Presence) -> None:
    ann = Listener()
    presence.track(ann, "ann", 1)
    for name in ("bo", "cy", "cy", "di"):
        presence.track(Listener(), name, 1)
    watcher = Watcher(presence)
    presence.changed()
    presence.untrack(ann)
    assert watcher.looks() == {"bo", "cy"}
    assert len(watcher.people["cy"]) == 2


def test_another_connection_of_one_who_is_listed_is_announced(presence: Presence) -> None:
    for name in ("ann", "bo", "cy"):
        presence.track(Listener(), name, 1)
    watcher = Watcher(presence)
    presence.changed()
    presence.track(Listener(), "ann", 2)
    assert watcher.looks() == {"ann", "bo"}
    assert len(watcher.people["ann"]) == 2


def test_people_who_are_expected_back_count(presence: Presence) -> None:
    others = Presence(10)
    for name in ("ann", "bo", "cy"):
        others.track(Listener(), name, 1)
    presence.expect(others.all())
    watcher = Watcher(presence)
    assert watcher.looks() == {"ann", "bo"}
    assert presence.is_crowded
    presence.track(Listener(), "ann", 5)
    assert len(presence) == 3
    presence.expect_nobody()
    assert watcher.looks() == {"ann"}
    assert not presence.is_crowded


@pytest.fixture
def room(stage: Stage) -> RoomOnStage:
    """One that lists two people, and counts when the test says so."""
    return RoomOnStage(stage, RoomSettings(listed_people=2, people_count_interval=1_000), recent=[])


def test_one_who_joins_a_crowded_room_is_told_how_many_are_there(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(Listener(), "bo"), join(Listener(), "cy"))
    room.told(join(ann, "ann"))
    _, listed, counted = ann.heard
    assert isinstance(listed, PresenceListed)
    assert list(listed.people) == ["bo", "cy", "ann"]  # two, and the one who reads it
    assert counted == PresenceCounted(3)


def test_everybody_is_told_at_times_and_once_more_when_the_list_has_all(room: RoomOnStage, ann: Listener) -> None:
    people = [Listener() for _ in range(3)]
    room.told(join(ann), *(join(person, f"person {number}") for number, person in enumerate(people)))
    ann.forget()
    room.told(CountDue())
    assert ann.heard == [PresenceCounted(3)]
    room.told(CountDue())
    assert ann.heard == [PresenceCounted(3)]  # it has not changed
    room.told(Leave(people[0]))
    room.told(CountDue())
    assert [type(event) for event in ann.heard[1:]] == [PresenceChanged, PresenceCounted]  # the list has all now
    ann.forget()
    room.told(Leave(people[1]))
    room.told(CountDue())
    assert [type(event) for event in ann.heard] == [PresenceChanged]


def test_the_room_tells_by_itself(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(listed_people=1, people_count_interval=0.01), recent=[])
    room.told(join(ann), join(Listener(), "bo"), join(Listener(), "cy"))
    stage.until(lambda: PresenceCounted(2) in ann.heard)
