"""What is done to messages: edits, deletions, reactions, pins and replies, and how each is judged."""

import tracemalloc
from typing import Any

import pytest

from chatter.clock import SECOND
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Delete,
    Deleted,
    Edit,
    Edited,
    Entry,
    Loaded,
    LoadTarget,
    LookedUp,
    LookUp,
    NotSaved,
    Page,
    PageLoaded,
    Pin,
    Pinned,
    Posted,
    PostState,
    React,
    Reacted,
    ReactionCount,
    ReactionsDue,
    ReadHistory,
    Refused,
    Saved,
    TargetLoaded,
    Unpinned,
    View,
)
from chatter.room.context import RoomSettings
from chatter.room.refusals import OVERLOADED
from tests.chatter.conftest import EPOCH, NOON, NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.test_room import poison
from tests.support.stage import Listener, Stage, join

THUMB, HEART = "👍", "❤"
VOID = Posted(2, "void-2", "", "", NOON_ISO, void=True, nth=1)


def edit(sender: Listener, target: int, message: str, id: str = "e", **options: Any) -> Edit:
    return Edit(sender, b"1", id, target, message, **options)


def react(sender: Listener, name: str, target: int = 1, key: str = THUMB, *, is_added: bool = True) -> React:
    return React(sender, b"1", name, target, key, is_added)


def pin(sender: Listener, target: int = 1, id: str = "p", *, is_pinned: bool = True, **options: Any) -> Pin:
    return Pin(sender, b"1", id, "ann", target, is_pinned, **options)


@pytest.fixture
def members(room: RoomOnStage, ann: Listener) -> Listener:
    """Has ann say a message, which is committed, and bo listen; returns bo."""
    bo = Listener(view=View.LOG)
    room.tell(join(ann), join(bo), post(ann, "hello"), Saved(1))
    ann.clear()
    bo.clear()
    return bo


def answers(listener: Listener) -> list[Any]:
    return [answer for ref, answer in (each for each in listener.heard if isinstance(each, tuple))]


def message_of(room: RoomOnStage, reader: Listener, seq: int = 1) -> Posted:
    """Returns a message as the room shows it."""
    reader.clear()
    room.tell(ReadHistory(reader, b"1", seq + 1, 1))
    (page,) = answers(reader)
    assert isinstance(page, Page)
    reader.clear()
    return page.messages[0]


# ---------------------------------------------------------------- edits


def test_an_edit_is_heard_in_its_place_saved_and_acknowledged_once_committed(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    edited = Edited(2, "e", "ann", 1, NOON_ISO, 1, "hello!", 1)
    room.tell(edit(ann, 1, "hello!"))
    assert (members.heard, answers(ann)) == ([edited], [])
    assert room.saves[-1].entries == (edited,)
    room.tell(Saved(2))
    assert answers(ann) == [Acknowledged("e", 2, NOON_ISO)]
    shown = message_of(room, members)
    assert (shown.message, shown.state) == (
        "hello!",
        PostState(changed=2, message="hello!", edits=1, edited_at=NOON_ISO),
    )


def test_only_the_connection_that_said_a_message_may_change_it(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(edit(members, 1, "mine"), Delete(members, b"1", None, 1))
    assert answers(members) == [Refused("forbidden"), Refused("forbidden")]
    assert len(room.saves) == 1


@pytest.mark.parametrize("seconds", [3_599, 3_601])
def test_a_message_may_be_changed_for_an_hour(stage: Stage, ann: Listener, seconds: int) -> None:
    said = Posted(1, "hello", "ann", "hello", NOON_ISO, nth=1)
    room = RoomOnStage(stage, recent=[said], clock=lambda: NOON + seconds * SECOND)
    ann.note_said(1)
    room.tell(join(ann), edit(ann, 1, "late"), Saved(2))
    refused = Refused("too_late", limit_s=3_600.0)
    assert [answer for answer in answers(ann) if isinstance(answer, Refused)] == ([refused] if seconds > 3_600 else [])


def test_an_edit_to_the_same_text_changes_nothing(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "hello"))
    assert (answers(ann), members.heard) == ([AlreadySo(1)], [])


def test_an_edit_of_what_has_changed_meanwhile_is_a_conflict(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(pin(members), edit(ann, 1, "new", if_changed=1), edit(ann, 1, "new", if_changed=2), Saved(3))
    assert answers(ann) == [Refused("conflict", changed=2), Acknowledged("e", 3, NOON_ISO)]


def test_a_message_is_edited_so_many_times(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_edits=2), recent=[])
    room.tell(join(ann), post(ann, "0"), *(edit(ann, 1, str(number), id=f"e{number}") for number in (1, 2, 3)))
    assert answers(ann) == [Refused("full", limit=2)]


def test_an_edit_that_is_sent_twice_is_done_once(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "new"), edit(ann, 1, "new", repeat=True), edit(ann, 1, "other", repeat=True), Saved(2))
    assert answers(ann) == [
        Refused("id_taken"),
        Acknowledged("e", 2, NOON_ISO),
        Acknowledged("e", 2, NOON_ISO, duplicate=True),
    ]
    assert len(members.heard) == 1


def test_what_is_no_message_is_not_found(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "new"), edit(ann, 2, "an edit", id="f"), edit(ann, 9, "the future", id="g"))
    assert answers(ann) == [Refused("not_found"), Refused("not_found")]


# ---------------------------------------------------------------- deletions


def test_a_deleted_message_keeps_its_place_without_its_text(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(edit(ann, 1, "a secret"), pin(members), react(members, "bo"))
    members.clear()
    room.tell(Delete(ann, b"1", "d", 1, "oops"))
    assert members.heard[-1] == Deleted(5, "d", "ann", 1, NOON_ISO, 1, "oops")
    shown = message_of(room, members)
    assert (shown.name, shown.message, shown.state) == (
        "ann",
        "",
        PostState(changed=5, message="", edits=1, edited_at=NOON_ISO, deleted_at=NOON_ISO, deleted_by="ann"),
    )
    reader = Listener(view=View.LOG)
    room.tell(join(reader))
    assert [each.message for each in reader.heard if isinstance(each, Posted)] == [""]


def test_nothing_is_done_to_a_deleted_message(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(Delete(ann, b"1", "d", 1), Saved(2))
    ann.clear()
    room.tell(edit(ann, 1, "new"), Delete(ann, b"1", "d2", 1), pin(ann), react(ann, "ann"))
    room.tell(post(ann, "reply", reply_to=1))
    assert answers(ann) == [Refused("gone")] * 5
    assert len(room.saves) == 2


def test_a_deletion_that_is_sent_twice_is_done_once(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(Delete(ann, b"1", "d", 1), Saved(2), Delete(ann, b"1", "d", 1, repeat=True))
    assert answers(ann) == [Acknowledged("d", 2, NOON_ISO), Acknowledged("d", 2, NOON_ISO, duplicate=True)]


def test_a_post_that_was_deleted_is_recognised_when_it_comes_again(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(Delete(ann, b"1", "d", 1), Saved(2), post(ann, "hello", repeat=True))
    assert answers(ann)[-1] == Acknowledged("hello", 1, NOON_ISO, duplicate=True)


# ---------------------------------------------------------------- reactions


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


# ---------------------------------------------------------------- pins


def test_a_message_is_pinned_and_unpinned(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(pin(ann), pin(ann, id="again"), pin(ann, id="off", is_pinned=False))
    room.tell(pin(ann, id="off again", is_pinned=False), Saved(3))
    assert members.heard == [Pinned(2, "p", "ann", 1, NOON_ISO, 1), Unpinned(3, "off", "ann", 1, NOON_ISO, 1)]
    assert answers(ann) == [
        Acknowledged("p", 2, NOON_ISO),
        AlreadySo(2),
        Acknowledged("off", 3, NOON_ISO),
        AlreadySo(3),
    ]


def test_a_room_has_so_many_pins(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_pins=2))
    said = [posted(seq, f"{seq}") for seq in (1, 2, 3)]
    states = {1: PostState(changed=1, pinned_at=NOON_ISO, pinned_by="ann")}
    room.tell(Loaded(said, states=states, pinned=[1]), join(ann), pin(ann, 2), pin(ann, 3, "q"))
    assert answers(ann) == [Refused("full", limit=2)]
    room.tell(pin(ann, 1, "r", is_pinned=False), pin(ann, 3, "s"))
    assert len(answers(ann)) == 1


# ---------------------------------------------------------------- replies


def test_a_reply_belongs_to_the_first_message_of_its_thread(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(post(ann, "one", reply_to=1), post(ann, "two", reply_to=2), Saved(3))
    one, two = members.heard
    assert one.state == PostState(changed=2, reply_to=1, root=1, root_replies=1)
    assert two.state == PostState(changed=3, reply_to=2, root=1, root_replies=2)
    assert message_of(room, members).state == PostState(changed=3, replies=2, last_reply_seq=3)


def test_a_deleted_reply_keeps_its_place_in_the_thread_and_counts(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(post(ann, "one", reply_to=1), post(ann, "two", reply_to=1), Delete(ann, b"1", "d", 2), Saved(4))
    assert message_of(room, members).state == PostState(changed=3, replies=2, last_reply_seq=3)


def test_a_reply_that_becomes_void_is_not_counted_where_none_came_after_it(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(post(ann, "one", reply_to=1), post(ann, "never", reply_to=1))
    room.tell(NotSaved(Posted(3, "void-3", "", "", NOON_ISO, void=True), None), Saved(3))
    assert message_of(room, members).state == PostState(changed=2, replies=1, last_reply_seq=2)


def test_a_full_thread_goes_on_as_another(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_replies=1), recent=[])
    room.tell(join(ann), post(ann, "a"), post(ann, "b", reply_to=1), post(ann, "c", reply_to=2))
    states = [posted.state for save in room.saves for posted in save.entries if isinstance(posted, Posted)]
    assert [state and state.root for state in states] == [None, 1, 2]


def test_a_reply_whose_first_message_is_void_begins_another_thread(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "never"), post(ann, "reply", reply_to=1))
    room.tell(NotSaved(Posted(1, "void-1", "", "", NOON_ISO, void=True), None), Saved(2))
    answer = post(ann, "answer", reply_to=2)
    room.tell(answer)
    if room.to_history:
        room.tell(LookedUp(answer, None, [posted(2)]))
    entry = room.saves[-1].entries[0]
    assert isinstance(entry, Posted)
    assert entry.state == PostState(changed=3, reply_to=2, root=2, root_replies=1)


def test_a_reply_to_what_is_no_message_is_refused(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(post(ann, "reply", reply_to=7))
    assert answers(ann) == [Refused("not_found")]


def test_a_reply_to_an_old_message_and_the_posts_behind_it_wait_for_the_database(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(seq, f"{seq}") for seq in range(91, 101)])
    reply = post(ann, "reply", reply_to=5)
    room.tell(join(ann), reply, post(ann, "next"))
    assert room.to_history[-1] == LookUp(room.ref, "lobby", reply)
    assert room.saves == []
    room.tell(LookedUp(reply, None, [posted(5)]))
    assert [entry.seq for save in room.saves for entry in save.entries] == [101, 102]
    assert room.saves[0].entries[0] == Posted(
        101,
        "reply",
        "ann",
        "reply",
        NOON_ISO,
        nth=101,
        state=PostState(changed=101, reply_to=5, root=5, root_replies=1),
    )


# ---------------------------------------------------------------- what is not in memory


@pytest.fixture
def old(stage: Stage, ann: Listener) -> RoomOnStage:
    """Starts a room that remembers the last ten of a hundred messages, all of which ann has said."""
    room = RoomOnStage(stage, recent=[posted(seq, f"{seq}") for seq in range(91, 101)])
    for seq in range(1, 101):
        ann.note_said(seq)
    room.tell(join(ann))
    ann.clear()
    return room


def test_an_operation_on_an_old_message_waits_for_the_database_and_the_room_does_not(
    old: RoomOnStage, ann: Listener
) -> None:
    old.tell(edit(ann, 5, "new"), pin(ann, 5), post(ann, "meanwhile"))
    assert old.to_history[-1] == LoadTarget(old.ref, "lobby", 5, ann)
    assert [entry.seq for save in old.saves for entry in save.entries] == [101]
    old.tell(TargetLoaded(5, posted(5)), Saved(103))
    assert answers(ann)[1:] == [Acknowledged("e", 102, NOON_ISO), Acknowledged("p", 103, NOON_ISO)]


def test_an_operation_is_judged_by_what_the_database_says(old: RoomOnStage, ann: Listener) -> None:
    deleted = PostState(changed=9, message="", deleted_at=NOON_ISO, deleted_by="ann")
    for seq, loaded in ((5, None), (6, Posted(6, "6", "ann", "", NOON_ISO, nth=6, state=deleted))):
        old.tell(edit(ann, seq, "new", id=f"e{seq}"))
        old.tell(TargetLoaded(seq, loaded))
    assert answers(ann) == [Refused("not_found"), Refused("gone")]


def test_an_operation_that_cannot_be_judged_is_to_be_sent_again(old: RoomOnStage, ann: Listener) -> None:
    old.tell(edit(ann, 5, "new"), pin(ann, 5), TargetLoaded(5, None, failed=True))
    assert answers(ann) == [OVERLOADED, OVERLOADED]


def test_a_repeat_of_an_old_operation_is_looked_up(old: RoomOnStage, ann: Listener) -> None:
    old.tell(edit(ann, 95, "new", repeat=True))
    assert old.to_history[-1] == LoadTarget(old.ref, "lobby", 95, ann, id="e")
    old.tell(TargetLoaded(95, posted(95), first=Edited(50, "e", "ann", 95, NOON_ISO, 50, "new", 1)), Saved(100))
    assert answers(ann) == [Acknowledged("e", 50, NOON_ISO, duplicate=True)]


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


def test_the_texts_of_a_deleted_message_are_forgotten_also_with_its_ids(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=1, id_memory_size=10, greeting_size=1), recent=[])
    room.tell(join(ann), post(ann, "one"), edit(ann, 1, "changed"), post(ann, "two"), Saved(3))
    room.tell(Delete(ann, b"1", "d", 1), TargetLoaded(1, posted(1, "one", id="one")), Saved(4))
    ann.clear()
    room.tell(post(ann, "another", id="one"), edit(ann, 1, "another text"))
    assert answers(ann) == [
        Acknowledged("one", 1, NOON_ISO, duplicate=True),  # a text that is gone fits any
        Acknowledged("e", 2, NOON_ISO, duplicate=True),
    ]


# ---------------------------------------------------------------- what cannot be saved


def test_an_edit_that_cannot_be_saved_is_taken_back(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "never"), pin(members), NotSaved(VOID, None), Saved(3))
    assert answers(ann) == [Refused("not_saved")]
    shown = message_of(room, members)
    assert (shown.message, shown.state) == ("hello", PostState(changed=3, pinned_at=NOON_ISO, pinned_by="ann"))


def test_a_pin_of_a_message_that_cannot_be_saved_takes_no_place(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(max_pins=1), recent=[])
    room.tell(
        join(ann),
        post(ann, "never"),
        post(ann, "fine"),
        pin(ann, 1),
        NotSaved(Posted(1, "void-1", "", "", NOON_ISO, void=True), None),
        Saved(3),
    )
    ann.clear()
    room.tell(pin(ann, 2, "q"), Saved(4))
    assert answers(ann) == [Acknowledged("q", 4, NOON_ISO)]


def test_reactions_are_counted_anew_where_one_could_not_be_saved(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    for name in ("bo", "cy"):
        room.tell(react(members, name))
    room.tell(NotSaved(VOID, None), Saved(3))
    assert room.to_history[-1] == LoadTarget(room.ref, "lobby", 1, "lobby", with_reactions=True)
    room.tell(TargetLoaded(1, posted(1), [(THUMB, "cy", 3)]))
    (entry,) = room.saves[-1].entries
    assert isinstance(entry, Reacted)
    assert (entry.added, entry.removed, entry.reactions) == ((), (), (ReactionCount(THUMB, 1, ("cy",)),))


@pytest.fixture
def miscounted(room: RoomOnStage, members: Listener) -> RoomOnStage:
    """Has two people react, of whom the first cannot be saved; the database is asked who has reacted."""
    for name in ("bo", "cy"):
        room.tell(react(members, name))
    room.tell(NotSaved(VOID, None), Saved(3))
    return room


WHO_HAS_REACTED = [(THUMB, "cy", 3)]


def is_counted_anew(room: RoomOnStage) -> bool:
    entries = [entry for save in room.saves[2:] for entry in save.entries if isinstance(entry, Reacted)]
    return [entry.reactions for entry in entries][-1:] == [(ReactionCount(THUMB, 1, ("cy",)),)]


def test_reactions_are_counted_anew_once_the_database_answers_again(miscounted: RoomOnStage) -> None:
    asked = miscounted.to_history[-1]
    miscounted.tell(TargetLoaded(1, None, failed=True))
    assert not is_counted_anew(miscounted)
    miscounted.tell(ReactionsDue())
    assert miscounted.to_history[-2:] == [asked, asked]
    miscounted.tell(TargetLoaded(1, posted(1), WHO_HAS_REACTED))
    assert is_counted_anew(miscounted)


def test_reactions_are_counted_anew_also_where_the_database_was_asked_about_something_else(
    room: RoomOnStage, ann: Listener, members: Listener
) -> None:
    room.tell(react(members, "bo"))
    room.tell(react(members, "cy"), edit(ann, 1, "again", "e", repeat=True))
    assert room.to_history[-1] == LoadTarget(room.ref, "lobby", 1, ann, id="e")
    room.tell(NotSaved(VOID, None), Saved(3))
    room.tell(TargetLoaded(1, posted(1)))
    assert room.to_history[-1] == LoadTarget(room.ref, "lobby", 1, "lobby", with_reactions=True)
    room.tell(TargetLoaded(1, posted(1), WHO_HAS_REACTED))
    assert is_counted_anew(room)


def test_a_room_that_fails_leaves_what_is_to_be_counted_anew_to_its_successor(
    stage: Stage, miscounted: RoomOnStage
) -> None:
    counts = (ReactionCount(THUMB, 2, ("bo", "cy")),)
    past: list[Entry] = [posted(1), VOID, Reacted(3, "r", "cy", 1, NOON_ISO, 1, THUMB, ("cy",), (), counts)]
    miscounted.tell(poison())
    handover = miscounted.to_supervisor[-1][2]
    del handover.mail[0]
    successor = RoomOnStage(stage, handover=handover, is_rebuilt=True)
    state = PostState(changed=3, reactions=counts)
    successor.tell(Loaded(past, ((EPOCH, 3),), [2], states={1: state}))
    assert successor.to_history == [LoadTarget(successor.ref, "lobby", 1, "lobby", with_reactions=True)]


# ---------------------------------------------------------------- limits


def test_operations_are_refused_before_messages_are(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    for _ in range(500):
        room.backlog.count(1)
    room.tell(pin(ann), post(ann, "still said"))
    assert answers(ann) == [OVERLOADED]
    assert room.saves[-1].entries[0].seq == 2


def test_who_does_not_know_the_log_finds_its_places_void(room: RoomOnStage, ann: Listener, members: Listener) -> None:
    room.tell(edit(ann, 1, "new"), post(ann, "last"), Saved(3))
    ann.clear()
    room.tell(ReadHistory(ann, b"1", None, 10))
    (page,) = answers(ann)
    assert isinstance(page, Page)
    assert [(each.seq, each.message, each.void) for each in page.messages] == [
        (1, "new", False),
        (2, "", True),
        (3, "last", False),
    ]


def test_a_greeting_has_the_latest_messages_whatever_came_after_them(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=5, greeting_size=2), recent=[])
    room.tell(join(ann), *(post(ann, f"{number}") for number in range(4)), Saved(4))
    for number in range(20):
        room.tell(edit(ann, 1, f"edit {number}", id=f"e{number}"), Saved(5 + number))
    tutorial = Listener(view=View.MESSAGES)
    room.tell(join(tutorial))
    assert [each.message for each in tutorial.heard if isinstance(each, Posted)] == ["2", "3"]


def test_a_greeting_has_as_many_messages_also_where_later_ones_are_deleted(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(greeting_size=2), recent=[])
    room.tell(join(ann), *(post(ann, f"{number}") for number in range(6)), Saved(6))
    room.tell(*(Delete(ann, b"1", f"d{seq}", seq) for seq in (3, 5, 6)))
    tutorial = Listener(view=View.MESSAGES)
    room.tell(join(tutorial))
    assert [each.message for each in tutorial.heard if isinstance(each, Posted)] == ["1", "3"]


# ---------------------------------------------------------------- pages from the database


def test_a_page_from_the_database_shows_what_is_not_saved_yet(old: RoomOnStage, ann: Listener) -> None:
    reader = Listener(view=View.LOG)
    old.tell(edit(ann, 5, "new"), TargetLoaded(5, posted(5)), ReadHistory(reader, b"1", 7, 2))
    old.tell(PageLoaded(old.to_history[-1].request, Page([posted(5), posted(6)], more=True, as_of=100)))
    (page,) = answers(reader)
    assert isinstance(page, Page)
    assert ([each.message for each in page.messages], page.as_of) == (["new", "hello"], 101)


def test_a_page_that_was_read_before_what_memory_has_says_of_when_it_is(old: RoomOnStage, ann: Listener) -> None:
    reader = Listener(view=View.LOG)
    old.tell(ReadHistory(reader, b"1", 7, 2))
    old.tell(PageLoaded(old.to_history[-1].request, Page([posted(5), posted(6)], more=True, as_of=89)))
    (page,) = answers(reader)
    assert isinstance(page, Page)
    assert page.as_of == 89


@pytest.mark.parametrize("most_bytes", [262_144, 1])
def test_a_page_of_changes_has_a_reply_with_its_root(stage: Stage, most_bytes: int) -> None:
    room = RoomOnStage(stage, RoomSettings(max_page_bytes=most_bytes), recent=[])
    reader = Listener(view=View.LOG)
    root = Posted(1, "1", "ann", "1", NOON_ISO, nth=1, state=PostState(changed=5, replies=1, last_reply_seq=5))
    reply = Posted(5, "5", "ann", "5", NOON_ISO, nth=5, state=PostState(changed=5, reply_to=1, root=1))
    room.tell(ReadHistory(reader, b"1", None, 10, after=4))
    room.tell(PageLoaded(room.to_history[-1].request, Page([reply, root, posted(6)], more=False, as_of=6)))
    (page,) = answers(reader)
    assert isinstance(page, Page)
    expected = ([5, 1], True, 5) if most_bytes == 1 else ([5, 1, 6], False, None)
    assert ([each.seq for each in page.messages], page.more, page.next) == expected
