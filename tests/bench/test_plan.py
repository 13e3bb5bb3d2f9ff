"""Who is where, and what is said when."""

import itertools

import pytest

from bench.plan import Group, Outcome, Step, Talk, expected, merge, schedule

TALK = Talk("group", 100.0)
STEP = Step((TALK,), warm_up=1.0, seconds=2.0)

GROUPS = [
    Group("group", rooms=1, people=500, publishers=10),
    Group("group", rooms=100, people=5, publishers=100),
    Group("group", rooms=100, people=5, publishers=250),
    Group("group", rooms=7, people=3, publishers=7),
]


@pytest.mark.parametrize("group", GROUPS)
def test_publishers_are_different_people_and_all_in_the_group(group: Group) -> None:
    members = {group.publisher(number) for number in range(group.publishers)}
    assert len(members) == group.publishers
    assert all(0 <= member < group.size for member in members)


@pytest.mark.parametrize("group", GROUPS)
def test_what_each_room_is_to_hear_is_what_its_publishers_say(group: Group) -> None:
    heard = [0] * group.rooms
    for said in schedule(STEP, TALK, group, 0):
        heard[group.room_of(group.publisher(said.publisher))] += 1
    assert heard == expected(STEP, TALK, group)
    assert sum(heard) == 300


def test_messages_are_due_at_even_distances_whatever_the_server_does() -> None:
    dues = [said.due for said in schedule(STEP, TALK, GROUPS[0], 5_000)]
    assert {after - before for before, after in itertools.pairwise(dues)} == {10_000_000}
    assert dues[0] == 5_000


def test_everybody_in_a_small_room_is_read_in_full_and_a_sample_of_a_large_one() -> None:
    assert len(GROUPS[1].read_in_full()) == 500
    sample = sorted(GROUPS[0].read_in_full())
    assert len(sample) == 8
    assert max(after - before for before, after in itertools.pairwise(sample)) <= 63


def test_processes_add_up() -> None:
    whole = merge([Outcome(sent=1, lost=2, late=0.1, last={5: 7}), Outcome(sent=2, late=0.3, last={5: 9, 6: 1})])
    assert (whole.sent, whole.lost, whole.late, whole.last) == (3, 2, 0.3, {5: 9, 6: 1})
