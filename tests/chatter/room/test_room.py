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
    room.tell(join(ann), join(bo))
    room.tell(post(ann, "hello"))
    assert ann.heard == bo.heard == [welcome(), posted(1)]
    assert [save.entries for save in room.saves] == [(posted(1),)]


def test_the_sender_is_answered_when_its_post_is_committed(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo), post(ann, "hello", ref=b'"7"'))
    assert ann.heard == bo.heard
    room.tell(Saved(1))
    assert ann.heard[-1] == (b'"7"', Acknowledged("hello", 1, "2026-05-04T12:00:00.123456Z"))
    assert bo.heard == [welcome(), posted(1)]


def test_a_commit_answers_all_posts_up_to_it_and_none_after_it(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), *(post(ann, f"number {number}", ref=b"%d" % number) for number in (1, 2, 3)))
    ann.clear()
    room.tell(Saved(2))
    assert [ref for ref, _ in ann.heard] == [b"1", b"2"]
    room.tell(Saved(3))
    assert [ref for ref, _ in ann.heard] == [b"1", b"2", b"3"]


def test_posts_are_numbered_without_gaps_in_order_of_arrival(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    for number in range(20):
        room.tell(post(ann, f"{number} a"), post(bo, f"{number} b"))
    said = [(event.seq, event.message) for event in ann.heard[1:]]
    assert said == [(2 * n + k + 1, f"{n} {who}") for n in range(20) for k, who in enumerate("ab")]
    assert bo.heard == ann.heard


def test_a_turn_is_one_write_to_each_subscriber(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    ann.clear()
    bo.clear()
    room.tell(post(ann, "one"), post(ann, "two"), Saved(0), post(bo, "three"))
    assert ann.writes == bo.writes == [[posted(1, "one"), posted(2, "two"), posted(3, "three")]]
    assert len(room.saves) == 1


def test_a_broadcast_is_encoded_once_for_all_subscribers_of_a_serializer(room: RoomOnStage) -> None:
    serializer = PlainSerializer()
    listeners = [Listener(serializer) for _ in range(50)]
    room.tell(*(join(listener) for listener in listeners))
    room.tell(post(listeners[0], "hello"))
    assert serializer.broadcasts == 1
    assert all(listener.heard[-1] == posted(1) for listener in listeners)


def test_an_acknowledgement_is_in_the_same_write_as_the_broadcasts_of_its_turn(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.tell(join(ann), join(bo), post(ann, "one", ref=b"1"))
    ann.clear()
    room.tell(post(bo, "two"), Saved(1), post(bo, "three"))
    answer = (b"1", Acknowledged("one", 1, "2026-05-04T12:00:00.123456Z"))
    assert ann.writes == [[posted(2, "two"), answer, posted(3, "three")]]


def test_a_post_without_an_id_is_given_one(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), Post(ann, b"1", None, "ann", "hello"), Post(ann, b"2", None, "ann", "hello"))
    first, second = ann.heard[1:]
    assert 1 <= len(first.id) <= 64
    assert first.id != second.id


# ---------------------------------------------------------------- beginning


def test_a_room_asks_for_its_past_first(stage: Stage) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=50))
    stage.run_turns()
    assert room.to_history == [Load(room.ref, "lobby", 50)]


def test_requests_wait_until_the_past_is_loaded(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage)
    room.tell(join(ann), post(ann, "new"))
    assert ann.heard == []
    room.tell(Loaded([posted(41, "old")]))
    assert ann.heard == [welcome(41), posted(41, "old"), posted(42, "new")]


def test_seq_continues_from_the_past(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(7), posted(8)])
    room.tell(join(ann), post(ann, "new"))
    assert ann.heard[-1].seq == 9


def test_a_room_that_cannot_load_its_past_refuses_joins_and_ends(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage)
    room.tell(join(ann), post(ann, "lost"), LoadFailed())
    assert ann.heard == [Refused("unavailable")]
    assert room.to_supervisor == [("on_retired", "lobby")]
    assert not room.ref.is_alive()
    assert room.saves == []


# ---------------------------------------------------------------- greeting


def test_a_join_is_answered_then_gets_the_ten_latest_messages_oldest_first(stage: Stage, bo: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(seq) for seq in range(1, 41)])
    room.tell(join(bo))
    assert bo.heard == [welcome(40), *(posted(seq) for seq in range(31, 41))]
    assert len(bo.writes) == 1


def test_a_join_between_posts_gets_each_of_them_once(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann))
    room.tell(post(ann, "1"), post(ann, "2"), join(bo), post(ann, "3"), post(ann, "4"))
    assert bo.heard == [welcome(2), *(posted(seq, str(seq)) for seq in (1, 2, 3, 4))]


def test_a_join_to_a_running_room_does_not_ask_the_database(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"))
    asked = len(room.to_history), len(room.to_persistence)
    room.tell(join(bo, "bo"))
    assert (len(room.to_history), len(room.to_persistence)) == asked
    assert posted(1) in bo.heard


# ---------------------------------------------------------------- leaving


def test_a_leave_is_answered_then_closed_and_nothing_follows(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    room.tell(post(bo, "before"), Leave(ann, b'"5"'), post(bo, "after"))
    assert ann.heard == [welcome(), posted(1, "before"), (b'"5"', Done()), "closed"]
    assert bo.heard[-1] == posted(2, "after")


def test_a_subscriber_that_disconnected_is_not_written_to(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    ann.clear()
    room.tell(Leave(ann), post(bo, "hello"))
    assert ann.heard == []


def test_a_subscriber_that_left_gets_its_acknowledgement_but_no_events(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.tell(join(ann), join(bo), post(ann, "hello", ref=b"1"), Leave(ann, b"2"))
    ann.clear()
    room.tell(post(bo, "others"), Saved(1), post(bo, "talk"))
    assert ann.heard == [(b"1", Acknowledged("hello", 1, "2026-05-04T12:00:00.123456Z"))]


def test_a_second_join_of_a_client_replaces_the_first(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"))
    room.tell(Join(bo, None, replaces=ann))
    assert bo.heard == [welcome(1), "closed", posted(1)]
    ann.clear()
    room.tell(post(bo, "again"))
    assert ann.heard == []


def test_a_dismissed_subscriber_is_told_that_it_is_closed(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann))
    room.tell(Dismiss(ann))
    assert ann.heard == [welcome(), "closed"]


# ---------------------------------------------------------------- typing, bytes, presence


def test_typing_is_shown_to_all_others_and_never_saved(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    room.tell(ShowTyping(ann, b"1", "ann"))
    assert ann.heard == [welcome(), (b"1", Done())]
    assert bo.heard == [welcome(), StartedTyping("ann")]
    assert room.saves == []


def test_typing_between_posts_keeps_everyones_order(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    ann.clear()
    bo.clear()
    room.tell(post(ann, "1"), ShowTyping(ann, b"9", "ann"), ShowTyping(bo, b"8", "bo"), post(ann, "2"))
    assert ann.writes == [[posted(1, "1"), (b"9", Done()), StartedTyping("bo"), posted(2, "2")]]
    assert bo.writes == [[posted(1, "1"), StartedTyping("ann"), (b"8", Done()), posted(2, "2")]]


def test_bytes_are_passed_on_to_everyone_and_never_saved(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo))
    room.tell(Relay(ann, b"1", b"\x00\xff"))
    assert ann.heard == [welcome(), Relayed(b"\x00\xff"), (b"1", Done())]
    assert bo.heard == [welcome(), Relayed(b"\x00\xff")]
    assert room.saves == []


def test_a_join_with_a_name_is_shown_to_everyone(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann))
    room.tell(join(bo, "bo"))
    assert isinstance(bo.heard[1], PresenceListed)
    (meta,) = bo.heard[1].people["bo"].metas
    assert (len(meta.phx_ref), meta.online_at) == (16, 1777896000)
    assert ann.heard[-1] == bo.heard[-1] == PresenceChanged(joins=bo.heard[1].people, leaves={})


def test_presence_changes_of_one_turn_are_one_event(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann))
    ann.clear()
    others = [Listener() for _ in range(3)]
    room.tell(*(join(other, name) for other, name in zip(others, ("bo", "cy", "cy"), strict=True)))
    (change,) = ann.heard
    assert {name: len(metas.metas) for name, metas in change.joins.items()} == {"bo": 1, "cy": 2}


def test_only_the_connection_that_left_is_shown_as_gone(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    phone = Listener()
    room.tell(join(ann), join(bo, "bo"), join(phone, "bo"))
    first, second = ann.heard[-1].joins["bo"].metas
    room.tell(Leave(phone))
    assert ann.heard[-1].joins == {}
    assert ann.heard[-1].leaves["bo"].metas == (second,)
    room.tell(Leave(bo))
    assert ann.heard[-1].leaves["bo"].metas == (first,)


def test_a_lagged_subscriber_gets_the_newest_seq_and_the_presence_list(
    room: RoomOnStage, ann: Listener, bo: Listener
) -> None:
    room.tell(join(ann, "ann"), join(bo), post(ann, "hello"))
    ann.clear()
    bo.clear()
    room.tell(NotifyLagged(ann), NotifyLagged(bo))
    assert ann.heard[0] == Lagged(1)
    assert ann.heard[1].people.keys() == {"ann"}
    assert bo.heard == [Lagged(1)]


def test_one_who_is_not_present_may_see_who_is(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    bo.sees_presence = True
    room.tell(join(ann, "ann"), join(bo))
    assert [each.people.keys() for each in bo.heard if isinstance(each, PresenceListed)] == [{"ann"}]
    ann.clear()
    bo.clear()
    room.tell(NotifyLagged(bo), Leave(bo))
    assert bo.heard[1].people.keys() == {"ann"}
    assert ann.heard == []


def test_the_supervisor_is_told_how_many_people_are_present(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann, "ann"), join(bo, "ann"), join(Listener()))
    room.tell(Leave(bo))
    room.tell(Leave(ann))
    counts = [told for told in room.to_supervisor if told[0] == "on_people_count"]
    assert counts == [("on_people_count", "lobby", 2), ("on_people_count", "lobby", 1)]


# ---------------------------------------------------------------- history


def test_history_that_the_ring_holds_is_answered_at_once(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, recent=[posted(seq) for seq in range(1, 31)])
    room.tell(ReadHistory(ann, b"1", before=None, limit=3), ReadHistory(ann, b"2", before=3, limit=3))
    assert ann.heard == [
        (b"1", Page((posted(28), posted(29), posted(30)), more=True)),
        (b"2", Page((posted(1), posted(2)), more=False)),
    ]


@pytest.mark.parametrize(("before", "limit"), [(1, 5), (None, 100), (999, 100)])
def test_history_of_an_empty_room_is_empty(room: RoomOnStage, ann: Listener, before: int | None, limit: int) -> None:
    room.tell(ReadHistory(ann, b"1", before, limit))
    assert ann.heard == [(b"1", Page((), more=False))]


def test_history_older_than_the_ring_is_read_from_the_database(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=10), recent=[posted(seq) for seq in range(21, 31)])
    request = ReadHistory(ann, b"1", before=24, limit=5)
    room.tell(request)
    assert room.to_history[-1] == LoadPage(room.ref, "lobby", 30, request, held=(posted(21), posted(22), posted(23)))
    assert ann.heard == []
    page = Page(tuple(posted(seq) for seq in range(19, 24)), more=True)
    room.tell(PageLoaded(request, page))
    assert ann.heard == [(b"1", page)]


def test_the_ring_keeps_unsaved_messages_beyond_its_size(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=10), recent=[])
    room.tell(*(post(ann, str(seq)) for seq in range(1, 31)))
    ann.clear()
    room.tell(ReadHistory(ann, b"1", before=2, limit=10))
    assert ann.heard == [(b"1", Page((posted(1, "1"),), more=False))]
    room.tell(Saved(30), ReadHistory(ann, b"2", before=2, limit=10))
    assert isinstance(room.to_history[-1], LoadPage)


def test_a_page_that_is_loaded_twice_is_answered_once(stage: Stage, ann: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(ring_size=1), recent=[posted(50)])
    request = ReadHistory(ann, b"1", before=10, limit=5)
    room.tell(join(ann), request)
    ann.clear()
    page = Page((posted(9),), more=True)
    room.tell(PageLoaded(request, page), PageLoaded(request, page))
    assert ann.heard == [(b"1", page)]


# ---------------------------------------------------------------- failing and retiring


class Unpushable(Listener):
    """Unpushable is a subscriber whose events cannot be encoded."""

    def push(self, event: Event) -> bytes:
        raise ValueError("cannot be encoded")


def poison() -> NotifyLagged:
    """Makes a message at which any room fails."""
    return NotifyLagged(Unpushable())


def test_a_failed_room_hands_everything_over_to_its_successor(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo, "bo"), post(ann, "unanswered"))
    fatal, late = poison(), post(bo, "too late")
    room.tell(post(ann, "before"), fatal, late)
    assert ann.heard[-1] == posted(2, "before")
    assert [save.entries for save in room.saves] == [(posted(1, "unanswered"),), (posted(2, "before"),)]
    (_, _, handover), forwarded = room.to_supervisor[-2:]
    assert list(handover.subscribers) == [ann, bo]
    assert list(handover.unanswered) == [1, 2]
    assert handover.mail == [handover.failed_message] == [fatal]
    assert forwarded == ("forward", "lobby", late)
    with pytest.raises(pykka.ActorDeadError):
        room.ref.tell(join(ann))


def test_a_failed_room_without_a_successor_forwards_only_joins(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann))
    room.has_successors = False
    new_join = join(bo)
    room.tell(poison(), post(ann, "its sender repeats it"), new_join)
    assert [told for told in room.to_supervisor if told[0] == "forward"] == [("forward", "lobby", new_join)]


def database_requests(member: Listener) -> list[RoomMessage]:
    """Makes one request of each kind that a short memory sends to the database."""
    long_ago = Position(10, EPOCH)
    return [
        post(member, "a repeat", repeat=True),
        join(Listener(), position=long_ago),
        Sync(member, b"1", long_ago),
        ReadHistory(member, b"2", before=10, limit=5),
    ]


@pytest.mark.parametrize("kind", range(4), ids=["repeat", "join", "sync", "history"])
def test_a_request_that_waits_for_the_database_is_handed_over(stage: Stage, ann: Listener, kind: int) -> None:
    request = database_requests(ann)[kind]
    room = RoomOnStage(stage, RoomSettings(ring_size=1, id_memory_size=1), recent=[posted(50)])
    loads = len(room.to_history)
    room.tell(join(ann), request)
    assert len(room.to_history) == loads + 1
    room.tell(poison())
    assert request in room.to_supervisor[-1][2].mail


def test_a_successor_answers_committed_posts_and_handles_the_mail(stage: Stage, ann: Listener) -> None:
    first = RoomOnStage(stage, recent=[])
    first.tell(join(ann), post(ann, "one", ref=b"1"), poison())
    handover = first.to_supervisor[-1][2]
    handover.mail[0] = post(ann, "two", ref=b"2")
    ann.clear()
    second = RoomOnStage(stage, recent=[posted(1, "one")], handover=handover, is_rebuilt=True)
    assert isinstance(second.to_persistence[0], Load)  # behind all that the first room said
    answer = (b"1", Acknowledged("one", 1, "2026-05-04T12:00:00.123456Z"))
    assert ann.heard == [answer, posted(2, "two")]
    second.tell(Saved(2))
    assert ann.heard[-1][0] == b"2"


def test_a_room_that_cannot_finish_its_turn_tells_its_subscribers(
    room: RoomOnStage, ann: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.tell(join(ann))
    monkeypatch.setattr(ann.serializer, "broadcast", fail)
    room.tell(post(ann, "hello"), join(Listener()))
    assert ann.heard == [welcome(), "crashed"]
    assert room.to_supervisor[-1] == ("on_crashed", "lobby", None)


def fail(*_: object) -> bytes:
    """Plays a serializer that is broken."""
    raise ValueError("cannot be said")


def test_a_post_before_a_stop_is_saved_and_heard(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann))
    room.ref.tell(post(ann, "last words"))
    room.ref.stop(block=False)
    room.stage.run_turns()
    assert ann.heard[-1] == posted(1, "last words")
    assert len(room.saves) == 1


def test_a_room_without_subscribers_is_idle_and_retires_when_told(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann))
    room.to_supervisor.clear()
    room.tell(Leave(ann))
    assert room.to_supervisor == [("on_people_count", "lobby", 0), ("on_idle", "lobby")]
    room.tell(Retire())
    assert room.to_supervisor[-1] == ("on_retired", "lobby")
    assert not room.ref.is_alive()


def test_a_join_makes_an_idle_room_busy(room: RoomOnStage, ann: Listener) -> None:
    room.to_supervisor.clear()
    room.tell(join(ann))
    assert room.to_supervisor == [("on_people_count", "lobby", 1), ("on_busy", "lobby")]
    room.tell(Retire())
    assert room.ref.is_alive()


def test_a_room_with_unsaved_messages_is_not_idle(room: RoomOnStage, ann: Listener) -> None:
    room.tell(join(ann), post(ann, "hello"), Leave(ann))
    room.tell(Retire())
    assert room.ref.is_alive()
    room.tell(Saved(1))
    assert room.to_supervisor[-1] == ("on_idle", "lobby")
    room.tell(Retire())
    assert not room.ref.is_alive()


def test_a_join_behind_a_retire_keeps_the_room_open(stage: Stage, ann: Listener, bo: Listener) -> None:
    room = RoomOnStage(stage, RoomSettings(room_idle_timeout=1000), recent=[])
    room.tell(join(ann))
    room.tell(Leave(ann))
    room.tell(Retire(), join(bo))
    assert room.ref.is_alive()
    assert bo.heard == [welcome()]
    room.tell(Leave(bo))
    room.tell(Retire())
    assert not room.ref.is_alive()


# ---------------------------------------------------------------- who opens a room


def test_the_first_in_a_room_in_which_nothing_was_said_opens_it(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    room.tell(join(ann), join(bo), Leave(ann), post(bo, "hello"), Leave(bo), join(ann))
    assert (ann.rooms_opened, bo.rooms_opened) == (1, 0)


def test_a_room_that_was_spoken_in_or_is_expected_to_have_people_is_open(stage: Stage, ann: Listener) -> None:
    expected = {"bo": Metas((Meta("ref", 1),))}
    for room in (RoomOnStage(stage, recent=[posted(1)]), RoomOnStage(stage, recent=[], expected=expected)):
        room.tell(join(ann))
    assert ann.rooms_opened == 0


def test_who_has_opened_too_many_rooms_is_told_when_it_may_and_the_room_is_gone(
    room: RoomOnStage, ann: Listener
) -> None:
    ann.must_wait = 0.25
    room.tell(join(ann, "ann"))
    assert ann.heard == [Refused("rate_limited", retry_after_ms=250)]
    assert room.to_supervisor[-1] == ("on_retired", "lobby")
    assert not room.ref.is_alive()


def test_a_room_that_one_may_not_open_lives_on_if_another_may(room: RoomOnStage, ann: Listener, bo: Listener) -> None:
    ann.must_wait = 0.25
    room.tell(join(ann), join(bo))
    assert room.ref.is_alive()
    assert bo.heard == [welcome()]
