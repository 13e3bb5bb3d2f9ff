"""Reactions to messages: what one turn adds, who is counted and named, and what the database is asked for."""

import tracemalloc

from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Loaded,
    LoadTarget,
    Posted,
    PostState,
    Reacted,
    ReactionCount,
    ReactionsDue,
    Refused,
    Saved,
    TargetLoaded,
)
from chatter.room.context import RoomSettings
from chatter.room.refusals import OVERLOADED
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.operations.conftest import HEART, THUMB, answers, message_of, react
from tests.support.stage import Listener, Stage, join


def test_reactions_of_one_turn_are_one_entry(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(*(react(members, name) for name in ("bo", "cy", "di")), react(members, "bo", key=HEART))
    names = ("bo", "cy", "di")
    first, second = ReactionCount(THUMB, 3, names), ReactionCount(HEART, 1, ("bo",))
    thumbs, heart = members.heard
    assert (thumbs.seq, thumbs.target, thumbs.key, thumbs.added, thumbs.reactions) == (2, 1, THUMB, names, (first,))
    assert (heart.seq, heart.key, heart.added, heart.reactions) == (3, HEART, ("bo",), (first, second))
    room.tell(Saved(3))
    assert [answer.seq for answer in answers(members)] == [2, 2, 2, 3]


def test_a_person_reacts_once_with_a_key(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(react(members, "bo"))
    room.tell(react(members, "bo"), Saved(2))
    assert answers(members)[1] == AlreadySo(2)
    room.tell(react(members, "bo", is_added=False), Saved(3))
    assert message_of(room, members).state == PostState(changed=3)
    room.tell(react(members, "bo", is_added=False), Saved(3))
    assert answers(members) == [AlreadySo(3)]


def test_a_reaction_that_is_taken_back_in_the_same_turn_is_no_entry_and_no_repeat(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(react(members, "bo"), react(members, "bo"), react(members, "bo", is_added=False))
    came, again, went = AlreadySo(1, duplicate=False), AlreadySo(1), AlreadySo(1, duplicate=False)
    assert members.heard == [(b"1", came), (b"1", again), (b"1", went)]


def test_a_reaction_that_is_taken_back_beside_one_that_stays_is_not_acknowledged_with_its_entry(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(react(members, "bo"), react(members, "cy"), react(members, "bo", is_added=False), Saved(2))
    came, stays, went = answers(members)
    assert (came, went) == (AlreadySo(2, duplicate=False), AlreadySo(2, duplicate=False))
    assert isinstance(stays, Acknowledged)


def test_a_second_reaction_of_one_turn_is_a_repeat_of_the_first(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(react(members, "bo"), react(members, "bo"), Saved(2))
    assert [type(answer) for answer in answers(members)] == [Acknowledged, AlreadySo]


def test_a_message_has_so_many_different_reactions(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_reactions=2), recent=[])
    room.tell(join(ann), post(ann, "hello"))
    room.tell(*(react(ann, "ann", key=key) for key in "🙂🎉🔥"), react(ann, "bo", key="🎉"))
    assert [answer for answer in answers(ann) if isinstance(answer, Refused)] == [Refused("full", limit=2)]
    assert len(room.saves[-1].entries) == 2


def test_a_reaction_that_goes_makes_room_for_one_of_the_same_turn(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_reactions=1), recent=[])
    room.tell(join(ann), post(ann, "hello"), react(ann, "ann"))
    room.tell(react(ann, "ann", key=HEART), react(ann, "ann", is_added=False), Saved(4))
    assert [type(answer) for answer in answers(ann)] == [Acknowledged] * 4
    came = room.saves[-1].entries[-1]
    assert isinstance(came, Reacted)
    assert [count.key for count in came.reactions] == [HEART]


def test_a_count_has_the_names_of_those_who_came_first(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    for names in ("klm", "abcdefghi"):  # those of one turn by name
        room.tell(*(react(members, name) for name in reversed(names)))
    room.tell(react(members, "l", is_added=False))
    (count,) = members.heard[-1].reactions
    assert (count.count, count.names) == (11, tuple("kmabcdefgh"))


def test_reactions_in_a_crowd_are_counted_once_in_a_while(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(reaction_interval=0.3), recent=[])
    room.tell(*(join(Listener()) for _ in range(101)), join(ann), post(ann, "hello"))
    for name in ("bo", "cy"):
        room.tell(react(ann, name))
    assert len(room.saves) == 1
    stage.run_until(lambda: len(room.saves) == 2)
    (entry,) = room.saves[-1].entries
    assert isinstance(entry, Reacted)
    assert entry.added == ("bo", "cy")


def test_reactions_that_wait_are_counted_also_where_their_message_leaves_memory(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=2, reaction_interval=60), recent=[])
    room.tell(*(join(Listener()) for _ in range(101)), join(ann), post(ann, "hello"), Saved(1))
    room.tell(*(react(ann, f"{number}") for number in range(300)))
    room.tell(post(ann, "2"), post(ann, "3"), post(ann, "4"), Saved(4))
    ann.clear()
    room.tell(ReactionsDue(), react(ann, "too many"))
    room.tell(TargetLoaded(1, posted(1), []), ReactionsDue(), Saved(5))
    (entry,) = room.saves[-1].entries
    assert isinstance(entry, Reacted)
    assert entry.reactions[0].count == 300
    assert [answer for answer in answers(ann) if not isinstance(answer, Acknowledged)] == [OVERLOADED]


# ---------------------------------------------------------------- those to messages that are not in memory


def test_who_has_reacted_to_an_old_message_is_asked(old: RoomOnStage, ann: Listener) -> None:
    state = PostState(changed=9, reactions=(ReactionCount(THUMB, 11, ("bo",)),))
    old.tell(react(ann, "ann", 5), react(ann, "bo", 5))
    assert old.to_history[-1] == LoadTarget(old.ref, "lobby", 5, ann, with_reactions=True)
    people = [("bo", 8), *((f"{number}", 9) for number in range(10))]
    loaded = Posted(5, "5", "ann", "5", NOON_ISO, nth=5, state=state)
    old.tell(TargetLoaded(5, loaded, [(THUMB, name, seq) for name, seq in people]), Saved(101))
    assert [type(answer) for answer in answers(ann)] == [Acknowledged, AlreadySo]
    (entry,) = old.saves[-1].entries
    assert isinstance(entry, Reacted)
    assert (entry.added, entry.reactions[0].count) == (("ann",), 12)


def test_who_came_back_to_a_reaction_keeps_the_place_that_was_told(stage: Stage, ann: Listener) -> None:
    moves: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("bo", "cy"), ()),
        ((), ("bo",)),
        (("bo",), ()),
        (("di",), ()),
    ]
    past = [
        Reacted(seq, f"r{seq}", "cy", 1, NOON_ISO, 1, THUMB, added, removed, ())
        for seq, (added, removed) in enumerate(moves, 2)
    ]
    counts = (ReactionCount(THUMB, 3, ("cy", "bo", "di")),)
    state = PostState(changed=5, reactions=counts)
    room = RoomOnStage(stage)
    room.tell(Loaded([posted(1), *past], (), [], states={1: state}))
    room.tell(join(ann), react(ann, "ed", key=HEART))
    room.tell(TargetLoaded(1, posted(1), [(THUMB, "cy", 2), (THUMB, "bo", 4), (THUMB, "di", 5)]))
    (entry,) = room.saves[-1].entries
    assert isinstance(entry, Reacted)
    assert entry.reactions == (*counts, ReactionCount(HEART, 1, ("ed",)))


def test_a_reaction_costs_the_same_however_many_people_have_reacted(old: RoomOnStage, ann: Listener) -> None:
    crowd = [(THUMB, f"{number}", 9) for number in range(20_000)]
    old.tell(react(ann, "ann", 5), TargetLoaded(5, posted(5), crowd))
    tracemalloc.start()
    old.tell(react(ann, "bo", 5), react(ann, "0", 5, is_added=False))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    entry = old.saves[-1].entries[0]
    assert isinstance(entry, Reacted)
    assert (entry.reactions[0].count, entry.reactions[0].names[0]) == (20_001, "1")
    assert most_bytes < 100_000
