"""Sliced delivery: posts, joins and leaves between two slices of a turn."""

from collections.abc import Callable

import pytest

from chatter.messages import Done, Leave, Posted, PresenceChanged, PresencePauseEnded
from tests.chatter.conftest import RoomOnStage, post, posted, welcome
from tests.chatter.room.test_room import poison
from tests.support.stage import Listener, Stage, join

LEAVE = b'"9"'


class ReactiveListener(Listener):
    """ReactiveListener calls `on_first_write` at its next write, once."""

    on_first_write: Callable[[], object] | None = None

    def write(self, frames: bytes) -> None:
        super().write(frames)
        if self.on_first_write is not None:
            react, self.on_first_write = self.on_first_write, None
            react()


@pytest.fixture(autouse=True)
def thin_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the slice time below zero: a slice is then 16 writes, the minimum."""
    monkeypatch.setattr("chatter.room.broadcaster.TIME_SLICE", -1.0)


@pytest.fixture
def crowd(room: RoomOnStage) -> list[ReactiveListener]:
    """Joins a hundred people to the room, who have read their welcome."""
    people = [ReactiveListener() for _ in range(100)]
    room.tell(*map(join, people))
    for person in people:
        assert person.heard == [welcome()]
        person.clear()
    return people


def test_a_turn_for_a_crowd_is_delivered_in_slices_and_the_next_turn_waits(
    stage: Stage, room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    heard_when_first: list[int] = []
    crowd[0].on_first_write = lambda: heard_when_first.append(sum(bool(person.heard) for person in crowd))
    crowd[20].on_first_write = lambda: room.ref.tell(post(crowd[0], "b", id="b"))
    room.tell(post(Listener(), "a"))
    assert heard_when_first == [1]
    assert {len(person.writes) for person in crowd[1:]} == {2}  # b waited until everybody had heard a


def test_everybody_hears_the_same_in_the_same_order(room: RoomOnStage, crowd: list[ReactiveListener]) -> None:
    for number, speaker in enumerate((3, 40, 77)):
        text = f"answer {number}"
        crowd[speaker].on_first_write = lambda text=text, speaker=speaker: room.ref.tell(post(crowd[speaker], text))
    room.tell(post(Listener(), "a"))
    said = [posted(1, "a"), *(posted(2 + number, f"answer {number}") for number in range(3))]
    for person in crowd:
        assert person.heard == said


def test_a_post_between_slices_is_saved_before_the_delivery_ends(
    room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    def note_saves() -> None:
        saved.extend(message.message for save in room.saves for message in save.messages)

    saved: list[str] = []
    crowd[20].on_first_write = lambda: room.ref.tell(post(crowd[20], "b"))
    crowd[99].on_first_write = note_saves
    room.tell(post(Listener(), "a"))
    assert saved == ["a", "b"]


def test_a_subscriber_that_leaves_between_slices_gets_the_earlier_posts(
    room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    leaver = crowd[90]
    crowd[5].on_first_write = lambda: room.ref.tell(Leave(leaver, LEAVE))
    crowd[6].on_first_write = lambda: room.ref.tell(post(crowd[6], "b"))
    room.tell(post(Listener(), "a"))
    assert leaver.heard == [posted(1, "a"), (LEAVE, Done()), "closed"]
    assert crowd[91].heard == [posted(1, "a"), posted(2, "b")]


def test_a_subscriber_that_joins_between_slices_gets_each_post_once(
    room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    late = Listener()
    crowd[5].on_first_write = lambda: room.ref.tell(join(late))
    crowd[50].on_first_write = lambda: room.ref.tell(post(crowd[50], "b"))
    room.tell(post(Listener(), "a"))
    assert late.heard[0].seq in (1, 2)
    assert late.heard[1:] == [posted(1, "a"), posted(2, "b")]


def test_a_room_that_fails_between_slices_delivers_to_everybody(
    room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    crowd[5].on_first_write = lambda: room.ref.tell(poison())
    room.tell(post(Listener(), "a"))
    assert [person.heard for person in crowd] == [[posted(1, "a")]] * 100
    [(_, slug, handover)] = [told for told in room.to_supervisor if told[0] == "on_crashed"]
    assert slug == "lobby"
    assert list(handover.subscribers) == crowd


def test_a_room_that_is_stopped_between_slices_delivers_to_everybody(
    room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    crowd[5].on_first_write = lambda: room.ref.tell(post(crowd[5], "b"))
    crowd[6].on_first_write = lambda: room.ref.stop(block=False)
    room.tell(post(Listener(), "a"))
    assert [person.heard for person in crowd] == [[posted(1, "a"), posted(2, "b")]] * 100


def test_presence_changes_that_become_due_between_slices_follow_the_delivery(
    room: RoomOnStage, crowd: list[ReactiveListener]
) -> None:
    room.tell(join(Listener(), "bo"))
    room.tell(join(Listener(), "cy"))  # so soon after bo that it waits
    crowd[5].on_first_write = lambda: room.ref.tell(PresencePauseEnded())
    crowd[0].clear()
    room.tell(post(Listener(), "a"))
    assert [type(event) for event in crowd[0].heard] == [Posted, PresenceChanged]
