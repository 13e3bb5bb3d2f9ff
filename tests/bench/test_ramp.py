"""A ramp finds what a server holds, and ends."""

import math
from array import array
from collections.abc import Callable

import pytest

from bench.load_generator import JoinFailed
from bench.plan import Outcome
from bench.ramp import find_highest_rate


def a_server_that_holds(most: float) -> Callable[[float], Outcome]:
    return lambda rate: Outcome(latencies=array("Q", [1_000 if rate <= most else 1_000_000]))


@pytest.mark.parametrize("most", [3, 95, 100, 1_234, 50_000])
def test_the_highest_rate_held_is_found_from_below_and_from_above(most: float) -> None:
    held = find_highest_rate(a_server_that_holds(most), 100.0, 100.0).rate
    assert held <= most
    assert most / held < 1.15


def test_nothing_is_held_where_every_step_loses_something() -> None:
    assert find_highest_rate(lambda _rate: Outcome(lost=1, latencies=array("Q", [1])), 100.0, 100.0).rate == 0


def test_a_ramp_ends_though_nothing_is_too_much() -> None:
    assert math.isfinite(find_highest_rate(a_server_that_holds(math.inf), 100.0, 100.0).rate)


def test_a_step_may_fail_once() -> None:
    tries: list[float] = []

    def attempt(rate: float) -> Outcome:
        tries.append(rate)
        if len(tries) == 1:
            raise JoinFailed("a hiccup")
        return a_server_that_holds(500)(rate)

    assert find_highest_rate(attempt, 100.0, 100.0).rate > 430
