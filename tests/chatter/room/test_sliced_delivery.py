"""Sliced delivery: posts, joins and leaves between two slices of a turn."""

from collections.abc import Callable

import pytest

from chatter.messages import Done, Event, Leave, Position, Posted, PresenceChanged, PresencePauseEnded, Sync
from chatter.room.context import RoomSettings
from tests.chatter.conftest import EPOCH, RoomOnStage, post, posted, said_in, welcome
from tests.chatter.room.test_room import poison
from tests.support.stage import Listener, Recorder, Stage, join

LEAVE = b'"9"'


class ReactiveListener(Listener):
    """ReactiveListener calls `on_first_write` at its next write, once. It counts the events made for it alone."""

    on_first_write: Callable[[], object] | None = None
    pushed = 0

    def push(self, event: Event) -> bytes:
        self.pushed += 1
        return super().push(event)

    def write(self, frames: bytes) -> None:
        super().write(frames)
        if self.on_first_write is not None:
            react, self.on_first_write = self.on_first_write, None
            react()


@pytest.fixture(autouse=True)
def thin_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the slice time below zero: a slice is then 16 writes, or one whose frames are made then: the minimum."""
    monkeypatch.setattr("chatter.room.broadcaster.TIME_SLICE", -1.0)


@pytest.fixture
def room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> RoomOnStage:
    """Starts a room whose pauses last until a test ends them."""
    monkeypatch.setattr("chatter.room.room.PAUSE", 1_000.0)
    return RoomOnStage(stage, RoomSettings(presence_interval=1_000), recent=[])


@pytest.fixture
def crowd(room: RoomOnStage) -> list[ReactiveListener]:
    """Joins a hundred people to the room, who have read their welcome."""
    people = [ReactiveListener() for _ in range(100)]
    room.tell(*map(join, people))
    room.stage.run_until(lambda: people[-1].heard)
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
        saved.extend(message.message for message in said_in(room.saves))

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
    room.tell(join(Listener(), "cy"))  # waits, as bo has begun a pause
    crowd[5].on_first_write = lambda: room.ref.tell(PresencePauseEnded())
    crowd[0].clear()
    room.tell(post(Listener(), "a"))
    assert [type(event) for event in crowd[0].heard] == [Posted, PresenceChanged]


# ---------------------------------------------------------------- large answers, also in a small room


@pytest.fixture
def told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> RoomOnStage:
    """A room in which fifty messages were said, and of whose past a few frames are written at once."""
    monkeypatch.setattr("chatter.room.broadcaster.MAX_LATER_BYTES", 30)  # a frame of these listeners takes 2 to 6
    said = [posted(seq, f"number {seq}") for seq in range(1, 51)]
    return RoomOnStage(stage, recent=said, epochs=((EPOCH, 50),))


def syncs(listener: Listener, count: int) -> list[Sync]:
    """Asks for everything `count` times."""
    return [Sync(listener, b"%d" % number, Position(0, EPOCH)) for number in range(count)]


def answers(count: int) -> list[object]:
    """What a listener hears of them."""
    said = [posted(seq, f"number {seq}") for seq in range(1, 51)]
    return [heard for number in range(count) for heard in ((b"%d" % number, welcome(50, missed=50)), *said)]


def test_a_flood_of_syncs_lets_others_be_served_between_a_few_frames(stage: Stage, told: RoomOnStage) -> None:
    flooder = ReactiveListener()
    told.tell(join(flooder))
    flooder.clear()
    flooder.pushed = 0
    made_when_served: list[int] = []

    class Other(Recorder):
        def on_receive(self, message: object) -> None:
            made_when_served.append(flooder.pushed)

    other = stage.start(Other, [])
    flooder.on_first_write = lambda: other.tell("a letter")
    told.tell(*syncs(flooder, 100))
    stage.run_until(lambda: len(flooder.heard) == 100 * 51)
    assert flooder.heard == answers(100)
    assert made_when_served[0] < 30


def test_what_is_said_during_a_flood_of_syncs_is_heard_once_and_after_it(stage: Stage, told: RoomOnStage) -> None:
    flooder, bo = ReactiveListener(), Listener()
    told.tell(join(flooder), join(bo))
    flooder.clear()
    bo.clear()
    flooder.on_first_write = lambda: told.ref.tell(post(bo, "b"))
    told.tell(*syncs(flooder, 10))
    stage.run_until(lambda: bo.heard)
    assert flooder.heard == [*answers(10), posted(51, "b")]
    assert bo.heard == [posted(51, "b")]


def test_a_room_that_is_stopped_during_a_flood_of_syncs_answers_them(told: RoomOnStage) -> None:
    flooder = ReactiveListener()
    told.tell(join(flooder))
    flooder.clear()
    flooder.on_first_write = lambda: told.ref.stop(block=False)
    told.tell(*syncs(flooder, 10))
    assert flooder.heard == answers(10)


def test_nothing_more_is_made_for_a_client_that_has_stopped_to_take_frames(stage: Stage, told: RoomOnStage) -> None:
    flooder, bo = ReactiveListener(), Listener()
    told.tell(join(flooder), join(bo))
    flooder.pushed = 0
    bo.clear()
    flooder.on_first_write = lambda: setattr(flooder, "takes_frames", False)
    told.tell(*syncs(flooder, 100), post(bo, "b"))
    stage.run_until(lambda: bo.heard)
    assert bo.heard == [posted(51, "b")]
    assert flooder.pushed < 30
