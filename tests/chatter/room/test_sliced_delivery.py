"""A turn that is heard in slices: what is said, who comes and who goes while some have heard it and others have not."""

from collections.abc import Callable

import pytest

from chatter.messages import Done, Leave, Posted, PresenceChanged, PresencePauseEnded
from tests.chatter.conftest import RoomOnStage, post, posted, welcome
from tests.chatter.room.test_room import poison
from tests.support.stage import Listener, Stage, join

LEAVE = b'"9"'


class Lively(Listener):
    """A client that does something as soon as it hears the first thing."""

    act: Callable[[], object] | None = None

    def write(self, frames: bytes) -> None:
        super().write(frames)
        if self.act is not None:
            act, self.act = self.act, None
            act()


@pytest.fixture(autouse=True)
def thin_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """As thin as they get: 16 writes."""
    monkeypatch.setattr("chatter.room.broadcaster.SLICE", -1.0)


@pytest.fixture
def crowd(room: RoomOnStage) -> list[Lively]:
    """A hundred people, who have been welcomed."""
    people = [Lively() for _ in range(100)]
    room.told(*map(join, people))
    for person in people:
        assert person.heard == [welcome()]
        person.forget()
    return people


def test_it_takes_several_turns_to_tell_a_crowd(stage: Stage, room: RoomOnStage, crowd: list[Lively]) -> None:
    heard_when_first: list[int] = []
    crowd[0].act = lambda: heard_when_first.append(sum(bool(person.heard) for person in crowd))
    crowd[20].act = lambda: room.ref.tell(post(crowd[0], "b", id="b"))
    room.told(post(Listener(), "a"))
    assert heard_when_first == [1]
    assert {len(person.writes) for person in crowd[1:]} == {2}  # b waited until everybody had heard a


def test_everybody_hears_the_same_in_the_same_order(room: RoomOnStage, crowd: list[Lively]) -> None:
    for number, speaker in enumerate((3, 40, 77)):
        text = f"answer {number}"
        crowd[speaker].act = lambda text=text, speaker=speaker: room.ref.tell(post(crowd[speaker], text))
    room.told(post(Listener(), "a"))
    said = [posted(1, "a"), *(posted(2 + number, f"answer {number}") for number in range(3))]
    for person in crowd:
        assert person.heard == said


def test_what_is_said_meanwhile_is_saved_meanwhile(room: RoomOnStage, crowd: list[Lively]) -> None:
    def look() -> None:
        saved.extend(message.message for save in room.saves for message in save.messages)

    saved: list[str] = []
    crowd[20].act = lambda: room.ref.tell(post(crowd[20], "b"))
    crowd[99].act = look
    room.told(post(Listener(), "a"))
    assert saved == ["a", "b"]


def test_one_who_leaves_in_the_middle_hears_what_was_said_before(room: RoomOnStage, crowd: list[Lively]) -> None:
    leaver = crowd[90]
    crowd[5].act = lambda: room.ref.tell(Leave(leaver, LEAVE))
    crowd[6].act = lambda: room.ref.tell(post(crowd[6], "b"))
    room.told(post(Listener(), "a"))
    assert leaver.heard == [posted(1, "a"), (LEAVE, Done()), "closed"]
    assert crowd[91].heard == [posted(1, "a"), posted(2, "b")]


def test_one_who_comes_in_the_middle_misses_nothing_and_hears_nothing_twice(
    room: RoomOnStage, crowd: list[Lively]
) -> None:
    newcomer = Listener()
    crowd[5].act = lambda: room.ref.tell(join(newcomer))
    crowd[50].act = lambda: room.ref.tell(post(crowd[50], "b"))
    room.told(post(Listener(), "a"))
    assert newcomer.heard[0].seq in (1, 2)
    assert newcomer.heard[1:] == [posted(1, "a"), posted(2, "b")]


def test_a_room_that_fails_in_the_middle_has_told_everybody(room: RoomOnStage, crowd: list[Lively]) -> None:
    crowd[5].act = lambda: room.ref.tell(poison())
    room.told(post(Listener(), "a"))
    assert [person.heard for person in crowd] == [[posted(1, "a")]] * 100
    [(_, slug, handover)] = [told for told in room.to_supervisor if told[0] == "on_crashed"]
    assert slug == "lobby"
    assert list(handover.subscribers) == crowd


def test_a_room_that_is_stopped_in_the_middle_has_told_everybody(room: RoomOnStage, crowd: list[Lively]) -> None:
    crowd[5].act = lambda: room.ref.tell(post(crowd[5], "b"))
    crowd[6].act = lambda: room.ref.stop(block=False)
    room.told(post(Listener(), "a"))
    assert [person.heard for person in crowd] == [[posted(1, "a"), posted(2, "b")]] * 100


def test_news_of_people_that_became_due_in_the_middle_is_told_when_all_have_heard(
    room: RoomOnStage, crowd: list[Lively]
) -> None:
    room.told(join(Listener(), "bo"))
    room.told(join(Listener(), "cy"))  # so soon after bo that it waits
    crowd[5].act = lambda: room.ref.tell(PresencePauseEnded())
    crowd[0].forget()
    room.told(post(Listener(), "a"))
    assert [type(event) for event in crowd[0].heard] == [Posted, PresenceChanged]
