"""What is sent twice is said once."""

import gc
import random
import weakref

import pytest

from chatter.messages import Acknowledged, Leave, LookedUp, LookUp, NotSaved, Post, Posted, Refused, Saved, Voided
from chatter.room.context import RoomSettings
from chatter.room.sequencer import MAX_WAITING_POSTS, OVERLOADED
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join


def acknowledged(seq: int, id: str, *, duplicate: bool = False) -> Acknowledged:
    """The answer to a post."""
    return Acknowledged(id, seq, NOON_ISO, duplicate)


def said(listener: Listener) -> list[str]:
    """The texts that were heard."""
    return [heard.message for heard in listener.heard if isinstance(heard, Posted)]


def test_a_repeat_is_not_said_and_gets_the_first_ones_answer(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "hello", ref=b"1"))
    room.told(Saved(1), post(ann, "hello", ref=b"2"))
    assert said(ann) == ["hello"]
    assert ann.heard[-2:] == [(b"1", acknowledged(1, "hello")), (b"2", acknowledged(1, "hello", duplicate=True))]
    assert len(room.saves) == 1


def test_a_repeat_of_what_is_not_committed_yet_is_answered_at_the_commit(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "one", ref=b"1"), post(ann, "one", ref=b"2"), post(ann, "two", ref=b"3"))
    ann.forget()
    room.told(Saved(1))
    assert ann.heard == [(b"1", acknowledged(1, "one")), (b"2", acknowledged(1, "one", duplicate=True))]


def test_an_id_is_one_persons_own(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    from_bo = post(bo, "from bo", id="x")
    room.told(join(ann), post(ann, "from ann", id="x"), type(from_bo)(bo, b"1", "x", "bo", "from bo"))
    assert said(ann) == ["from ann", "from bo"]


def test_an_id_that_stands_for_something_else_is_refused(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "one", id="x"), post(ann, "two", ref=b"2", id="x"))
    assert said(ann) == ["one"]
    assert ann.heard[-1] == (b"2", Refused("id_taken"))


def test_a_repeat_is_known_after_a_restart(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(1, "hello")])
    room.told(join(ann), post(ann, "hello", ref=b"1"))
    assert ann.heard[-1] == (b"1", acknowledged(1, "hello", duplicate=True))


def test_ids_are_remembered_beyond_the_ring(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=3, id_memory_size=10), recent=[])
    room.told(join(ann), *(post(ann, f"number {seq}") for seq in range(1, 11)), Saved(10))
    ann.forget()
    room.told(*(post(ann, f"number {seq}") for seq in range(1, 11)))
    assert said(ann) == []


def test_one_who_asks_for_less_is_answered_at_once(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "hello", ref=b"1", ack="room"))
    assert ann.heard[-1] == (b"1", acknowledged(1, "hello"))
    ann.forget()
    room.told(Saved(1))
    assert ann.heard == []


def test_an_id_that_the_room_makes_cannot_be_computed_from_others(room: RoomOnStage, ann: Listener) -> None:
    state, ids = random.getstate(), []
    room.told(join(ann))
    for _ in range(2):
        random.setstate(state)  # 208 ids in a row tell the state of this generator
        room.told(Post(ann, b"1", None, "ann", "hello"))
        ids.append(next(heard.id for heard in reversed(ann.heard) if isinstance(heard, Posted)))
    assert ids[0] != ids[1]
    assert [len(bytes.fromhex(id)) for id in ids] == [12, 12]


# ---------------------------------------------------------------- what only the database knows


@pytest.fixture
def forgetful(stage: Stage) -> RoomOnStage:
    """A room that remembers only the last of many messages."""
    return RoomOnStage(stage, RoomSettings(ring_size=1, id_memory_size=1), recent=[posted(50, "the last")])


def test_a_repeat_beyond_memory_is_looked_up_before_it_is_said(forgetful: RoomOnStage, ann: Listener) -> None:
    repeat = post(ann, "long ago", ref=b"1", repeat=True)
    forgetful.told(join(ann), repeat)
    assert forgetful.to_history[-1] == LookUp(forgetful.ref, "lobby", repeat)
    ann.forget()
    forgetful.told(LookedUp(repeat, posted(7, "long ago")))
    assert ann.heard == [(b"1", acknowledged(7, "long ago", duplicate=True))]


def test_what_turns_out_to_be_new_is_said_in_its_senders_order(
    forgetful: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    repeats = [post(ann, f"kept {number}", repeat=True) for number in (1, 2)]
    forgetful.told(join(bo), join(ann), *repeats, post(ann, "new"), post(bo, "from another"))
    for repeat in repeats:
        forgetful.told(LookedUp(repeat, None))
    assert said(bo)[1:] == ["from another", "kept 1", "kept 2", "new"]


def test_an_answer_that_an_earlier_room_was_waiting_for_lets_nothing_overtake(
    forgetful: RoomOnStage, ann: Listener
) -> None:
    earlier, repeat = post(ann, "asked by another room"), post(ann, "kept", repeat=True)
    forgetful.told(join(ann), repeat, post(ann, "new"))
    forgetful.told(LookedUp(earlier, posted(7, "asked by another room")))
    forgetful.told(LookedUp(repeat, None))
    assert said(ann)[1:] == ["kept", "new"]


def test_a_repeat_of_something_older_is_answered_as_soon_as_that_is_committed(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "one", ref=b"1", ack="room"), post(ann, "two", ref=b"2"))
    room.told(post(ann, "one", ref=b"3"))
    ann.forget()
    room.told(Saved(1))
    assert ann.heard == [(b"3", acknowledged(1, "one", duplicate=True))]
    room.told(Saved(2))
    assert ann.heard[1:] == [(b"2", acknowledged(2, "two"))]


def test_two_repeats_at_once_are_said_once(forgetful: RoomOnStage, ann: Listener, bo: Listener) -> None:
    one, other = (post(who, "kept", repeat=True) for who in (ann, bo))
    forgetful.told(join(ann), join(bo), one, other)
    forgetful.told(LookedUp(one, None), LookedUp(other, None))
    assert said(ann)[1:] == ["kept"]


def test_a_room_that_remembers_everything_asks_no_database(room: RoomOnStage, ann: Listener) -> None:
    questions = len(room.to_history)
    room.told(join(ann), post(ann, "hello", repeat=True))
    assert said(ann) == ["hello"]
    assert len(room.to_history) == questions


def test_where_the_database_does_not_answer_a_repeat_has_to_wait(forgetful: RoomOnStage, ann: Listener) -> None:
    repeat = post(ann, "long ago", ref=b"1", repeat=True)
    forgetful.told(join(ann), repeat, post(ann, "new"))
    forgetful.told(LookedUp(repeat, None, failed=True))
    assert (b"1", OVERLOADED) in ann.heard
    assert said(ann)[1:] == ["new"]


def test_only_so_many_posts_of_a_client_wait_for_a_look_up(forgetful: RoomOnStage, ann: Listener) -> None:
    repeat = post(ann, "long ago", ref=b"0", repeat=True)
    forgetful.told(join(ann), repeat, *(post(ann, f"new {number}", ref=b"%d" % number) for number in range(1, 201)))
    refused = [ref for ref, answer in ann.heard[2:] if answer == OVERLOADED]
    assert refused == [b"%d" % number for number in range(MAX_WAITING_POSTS, 201)]
    forgetful.told(LookedUp(repeat, None))
    assert said(ann)[1:] == ["long ago", *(f"new {number}" for number in range(1, MAX_WAITING_POSTS))]


# ---------------------------------------------------------------- what cannot be saved


def void(seq: int) -> Posted:
    """An empty place."""
    return Posted(seq, f"void-{seq}", "", "", "2026-05-04T12:00:00.123456Z", void=True)


def test_what_can_never_be_saved_leaves_a_void_place(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo), post(ann, "one", ref=b"1"), post(ann, "two", ref=b"2"))
    ann.forget()
    bo.forget()
    room.told(NotSaved(void(1), None), Saved(2))
    assert ann.heard == [Voided(1), (b"1", Refused("not_saved")), (b"2", acknowledged(2, "two"))]
    assert bo.heard == [Voided(1)]
    late = Listener()
    room.told(join(late))
    assert said(late) == ["two"]


def test_what_the_database_knows_under_that_id_is_a_repeat_after_all(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "hello", ref=b"1"), post(ann, "other", ref=b"2", id="x"))
    ann.forget()
    room.told(NotSaved(void(1), posted(-7, "hello")), NotSaved(void(2), posted(-6, "something", id="x")), Saved(2))
    assert ann.heard == [
        Voided(1),
        (b"1", acknowledged(-7, "hello", duplicate=True)),
        Voided(2),
        (b"2", Refused("id_taken")),
    ]


def test_past_the_high_water_mark_nothing_more_is_said(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), *(post(ann, f"number {seq}") for seq in range(1, 1_001)))
    ann.forget()
    room.told(post(ann, "too much", ref=b"9"), post(ann, "number 7", ref=b"10", ack="room"))
    assert ann.heard == [(b"9", OVERLOADED), (b"10", acknowledged(7, "number 7", duplicate=True))]
    assert OVERLOADED.retry_after_ms is not None
    room.backlog.mark_done(1, 100)
    room.told(post(ann, "now"))
    assert said(ann) == ["now"]


def test_who_made_a_void_place_by_an_id_that_is_taken_is_looked_up_from_then_on(
    forgetful: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    forgetful.told(join(ann), join(bo), post(ann, "old 1", ref=b"1"), post(ann, "old 2", ref=b"2"))
    forgetful.told(NotSaved(void(51), posted(1, "old 1")), NotSaved(void(52), posted(2, "old 2")), Saved(52))
    asked = len(forgetful.to_history)
    old = post(ann, "old 3", ref=b"3")
    forgetful.told(old, post(bo, "from bo"))
    assert forgetful.to_history[asked:] == [LookUp(forgetful.ref, "lobby", old)]
    assert said(bo)[-1] == "from bo"
    ann.forget()
    forgetful.told(LookedUp(old, posted(3, "old 3")))
    assert ann.heard == [(b"3", acknowledged(3, "old 3", duplicate=True))]


def test_asking_for_less_hides_nobody_who_makes_void_places(forgetful: RoomOnStage, ann: Listener) -> None:
    forgetful.told(join(ann), post(ann, "old 1", ack="room"), post(ann, "new", ack="room"))
    forgetful.told(NotSaved(void(51), posted(1, "old 1")), Saved(52))
    old = post(ann, "old 2", ack="room")
    forgetful.told(old)
    assert forgetful.to_history[-1] == LookUp(forgetful.ref, "lobby", old)


def test_a_message_that_the_database_refuses_for_another_reason_is_no_repeat(
    forgetful: RoomOnStage, ann: Listener
) -> None:
    forgetful.told(join(ann), post(ann, "one"))
    forgetful.told(NotSaved(void(51), None), post(ann, "two"))
    assert said(ann)[-1] == "two"


def test_who_has_left_is_not_remembered_for_its_void_places(forgetful: RoomOnStage) -> None:
    gone = Listener()
    forgetful.told(join(gone), post(gone, "old 1"), Leave(gone))
    forgetful.told(NotSaved(void(51), posted(1, "old 1")), Saved(51))
    here = Listener()
    forgetful.told(join(here), post(here, "old 2"), NotSaved(void(52), posted(2, "old 2")), Leave(here))
    ends = weakref.ref(gone), weakref.ref(here)
    del gone, here
    gc.collect()
    assert [end() for end in ends] == [None, None]
