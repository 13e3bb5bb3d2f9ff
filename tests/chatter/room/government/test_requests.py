"""A request to change a room is done once however often it is sent, and taken back where it cannot be saved."""

from msgspec.structs import replace

from chatter.charter import RulesPatch
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Entry,
    LookedUp,
    LookUp,
    MemberAs,
    MembersChanged,
    NotSaved,
    Posted,
    Recovery,
    Refused,
    Saved,
)
from chatter.storage.pages import void_place
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.chatter.room.government.conftest import ANN, BO, Index, entries, founds
from tests.chatter.room.test_room import poison
from tests.support.governed import PRIVATE, Person, charter
from tests.support.stage import Stage, join


def void_of(entry: Entry) -> Posted:
    return replace(void_place(entry.seq, entry.inserted_at), nth=entry.nth)


def test_what_is_so_already_adds_nothing(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    room.tell(
        ann.does("added", bo),
        ann.does("removed", cy),
        ann.does("role", bo, role="member"),
        ann.does("unmuted", bo),
        ann.does("unbanned", cy),
        ann.sets(topic="", rules=RulesPatch(slow_mode=0), archived=False),
    )
    assert ann.answers == [AlreadySo(0)] * 6
    assert entries(room) == []


def test_a_request_is_carried_out_once_however_often_it_is_sent(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    remove = ann.does("removed", bo, id="r")
    room.tell(remove, ann.does("added", bo, id="a"), Saved(2))
    room.tell(remove)  # bo has come back since
    assert [entry.id for entry in entries(room)] == ["r", "a"]
    assert ann.answers[-1] == Acknowledged("r", 1, NOON_ISO, duplicate=True)
    room.tell(ann.does("removed", Person(9, "x"), id="r"), ann.sets(title="r", id="r"))
    assert ann.answers[-2:] == [Refused("id_taken")] * 2


def test_what_may_be_a_repeat_is_looked_up_and_later_requests_wait(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    repeated, later = ann.does("removed", bo, id="r", repeat=True), ann.sets(title="Garden", id="t")
    room.tell(repeated, later)
    assert room.to_history[1:] == [LookUp(room.ref, PRIVATE, repeated)]
    assert entries(room) == []
    done = MembersChanged(5, "r", "Ann", NOON_ISO, 0, "removed", (MemberAs(bo.as_by.author, "Bo"),), author=ann.author)
    room.tell(LookedUp(repeated, done))
    assert [entry.id for entry in entries(room)] == ["t"]
    room.tell(LookedUp(repeated, done), Saved(5))  # a predecessor had asked too
    assert ann.answers == [
        Acknowledged("t", 1, NOON_ISO),
        Acknowledged("r", 5, NOON_ISO, duplicate=True),
    ]


def test_requests_that_wait_for_history_are_handed_over(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]))
    repeated, later = ann.does("removed", bo, id="r", repeat=True), ann.sets(title="Garden", id="t")
    room.tell(repeated, later, poison())
    (_, _, handover) = next(each for each in room.to_supervisor if each[0] == "on_crashed")
    assert [each for each in handover.mail if each in (repeated, later)] == [repeated, later]


# ---------------------------------------------------------------- what can never be saved


def test_what_could_not_be_saved_is_taken_back(stage: Stage, ann: Person, bo: Person, cy: Person) -> None:
    index = Index()
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann], members=[bo]), memberships=index)
    room.tell(join(ann), ann.does("added", cy, id="a"), ann.does("removed", bo, id="r"), ann.sets(title="G", id="t"))
    room.tell(join(cy), join(bo))
    assert bo.heard == [Refused("unmatched topic")]
    added, removed, titled = entries(room)
    room.tell(NotSaved(void_of(added), None))
    assert cy.heard[-1] == "closed"  # who came by it has to go
    room.tell(NotSaved(void_of(removed), None), join(bo), Saved(3))
    assert isinstance(bo.heard[-1], Recovery)  # and who went by it may come back
    assert bo.heard[-1].room is not None
    assert bo.heard[-1].room.title == "G"
    assert [each for each in index.told if each[0] == "voided"] == [
        ("voided", 1, [ANN]),
        ("voided", 2, [ANN, BO]),
    ]
    assert [each for each in ann.answers if isinstance(each, Refused)] == [Refused("not_saved")] * 2
    assert titled.id == "t"


def test_a_private_room_whose_foundation_is_void_is_nobodys_and_not_public(
    stage: Stage, ann: Person, bo: Person
) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE)
    room.tell(founds(ann))
    room.tell(*(NotSaved(void_of(entry), None) for entry in entries(room)))
    room.tell(join(bo))
    assert bo.heard == [Refused("unmatched topic")]


def test_a_private_room_that_is_rebuilt_without_its_foundation_keeps_nobody(
    stage: Stage, ann: Person, bo: Person
) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE)
    room.tell(founds(ann), join(ann), poison())
    (_, _, handover) = next(each for each in room.to_supervisor if each[0] == "on_crashed")
    ann.clear()
    handover.mail.clear()
    rebuilt = RoomOnStage(stage, recent=[], slug=PRIVATE, voids=(), handover=handover, is_rebuilt=True)
    rebuilt.tell(ann.posts("hello"), bo.posts("hello"))
    assert ann.heard[0] == "closed"
    assert ann.answers == bo.answers == [Refused("unmatched topic")]


def test_what_is_committed_is_not_taken_back_with_what_is_not(stage: Stage, ann: Person, bo: Person) -> None:
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]))
    room.tell(ann.does("added", bo, id="a"), Saved(1), ann.sets(title="G", id="t"))
    room.tell(NotSaved(void_of(entries(room)[1]), None), join(bo))
    assert (bo.heard[-1].room.role, bo.heard[-1].room.title) == ("member", "")


def test_a_room_that_is_rebuilt_tells_what_its_predecessor_could_not(stage: Stage, ann: Person, bo: Person) -> None:
    index = Index()
    room = RoomOnStage(stage, recent=[], slug=PRIVATE, charter=charter(owners=[ann]), memberships=index)
    room.tell(ann.does("added", bo, id="a"), ann.posts("hello", "1"), poison())
    (_, _, handover) = next(each for each in room.to_supervisor if each[0] == "on_crashed")
    handover.mail.clear()
    index.told.clear()
    added, posted = entries(room)
    left = {"charter": charter(owners=[ann]), "handover": handover, "is_rebuilt": True, "memberships": index}
    RoomOnStage(stage, recent=[void_of(added), posted], voids=[1], slug=PRIVATE, **left)
    assert index.told == [("voided", 1, [ANN]), ("saved", 2)]
    assert Refused("not_saved") in ann.answers
