"""A room whose log is shared with other nodes: what it hears, what it decides, and when anybody is told."""

from collections.abc import Sequence

import pytest

from chatter.messages import (
    Acknowledged,
    Delete,
    Edit,
    Entry,
    Heard,
    Lagged,
    Loaded,
    LoadPage,
    NotPlaced,
    Placed,
    Post,
    Posted,
    Propose,
    React,
    Reacted,
    ReactionCount,
    ReactionsDue,
    ReadHistory,
    Refused,
    Save,
    Saved,
    size_of,
)
from chatter.room.context import RoomSettings
from chatter.room.proposals import MAX_WAITING_REQUESTS
from chatter.room.refusals import OVERLOADED
from chatter.room.shared_room import MAX_PROPOSAL_BYTES, SharedRoom
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted, welcome
from tests.chatter.room.test_room import poison
from tests.support.shared_log import LaneModel, NodeModel
from tests.support.stage import Listener, Stage, join


@pytest.fixture
def log(stage: Stage) -> NodeModel:
    return NodeModel(LaneModel(), stage)


@pytest.fixture
def shared(stage: Stage, log: NodeModel) -> RoomOnStage:
    """Starts a room without messages, whose log is shared."""
    return RoomOnStage(stage, recent=[], shared_log=log)


def propose(room: RoomOnStage) -> Save:
    """Has the room decide what waits."""
    save = room.stage.run(room.ref.ask(Propose(), block=False))
    assert isinstance(save, Save)
    return save


def propose_and_place(room: RoomOnStage) -> Sequence[Entry]:
    """Has the room decide what there is room for in a turn, and the log take it."""
    save = propose(room)
    room.tell(Placed(save.entries[-1].seq))
    return save.entries


def acknowledged(listener: Listener) -> list[int]:
    answers = [each[1] for each in listener.heard if isinstance(each, tuple)]
    return [answer.seq for answer in answers if isinstance(answer, Acknowledged)]


def test_what_is_said_is_heard_and_acknowledged_once_the_log_has_it(
    shared: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    shared.tell(join(ann), join(bo), post(ann, "hello"))
    assert propose(shared).entries == (posted(1),)
    assert (ann.heard, bo.heard) == ([welcome()], [welcome()])
    shared.tell(Placed(1))
    assert bo.heard == [welcome(), posted(1)]
    assert acknowledged(ann) == [1]


def test_who_joins_meanwhile_is_told_of_the_log_as_it_is(shared: RoomOnStage, ann: Listener, bo: Listener) -> None:
    shared.tell(join(ann), post(ann, "hello"))
    propose(shared)
    shared.tell(join(bo))
    assert bo.heard == []
    shared.tell(NotPlaced())
    assert bo.heard == [welcome()]


def test_what_was_not_placed_is_decided_anew_behind_what_was(shared: RoomOnStage, ann: Listener, bo: Listener) -> None:
    shared.tell(join(ann), join(bo), post(ann, "mine", id="mine"))
    propose(shared)
    theirs = Posted(1, "theirs", "cy", "theirs", NOON_ISO, nth=1)
    shared.tell(NotPlaced(), Heard([theirs]))
    assert bo.heard == [welcome(), theirs]
    assert propose(shared).entries == (posted(2, "mine"),)
    shared.tell(Placed(2))
    assert bo.heard[2:] == [posted(2, "mine")]
    assert acknowledged(ann) == [2]


def test_what_came_into_the_log_without_an_answer_is_said_once(
    shared: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    shared.tell(join(ann), join(bo), post(ann, "hello"), Delete(ann, b"2", None, 1))
    said = propose(shared).entries
    shared.tell(NotPlaced(), Heard(said))
    assert bo.heard[1:] == list(said)
    assert shared.stage.run(shared.ref.ask(Propose(), block=False)) is None
    assert acknowledged(ann) == [1, 2]


def test_a_guest_may_not_change_what_another_has_said_in_the_place_of_what_was_not_placed(
    shared: RoomOnStage, ann: Listener
) -> None:
    shared.tell(join(ann), post(ann, "mine"))
    propose(shared)
    shared.tell(
        NotPlaced(), Heard([Posted(1, "theirs", "cy", "theirs", NOON_ISO, nth=1)]), Edit(ann, b"2", "e", 1, "?")
    )
    propose(shared)
    shared.tell(Placed(2))
    assert (b"2", Refused("forbidden")) in ann.heard


def test_a_log_that_takes_nothing_is_told_to_senders_at_once(
    shared: RoomOnStage, log: NodeModel, ann: Listener
) -> None:
    shared.tell(join(ann))
    log.is_full = True
    shared.tell(post(ann, "hello"))
    assert ann.heard[1:] == [(b'"1"', OVERLOADED)]


def test_so_many_requests_may_wait_for_the_log(shared: RoomOnStage, ann: Listener) -> None:
    shared.tell(*(post(ann, f"{number}") for number in range(MAX_WAITING_REQUESTS + 1)))
    assert ann.heard == [(b'"1"', OVERLOADED)]
    said = [entry for _ in range(2) for entry in propose_and_place(shared)]
    assert len(said) == MAX_WAITING_REQUESTS


def test_a_turn_has_room_for_so_many_bytes(shared: RoomOnStage, ann: Listener) -> None:
    texts = [f"{number:04}" * 1_000 for number in range(40)]
    shared.tell(join(ann), *(post(ann, text, id=text[:4]) for text in texts))
    first = propose(shared)
    shared.tell(Placed(first.entries[-1].seq))
    second = propose(shared)
    sizes = [sum(map(size_of, save.entries)) for save in (first, second)]
    assert all(MAX_PROPOSAL_BYTES <= size < MAX_PROPOSAL_BYTES + 5_000 for size in sizes)
    assert second.entries[0].seq == first.entries[-1].seq + 1


def test_reactions_of_many_are_counted_in_several_turns(shared: RoomOnStage, ann: Listener) -> None:
    shared.tell(join(ann), post(ann, "hello"))
    propose_and_place(shared)
    people = [Listener() for _ in range(SharedRoom.MAX_COUNTED + 1)]
    for number, each in enumerate(people):
        shared.tell(React(each, b"r", f"person {number}", 1, "👍", is_added=True))
    (first,) = propose_and_place(shared)
    assert isinstance(first, Reacted)
    assert len(first.added) == SharedRoom.MAX_COUNTED
    shared.tell(ReactionsDue())
    (rest,) = propose_and_place(shared)
    assert isinstance(rest, Reacted)
    assert [each.count for each in rest.reactions] == [len(people)]
    shared.stage.wait(lambda: all(len(each.heard) == 1 for each in people))


def test_memory_is_trimmed_by_what_is_saved_and_not_by_what_is_acknowledged(
    stage: Stage, log: NodeModel, ann: Listener
) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=1), recent=[], shared_log=log)
    room.tell(join(ann), Heard([posted(1), posted(2), posted(3)]))
    room.tell(Saved(1), ReadHistory(ann, b"1", 3, 1))
    assert not any(isinstance(each, LoadPage) for each in room.to_history)
    room.tell(Saved(3), ReadHistory(ann, b"1", 3, 1))
    assert isinstance(room.to_history[-1], LoadPage)


def test_a_room_begins_with_what_the_database_does_not_have_yet(stage: Stage, log: NodeModel, ann: Listener) -> None:
    room = RoomOnStage(stage, shared_log=log)
    room.tell(join(ann), Loaded([posted(1)], unsaved=[posted(1), posted(2, "two")]), Heard([posted(3, "three")]))
    assert ann.heard == [welcome(2), posted(1), posted(2, "two"), posted(3, "three")]


def test_a_room_that_fails_hands_over_what_waits_and_nothing_that_is_not_placed(
    shared: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    shared.tell(join(ann), join(bo), post(ann, "hello"))
    propose(shared)
    shared.tell(poison(), post(bo, "behind"), NotPlaced())
    handover = next(each[2] for each in shared.to_supervisor if each[0] == "on_crashed")
    assert [each.message for each in handover.mail if isinstance(each, Post)] == ["hello", "behind"]
    assert (handover.newest, handover.unanswered, ann.heard) == (0, {}, [welcome()])


def test_subscribers_of_a_room_that_had_missed_something_are_told_to_ask(
    stage: Stage, log: NodeModel, shared: RoomOnStage, ann: Listener
) -> None:
    shared.tell(join(ann), Heard([posted(1)]), Heard([posted(3)]))
    handover = next(each[2] for each in shared.to_supervisor if each[0] == "on_crashed")
    successor = RoomOnStage(stage, recent=[posted(1), posted(2), posted(3)], shared_log=log, handover=handover)
    assert ann.heard == [welcome(), posted(1), Lagged(3)]
    successor.tell(Heard([posted(3), posted(4)]))
    assert ann.heard[3:] == [posted(4)]


def test_reactions_that_were_not_placed_are_counted_behind_those_that_were(shared: RoomOnStage, ann: Listener) -> None:
    def react(name: str, *, is_added: bool = True) -> React:
        return React(ann, b"r", name, 1, "👍", is_added=is_added)

    def counted() -> ReactionCount:
        (entry,) = propose(shared).entries
        assert isinstance(entry, Reacted)
        return entry.reactions[0]

    shared.tell(join(ann), post(ann, "hello"), react("a"), react("b"))
    propose_and_place(shared)
    shared.tell(react("c"), react("a", is_added=False))
    assert counted() == ReactionCount("👍", 2, ("b", "c"))
    theirs = ReactionCount("👍", 3, ("a", "b", "d"))
    shared.tell(NotPlaced(), Heard([Reacted(3, "3", "d", 1, NOON_ISO, 1, "👍", ("d",), (), (theirs,))]))
    assert counted() == ReactionCount("👍", 3, ("b", "d", "c"))
