"""Where members read only what was said since they came, no path leads to what was said before."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chatter.charter import Author, RoomRules
from chatter.messages import (
    Delete,
    Edit,
    Edited,
    Entry,
    Join,
    ListReactors,
    LoadTarget,
    MissedLoaded,
    Page,
    PageLoaded,
    Pin,
    Position,
    Posted,
    PostState,
    React,
    ReactionCount,
    ReactorsListed,
    Recovery,
    Refused,
    Sync,
    TargetLoaded,
    View,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import EPOCH, NOON_ISO, RoomOnStage
from tests.support.governed import PRIVATE, Person, charter
from tests.support.stage import Stage, join

FLOOR = 5
"""Bo came with this entry; ann was there from the beginning."""

HIDDEN, SHOWN = "said before", "said since"


def said(seq: int, **options: Any) -> Posted:
    return Posted(seq, str(seq), "Ann", HIDDEN if seq <= FLOOR else SHOWN, NOON_ISO, nth=seq, **options)


ANN, BO = Person(1, "ann"), Person(2, "bo")


@pytest.fixture
def ann() -> Person:
    return Person(1, "ann")


@pytest.fixture
def bo() -> Person:
    return Person(2, "bo")


def past() -> list[Posted]:
    """Makes ten messages of ann's."""
    return [said(seq, author=ANN.author) for seq in range(1, 11)]


@pytest.fixture
def room(stage: Stage) -> RoomOnStage:
    return start(stage)


def start(stage: Stage, recent: Sequence[Entry] | None = None, **options: Any) -> RoomOnStage:
    rules = RoomRules(history="since_join", pins="members")
    settled = charter(members=[BO], joined=FLOOR, rules=rules)
    members = {**settled.members, **charter(owners=[ANN]).members}
    settled = type(settled)(kind="private", rules=rules, members=members)
    return RoomOnStage(stage, recent=past() if recent is None else recent, slug=PRIVATE, charter=settled, **options)


def seen(person: Person) -> set[str]:
    """Returns the texts that somebody was sent, in whatever way."""
    found: set[str] = set(person.texts)
    for each in person.heard:
        if isinstance(each, Edited):
            found.add(each.message)
        if isinstance(each, tuple) and isinstance(each[1], Page):
            found |= {posted.message for posted in each[1].messages if posted.message}
    return found


@pytest.mark.parametrize("view", View)
def test_the_greeting_begins_with_what_was_said_since(room: RoomOnStage, ann: Person, bo: Person, view: View) -> None:
    bo.view = view
    room.tell(join(bo), join(ann))
    assert [each.seq for each in bo.heard if isinstance(each, Posted)] == [6, 7, 8, 9, 10]
    assert seen(bo) == {SHOWN}
    assert seen(ann) == {HIDDEN, SHOWN}


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("since", range(11))
def test_a_catch_up_shows_nothing_from_before(
    room: RoomOnStage, ann: Person, bo: Person, view: View, since: int
) -> None:
    bo.view = view
    room.tell(Join(bo, None, position=Position(since, EPOCH)))
    recovery = bo.heard[0]
    assert isinstance(recovery, Recovery)
    assert recovery.recovered is (since >= FLOOR)
    room.tell(Sync(bo, b"1", Position(since, EPOCH)))
    assert HIDDEN not in seen(bo)
    if since < FLOOR or view is not View.MESSAGES:
        assert {each.seq for each in bo.heard if isinstance(each, Posted) and not each.void} == set(
            range(max(since, FLOOR) + 1, 11)
        )


@pytest.mark.parametrize("view", [View.PLACES, View.LOG])
def test_a_catch_up_from_the_database_shows_nothing_from_before(stage: Stage, bo: Person, view: View) -> None:
    settings = RoomSettings(ring_size=2)
    bo.view = view
    room = start(stage, past()[-2:], settings=settings)
    request = Join(bo, None, position=Position(2, EPOCH))
    after = Join(bo, None, position=Position(5, EPOCH))
    edit = Edited(8, "e", "Ann", 3, NOON_ISO, 7, HIDDEN, 1)
    room.tell(request, MissedLoaded(request, 10, past()[2:], rows=8))
    assert [each.recovered for each in bo.heard if isinstance(each, Recovery)] == [False]
    bo.clear()
    room.tell(after, MissedLoaded(after, 10, [*past()[5:7], edit, *past()[8:]], rows=5))
    assert [each.recovered for each in bo.heard if isinstance(each, Recovery)] == [True]
    assert seen(bo) == {SHOWN}
    assert [each.seq for each in bo.heard[1:]] == [6, 7, 8, 9, 10]
    assert bo.heard[3].void


@pytest.mark.parametrize("view", View)
def test_who_heard_what_was_never_committed_below_the_floor_starts_over(stage: Stage, bo: Person, view: View) -> None:
    bo.view = view
    room = start(stage, past()[-1:], settings=RoomSettings(ring_size=1))
    request = Join(bo, None, position=Position(9, EPOCH - 1))
    room.tell(request, MissedLoaded(request, 3, past()[3:], rows=7))  # of that epoch 3 places were committed
    assert [each.recovered for each in bo.heard if isinstance(each, Recovery)] == [False]
    assert seen(bo) == {SHOWN}


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"limit": 7},
        {"before": 8},
        {"before": 4},
        {"around": 3},
        {"around": 9, "limit": 8},
    ],
)
def test_no_page_from_memory_shows_what_was_said_before(
    room: RoomOnStage, ann: Person, bo: Person, view: View, asked: dict[str, Any]
) -> None:
    bo.view = view
    room.tell(bo.reads(**asked), ann.reads(**asked))
    assert HIDDEN not in seen(bo)
    assert HIDDEN in seen(ann)
    (page,) = bo.answers
    if {each.seq for each in page.messages if not each.void} & {6}:
        assert page.more is False or view is not View.LOG


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"before": 8},
        {"around": 3},
        {"root": 1},
        {"root": 1, "before": 9},
        {"root": 1, "after": 1},
        {"is_pinned": True},
        {"seqs": (1, 3, 7)},
        {"after": 0},
        {"after": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("view", View)
def test_no_page_from_the_database_shows_what_was_said_before(
    stage: Stage, ann: Person, bo: Person, view: View, asked: dict[str, Any]
) -> None:
    room = start(stage, past()[-1:], settings=RoomSettings(ring_size=1))
    bo.view = ann.view = view
    for person in (bo, ann):
        request = person.reads(**asked)
        room.tell(request, PageLoaded(request, Page(past()[:9], more=True, as_of=10)))
    assert (HIDDEN in seen(bo), HIDDEN in seen(ann)) == (False, True)
    assert SHOWN in seen(bo)


def test_a_page_of_what_has_changed_goes_on_where_all_of_it_is_hidden(stage: Stage, bo: Person) -> None:
    room = start(stage, past()[-1:], settings=RoomSettings(ring_size=1))
    request = bo.reads(after=1, limit=2)
    room.tell(request, PageLoaded(request, Page(past()[1:3], more=True, as_of=10)))
    (page,) = bo.answers
    assert (list(page.messages), page.more, page.next) == ([], True, 3)


@pytest.mark.parametrize("view", View)
def test_what_is_done_to_a_hidden_message_is_a_void_place(
    room: RoomOnStage, ann: Person, bo: Person, view: View
) -> None:
    bo.view = view
    room.tell(join(bo), join(ann))
    bo.clear()
    edit = Edit(ann, b"1", None, 2, "said before, and edited", author=ann.author)
    react = React(ann, b"1", "Ann", 3, "👍", is_added=True, author=ann.author)
    room.tell(edit, react, ann.deletes(4), ann.posts("new"), Edit(ann, b"1", None, 8, "shown", author=ann.author))
    hidden = [each for each in bo.heard if getattr(each, "void", False)]
    assert [each.seq for each in hidden] == ([] if view is View.MESSAGES else [11, 12, 15])
    assert [each.target for each in bo.heard if hasattr(each, "target")] == [8]
    assert "said before, and edited" not in seen(bo)
    assert {"new", "shown"} <= seen(bo)


OPERATIONS: dict[str, Callable[[Person, int], Any]] = {
    "edit": lambda who, seq: Edit(who, b"1", None, seq, "x", author=who.author),
    "delete": lambda who, seq: Delete(who, b"1", None, seq, author=who.author),
    "react": lambda who, seq: React(who, b"1", "Bo", seq, "👍", is_added=True, author=who.author),
    "pin": lambda who, seq: Pin(who, b"1", None, "Bo", seq, is_pinned=True, author=who.author),
    "reply": lambda who, seq: who.posts("yes", reply_to=seq),
}


@pytest.mark.parametrize("what", OPERATIONS)
def test_nothing_is_done_to_a_hidden_message_nor_is_it_answered(
    stage: Stage, ann: Person, bo: Person, what: str
) -> None:
    mine = [said(seq, author=bo.author) for seq in range(1, 11)]  # he was here before, and came back
    room = start(stage, mine)
    room.tell(join(bo), OPERATIONS[what](bo, 3))
    assert bo.answers == [Refused("not_found")]
    room.tell(OPERATIONS[what](bo, 7))
    assert len(room.saves) == 1


def test_a_hidden_message_that_only_the_database_has_is_not_found_either(stage: Stage, bo: Person) -> None:
    room = start(stage, past()[-1:], settings=RoomSettings(ring_size=1))
    room.tell(OPERATIONS["react"](bo, 3))
    assert isinstance(room.to_history[-1], LoadTarget)
    room.tell(TargetLoaded(3, said(3, author=ANN.author, state=PostState(changed=3)), ()))
    assert bo.answers == [Refused("not_found")]


def test_nobody_hears_who_has_reacted_to_a_hidden_message(stage: Stage, ann: Person, bo: Person) -> None:
    room = start(stage, past()[-1:], settings=RoomSettings(ring_size=1))
    state = PostState(changed=9, reactions=(ReactionCount("👍", 1, ("@ann",)),))
    for asker, seq in ((bo, 3), (bo, 7), (ann, 3)):
        room.tell(ListReactors(asker, b"1", seq, "👍", author=asker.author))
        loaded = said(seq, author=ANN.author, state=state)
        room.tell(TargetLoaded(seq, loaded, [("👍", Author(1, "ann"), 9)]))
    assert bo.answers == [Refused("not_found"), ReactorsListed(1, ("@ann",), mine=False)]
    assert ann.answers == [ReactorsListed(1, ("@ann",), mine=True)]


def test_who_was_removed_while_the_database_was_asked_hears_of_no_reactions(stage: Stage, bo: Person) -> None:
    owner = Person(1, "ann")
    settled = charter(owners=[owner], members=[bo])
    room = RoomOnStage(stage, RoomSettings(ring_size=1), recent=past()[-1:], slug=PRIVATE, charter=settled)
    asked = ListReactors(bo, b"1", 3, "👍", author=bo.author)
    room.tell(join(bo), asked, owner.does("removed", bo), asked)
    room.tell(TargetLoaded(3, said(3, author=owner.author, state=PostState(changed=3)), []))
    assert len(bo.answers) == 2
    assert all(isinstance(answer, Refused) for answer in bo.answers)


def test_a_member_of_a_room_that_shows_all_sees_all(stage: Stage, bo: Person) -> None:
    settled = charter(members=[BO], joined=FLOOR)
    room = RoomOnStage(stage, recent=past(), slug=PRIVATE, charter=settled)
    room.tell(join(bo))
    assert seen(bo) == {HIDDEN, SHOWN}
