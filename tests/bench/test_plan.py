"""Groups spread people over rooms; schedules are fixed before a step."""

import itertools

import pytest

from bench.plan import Group, Outcome, Step, Traffic, expected_per_room, merge, schedule

TRAFFIC = Traffic("group", 100.0)
STEP = Step((TRAFFIC,), warm_up=1.0, seconds=2.0)

GROUPS = [
    Group("group", rooms=1, people=500, publishers=10),
    Group("group", rooms=100, people=5, publishers=100),
    Group("group", rooms=100, people=5, publishers=250),
    Group("group", rooms=7, people=3, publishers=7),
]


@pytest.mark.parametrize("group", GROUPS)
def test_publishers_are_distinct_members_of_the_group(group: Group) -> None:
    members = {group.member_of_publisher(number) for number in range(group.publishers)}
    assert len(members) == group.publishers
    assert all(0 <= member < group.size for member in members)


@pytest.mark.parametrize("group", GROUPS)
def test_each_room_expects_the_messages_of_its_publishers(group: Group) -> None:
    counts = [0] * group.rooms
    for message in schedule(STEP, TRAFFIC, group, 0):
        counts[group.room_of(group.member_of_publisher(message.publisher))] += 1
    assert counts == expected_per_room(STEP, TRAFFIC, group)
    assert sum(counts) == 300


def test_messages_are_due_at_constant_intervals() -> None:
    dues = [message.due for message in schedule(STEP, TRAFFIC, GROUPS[0], 5_000)]
    assert {after - before for before, after in itertools.pairwise(dues)} == {10_000_000}
    assert dues[0] == 5_000


def test_all_of_a_small_room_and_a_sample_of_a_large_one_are_recorded() -> None:
    assert len(GROUPS[1].recorded_members()) == 500
    sample = sorted(GROUPS[0].recorded_members())
    assert len(sample) == 8
    assert max(after - before for before, after in itertools.pairwise(sample)) <= 63


def test_outcomes_of_all_processes_are_merged() -> None:
    whole = merge(
        [
            Outcome(sent=1, lost=2, max_send_delay=0.1, last_receipts={5: 7}),
            Outcome(sent=2, max_send_delay=0.3, last_receipts={5: 9, 6: 1}),
        ]
    )
    assert (whole.sent, whole.lost, whole.max_send_delay, whole.last_receipts) == (3, 2, 0.3, {5: 9, 6: 1})
