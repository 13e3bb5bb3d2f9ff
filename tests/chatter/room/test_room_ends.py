"""A room that ends, fails or cannot begin leaves no client without an answer."""

from typing import Any

from chatter.messages import (
    Edit,
    Join,
    Leave,
    Loaded,
    LoadFailed,
    LoadMissed,
    MissedLoaded,
    Position,
    Post,
    Recovery,
    Retire,
    Saved,
    ShowTyping,
)
from chatter.room.context import RoomSettings
from chatter.room.presence import Presence
from chatter.room.refusals import OVERLOADED
from chatter.room.room import MAX_WAITING_MAIL
from tests.chatter.conftest import RoomOnStage, post, posted
from tests.support.governed import PRIVATE, Person, charter
from tests.support.memory import is_in_memory, no_collector
from tests.support.stage import Listener, Stage, join


class FailsAtFirst(Listener):
    """A subscriber at whose welcome the room fails once."""

    def welcome(self, recovery: Recovery) -> bytes:
        self.welcome = super().welcome  # type: ignore[method-assign]
        raise ValueError("a fault of the room")


def told(room: RoomOnStage, what: str) -> list[Any]:
    return [report for report in room.to_supervisor if report[0] == what]


def test_a_room_does_not_retire_when_somebody_has_joined_in_the_same_turn(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), Retire())
    assert told(room, "on_retired") == []
    room.tell(post(ann, "hello"))
    assert [heard.message for heard in ann.heard if hasattr(heard, "message")] == ["hello"]


def test_a_room_that_retires_leaves_memory_at_once(room: RoomOnStage, ann: Listener) -> None:
    with no_collector():
        room.tell(join(ann))
        room.tell(post(ann, "hello"))
        room.tell(Edit(ann, b'"2"', "edit", 1, "hello!"), ShowTyping(ann, b'"3"', "ann"))
        room.tell(Saved(2), Leave(ann))
        room.tell(Retire())
        assert told(room, "on_retired") == [("on_retired", "lobby")]
        assert not is_in_memory(room.ref)


def test_a_room_of_somebody_that_retires_leaves_memory_at_once(stage: Stage) -> None:
    ann = Person(1, "ann")
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    with no_collector():
        room.tell(join(ann))
        room.tell(ann.posts("hello"), ann.sets(title="garden"))
        room.tell(Saved(2), Leave(ann))
        room.tell(Retire())
        assert told(room, "on_retired") == [("on_retired", PRIVATE)]
        assert not is_in_memory(room.ref)


def test_joins_behind_a_failed_load_go_to_the_next_room(stage: Stage, ann: Listener, bo: Listener) -> None:
    room = RoomOnStage(stage)
    room.tell(join(ann))
    late = join(bo)
    room.tell(LoadFailed(), late)
    assert told(room, "forward") == [("forward", "lobby", late)]


def test_requests_that_wait_for_a_past_are_bounded(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage)
    posts = [post(ann, str(number), ref=b"%d" % number) for number in range(MAX_WAITING_MAIL + 5)]
    room.tell(join(ann), *posts)
    refused = [answer for answer in ann.heard if answer[1] == OVERLOADED]
    assert [ref for ref, _ in refused] == [each.ref for each in posts[MAX_WAITING_MAIL - 1 :]]
    room.tell(Loaded([], (), ()))
    assert room.backlog.unsaved == MAX_WAITING_MAIL - 1


def test_a_join_that_the_database_answers_is_handed_over_by_a_room_that_fails_at_it(stage: Stage) -> None:
    ann = FailsAtFirst()
    room = RoomOnStage(stage, RoomSettings(ring_size=2), recent=[posted(9), posted(10)], epochs=((7, 10),))
    room.tell(join(ann, position=Position(1, 7)))
    (load,) = (message for message in room.to_history if isinstance(message, LoadMissed))
    room.tell(MissedLoaded(load.request, 1, ()))
    ((_, _, handover),) = told(room, "on_crashed")
    assert any(isinstance(message, Join) for message in handover.mail)


def test_a_join_that_is_handled_twice_makes_one_person_present(ann: Listener) -> None:
    presence = Presence(100)
    for _ in range(2):
        presence.track(ann, "ann", 1)
    presence.untrack(ann)
    assert len(presence) == 0


def test_mail_that_a_thread_puts_into_a_stopped_room_goes_to_the_next(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"))
    inbox = room.ref.actor_inbox
    late = []

    class Inbox:
        """Hands over what a thread puts just after it has seen the room alive."""

        def put(self, envelope: Any) -> None:
            late.append(envelope)

    room.ref.actor_inbox = Inbox()  # type: ignore[assignment]
    again = post(ann, "again")
    room.ref.tell(again)
    room.ref.actor_inbox = inbox
    stage = room.stage
    stage.run(room.ref.stop(block=False))
    inbox.put(late[0])
    stage.run_turns()
    assert ("forward", "lobby", again) in room.to_supervisor
    assert isinstance(again, Post)
