from chatter.messages import Meta, Metas, PresenceChanged
from chatter.room.presence import Presence
from tests.support.stage import Listener


def test_a_person_is_listed_once_with_all_connections_oldest_first() -> None:
    presence = Presence(200)
    for online_at in (3, 1, 2):
        presence.track(Listener(), "ann", online_at)
    assert [meta.online_at for meta in presence.listed().people["ann"].metas] == [3, 1, 2]
    assert (len(presence), presence.connections) == (1, 3)


def test_every_connection_has_its_own_phx_ref() -> None:
    presence = Presence(200, 100)
    for _ in range(100):
        presence.track(Listener(), "ann", 0)
    assert len({meta.phx_ref for meta in presence.listed().people["ann"].metas}) == 100


def test_a_change_is_returned_once() -> None:
    presence = Presence(200)
    presence.track(Listener(), "ann", 0)
    assert presence.changes() == [PresenceChanged(joins=presence.listed().people, leaves={})]
    assert presence.changes() == []


def test_a_connection_that_joins_and_leaves_between_calls_is_in_both_halves() -> None:
    presence, ann = Presence(200), Listener()
    presence.track(ann, "ann", 0)
    listed = presence.listed().people
    presence.untrack(ann)
    assert presence.changes() == [PresenceChanged(joins=listed, leaves=listed)]
    assert presence.listed().people == {}


def test_untracking_an_unknown_connection_changes_nothing() -> None:
    presence = Presence(200)
    presence.untrack(Listener())
    assert presence.changes() == []


def test_returned_lists_and_changes_are_not_modified_later() -> None:
    presence = Presence(200)
    presence.track(Listener(), "ann", 0)
    listed, [change] = presence.listed(), presence.changes()
    presence.track(Listener(), "ann", 1)
    assert len(listed.people["ann"].metas) == 1
    assert isinstance(change, PresenceChanged)
    assert len(change.joins["ann"].metas) == 1


def metas(*online_at: int) -> Metas:
    return Metas(tuple(Meta(f"ref-{at}", at) for at in online_at))


def test_a_connection_replaces_one_that_was_expected_under_its_name() -> None:
    presence = Presence(200)
    presence.expect({"ann": metas(1, 2)})
    assert (len(presence), presence.changes()) == (1, [])
    presence.track(Listener(), "ann", 9)
    assert [meta.online_at for meta in presence.listed().people["ann"].metas] == [2, 9]
    [change] = presence.changes()
    assert isinstance(change, PresenceChanged)
    assert change.leaves == {"ann": metas(1)}
    assert [meta.online_at for meta in change.joins["ann"].metas] == [9]


def test_dropping_expected_people_shows_those_who_did_not_come_as_gone() -> None:
    presence = Presence(200)
    presence.expect({"ann": metas(1, 2), "bo": metas(3)})
    presence.track(Listener(), "ann", 9)
    presence.changes()
    presence.drop_expected()
    assert list(presence.listed().people) == ["ann"]
    assert presence.changes() == [PresenceChanged(joins={}, leaves={"ann": metas(2), "bo": metas(3)})]
    presence.drop_expected()
    assert presence.changes() == []
