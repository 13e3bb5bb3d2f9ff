"""A crowded room lists only some of its people, and sends the number of all."""

import pytest

from chatter.messages import PresenceChanged, PresenceCounted, PresenceListed, PresencePauseEnded
from chatter.room.context import RoomSettings
from chatter.room.presence import Presence
from tests.chatter.conftest import RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join


class Watcher:
    """Watcher keeps the list of people as a Phoenix Presence client does."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self.people = {name: set(of.metas) for name, of in presence.listed().people.items()}
        self.count = 0

    def update(self) -> set[str]:
        """Applies the changes, and returns the names on the list. No meta leaves that has not joined."""
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


def test_a_crowded_room_lists_some_people_and_counts_all(presence: Presence) -> None:
    watcher = Watcher(presence)
    for name in ("ann", "bo", "cy", "di"):
        presence.track(Listener(), name, 1)
    assert watcher.update() == {"ann", "bo"}
    assert watcher.count == 4
    assert presence.is_crowded
    assert presence.counted() == PresenceCounted(4)
    assert list(presence.people) == ["ann", "bo", "cy", "di"]


def test_an_unlisted_person_changes_only_the_count(presence: Presence) -> None:
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


def test_a_free_place_goes_to_the_first_unlisted_person_with_all_connections(presence: Presence) -> None:
    ann = Listener()
    presence.track(ann, "ann", 1)
    for name in ("bo", "cy", "cy", "di"):
        presence.track(Listener(), name, 1)
    watcher = Watcher(presence)
    presence.changes()
    presence.untrack(ann)
    assert watcher.update() == {"bo", "cy"}
    assert len(watcher.people["cy"]) == 2


def test_another_connection_of_a_listed_person_is_announced(presence: Presence) -> None:
    for name in ("ann", "bo", "cy"):
        presence.track(Listener(), name, 1)
    watcher = Watcher(presence)
    presence.changes()
    presence.track(Listener(), "ann", 2)
    assert watcher.update() == {"ann", "bo"}
    assert len(watcher.people["ann"]) == 2


def test_the_count_is_sent_once_more_when_the_list_is_complete_again(presence: Presence) -> None:
    cy = Listener()
    for name, listener in (("ann", Listener()), ("bo", Listener()), ("cy", cy)):
        presence.track(listener, name, 1)
    presence.changes()
    presence.untrack(cy)
    assert presence.changes() == [PresenceCounted(2)]
    assert presence.changes() == []


def test_expected_people_are_counted(presence: Presence) -> None:
    others = Presence(10)
    for name in ("ann", "bo", "cy"):
        others.track(Listener(), name, 1)
    presence.expect(others.people)
    watcher = Watcher(presence)
    assert watcher.update() == {"ann", "bo"}
    assert presence.is_crowded
    presence.track(Listener(), "ann", 5)
    assert len(presence) == 3
    presence.drop_expected()
    assert watcher.update() == {"ann"}
    assert not presence.is_crowded


@pytest.fixture
def room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> RoomOnStage:
    """Starts a room that lists two people. Its pauses last until a test ends them."""
    monkeypatch.setattr("chatter.room.room.PAUSE", 1_000.0)
    return RoomOnStage(stage, RoomSettings(max_listed_people=2, presence_interval=1_000), recent=[])


def test_a_join_to_a_crowded_room_gets_the_list_with_itself_and_the_count(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(Listener(), "bo"), join(Listener(), "cy"))
    room.tell(join(ann, "ann"))
    _, listed, *counts = ann.heard
    assert isinstance(listed, PresenceListed)
    assert list(listed.people) == ["bo", "cy", "ann"]  # two, and the reader
    assert counts == [PresenceCounted(3)] * 2  # one at the join, one for everybody


def test_presence_changes_of_a_large_room_are_throttled(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), *(join(Listener()) for _ in range(10)))
    room.tell(join(Listener(), "bo"))
    assert [type(event) for event in ann.heard[1:]] == [PresenceChanged]
    ann.clear()
    for name in ("cy", "di", "ed"):
        room.tell(join(Listener(), name))
    assert ann.heard == []
    room.tell(PresencePauseEnded())
    [change, count] = ann.heard
    assert list(change.joins) == ["cy"]
    assert count == PresenceCounted(4)
    room.tell(post(ann, "hello"))
    assert ann.heard[2:] == [posted(1, "hello")]


def test_the_presence_pause_ends_by_itself(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(presence_interval=0.01), recent=[])
    room.tell(join(ann), *(join(Listener()) for _ in range(10)))
    for name in ("bo", "cy"):
        room.tell(join(Listener(), name))
    stage.run_until(lambda: len(ann.heard) == 3)
    assert list(ann.heard[2].joins) == ["cy"]
