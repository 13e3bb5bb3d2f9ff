"""Who reads messages sees what was done to them, in greetings and in pages."""

import pytest

from chatter.messages import Delete, Page, PageLoaded, Posted, PostState, ReadHistory, Saved, TargetLoaded, View
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.operations.conftest import answers, edit
from tests.support.stage import Listener, Stage, join


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
