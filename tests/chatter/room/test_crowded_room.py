"""More people in a room than are listed: a sample that stays right, and a count."""

import pytest

from chatter.messages import PauseEnded, PresenceChanged, PresenceCounted, PresenceListed
from chatter.room.presence import Presence
from chatter.room.room import RoomSettings
from tests.chatter.conftest import RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join


class Watcher:
    """A list of people, kept as Phoenix Presence keeps it."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self.people = {name: set(of.metas) for name, of in presence.listed().people.items()}
        self.count = 0

    def looks(self) -> set[str]:
        """The names on the list after what has changed; metas that nobody has heard of must not leave."""
        for change in self._presence.changes():
            if isinstance(change, PresenceCounted):
                self.count = change.people
                continue
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
    assert watcher.count == 4
    assert presence.is_crowded
    assert presence.counted() == PresenceCounted(4)
    assert list(presence.people) == ["ann", "bo", "cy", "di"]


def test_one_who_is_not_listed_comes_and_goes_as_a_number(presence: Presence) -> None:
    presence.track(Listener(), "ann", 1)
    presence.track(Listener(), "bo", 1)
    presence.changes()
    cy = Listener()
    presence.track(cy, "cy", 1)
    assert presence.changes() == [PresenceCounted(3)]
    presence.track(Listener(), "cy", 2)
    assert presence.changes() == []
    presence.untrack(cy)
    assert presence.changes() == []


def test_who_has_waited_longest_takes_a_free_place_with_all_connections(presence: Presence) -> None:
    ann = Listener()
    presence.track(ann, "ann", 1)
    for name in ("bo", "cy", "cy", "di"):
        presence.track(Listener(), name, 1)
    watcher = Watcher(presence)
    presence.changes()
    presence.untrack(ann)
    assert watcher.looks() == {"bo", "cy"}
    assert len(watcher.people["cy"]) == 2


def test_another_connection_of_one_who_is_listed_is_announced(presence: Presence) -> None:
    for name in ("ann", "bo", "cy"):
        presence.track(Listener(), name, 1)
    watcher = Watcher(presence)
    presence.changes()
    presence.track(Listener(), "ann", 2)
    assert watcher.looks() == {"ann", "bo"}
    assert len(watcher.people["ann"]) == 2


def test_once_the_list_has_everybody_again_the_number_is_told_once_more(presence: Presence) -> None:
    cy = Listener()
    for name, listener in (("ann", Listener()), ("bo", Listener()), ("cy", cy)):
        presence.track(listener, name, 1)
    presence.changes()
    presence.untrack(cy)
    assert presence.changes() == [PresenceCounted(2)]
    assert presence.changes() == []


def test_people_who_are_expected_back_count(presence: Presence) -> None:
    others = Presence(10)
    for name in ("ann", "bo", "cy"):
        others.track(Listener(), name, 1)
    presence.expect(others.people)
    watcher = Watcher(presence)
    assert watcher.looks() == {"ann", "bo"}
    assert presence.is_crowded
    presence.track(Listener(), "ann", 5)
    assert len(presence) == 3
    presence.expect_nobody()
    assert watcher.looks() == {"ann"}
    assert not presence.is_crowded


@pytest.fixture
def room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> RoomOnStage:
    """One that lists two people, and whose pauses last until a test ends them."""
    monkeypatch.setattr("chatter.room.room.PAUSE", 1_000.0)
    return RoomOnStage(stage, RoomSettings(listed_people=2, presence_interval=1_000), recent=[])


def test_one_who_joins_a_crowded_room_is_told_of_itself_and_how_many_are_there(
    room: RoomOnStage, ann: Listener
) -> None:
    room.told(join(Listener(), "bo"), join(Listener(), "cy"))
    room.told(join(ann, "ann"))
    _, listed, *counts = ann.heard
    assert isinstance(listed, PresenceListed)
    assert list(listed.people) == ["bo", "cy", "ann"]  # two, and the one who reads it
    assert counts == [PresenceCounted(3)] * 2  # its own, and everybody's


def test_a_large_room_is_told_who_came_only_now_and_then(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), *(join(Listener()) for _ in range(10)))
    room.told(join(Listener(), "bo"))
    assert [type(event) for event in ann.heard[1:]] == [PresenceChanged]
    ann.forget()
    for name in ("cy", "di", "ed"):
        room.told(join(Listener(), name))
    assert ann.heard == []
    room.told(PauseEnded())
    [change, count] = ann.heard
    assert list(change.joins) == ["cy"]
    assert count == PresenceCounted(4)
    room.told(post(ann, "hello"))
    assert ann.heard[2:] == [posted(1, "hello")]


def test_the_pause_ends_by_itself(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(presence_interval=0.01), recent=[])
    room.told(join(ann), *(join(Listener()) for _ in range(10)))
    for name in ("bo", "cy"):
        room.told(join(Listener(), name))
    stage.until(lambda: len(ann.heard) == 3)
    assert list(ann.heard[2].joins) == ["cy"]
