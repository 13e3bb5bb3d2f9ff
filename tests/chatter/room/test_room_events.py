"""Pages of what became of a room: what memory has, what the database has, and what is hidden."""

from typing import Any

import pytest

from chatter.charter import RoomRules
from chatter.messages import Entry, LoadPage, NotSaved, Page, PageLoaded, RoomChanged
from chatter.room.context import RoomSettings
from chatter.storage.pages import PLACES_AT_ONCE, void_place
from tests.chatter.conftest import NOON_ISO, RoomOnStage, posted
from tests.support.governed import PRIVATE, Person, charter
from tests.support.stage import Stage, join

ANN = Person(1, "ann")


def topic(seq: int, words: str = "birds") -> RoomChanged:
    return RoomChanged(seq, f"t{seq}", "Ann", NOON_ISO, seq, None, topic=words, author=ANN.author)


def log(first: int, last: int) -> list[Entry]:
    """Makes entries of which each third is about the room."""
    return [topic(seq) if seq % 3 == 0 else posted(seq) for seq in range(first, last + 1)]


def start(stage: Stage, recent: list[Entry], **options: Any) -> RoomOnStage:
    settled = options.pop("charter", charter(owners=[ANN]))
    return RoomOnStage(stage, recent=recent, slug=PRIVATE, charter=settled, **options)


def ask(room: RoomOnStage, reader: Person, **place: int) -> None:
    room.tell(reader.reads(is_of_room=True, **place))


def answer(reader: Person) -> Page:
    page = reader.answers[-1]
    assert isinstance(page, Page)
    return page


def reads(room: RoomOnStage) -> list[LoadPage]:
    return [each for each in room.to_history if isinstance(each, LoadPage)]


def seqs(page: Page) -> list[int]:
    assert not page.messages
    return [event.seq for event in page.events or ()]


@pytest.fixture
def ann() -> Person:
    return Person(1, "ann")


@pytest.mark.parametrize(
    ("place", "expected", "more", "end"),
    [
        ({}, [3, 6, 9, 12], False, None),
        ({"after": 3}, [6, 9, 12], False, None),
        ({"before": 9}, [3, 6], False, None),
        ({"after": 3, "before": 12}, [6, 9], False, None),
        ({"limit": 2}, [9, 12], True, 9),
        ({"limit": 2, "before": 9}, [3, 6], False, None),
        ({"after": 12}, [], False, None),
        ({"after": 9, "before": 5}, [], False, None),
        ({"after": 50, "before": 99}, [], False, None),
    ],
)
def test_what_is_between_two_places_is_read_from_memory(
    stage: Stage, ann: Person, place: dict[str, int], expected: list[int], more: bool, end: int | None
) -> None:
    room = start(stage, log(1, 12))
    ask(room, ann, **place)
    assert (seqs(answer(ann)), answer(ann).more, answer(ann).next) == (expected, more, end)
    assert not reads(room)


def test_a_plain_room_has_none(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[posted(7)])
    ask(room, ann)
    assert seqs(answer(ann)) == []
    assert not reads(room)


def test_memory_counts_where_the_database_was_asked(stage: Stage, ann: Person) -> None:
    room = start(stage, log(8, 12), settings=RoomSettings(ring_size=5))
    ask(room, ann)
    (asked,) = reads(room)
    void, new = void_place(12, NOON_ISO), ann.sets(topic="bees")
    room.tell(join(ann), new, NotSaved(void, None))
    read = Page((), more=False, events=[topic(3), topic(6), topic(9, "older"), topic(12)])
    room.tell(PageLoaded(asked.request, read))
    assert seqs(answer(ann)) == [3, 6, 9, 13]  # 12 is void, and 13 is not saved yet
    assert [event.topic for event in answer(ann).events or () if isinstance(event, RoomChanged)][2] == "birds"


def test_so_many_places_are_looked_at_and_the_next_page_goes_on(stage: Stage, ann: Person) -> None:
    last = PLACES_AT_ONCE + 100
    room = start(stage, [posted(last)], settings=RoomSettings(ring_size=5))
    ask(room, ann)
    room.tell(PageLoaded(reads(room)[-1].request, Page((), more=False, events=[])))
    page = answer(ann)
    assert (page.more, page.next) == (True, last - PLACES_AT_ONCE + 1)
    ask(room, ann, before=page.next or 0)
    room.tell(PageLoaded(reads(room)[-1].request, Page((), more=False, events=[topic(9)])))
    assert (seqs(answer(ann)), answer(ann).more) == ([9], False)


def test_a_page_has_so_many_bytes(stage: Stage, ann: Person) -> None:
    room = start(stage, [topic(seq, "x" * 200) for seq in range(1, 10)], settings=RoomSettings(max_page_bytes=3_000))
    ask(room, ann)
    assert seqs(answer(ann)) == [8, 9]
    assert (answer(ann).more, answer(ann).next) == (True, 8)


def test_nothing_is_shown_from_before_somebody_came(stage: Stage) -> None:
    bo = Person(2, "bo")
    settled = charter(members=[bo], joined=6, rules=RoomRules(history="since_join"))
    room = start(stage, log(1, 12), charter=settled)
    ask(room, bo, after=1)
    assert (seqs(answer(bo)), answer(bo).more) == ([9, 12], False)
