"""What is read of a room's past is bounded in bytes, and what is written at once too."""

from collections.abc import Sequence

import pytest

from chatter.messages import LoadMissed, MissedLoaded, Page, PageLoaded, Position, Posted, ReadHistory, Sync
from chatter.room import broadcaster
from chatter.room.context import RoomSettings
from tests.chatter.conftest import EPOCH, RoomOnStage, post, posted, welcome
from tests.support.stage import Listener, Stage, join

SETTINGS = RoomSettings(ring_size=20, greeting_size=10, max_recovery_page=15, max_page_bytes=3_500)
"""Three messages of a thousand letters are a page."""


def long(first: int, last: int) -> list[Posted]:
    """Long messages with these numbers."""
    return [posted(seq, "x" * 1_000, id=f"number {seq}") for seq in range(first, last + 1)]


@pytest.fixture
def whole(stage: Stage) -> RoomOnStage:
    """A room that holds all that was ever said."""
    return RoomOnStage(stage, SETTINGS, recent=long(1, 10), epochs=((EPOCH, 10),))


@pytest.fixture
def old(stage: Stage) -> RoomOnStage:
    """A room of which more was said than it holds: it begins with 81, and epoch 4 ended with 90."""
    return RoomOnStage(stage, SETTINGS, recent=long(81, 100), epochs=((4, 90), (EPOCH, 100)))


def seqs(messages: Sequence[object]) -> list[int]:
    return [message.seq for message in messages if isinstance(message, Posted)]


def test_a_greeting_is_the_newest_messages_that_fit(whole: RoomOnStage, ann: Listener, bo: Listener) -> None:
    whole.tell(join(ann), join(bo, position=Position(3, None)))
    assert ann.heard == [welcome(10), *long(8, 10)]
    assert bo.heard == [welcome(10, recovered=False), *long(8, 10)]


def test_a_catch_up_is_the_oldest_that_fit_and_says_that_there_are_more(whole: RoomOnStage, ann: Listener) -> None:
    whole.tell(join(ann, position=Position(4, EPOCH)))
    assert ann.heard == [welcome(10, missed=6, more=True), *long(5, 7)]
    whole.tell(Sync(ann, b"1", Position(7, EPOCH)))
    assert ann.heard[-4:] == [(b"1", welcome(10, missed=3)), *long(8, 10)]


def test_a_catch_up_from_the_database_goes_on_where_it_was_cut(old: RoomOnStage, ann: Listener, bo: Listener) -> None:
    old.tell(join(ann, position=Position(88, 3)))
    question = old.to_history[-1]
    assert isinstance(question, LoadMissed)
    old.tell(MissedLoaded(question.request, 78, long(79, 90)))
    assert ann.heard == [welcome(100, base=78, missed=22, more=True), *long(79, 81)]
    old.tell(ReadHistory(ann, b"1", None, 15, after=81))
    assert ann.heard[-1] == (b"1", Page(tuple(long(82, 84)), more=True))


def test_a_page_is_cut_at_the_end_that_is_further_from_what_was_asked_for(whole: RoomOnStage, ann: Listener) -> None:
    whole.tell(join(ann))
    ann.clear()
    whole.tell(ReadHistory(ann, b"1", 6, 5), ReadHistory(ann, b"2", None, 10, after=6))
    assert ann.heard == [(b"1", Page(tuple(long(3, 5)), more=True)), (b"2", Page(tuple(long(7, 9)), more=True))]
    ann.clear()
    whole.tell(ReadHistory(ann, b"3", 4, 5), ReadHistory(ann, b"4", None, 10, after=7))
    assert ann.heard == [(b"3", Page(tuple(long(1, 3)), more=False)), (b"4", Page(tuple(long(8, 10)), more=False))]


def test_a_page_of_the_database_is_cut_too(old: RoomOnStage, ann: Listener) -> None:
    old.tell(join(ann))
    ann.clear()
    before, after = ReadHistory(ann, b"1", 50, 10), ReadHistory(ann, b"2", None, 10, after=20)
    old.tell(before, after)
    old.tell(PageLoaded(before, Page(tuple(long(40, 49)), more=True)))
    old.tell(PageLoaded(after, Page(tuple(long(21, 30)), more=False)))
    assert ann.heard == [(b"1", Page(tuple(long(47, 49)), more=True)), (b"2", Page(tuple(long(21, 23)), more=True))]


def test_one_message_is_sent_however_large_it_is(stage: Stage, ann: Listener) -> None:
    huge = [posted(seq, "ж" * 5_000) for seq in (1, 2)]
    room = RoomOnStage(stage, SETTINGS, recent=huge, epochs=((EPOCH, 2),))
    room.tell(join(ann, position=Position(0, EPOCH)))
    assert ann.heard == [welcome(2, missed=2, more=True), huge[0]]
    room.tell(ReadHistory(ann, b"1", None, 10))
    assert ann.heard[-1] == (b"1", Page((huge[1],), more=True))


def test_who_pages_through_gets_everything_once(old: RoomOnStage, ann: Listener) -> None:
    old.tell(join(ann))
    ann.clear()
    got, more = [80], True
    while more:
        old.tell(ReadHistory(ann, b"1", None, 15, after=got[-1]))
        _, page = ann.heard[-1]
        got, more = [*got, *seqs(page.messages)], page.more
    assert got == list(range(80, 101))


# ---------------------------------------------------------------- what is written at once


def test_many_answers_of_one_turn_are_written_in_pieces(
    whole: RoomOnStage, ann: Listener, bo: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_LATER_BYTES", 10)  # a frame of these listeners takes 2 to 5
    whole.tell(join(ann), join(bo))
    ann.clear()
    bo.clear()
    whole.tell(
        *(ReadHistory(ann, b"%d" % number, None, 1) for number in range(50)), Sync(ann, b"50", Position(8, EPOCH))
    )
    assert len(ann.heard) == 53
    assert [ref for ref, _ in ann.heard[:51]] == [b"%d" % number for number in range(51)]
    assert max(len(write) for write in ann.writes) <= 5
    assert bo.heard == []


def test_answers_are_made_when_they_are_written(whole: RoomOnStage, ann: Listener) -> None:
    class Sluggish(Listener):
        """Notes how many answers were made when the first was written."""

        made = 0
        made_before_first_write: int | None = None

        def answer(self, ref: bytes, answer: object) -> bytes:
            self.made += 1
            return b"%d\n" % self.made + b" " * 40_000

        def write(self, frames: bytes) -> None:
            if self.made_before_first_write is None and self.made:
                self.made_before_first_write = self.made

    sluggish = Sluggish()
    whole.tell(join(sluggish))
    whole.tell(*(ReadHistory(sluggish, b"%d" % number, None, 1) for number in range(50)))
    assert sluggish.made == 50
    assert sluggish.made_before_first_write is not None
    assert sluggish.made_before_first_write <= 2


def test_a_large_turn_is_broadcast_in_pieces(
    room: RoomOnStage, ann: Listener, bo: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_WRITE_BYTES", 10)
    room.tell(join(ann), join(bo))
    bo.clear()
    room.tell(*(post(ann, f"number {number}") for number in range(1, 31)))
    assert [heard.message for heard in bo.heard] == [f"number {number}" for number in range(1, 31)]
    assert max(len(write) for write in bo.writes) <= 5
