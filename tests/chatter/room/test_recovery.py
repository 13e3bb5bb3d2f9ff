"""Recovery: what a client that comes back gets (table in `docs/delivery.md`)."""

from typing import Any

import pytest

from chatter.messages import (
    Done,
    Entry,
    Join,
    Leave,
    LoadMissed,
    MissedLoaded,
    NotSaved,
    Page,
    Pinned,
    Position,
    Posted,
    ReadHistory,
    Refused,
    Saved,
    Sync,
    View,
    Voided,
)
from chatter.room.context import RoomSettings
from chatter.storage.pages import void_place
from tests.chatter.conftest import EPOCH, NOON_ISO, RoomOnStage, post, posted, welcome
from tests.support.stage import Listener, Stage, join

SETTINGS = RoomSettings(ring_size=20, greeting_size=2, max_recovery_page=5, max_recovery_gap=12)


def said(first: int, last: int) -> list[Posted]:
    """Makes the messages from `first` to `last`."""
    return [posted(seq, f"number {seq}") for seq in range(first, last + 1)]


def pinned(seq: int) -> Pinned:
    """Makes an entry that is no message: ann pins the first one."""
    return Pinned(seq, f"pin-{seq}", "ann", 1, NOON_ISO, seq)


@pytest.fixture
def complete(stage: Stage) -> RoomOnStage:
    """Starts a room that holds its whole past.

    Epoch 2 has 1 to 4, epoch 4 has 5 to 9, this epoch has 10.
    """
    epochs = ((2, 4), (4, 9), (EPOCH, 10))
    return RoomOnStage(stage, SETTINGS, recent=said(1, 10), epochs=epochs, known_epochs=(1, 2, 3, 4, 5, EPOCH))


@pytest.fixture
def trimmed(stage: Stage) -> RoomOnStage:
    """Starts a room that holds 81 to 100 only. Epoch 4 ended with 90."""
    return RoomOnStage(stage, SETTINGS, recent=said(81, 100), epochs=((4, 90), (EPOCH, 100)))


@pytest.mark.parametrize(
    ("since", "epoch", "answer", "first", "last"),
    [
        (None, None, welcome(10), 9, 10),
        (10, EPOCH, welcome(10), 11, 10),
        (8, EPOCH, welcome(10, missed=2), 9, 10),
        (2, EPOCH, welcome(10, missed=8, more=True), 3, 7),
        (0, EPOCH, welcome(10, missed=10, more=True), 1, 5),
        (11, EPOCH, welcome(10, recovered=False), 9, 10),  # this server has not said 11
        (9, 4, welcome(10, base=9, missed=1), 10, 10),
        (12, 4, welcome(10, base=9, missed=1), 10, 10),  # 10 to 12 were heard and never committed
        (12, 5, welcome(10, base=9, missed=1), 10, 10),  # in an epoch of which nothing was committed
        (6, 3, welcome(10, base=4, missed=6, more=True), 5, 9),  # several restarts lie between
        (3, 2, welcome(10, base=4, missed=7, more=True), 4, 8),
        (5, 1, welcome(10, base=0, missed=10, more=True), 1, 5),  # nothing that it heard was committed
        (9, 6, welcome(10, recovered=False), 9, 10),  # this database has seen no epoch 6: a restore has replaced it
        (9, EPOCH + 1, welcome(10, recovered=False), 9, 10),
        (9, None, welcome(10, recovered=False), 9, 10),
    ],
)
def test_a_client_that_comes_back_gets_exactly_what_it_missed(
    complete: RoomOnStage, ann: Listener, since: int | None, epoch: int | None, answer: Any, first: int, last: int
) -> None:
    position = None if since is None else Position(since, epoch)
    complete.tell(join(ann, position=position))
    assert ann.heard == [answer, *said(first, last)]
    assert len(ann.writes) == 1
    if position is not None:
        ann.clear()
        complete.tell(Sync(ann, b"9", position))
        assert ann.heard == [(b"9", answer), *said(first, last)]


def test_a_client_that_missed_too_much_starts_over(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, SETTINGS, recent=said(1, 20), epochs=((EPOCH, 20),))
    room.tell(join(ann, position=Position(7, EPOCH)))
    assert ann.heard == [welcome(20, recovered=False), *said(19, 20)]


def test_missed_messages_come_before_newer_ones(complete: RoomOnStage, ann: Listener, bo: Listener) -> None:
    complete.tell(join(bo), post(bo, "number 11"), join(ann, position=Position(8, EPOCH)), post(bo, "number 12"))
    assert ann.heard == [welcome(11, missed=3), *said(9, 12)]


def test_void_places_are_recovered_but_are_no_part_of_a_tutorials_greeting(stage: Stage, bo: Listener) -> None:
    ann = Listener(view=View.MESSAGES)
    void = Posted(2, "void-2", "", "", "2026-05-04T12:00:00.123456Z", void=True)
    room = RoomOnStage(stage, SETTINGS, recent=[*said(1, 1), void], epochs=((EPOCH, 2),), voids=[2])
    room.tell(join(ann), join(bo, position=Position(0, EPOCH)))
    assert ann.heard == [welcome(2), *said(1, 1)]
    assert bo.heard == [welcome(2, missed=2), *said(1, 1), void]
    bo.clear()
    room.tell(Sync(bo, b"1", Position(2, EPOCH)))
    assert bo.heard == [(b"1", welcome(2)), Voided(2)]  # the client may have heard it before it became void


def test_who_counts_places_and_starts_over_gets_a_run_without_a_gap(stage: Stage, ann: Listener) -> None:
    recent: list[Entry] = [*said(1, 5), pinned(6), *said(7, 8), pinned(9)]
    room = RoomOnStage(stage, SETTINGS, recent=recent, epochs=((EPOCH, 9),))
    room.tell(join(ann, position=Position(8, None)))
    greeting = [posted(7, "number 7"), posted(8, "number 8"), void_place(9, NOON_ISO)]
    assert ann.heard == [welcome(9, recovered=False), *greeting]


def test_many_places_of_other_entries_cut_that_run_at_its_start(stage: Stage, ann: Listener) -> None:
    recent: list[Entry] = [*said(1, 2), *map(pinned, range(3, 15)), posted(15)]
    room = RoomOnStage(stage, SETTINGS, recent=recent, epochs=((EPOCH, 15),))
    room.tell(join(ann, position=Position(14, None)))
    assert [each.seq for each in ann.heard[1:]] == list(range(9, 16))


# ---------------------------------------------------------------- beyond the ring


def last_load(room: RoomOnStage) -> LoadMissed:
    """Returns what history was asked last."""
    load = room.to_history[-1]
    assert isinstance(load, LoadMissed)
    return load


def test_a_join_whose_epoch_is_not_in_memory_waits_for_the_database(
    trimmed: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    trimmed.tell(join(bo))
    trimmed.tell(join(ann, position=Position(92, 3)), post(bo, "number 101"))
    load = last_load(trimmed)
    assert (load.since, load.epoch, load.limit) == (92, 3, 5)
    assert ann.heard == []
    trimmed.tell(MissedLoaded(load.request, 89, said(90, 94)))
    assert ann.heard == [welcome(101, base=89, missed=12, more=True), *said(90, 94)]
    trimmed.tell(post(bo, "number 102"))
    assert ann.heard[-1] == said(102, 102)[0]


def test_posts_that_come_while_the_database_is_read_are_not_missed(
    trimmed: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    trimmed.tell(join(bo), join(ann, position=Position(99, 3)), post(bo, "number 101"))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 98, said(99, 100)))
    assert ann.heard == [welcome(101, base=98, missed=3), *said(99, 101)]


def test_an_epoch_too_far_back_is_not_recovered(trimmed: RoomOnStage, ann: Listener) -> None:
    trimmed.tell(join(ann, position=Position(92, 3)))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 87, said(88, 92)))
    assert ann.heard == [welcome(100, recovered=False), *said(99, 100)]


def test_an_epoch_that_ended_just_within_the_gap_is_recovered(trimmed: RoomOnStage, ann: Listener) -> None:
    trimmed.tell(join(ann, position=Position(92, 3)))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 88, said(89, 93)))
    assert ann.heard == [welcome(100, base=88, missed=12, more=True), *said(89, 93)]


def test_a_join_is_refused_when_the_database_does_not_answer(trimmed: RoomOnStage, ann: Listener) -> None:
    trimmed.tell(join(ann, position=Position(92, 3)))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 0, (), Refused("unavailable")))
    assert ann.heard == [Refused("unavailable")]
    trimmed.tell(Sync(ann, b"1", Position(92, 3)))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 0, (), Refused("unavailable")))
    assert ann.heard[1:] == [(b"1", Refused("unavailable"))]


def test_a_client_that_leaves_while_its_join_waits_hears_nothing(
    trimmed: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    trimmed.tell(join(bo), join(ann, position=Position(92, 3)), Leave(ann))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 90, said(91, 95)), post(bo, "hello"))
    assert ann.heard == []


def test_a_second_join_replaces_one_that_waits_for_the_database(
    trimmed: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    first = join(ann, position=Position(92, 3))
    trimmed.tell(first, Join(bo, None, replaces=ann))
    assert bo.heard[:2] == [welcome(100), "closed"]
    trimmed.tell(MissedLoaded(first, 90, said(91, 95)), post(bo, "hello"))
    assert ann.heard == []


@pytest.mark.parametrize("reason", ["busy", "unavailable"])
def test_a_second_join_that_the_database_refuses_ends_the_first(
    trimmed: RoomOnStage, ann: Listener, bo: Listener, reason: Any
) -> None:
    trimmed.tell(join(ann, "ann"))
    trimmed.tell(rejoin(bo, replaces=ann))
    trimmed.tell(MissedLoaded(last_load(trimmed).request, 0, (), Refused(reason)))
    assert bo.heard == [Refused(reason), "closed"]
    assert_gone(trimmed, ann)


@pytest.mark.parametrize(
    ("leave", "heard"), [(None, []), (b"5", [(b"5", Done()), "closed", "closed"])], ids=["disconnected", "left"]
)
def test_a_client_that_leaves_while_its_second_join_waits_is_gone_with_both(
    trimmed: RoomOnStage, ann: Listener, bo: Listener, leave: bytes | None, heard: list[Any]
) -> None:
    trimmed.tell(join(ann, "ann"))
    trimmed.tell(rejoin(bo, replaces=ann))
    trimmed.tell(Leave(bo, leave))
    assert bo.heard == heard
    assert_gone(trimmed, ann)


def test_a_third_join_ends_a_second_that_waits_and_the_first(trimmed: RoomOnStage, ann: Listener, bo: Listener) -> None:
    third = Listener()
    trimmed.tell(join(ann, "ann"))
    trimmed.tell(rejoin(bo, replaces=ann), Join(third, None, replaces=bo))
    assert third.heard[:3] == [welcome(100), "closed", "closed"]
    trimmed.tell(Leave(third))
    assert_gone(trimmed, ann)


def rejoin(listener: Listener, replaces: Listener) -> Join:
    """Makes a second join, for which the database is asked."""
    return Join(listener, "ann", replaces, Position(92, 3))


def assert_gone(room: RoomOnStage, listener: Listener) -> None:
    """Asserts that the room is empty, and that `listener` hears nothing more of it."""
    listener.clear()
    reader = Listener()
    room.tell(join(reader), post(reader, "anybody here?"))
    assert listener.heard == []
    room.tell(Leave(reader), Saved(101))
    assert room.to_supervisor[-2:] == [("on_people_count", "lobby", 0), ("on_idle", "lobby")]


# ---------------------------------------------------------------- history


def test_history_after_a_seq_that_the_ring_holds_is_answered_at_once(complete: RoomOnStage, ann: Listener) -> None:
    complete.tell(ReadHistory(ann, b"1", None, 3, after=2), ReadHistory(ann, b"2", None, 3, after=8))
    assert ann.heard == [
        (b"1", Page(tuple(said(3, 5)), more=True)),
        (b"2", Page(tuple(said(9, 10)), more=False)),
    ]


def test_a_trimmed_ring_still_recovers_from_its_first_message(stage: Stage, ann: Listener, bo: Listener) -> None:
    room = RoomOnStage(stage, SETTINGS, recent=[])
    room.tell(join(ann), *(post(ann, f"number {seq}") for seq in range(1, 31)), Saved(30))
    room.tell(join(bo, position=Position(28, EPOCH)))
    assert bo.heard == [welcome(30, missed=2), *said(29, 30)]


# ---------------------------------------------------------------- void places


def test_only_void_places_near_the_position_are_told(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, SETTINGS, recent=said(81, 100), epochs=((EPOCH, 100),), voids=[1, 50, 82, 83, 90, 97])
    room.tell(join(ann, position=Position(95, EPOCH)))
    assert ann.heard == [welcome(100, missed=5), Voided(90), *said(96, 100)]  # 83 is more than 12 back
    ann.clear()
    room.tell(Sync(ann, b"1", Position(94, EPOCH)))
    assert [event.seq for event in ann.heard if isinstance(event, Voided)] == [83, 90]


@pytest.mark.parametrize("voids", [[90, 91, 92, 93, 94], [90, 91, 92, 93, 94, 95]])
def test_a_client_that_may_hold_more_void_places_than_a_page_has_messages_starts_over(
    stage: Stage, ann: Listener, voids: list[int]
) -> None:
    room = RoomOnStage(stage, SETTINGS, recent=said(81, 100), epochs=((EPOCH, 100),), voids=voids)
    room.tell(join(ann, position=Position(99, EPOCH)))
    is_told = len(voids) == 5
    assert ann.heard[0] == welcome(100, recovered=is_told, missed=1 if is_told else 0)
    assert [event.seq for event in ann.heard if isinstance(event, Voided)] == (voids if is_told else [])


def test_void_places_that_nobody_can_ask_for_are_forgotten(stage: Stage, ann: Listener, bo: Listener) -> None:
    far = [*range(1, 500), 1_990]
    room = RoomOnStage(stage, SETTINGS, recent=said(1_981, 2_000), epochs=((EPOCH, 2_000),), voids=far)
    actor: Any = room.ref._actor_weakref()
    assert actor._recent.voids == [1_990]
    room.tell(join(bo), *(post(bo, f"number {seq}") for seq in range(2_001, 2_101)))
    room.tell(*(NotSaved(void(seq), None) for seq in range(2_001, 2_101)), Saved(2_100))
    assert actor._recent.voids == list(range(2_077, 2_101))
    room.tell(post(bo, "number 2101"), Saved(2_101))
    assert actor._recent.voids == list(range(2_078, 2_101))


def test_a_void_place_that_a_rebuilt_room_learns_twice_is_told_once(stage: Stage, ann: Listener, bo: Listener) -> None:
    room = RoomOnStage(stage, SETTINGS, recent=said(81, 100), epochs=((EPOCH, 100),), voids=[99])
    room.tell(NotSaved(void(99), None), NotSaved(void(97), None))
    room.tell(join(ann, position=Position(100, EPOCH)))
    assert [event.seq for event in ann.heard if isinstance(event, Voided)] == [97, 99]


def void(seq: int) -> Posted:
    """An empty place."""
    return Posted(seq, f"void-{seq}", "", "", "2026-05-04T12:00:00.123456Z", void=True)
