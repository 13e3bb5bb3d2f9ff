"""The highest rate that a server holds: raise it until it fails, then halve the gap."""

import dataclasses
import time
from collections.abc import Callable

from bench.load_generator import JoinFailed
from bench.plan import Outcome

FACTOR = 1.6
"""From one step to the next on the way up."""

MOST_STEPS = 24
"""Whatever happens, a ramp ends."""

MOST_SECONDS = 75.0
"""The same for a server whose every step takes long: no step begins after so many."""

HALVINGS = 3
"""Of the gap between what was held and what was not: to within 7 %."""


@dataclasses.dataclass(frozen=True, slots=True)
class RampResult:
    """The highest rate that was held, 0 where not even the first was, and what it looked like."""

    rate: float
    outcome: Outcome | None


def is_sustained(outcome: Outcome, limit: float) -> bool:
    """Everything arrived once, all was acknowledged, and 99 of 100 deliveries took at most `limit` ms."""
    return outcome.is_clean and outcome.latency(0.99) <= limit


def find_highest_rate(attempt: Callable[[float], Outcome], first: float, limit: float) -> RampResult:
    """Find the highest rate, from `first` up, or down where that is too much.

    `attempt` has one step done at a rate. A rate has failed when it failed twice.
    """
    steps = 0
    until = time.monotonic() + MOST_SECONDS
    best = RampResult(0, None)
    failed = 0.0

    def holds(rate: float) -> bool:
        nonlocal steps, best, failed
        for _ in range(2):
            steps += 1
            try:
                outcome = attempt(rate)
            except JoinFailed:
                continue
            if is_sustained(outcome, limit):
                best = RampResult(rate, outcome)
                return True
        failed = rate
        return False

    def may_go_on() -> bool:
        return steps < MOST_STEPS and time.monotonic() < until

    rate = first
    while may_go_on() and holds(rate):
        rate *= FACTOR
    while may_go_on() and not best.rate and rate > first / 50:
        rate /= 2
        holds(rate)
    for _ in range(HALVINGS):
        if best.rate and failed and may_go_on():
            holds((best.rate * failed) ** 0.5)
    return best
