import pykka
import pytest

from chatter.messages import (
    Acknowledged,
    Dismiss,
    Done,
    Event,
    Join,
    Lagged,
    Leave,
    Load,
    Loaded,
    LoadFailed,
    LoadPage,
    Meta,
    Metas,
    NotifyLagged,
    Page,
    PageLoaded,
    Position,
    Post,
    PresenceChanged,
    PresenceListed,
    ReadHistory,
    Refused,
    Relay,
    Relayed,
    Retire,
    RoomMessage,
    Saved,
    ShowTyping,
    StartedTyping,
    Sync,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import EPOCH, RoomOnStage, post, posted, welcome
from tests.support.stage import Listener, PlainSerializer, Stage, join


def test_everyone_hears_a_post_before_it_is_saved(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo))
    room.told(post(ann, "hello"))
    assert ann.heard == bo.heard == [welcome(), posted(1)]
    assert [save.messages for save in room.saves] == [(posted(1),)]


def test_the_sender_is_answered_when_its_post_is_committed(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo), post(ann, "hello", ref=b'"7"'))
    assert ann.heard == bo.heard
    room.told(Saved(1))
    assert ann.heard[-1] == (b'"7"', Acknowledged("hello", 1, "2026-05-04T12:00:00.123456Z"))
    assert bo.heard == [welcome(), posted(1)]


def test_a_commit_answers_all_posts_up_to_it_and_none_after_it(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), *(post(ann, f"number {number}", ref=b"%d" % number) for number in (1, 2, 3)))
    ann.forget()
    room.told(Saved(2))
    assert [ref for ref, _ in ann.heard] == [b"1", b"2"]
    room.told(Saved(3))
    assert [ref for ref, _ in ann.heard] == [b"1", b"2", b"3"]


def test_posts_are_numbered_without_gaps_in_the_order_of_their_coming(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.told(join(ann), join(bo))
    for number in range(20):
        room.told(post(ann, f"{number} a"), post(bo, f"{number} b"))
    said = [(event.seq, event.message) for event in ann.heard[1:]]
    assert said == [(2 * n + k + 1, f"{n} {who}") for n in range(20) for k, who in enumerate("ab")]
    assert bo.heard == ann.heard


def test_everything_of_one_turn_is_one_write_for_each_subscriber(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.told(join(ann), join(bo))
    ann.forget()
    bo.forget()
    room.told(post(ann, "one"), post(ann, "two"), Saved(0), post(bo, "three"))
    assert ann.writes == bo.writes == [[posted(1, "one"), posted(2, "two"), posted(3, "three")]]
    assert len(room.saves) == 1


def test_a_broadcast_is_encoded_once_for_all_subscribers_of_a_dialect(room: RoomOnStage) -> None:
    serializer = PlainSerializer()
    listeners = [Listener(serializer) for _ in range(50)]
    room.told(*(join(listener) for listener in listeners))
    room.told(post(listeners[0], "hello"))
    assert serializer.broadcasts == 1
    assert all(listener.heard[-1] == posted(1) for listener in listeners)


def test_an_acknowledgement_leaves_in_the_same_write_as_what_others_say(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.told(join(ann), join(bo), post(ann, "one", ref=b"1"))
    ann.forget()
    room.told(post(bo, "two"), Saved(1), post(bo, "three"))
    answer = (b"1", Acknowledged("one", 1, "2026-05-04T12:00:00.123456Z"))
    assert ann.writes == [[posted(2, "two"), answer, posted(3, "three")]]


def test_a_post_without_an_id_is_given_one(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), Post(ann, b"1", None, "ann", "hello"), Post(ann, b"2", None, "ann", "hello"))
    first, second = ann.heard[1:]
    assert 1 <= len(first.id) <= 64
    assert first.id != second.id


# ---------------------------------------------------------------- beginning


def test_a_room_asks_for_its_past_first(stage: Stage) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=50))
    stage.turn()
    assert room.to_history == [Load(room.ref, "lobby", 50)]


def test_whatever_comes_before_the_past_is_loaded_waits_for_it(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage)
    room.told(join(ann), post(ann, "new"))
    assert ann.heard == []
    room.told(Loaded([posted(41, "old")]))
    assert ann.heard == [welcome(41), posted(41, "old"), posted(42, "new")]


def test_numbers_continue_from_the_past(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(7), posted(8)])
    room.told(join(ann), post(ann, "new"))
    assert ann.heard[-1].seq == 9


def test_without_its_past_a_room_turns_people_away_and_ends(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage)
    room.told(join(ann), post(ann, "lost"), LoadFailed())
    assert ann.heard == [Refused("unavailable")]
    assert room.to_supervisor == [("on_retired", "lobby")]
    assert not room.ref.is_alive()
    assert room.saves == []


# ---------------------------------------------------------------- greeting


def test_a_join_is_answered_and_then_pushed_the_ten_latest_oldest_first(stage: Stage, bo: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(seq) for seq in range(1, 41)])
    room.told(join(bo))
    assert bo.heard == [welcome(40), *(posted(seq) for seq in range(31, 41))]
    assert len(bo.writes) == 1


def test_a_join_among_posts_neither_misses_nor_doubles_one(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann))
    room.told(post(ann, "1"), post(ann, "2"), join(bo), post(ann, "3"), post(ann, "4"))
    assert bo.heard == [welcome(2), *(posted(seq, str(seq)) for seq in (1, 2, 3, 4))]


def test_joining_a_living_room_asks_no_database(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), post(ann, "hello"))
    asked = len(room.to_history), len(room.to_persistence)
    room.told(join(bo, "bo"))
    assert (len(room.to_history), len(room.to_persistence)) == asked
    assert posted(1) in bo.heard


# ---------------------------------------------------------------- leaving


def test_one_who_leaves_is_answered_then_told_so_and_hears_nothing_more(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.told(join(ann), join(bo))
    room.told(post(bo, "before"), Leave(ann, b'"5"'), post(bo, "after"))
    assert ann.heard == [welcome(), posted(1, "before"), (b'"5"', Done()), "closed"]
    assert bo.heard[-1] == posted(2, "after")


def test_one_who_is_gone_is_not_written_to(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo))
    ann.forget()
    room.told(Leave(ann), post(bo, "hello"))
    assert ann.heard == []


def test_one_who_left_is_still_owed_the_answer_but_no_events(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo), post(ann, "hello", ref=b"1"), Leave(ann, b"2"))
    ann.forget()
    room.told(post(bo, "others"), Saved(1), post(bo, "talk"))
    assert ann.heard == [(b"1", Acknowledged("hello", 1, "2026-05-04T12:00:00.123456Z"))]


def test_a_second_join_of_a_client_takes_the_place_of_its_first(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), post(ann, "hello"))
    room.told(Join(bo, None, replaces=ann))
    assert bo.heard == [welcome(1), "closed", posted(1)]
    ann.forget()
    room.told(post(bo, "again"))
    assert ann.heard == []


def test_one_who_is_dismissed_is_told_so(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann))
    room.told(Dismiss(ann))
    assert ann.heard == [welcome(), "closed"]


# ---------------------------------------------------------------- typing, bytes, presence


def test_typing_is_shown_to_all_others_and_never_saved(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo))
    room.told(ShowTyping(ann, b"1", "ann"))
    assert ann.heard == [welcome(), (b"1", Done())]
    assert bo.heard == [welcome(), StartedTyping("ann")]
    assert room.saves == []


def test_typing_between_posts_keeps_everyones_order(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo))
    ann.forget()
    bo.forget()
    room.told(post(ann, "1"), ShowTyping(ann, b"9", "ann"), ShowTyping(bo, b"8", "bo"), post(ann, "2"))
    assert ann.writes == [[posted(1, "1"), (b"9", Done()), StartedTyping("bo"), posted(2, "2")]]
    assert bo.writes == [[posted(1, "1"), StartedTyping("ann"), (b"8", Done()), posted(2, "2")]]


def test_bytes_are_passed_on_to_everyone_and_never_saved(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo))
    room.told(Relay(ann, b"1", b"\x00\xff"))
    assert ann.heard == [welcome(), Relayed(b"\x00\xff"), (b"1", Done())]
    assert bo.heard == [welcome(), Relayed(b"\x00\xff")]
    assert room.saves == []


def test_one_who_comes_with_a_name_is_shown_to_everyone(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann))
    room.told(join(bo, "bo"))
    assert isinstance(bo.heard[1], PresenceListed)
    (meta,) = bo.heard[1].people["bo"].metas
    assert (len(meta.phx_ref), meta.online_at) == (16, 1777896000)
    assert ann.heard[-1] == bo.heard[-1] == PresenceChanged(joins=bo.heard[1].people, leaves={})


def test_presence_changes_of_one_turn_are_one_event(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann))
    ann.forget()
    others = [Listener() for _ in range(3)]
    room.told(*(join(other, name) for other, name in zip(others, ("bo", "cy", "cy"), strict=True)))
    (change,) = ann.heard
    assert {name: len(metas.metas) for name, metas in change.joins.items()} == {"bo": 1, "cy": 2}


def test_only_the_connection_that_left_is_shown_as_gone(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    phone = Listener()
    room.told(join(ann), join(bo, "bo"), join(phone, "bo"))
    first, second = ann.heard[-1].joins["bo"].metas
    room.told(Leave(phone))
    assert ann.heard[-1].joins == {}
    assert ann.heard[-1].leaves["bo"].metas == (second,)
    room.told(Leave(bo))
    assert ann.heard[-1].leaves["bo"].metas == (first,)


def test_one_who_lagged_is_told_where_the_room_is_and_who_is_here(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.told(join(ann, "ann"), join(bo), post(ann, "hello"))
    ann.forget()
    bo.forget()
    room.told(NotifyLagged(ann), NotifyLagged(bo))
    assert ann.heard[0] == Lagged(1)
    assert ann.heard[1].people.keys() == {"ann"}
    assert bo.heard == [Lagged(1)]


def test_the_supervisor_is_told_how_many_people_are_here(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann, "ann"), join(bo, "ann"), join(Listener()))
    room.told(Leave(bo))
    room.told(Leave(ann))
    counts = [told for told in room.to_supervisor if told[0] == "on_people_count"]
    assert counts == [("on_people_count", "lobby", 2), ("on_people_count", "lobby", 1)]


# ---------------------------------------------------------------- history


def test_history_that_the_ring_holds_is_answered_at_once(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(seq) for seq in range(1, 31)])
    room.told(ReadHistory(ann, b"1", before=None, limit=3), ReadHistory(ann, b"2", before=3, limit=3))
    assert ann.heard == [
        (b"1", Page((posted(28), posted(29), posted(30)), more=True)),
        (b"2", Page((posted(1), posted(2)), more=False)),
    ]


@pytest.mark.parametrize(("before", "limit"), [(1, 5), (None, 100), (999, 100)])
def test_history_of_an_empty_room_is_empty(room: RoomOnStage, ann: Listener, before: int | None, limit: int) -> None:
    room.told(ReadHistory(ann, b"1", before, limit))
    assert ann.heard == [(b"1", Page((), more=False))]


def test_history_before_the_ring_is_asked_of_the_reader(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=10), recent=[posted(seq) for seq in range(21, 31)])
    request = ReadHistory(ann, b"1", before=24, limit=5)
    room.told(request)
    assert room.to_history[-1] == LoadPage(room.ref, "lobby", 30, request)
    assert ann.heard == []
    page = Page((posted(19),), more=True)
    room.told(PageLoaded(request, page))
    assert ann.heard == [(b"1", page)]


def test_the_ring_keeps_what_is_not_saved_beyond_its_size(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=10), recent=[])
    room.told(*(post(ann, str(seq)) for seq in range(1, 31)))
    ann.forget()
    room.told(ReadHistory(ann, b"1", before=2, limit=10))
    assert ann.heard == [(b"1", Page((posted(1, "1"),), more=False))]
    room.told(Saved(30), ReadHistory(ann, b"2", before=2, limit=10))
    assert isinstance(room.to_history[-1], LoadPage)


def test_an_answer_of_the_database_to_an_earlier_room_is_not_given_twice(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=1), recent=[posted(50)])
    request = ReadHistory(ann, b"1", before=10, limit=5)
    room.told(join(ann), request)
    ann.forget()
    page = Page((posted(9),), more=True)
    room.told(PageLoaded(request, page), PageLoaded(request, page))
    assert ann.heard == [(b"1", page)]


# ---------------------------------------------------------------- dying and retiring


class Unpushable(Listener):
    """A client for which nothing can be encoded."""

    def push(self, event: Event) -> bytes:
        raise ValueError("cannot be encoded")


def poison() -> NotifyLagged:
    """A message at which any room fails."""
    return NotifyLagged(Unpushable())


def test_a_room_that_fails_leaves_everything_to_its_successor(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo, "bo"), post(ann, "unanswered"))
    fatal, late = poison(), post(bo, "too late")
    room.told(post(ann, "before"), fatal, late)
    assert ann.heard[-1] == posted(2, "before")
    assert [save.messages for save in room.saves] == [(posted(1, "unanswered"),), (posted(2, "before"),)]
    (_, _, handover), forwarded = room.to_supervisor[-2:]
    assert list(handover.subscribers) == [ann, bo]
    assert list(handover.unanswered) == [1, 2]
    assert handover.mail == [handover.failed_message] == [fatal]
    assert forwarded == ("forward", "lobby", late)
    with pytest.raises(pykka.ActorDeadError):
        room.ref.tell(join(ann))


def test_where_nobody_takes_its_place_only_those_who_come_are_passed_on(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.told(join(ann))
    room.has_successors = False
    newcomer = join(bo)
    room.told(poison(), post(ann, "said again by one who comes back"), newcomer)
    assert [told for told in room.to_supervisor if told[0] == "forward"] == [("forward", "lobby", newcomer)]


def waiting_for_the_database(member: Listener) -> list[RoomMessage]:
    """One request of each kind that a room with a short memory cannot deal with alone."""
    long_ago = Position(10, EPOCH)
    return [
        post(member, "kept", repeat=True),
        join(Listener(), position=long_ago),
        Sync(member, b"1", long_ago),
        ReadHistory(member, b"2", before=10, limit=5),
    ]


@pytest.mark.parametrize("kind", range(4), ids=["repeat", "join", "sync", "history"])
def test_a_request_that_waits_for_the_database_is_left_to_the_successor_too(
    stage: Stage, ann: Listener, kind: int
) -> None:
    request = waiting_for_the_database(ann)[kind]
    room = RoomOnStage(stage, RoomSettings(ring_size=1, id_memory_size=1), recent=[posted(50)])
    questions = len(room.to_history)
    room.told(join(ann), request)
    assert len(room.to_history) == questions + 1
    room.told(poison())
    assert request in room.to_supervisor[-1][2].mail


def test_a_successor_answers_what_was_committed_meanwhile_and_goes_on(stage: Stage, ann: Listener) -> None:
    first = RoomOnStage(stage, recent=[])
    first.told(join(ann), post(ann, "one", ref=b"1"), poison())
    handover = first.to_supervisor[-1][2]
    handover.mail[0] = post(ann, "two", ref=b"2")
    ann.forget()
    second = RoomOnStage(stage, recent=[posted(1, "one")], handover=handover, is_rebuilt=True)
    assert isinstance(second.to_persistence[0], Load)  # after all that the first one said
    answer = (b"1", Acknowledged("one", 1, "2026-05-04T12:00:00.123456Z"))
    assert ann.heard == [answer, posted(2, "two")]
    second.told(Saved(2))
    assert ann.heard[-1][0] == b"2"


def test_a_room_that_cannot_finish_its_turn_tells_its_listeners(
    room: RoomOnStage, ann: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.told(join(ann))
    monkeypatch.setattr(ann.serializer, "broadcast", fail)
    room.told(post(ann, "hello"), join(Listener()))
    assert ann.heard == [welcome(), "crashed"]
    assert room.to_supervisor[-1] == ("on_crashed", "lobby", None)


def fail(*_: object) -> bytes:
    """Raises, as no serializer should."""
    raise ValueError("cannot be said")


def test_what_was_said_before_a_stop_is_still_saved_and_heard(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann))
    room.ref.tell(post(ann, "last words"))
    room.ref.stop(block=False)
    room.stage.turn()
    assert ann.heard[-1] == posted(1, "last words")
    assert len(room.saves) == 1


def test_a_room_that_nobody_listens_to_rests_and_retires_when_it_is_told_to(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann))
    room.to_supervisor.clear()
    room.told(Leave(ann))
    assert room.to_supervisor == [("on_people_count", "lobby", 0), ("on_idle", "lobby")]
    room.told(Retire())
    assert room.to_supervisor[-1] == ("on_retired", "lobby")
    assert not room.ref.is_alive()


def test_a_room_to_which_somebody_comes_wakes(room: RoomOnStage, ann: Listener) -> None:
    room.to_supervisor.clear()
    room.told(join(ann))
    assert room.to_supervisor == [("on_people_count", "lobby", 1), ("on_busy", "lobby")]
    room.told(Retire())
    assert room.ref.is_alive()


def test_a_room_with_something_unsaved_does_not_rest(room: RoomOnStage, ann: Listener) -> None:
    room.told(join(ann), post(ann, "hello"), Leave(ann))
    room.told(Retire())
    assert room.ref.is_alive()
    room.told(Saved(1))
    assert room.to_supervisor[-1] == ("on_idle", "lobby")
    room.told(Retire())
    assert not room.ref.is_alive()


def test_one_who_comes_in_the_last_moment_finds_the_room_open(stage: Stage, ann: Listener, bo: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(room_idle_timeout=1000), recent=[])
    room.told(join(ann))
    room.told(Leave(ann))
    room.told(Retire(), join(bo))
    assert room.ref.is_alive()
    assert bo.heard == [welcome()]
    room.told(Leave(bo))
    room.told(Retire())
    assert not room.ref.is_alive()


# ---------------------------------------------------------------- who opens a room


def test_the_first_in_a_room_in_which_nothing_was_said_opens_it(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.told(join(ann), join(bo), Leave(ann), post(bo, "hello"), Leave(bo), join(ann))
    assert (ann.rooms_opened, bo.rooms_opened) == (1, 0)


def test_a_room_that_was_spoken_in_or_is_expected_to_have_people_is_open(stage: Stage, ann: Listener) -> None:
    expected = {"bo": Metas((Meta("ref", 1),))}
    for room in (RoomOnStage(stage, recent=[posted(1)]), RoomOnStage(stage, recent=[], expected=expected)):
        room.told(join(ann))
    assert ann.rooms_opened == 0


def test_who_has_opened_too_many_rooms_is_told_when_it_may_and_the_room_is_gone(
    room: RoomOnStage, ann: Listener
) -> None:
    ann.must_wait = 0.25
    room.told(join(ann, "ann"))
    assert ann.heard == [Refused("rate_limited", retry_after_ms=250)]
    assert room.to_supervisor[-1] == ("on_retired", "lobby")
    assert not room.ref.is_alive()


def test_a_room_that_one_may_not_open_lives_on_if_another_may(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    ann.must_wait = 0.25
    room.told(join(ann), join(bo))
    assert room.ref.is_alive()
    assert bo.heard == [welcome()]
