"""Replies belong to threads, which begin with a message and count what follows it."""

from chatter.messages import Delete, LookedUp, LookUp, NotSaved, Posted, PostState, Refused, Saved
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.operations.conftest import answers, message_of
from tests.support.stage import Listener, Stage, join


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
