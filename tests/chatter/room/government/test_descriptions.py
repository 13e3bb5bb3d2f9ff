"""What a room is told to be, and to whom."""

import pytest
from msgspec.structs import replace

from chatter.messages import Describe, Posted, Refused, RoomDescribed, View
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.chatter.room.government.conftest import ANN, BO
from tests.support.governed import PRIVATE, Person, charter
from tests.support.stage import Stage, join


@pytest.mark.parametrize("view", [View.MESSAGES, View.PLACES])
def test_who_does_not_know_the_log_is_not_told_of_the_room(stage: Stage, ann: Person, view: View) -> None:
    ann.view = view
    RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann])).tell(join(ann))
    assert ann.heard[0].room is None


def test_a_room_is_described_to_who_may_read_it(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    settled = replace(charter(owners=[ann], members=[bo]), title="Garden", banned=frozenset({7}))
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=settled)
    room.tell(*(Describe(each, b"1", each.as_by) for each in (ann, bo, cy)), Describe(cy, b"2", None))
    (to_ann,), (to_bo,) = ann.answers, bo.answers
    assert isinstance(to_ann, RoomDescribed)
    assert isinstance(to_bo, RoomDescribed)
    assert to_ann.room is not None
    assert to_bo.room is not None
    assert (to_ann.room.title, to_ann.room.role, to_bo.room.role) == ("Garden", "owner", "member")
    assert [each.author.id for each in to_bo.members] == [ANN, BO]
    assert (to_ann.banned, to_bo.banned) == ((7,), ())
    assert "set_role" in to_ann.powers
    assert "set_role" not in to_bo.powers
    assert cy.answers == [Refused("not_found")] * 2


def test_a_plain_room_is_described_without_members(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[Posted(1, "1", "x", "hi", NOON_ISO, nth=1)])
    room.tell(Describe(ann, b"1", None))
    (described,) = ann.answers
    assert (described.room, described.members) == (None, ())
    assert "post" in described.powers
