from chatter.messages import Meta, Metas, PresenceChanged
from chatter.room.presence import Presence
from tests.support.stage import Listener


def test_a_person_is_listed_once_with_all_connections_oldest_first() -> None:
    presence = Presence(200)
    for online_at in (3, 1, 2):
        presence.track(Listener(), "ann", online_at)
    assert [meta.online_at for meta in presence.listed().people["ann"].metas] == [3, 1, 2]
    assert (len(presence), presence.connections) == (1, 3)


def test_every_connection_has_a_reference_of_its_own() -> None:
    presence = Presence(200, 100)
    for _ in range(100):
        presence.track(Listener(), "ann", 0)
    assert len({meta.phx_ref for meta in presence.listed().people["ann"].metas}) == 100


def test_a_change_is_told_once() -> None:
    presence = Presence(200)
    presence.track(Listener(), "ann", 0)
    assert presence.changes() == [PresenceChanged(joins=presence.listed().people, leaves={})]
    assert presence.changes() == []


def test_one_who_comes_and_goes_in_between_is_in_both_halves() -> None:
    presence, ann = Presence(200), Listener()
    presence.track(ann, "ann", 0)
    listed = presence.listed().people
    presence.untrack(ann)
    assert presence.changes() == [PresenceChanged(joins=listed, leaves=listed)]
    assert presence.listed().people == {}


def test_a_connection_that_was_never_tracked_leaves_no_trace() -> None:
    presence = Presence(200)
    presence.untrack(Listener())
    assert presence.changes() == []


def test_what_was_told_does_not_change_afterwards() -> None:
    presence = Presence(200)
    presence.track(Listener(), "ann", 0)
    listed, [change] = presence.listed(), presence.changes()
    presence.track(Listener(), "ann", 1)
    assert len(listed.people["ann"].metas) == 1
    assert isinstance(change, PresenceChanged)
    assert len(change.joins["ann"].metas) == 1


def metas(*online_at: int) -> Metas:
    return Metas(tuple(Meta(f"ref-{at}", at) for at in online_at))


def test_one_who_was_expected_and_comes_takes_the_place_of_one_connection() -> None:
    presence = Presence(200)
    presence.expect({"ann": metas(1, 2)})
    assert (len(presence), presence.changes()) == (1, [])
    presence.track(Listener(), "ann", 9)
    assert [meta.online_at for meta in presence.listed().people["ann"].metas] == [2, 9]
    [change] = presence.changes()
    assert isinstance(change, PresenceChanged)
    assert change.leaves == {"ann": metas(1)}
    assert [meta.online_at for meta in change.joins["ann"].metas] == [9]


def test_those_who_do_not_come_back_are_gone_when_they_are_expected_no_more() -> None:
    presence = Presence(200)
    presence.expect({"ann": metas(1, 2), "bo": metas(3)})
    presence.track(Listener(), "ann", 9)
    presence.changes()
    presence.drop_expected()
    assert list(presence.listed().people) == ["ann"]
    assert presence.changes() == [PresenceChanged(joins={}, leaves={"ann": metas(2), "bo": metas(3)})]
    presence.drop_expected()
    assert presence.changes() == []
