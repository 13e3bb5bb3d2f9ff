"""Finds the highest sustained rate: raises it until it fails, then bisects."""

import dataclasses
import time
from collections.abc import Callable

from bench.load_generator import JoinFailed
from bench.plan import Outcome

STEP_FACTOR = 1.6
"""Ratio of the rates of two steps on the way up."""

MAX_STEPS = 24

MAX_SECONDS = 75.0
"""No step begins after this time. Bounds the ramp of a server whose steps all take long."""

BISECTIONS = 3
"""Bisections of the gap between the sustained and the failed rate. They find the rate to within 7 %."""


@dataclasses.dataclass(frozen=True, slots=True)
class RampResult:
    """The highest sustained rate and its outcome; rate 0 if even the lowest failed."""

    rate: float
    outcome: Outcome | None


def is_sustained(outcome: Outcome, limit: float) -> bool:
    """Returns whether a step is clean and its p99 latency is at most `limit` ms."""
    return outcome.is_clean and outcome.latency(0.99) <= limit


def find_highest_rate(run_step: Callable[[float], Outcome], first: float, limit: float) -> RampResult:
    """Finds the highest sustained rate, up from `first`, or down if that fails.

    `run_step` runs one step at a rate. A rate fails when two steps fail.
    """
    steps = 0
    until = time.monotonic() + MAX_SECONDS
    best = RampResult(0, None)
    failed = 0.0

    def sustains(rate: float) -> bool:
        nonlocal steps, best, failed
        for _ in range(2):
            steps += 1
            try:
                outcome = run_step(rate)
            except JoinFailed:
                continue
            if is_sustained(outcome, limit):
                best = RampResult(rate, outcome)
                return True
        failed = rate
        return False

    def is_within_budget() -> bool:
        return steps < MAX_STEPS and time.monotonic() < until

    rate = first
    while is_within_budget() and sustains(rate):
        rate *= STEP_FACTOR
    while is_within_budget() and not best.rate and rate > first / 50:
        rate /= 2
        sustains(rate)
    for _ in range(BISECTIONS):
        if best.rate and failed and is_within_budget():
            sustains((best.rate * failed) ** 0.5)
    return best
