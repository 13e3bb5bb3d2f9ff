"""Messages are pinned and unpinned, so many in a room."""

from chatter.messages import Acknowledged, AlreadySo, Loaded, Pinned, PostState, Refused, Saved, Unpinned
from chatter.room.context import RoomSettings
from tests.chatter.conftest import NOON_ISO, RoomOnStage, posted
from tests.chatter.room.operations.conftest import answers, pin
from tests.support.stage import Listener, Stage, join


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
