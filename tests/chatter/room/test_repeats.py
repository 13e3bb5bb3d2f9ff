"""Repeats: a post that is sent twice is said once."""

import gc
import random
import weakref

import pytest

from chatter.messages import (
    Acknowledged,
    Leave,
    LookedUp,
    LookUp,
    NotSaved,
    Post,
    Posted,
    Refused,
    Saved,
    View,
    Voided,
)
from chatter.room.acknowledgements import MAX_WAITING_REPEATS
from chatter.room.context import RoomSettings
from chatter.room.refusals import OVERLOADED
from chatter.room.sequencer import MAX_WAITING_POSTS
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join


def acknowledged(seq: int, id: str, *, duplicate: bool = False) -> Acknowledged:
    """Makes the answer to a post."""
    return Acknowledged(id, seq, NOON_ISO, duplicate)


def said(listener: Listener) -> list[str]:
    """Returns the texts that were heard."""
    return [heard.message for heard in listener.heard if isinstance(heard, Posted)]


def test_repeats_of_a_message_that_is_not_committed_are_bounded(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), *[post(ann, "hello", ref=b"%d" % number) for number in range(MAX_WAITING_REPEATS + 3)])
    assert [answer for answer in ann.heard if isinstance(answer, tuple)] == [
        (b"%d" % (MAX_WAITING_REPEATS + number), OVERLOADED) for number in range(3)
    ]
    ann.clear()
    room.tell(Saved(1))
    assert len(ann.heard) == MAX_WAITING_REPEATS


def test_a_repeat_is_not_said_and_gets_the_answer_of_the_first_post(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello", ref=b"1"))
    room.tell(Saved(1), post(ann, "hello", ref=b"2"))
    assert said(ann) == ["hello"]
    assert ann.heard[-2:] == [(b"1", acknowledged(1, "hello")), (b"2", acknowledged(1, "hello", duplicate=True))]
    assert len(room.saves) == 1


def test_a_repeat_of_an_uncommitted_post_is_answered_at_the_commit(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "one", ref=b"1"), post(ann, "one", ref=b"2"), post(ann, "two", ref=b"3"))
    ann.clear()
    room.tell(Saved(1))
    assert ann.heard == [(b"1", acknowledged(1, "one")), (b"2", acknowledged(1, "one", duplicate=True))]


def test_two_people_may_use_the_same_id(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    from_bo = post(bo, "from bo", id="x")
    room.tell(join(ann), post(ann, "from ann", id="x"), type(from_bo)(bo, b"1", "x", "bo", "from bo"))
    assert said(ann) == ["from ann", "from bo"]


def test_an_id_that_was_used_for_another_text_is_refused(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "one", id="x"), post(ann, "two", ref=b"2", id="x"))
    assert said(ann) == ["one"]
    assert ann.heard[-1] == (b"2", Refused("id_taken"))


def test_a_repeat_is_known_after_a_restart(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(1, "hello")])
    room.tell(join(ann), post(ann, "hello", ref=b"1"))
    assert ann.heard[-1] == (b"1", acknowledged(1, "hello", duplicate=True))


def test_ids_are_remembered_beyond_the_ring(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=3, id_memory_size=10), recent=[])
    room.tell(join(ann), *(post(ann, f"number {seq}") for seq in range(1, 11)), Saved(10))
    ann.clear()
    room.tell(*(post(ann, f"number {seq}") for seq in range(1, 11)))
    assert said(ann) == []


def test_a_post_with_ack_room_is_answered_at_once(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello", ref=b"1", ack="room"))
    assert ann.heard[-1] == (b"1", acknowledged(1, "hello"))
    ann.clear()
    room.tell(Saved(1))
    assert ann.heard == []


def test_an_id_that_the_room_makes_cannot_be_computed_from_others(room: RoomOnStage, ann: Listener) -> None:
    state, ids = random.getstate(), []
    room.tell(join(ann))
    for _ in range(2):
        random.setstate(state)  # 208 ids in a row tell the state of this generator
        room.tell(Post(ann, b"1", None, "ann", "hello"))
        ids.append(next(heard.id for heard in reversed(ann.heard) if isinstance(heard, Posted)))
    assert ids[0] != ids[1]
    assert [len(bytes.fromhex(id)) for id in ids] == [12, 12]


# ---------------------------------------------------------------- repeats that are not in memory


@pytest.fixture
def forgetful(stage: Stage) -> RoomOnStage:
    """Starts a room that holds only the last of its 50 messages."""
    return RoomOnStage(stage, RoomSettings(ring_size=1, id_memory_size=1), recent=[posted(50, "the last")])


def test_a_repeat_older_than_the_id_memory_is_looked_up_before_it_is_said(
    forgetful: RoomOnStage, ann: Listener
) -> None:
    repeat = post(ann, "long ago", ref=b"1", repeat=True)
    forgetful.tell(join(ann), repeat)
    assert forgetful.to_history[-1] == LookUp(forgetful.ref, "lobby", repeat)
    ann.clear()
    forgetful.tell(LookedUp(repeat, posted(7, "long ago")))
    assert ann.heard == [(b"1", acknowledged(7, "long ago", duplicate=True))]


def test_a_repeat_that_proves_to_be_new_keeps_its_senders_order(
    forgetful: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    repeats = [post(ann, f"kept {number}", repeat=True) for number in (1, 2)]
    forgetful.tell(join(bo), join(ann), *repeats, post(ann, "new"), post(bo, "from another"))
    for repeat in repeats:
        forgetful.tell(LookedUp(repeat, None))
    assert said(bo)[1:] == ["from another", "kept 1", "kept 2", "new"]


def test_a_lookup_of_an_earlier_room_does_not_change_the_order_of_posts(forgetful: RoomOnStage, ann: Listener) -> None:
    earlier, repeat = post(ann, "asked by another room"), post(ann, "kept", repeat=True)
    forgetful.tell(join(ann), repeat, post(ann, "new"))
    forgetful.tell(LookedUp(earlier, posted(7, "asked by another room")))
    forgetful.tell(LookedUp(repeat, None))
    assert said(ann)[1:] == ["kept", "new"]


def test_a_repeat_is_answered_at_the_commit_of_its_first_post_not_a_later_one(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "one", ref=b"1", ack="room"), post(ann, "two", ref=b"2"))
    room.tell(post(ann, "one", ref=b"3"))
    ann.clear()
    room.tell(Saved(1))
    assert ann.heard == [(b"3", acknowledged(1, "one", duplicate=True))]
    room.tell(Saved(2))
    assert ann.heard[1:] == [(b"2", acknowledged(2, "two"))]


def test_two_repeats_at_once_are_said_once(forgetful: RoomOnStage, ann: Listener, bo: Listener) -> None:
    one, other = (post(who, "kept", repeat=True) for who in (ann, bo))
    forgetful.tell(join(ann), join(bo), one, other)
    forgetful.tell(LookedUp(one, None), LookedUp(other, None))
    assert said(ann)[1:] == ["kept"]


def test_a_room_with_every_id_in_memory_does_not_ask_the_database(room: RoomOnStage, ann: Listener) -> None:
    questions = len(room.to_history)
    room.tell(join(ann), post(ann, "hello", repeat=True))
    assert said(ann) == ["hello"]
    assert len(room.to_history) == questions


def test_a_repeat_is_refused_as_overloaded_when_its_lookup_fails(forgetful: RoomOnStage, ann: Listener) -> None:
    repeat = post(ann, "long ago", ref=b"1", repeat=True)
    forgetful.tell(join(ann), repeat, post(ann, "new"))
    forgetful.tell(LookedUp(repeat, None, failed=True))
    assert (b"1", OVERLOADED) in ann.heard
    assert said(ann)[1:] == ["new"]


def test_only_so_many_posts_of_a_client_wait_for_a_look_up(forgetful: RoomOnStage, ann: Listener) -> None:
    repeat = post(ann, "long ago", ref=b"0", repeat=True)
    forgetful.tell(join(ann), repeat, *(post(ann, f"new {number}", ref=b"%d" % number) for number in range(1, 201)))
    refused = [ref for ref, answer in ann.heard[2:] if answer == OVERLOADED]
    assert refused == [b"%d" % number for number in range(MAX_WAITING_POSTS, 201)]
    forgetful.tell(LookedUp(repeat, None))
    assert said(ann)[1:] == ["long ago", *(f"new {number}" for number in range(1, MAX_WAITING_POSTS))]


# ---------------------------------------------------------------- what cannot be saved


def void(seq: int) -> Posted:
    """Makes a void place."""
    return Posted(seq, f"void-{seq}", "", "", "2026-05-04T12:00:00.123456Z", void=True)


def test_a_message_that_can_never_be_saved_leaves_a_void_place(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo), post(ann, "one", ref=b"1"), post(ann, "two", ref=b"2"))
    ann.clear()
    bo.clear()
    room.tell(NotSaved(void(1), None), Saved(2))
    assert ann.heard == [Voided(1), (b"1", Refused("not_saved")), (b"2", acknowledged(2, "two"))]
    assert bo.heard == [Voided(1)]
    late = Listener(view=View.MESSAGES)
    room.tell(join(late))
    assert said(late) == ["two"]


def test_a_post_whose_id_is_in_the_database_is_answered_as_a_repeat(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello", ref=b"1"), post(ann, "other", ref=b"2", id="x"))
    ann.clear()
    room.tell(NotSaved(void(1), posted(-7, "hello")), NotSaved(void(2), posted(-6, "something", id="x")), Saved(2))
    assert ann.heard == [
        Voided(1),
        (b"1", acknowledged(-7, "hello", duplicate=True)),
        Voided(2),
        (b"2", Refused("id_taken")),
    ]


def test_a_full_backlog_refuses_new_posts_and_answers_repeats(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), *(post(ann, f"number {seq}") for seq in range(1, 1_001)))
    ann.clear()
    room.tell(post(ann, "too much", ref=b"9"), post(ann, "number 7", ref=b"10", ack="room"))
    assert ann.heard == [(b"9", OVERLOADED), (b"10", acknowledged(7, "number 7", duplicate=True))]
    assert OVERLOADED.retry_after_ms is not None
    room.backlog.mark_done(1, 100)
    room.tell(post(ann, "now"))
    assert said(ann) == ["now"]


def test_a_repeat_in_a_room_of_void_places_is_looked_up(room: RoomOnStage, ann: Listener) -> None:
    room.tell(post(ann, "never saved"))
    room.tell(NotSaved(void(1), None))
    old = post(ann, "long ago", repeat=True)
    room.tell(old)
    assert room.to_history[-1] == LookUp(room.ref, "lobby", old)


def test_who_made_a_void_place_by_an_id_that_is_taken_is_looked_up_from_then_on(
    forgetful: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    forgetful.tell(join(ann), join(bo), post(ann, "old 1", ref=b"1"), post(ann, "old 2", ref=b"2"))
    forgetful.tell(NotSaved(void(51), posted(1, "old 1")), NotSaved(void(52), posted(2, "old 2")), Saved(52))
    asked = len(forgetful.to_history)
    old = post(ann, "old 3", ref=b"3")
    forgetful.tell(old, post(bo, "from bo"))
    assert forgetful.to_history[asked:] == [LookUp(forgetful.ref, "lobby", old)]
    assert said(bo)[-1] == "from bo"
    ann.clear()
    forgetful.tell(LookedUp(old, posted(3, "old 3")))
    assert ann.heard == [(b"3", acknowledged(3, "old 3", duplicate=True))]


def test_asking_for_less_hides_nobody_who_makes_void_places(forgetful: RoomOnStage, ann: Listener) -> None:
    forgetful.tell(join(ann), post(ann, "old 1", ack="room"), post(ann, "new", ack="room"))
    forgetful.tell(NotSaved(void(51), posted(1, "old 1")), Saved(52))
    old = post(ann, "old 2", ack="room")
    forgetful.tell(old)
    assert forgetful.to_history[-1] == LookUp(forgetful.ref, "lobby", old)


def test_a_message_that_the_database_refuses_for_another_reason_is_no_repeat(
    forgetful: RoomOnStage, ann: Listener
) -> None:
    forgetful.tell(join(ann), post(ann, "one"))
    forgetful.tell(NotSaved(void(51), None), post(ann, "two"))
    assert said(ann)[-1] == "two"


def test_who_has_left_is_not_remembered_for_its_void_places(forgetful: RoomOnStage) -> None:
    gone = Listener()
    forgetful.tell(join(gone), post(gone, "old 1"), Leave(gone))
    forgetful.tell(NotSaved(void(51), posted(1, "old 1")), Saved(51))
    here = Listener()
    forgetful.tell(join(here), post(here, "old 2"), NotSaved(void(52), posted(2, "old 2")), Leave(here))
    ends = weakref.ref(gone), weakref.ref(here)
    del gone, here
    gc.collect()
    assert [end() for end in ends] == [None, None]
