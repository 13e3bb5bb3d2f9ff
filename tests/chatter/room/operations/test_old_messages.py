"""What is done to a message that is not in memory waits for the database."""

from chatter.messages import Acknowledged, Delete, Edited, LoadTarget, Posted, PostState, Refused, Saved, TargetLoaded
from chatter.room.context import RoomSettings
from chatter.room.refusals import OVERLOADED
from tests.chatter.conftest import NOON_ISO, RoomOnStage, post, posted
from tests.chatter.room.operations.conftest import answers, edit, pin
from tests.support.stage import Listener, Stage, join


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
