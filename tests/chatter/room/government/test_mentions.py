"""A message names members by their handles, and calls everybody where its author may."""

from chatter.messages import Acknowledged, Edit, Mentions, Posted, Refused, RoomChanged, Saved
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.chatter.room.government.conftest import ANN, BO, entries, said
from tests.support.governed import PRIVATE, Person, charter
from tests.support.stage import Stage, join


def test_a_message_names_members_by_their_handles_outside_of_code(
    stage: Stage, ann: Person, bo: Person, cy: Person
) -> None:
    dots = Person(4, "d.ot")
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, dots]))
    room.tell(join(ann), ann.posts("@bo. (@D.OT), `@ann` a@bo.org @cy ```\n@ann\n``` @nobody", "1"), Saved(1))
    (posted,) = [each for each in ann.heard if isinstance(each, Posted)]
    assert posted.mentions is not None
    assert posted.mentions.accounts == (BO, 4)
    assert ann.answers == [Acknowledged("1", 1, NOON_ISO, not_here=("cy", "nobody"))]


def test_a_message_that_names_nobody_has_no_mentions(stage: Stage, ann: Person) -> None:
    room = RoomOnStage(stage, recent=[], charter=charter("public", owners=[ann]))
    room.tell(join(ann), ann.posts("@nobody", "1"), ann.posts("nobody", "2"), Saved(2))
    assert [each.mentions for each in ann.heard if isinstance(each, Posted)] == [None, None]
    assert ann.answers[0] == Acknowledged("1", 1, NOON_ISO)  # only a room that is not public has who is not in it


def test_an_edit_names_others_and_never_everybody_anew(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[said(1, ann, "@bo")], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    for text in ("@ann", "@room @bo", "nobody"):
        room.tell(join(ann), Edit(ann, b"1", None, 1, text, author=ann.author))
    edits = [entry.mentions for entry in entries(room) if not isinstance(entry, RoomChanged)]  # type: ignore[union-attr]
    assert [each and (each.accounts, each.room) for each in edits] == [((ANN,), False), ((BO,), False), None]


def crowd_of(number: int) -> list[Person]:
    return [Person(100 + each, f"p{each}") for each in range(number)]


def test_a_small_room_is_called_by_anybody(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, *crowd_of(13)]))
    room.tell(join(bo), join(ann), bo.posts("@room"), bo.posts("@here"))
    of_room, here = [each.mentions or Mentions() for each in bo.heard if isinstance(each, Posted)]
    assert (of_room.room, of_room.here) == (True, False)
    assert (here.room, here.here, here.present) == (False, True, (ANN,))


def test_a_large_room_is_called_by_moderators_who_confirm_it(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo, *crowd_of(14)]))
    room.tell(join(ann), ann.posts("@room"), ann.posts("@room", confirmed=True), bo.posts("@room", confirmed=True))
    assert ann.answers == [Refused("confirm", people=16)]
    assert [each.mentions and each.mentions.room for each in ann.heard if isinstance(each, Posted)] == [True, None]
