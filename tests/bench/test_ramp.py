"""A ramp finds the highest sustained rate and always ends."""

import math
from array import array
from collections.abc import Callable

import pytest

from bench.load_generator import JoinFailed
from bench.plan import Outcome
from bench.ramp import find_highest_rate


def a_server_that_sustains(capacity: float) -> Callable[[float], Outcome]:
    return lambda rate: Outcome(latencies=array("Q", [1_000 if rate <= capacity else 1_000_000]))


@pytest.mark.parametrize("capacity", [3, 95, 100, 1_234, 50_000])
def test_the_highest_sustained_rate_is_found_from_below_and_above(capacity: float) -> None:
    found = find_highest_rate(a_server_that_sustains(capacity), 100.0, 100.0).rate
    assert found <= capacity
    assert capacity / found < 1.15


def test_no_rate_is_sustained_if_every_step_loses_a_message() -> None:
    assert find_highest_rate(lambda _rate: Outcome(lost=1, latencies=array("Q", [1])), 100.0, 100.0).rate == 0


def test_a_ramp_ends_even_if_every_rate_is_sustained() -> None:
    assert math.isfinite(find_highest_rate(a_server_that_sustains(math.inf), 100.0, 100.0).rate)


def test_a_rate_is_retried_once() -> None:
    tries: list[float] = []

    def run_step(rate: float) -> Outcome:
        tries.append(rate)
        if len(tries) == 1:
            raise JoinFailed("a temporary failure")
        return a_server_that_sustains(500)(rate)

    assert find_highest_rate(run_step, 100.0, 100.0).rate > 430
