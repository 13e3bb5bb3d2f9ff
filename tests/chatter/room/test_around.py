"""A page around a place: what it holds, and how it agrees with the pages before and after one."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatter.messages import Entry, LoadPage, NotSaved, Page, PageLoaded, Pinned, Posted, ReadHistory, Refused
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join


def around(seq: int, limit: int) -> ReadHistory:
    return ReadHistory(Listener(), b"1", None, limit, around=seq)


def asked(room: RoomOnStage, reader: Listener, limit: int, **place: int) -> Page:
    """Returns the page that a room answers from its memory."""
    request = ReadHistory(reader, b"1", place.get("before"), limit, place.get("after"), place.get("around"))
    room.tell(request)
    _, page = reader.heard[-1]
    assert isinstance(page, Page)
    return page


def seqs(page: Page) -> list[int]:
    return [message.seq for message in page.messages]


@pytest.fixture
def thirty(stage: Stage) -> RoomOnStage:
    return RoomOnStage(stage, recent=[posted(seq) for seq in range(1, 31)])


@pytest.mark.parametrize(
    ("seq", "limit", "first", "last", "more", "more_after"),
    [
        (15, 4, 13, 16, True, True),
        (15, 5, 13, 17, True, True),
        (15, 1, 15, 15, True, True),
        (1, 4, 1, 4, False, True),  # as long as any page, with more on the other side
        (2, 6, 1, 6, False, True),
        (30, 4, 27, 30, True, False),
        (29, 4, 27, 30, True, False),
        (31, 4, 27, 30, True, False),  # beyond the newest: the latest
        (2**63 - 1, 4, 27, 30, True, False),
        (15, 100, 1, 30, False, False),
    ],
)
def test_half_of_a_page_around_a_place_is_before_it(
    thirty: RoomOnStage, ann: Listener, seq: int, limit: int, first: int, last: int, more: bool, more_after: bool
) -> None:
    page = asked(thirty, ann, limit, around=seq)
    assert page == Page(tuple(posted(each) for each in range(first, last + 1)), more, more_after)


def test_a_page_around_any_place_of_an_empty_room_is_empty(room: RoomOnStage, ann: Listener) -> None:
    assert asked(room, ann, 10, around=1) == asked(room, ann, 10, around=99) == Page((), more=False, more_after=False)


def test_a_void_place_is_in_its_page(stage: Stage, ann: Listener) -> None:
    void = Posted(15, "void-15", "", "", posted(15).inserted_at, void=True)
    recent = [void if seq == 15 else posted(seq) for seq in range(1, 31)]
    page = asked(RoomOnStage(stage, recent=recent, voids=(15,)), ann, 3, around=15)
    assert page.messages == (posted(14), void, posted(16))


@given(st.integers(0, 40), st.integers(1, 60), st.integers(1, 20), st.integers(100, 9_000), st.data())
def test_pages_around_a_place_agree_with_those_before_and_after_one(
    size: int, seq: int, limit: int, most_bytes: int, data: Any
) -> None:
    lengths = data.draw(st.lists(st.integers(1, 2_000), min_size=size, max_size=size))
    said = [posted(number, "x" * length, id="i") for number, length in enumerate(lengths, 1)]
    stage, reader = Stage(), Listener()
    room = RoomOnStage(stage, RoomSettings(max_page_bytes=most_bytes), recent=said)
    try:
        page = asked(room, reader, limit, around=seq)
        assert_right(page, said, seq, limit)
        if page.messages:
            first, last = page.messages[0].seq, page.messages[-1].seq
            older, newer = asked(room, reader, 1, before=first), asked(room, reader, 1, after=last)
            assert seqs(older) == ([first - 1] if page.more else [])
            assert seqs(newer) == ([last + 1] if page.more_after else [])
            assert asked(room, reader, 1, before=first + 1).messages == page.messages[:1]
            assert asked(room, reader, 1, after=last - 1).messages == page.messages[-1:]
    finally:
        stage.close()


def assert_right(page: Page, said: Sequence[Posted], seq: int, limit: int) -> None:
    """Checks a page against all that was said."""
    if not said:
        assert page == Page((), more=False, more_after=False)
        return
    numbers, newest = seqs(page), len(said)
    assert list(page.messages) == said[numbers[0] - 1 : numbers[-1]]
    assert min(seq, newest) in numbers
    assert len(numbers) <= limit
    assert (page.more, page.more_after) == (numbers[0] > 1, numbers[-1] < newest)
    assert numbers[0] >= max(1, min(seq - limit // 2, newest - limit + 1))
    assert numbers[-1] <= min(newest, max(seq + math.ceil(limit / 2) - 1, limit))


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 60), st.integers(1, 20), st.integers(1, 9))
@example([False, True], 2, 1, 1)  # the only message of the page is behind the place
def test_who_counts_places_finds_all_of_them_in_pages(kinds: list[bool], seq: int, limit: int, most: int) -> None:
    log: list[Entry] = [posted(1)]
    for number, is_message in enumerate(kinds, 2):
        nth = log[-1].nth + is_message
        message = Posted(number, "i", "ann", "hello", NOON_ISO, nth=nth)
        log.append(message if is_message else Pinned(number, "i", "ann", 1, NOON_ISO, nth))
    newest = len(log)
    stage, reader = Stage(), Listener()
    room = RoomOnStage(stage, RoomSettings(max_recovery_page=most), recent=log)
    try:
        page = asked(room, reader, limit, around=seq)
        assert seqs(page) == list(range(seqs(page)[0], seqs(page)[-1] + 1))
        assert min(seq, newest) in seqs(page)
        assert (page.more, page.more_after) == (seqs(page)[0] > 1, seqs(page)[-1] < newest)
        assert len(page.messages) <= limit + most
        back = asked(room, reader, limit, before=newest + 1)
        places = seqs(back)
        while back.more:
            back = asked(room, reader, limit, before=places[0])
            places = [*seqs(back), *places]
        assert places == list(range(1, newest + 1))
    finally:
        stage.close()


# ---------------------------------------------------------------- beyond the memory


@pytest.fixture
def old(stage: Stage) -> RoomOnStage:
    """A room of which more was said than it holds: it begins with 81."""
    return RoomOnStage(stage, RoomSettings(ring_size=20), recent=[posted(seq) for seq in range(81, 101)])


def test_a_page_that_begins_before_the_memory_is_read_from_the_database(old: RoomOnStage, ann: Listener) -> None:
    request = ReadHistory(ann, b"1", None, 10, around=40)
    old.tell(request)
    held = tuple(posted(seq) for seq in range(81, 91))  # how much of it is on the page, the database can tell
    assert old.to_history[-1] == LoadPage(old.ref, "lobby", 100, request, held)
    old.tell(PageLoaded(request, Page(tuple(posted(seq) for seq in range(35, 45)), more=True)))
    assert ann.heard == [(b"1", Page(tuple(posted(seq) for seq in range(35, 45)), more=True, more_after=True))]


def test_a_page_that_reaches_into_the_memory_takes_its_end_from_there(old: RoomOnStage) -> None:
    request = around(82, 10)
    old.tell(request)
    held = tuple(posted(seq) for seq in range(81, 92))
    assert old.to_history[-1] == LoadPage(old.ref, "lobby", 100, request, held)


def test_a_message_that_becomes_void_while_the_page_is_read_is_void_in_it(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=1), recent=[posted(50)])
    room.tell(join(ann), post(ann, "a ghost"))
    request = ReadHistory(ann, b"1", None, 4, around=51)
    room.tell(request)
    (question,) = [told for told in room.to_history if isinstance(told, LoadPage)]
    assert [each.message for each in question.held] == ["hello", "a ghost"]
    void = Posted(51, "void-51", "", "", posted(51).inserted_at, void=True)
    room.tell(NotSaved(void, None))
    room.tell(PageLoaded(request, Page((posted(49), *question.held), more=True)))
    assert ann.heard[-1] == (b"1", Page((posted(49), posted(50), void), more=True, more_after=False))


def test_a_page_that_cannot_be_read_is_refused(old: RoomOnStage, ann: Listener) -> None:
    request = ReadHistory(ann, b"1", None, 10, around=40)
    old.tell(request, PageLoaded(request, Refused("busy", 500)))
    assert ann.heard == [(b"1", Refused("busy", 500))]
