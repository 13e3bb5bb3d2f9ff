"""Defines a scenario: its name, figures and measuring function."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeAlias

from bench.plan import Outcome
from bench.servers import Server

Figures: TypeAlias = Mapping[str, float]
"""Values by figure name; NaN if the server failed to do it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """Describes one figure: how it is shown and how it is compared."""

    title: str
    unit: str
    better: str = "lower"  # or "higher"
    digits: int = 1
    is_compared: bool = True  # with the baseline
    noise_floor: float = 0.2  # relative; a smaller change is never reported
    peer_figure: str = ""  # the peer's figure to relate to; empty: the one of the same name


@dataclasses.dataclass(slots=True)
class Context:
    """The state shared by all measurements of a run."""

    quick: bool
    sustained_rates: dict[str, float] = dataclasses.field(default_factory=dict)  # by "scenario server"
    print_line: Callable[[str], None] = print

    def starting_rate(self, scenario: str, server: Server, otherwise: float) -> float:
        """Returns a ramp's start: 70 % of the rate sustained before, or `otherwise`."""
        return self.sustained_rates.get(f"{scenario} {server.name}", 0) * 0.7 or otherwise

    def remember_rate(self, scenario: str, server: Server, rate: float) -> None:
        """Stores a sustained rate for the next ramp; ignores 0."""
        if rate:
            self.sustained_rates[f"{scenario} {server.name}"] = rate

    def report_step(self, server: Server, what: str, outcome: Outcome, server_cpu: float) -> None:
        """Prints a step's latency, problems, CPU and largest send delay in one line."""
        problems = "clean" if outcome.is_clean else _problems(outcome)
        self.print_line(
            f"    {server.name} {what}: p50 {outcome.latency(0.5):.2f} p99 {outcome.latency(0.99):.2f} ms, {problems}; "
            f"CPU server {server_cpu:.2f} s, generator {outcome.generator_cpu:.2f} s, "
            f"sent at most {1000 * outcome.max_send_delay:.1f} ms late"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """One measurement of the benchmark, selected by its letter."""

    letter: str
    name: str
    title: str
    figures: Mapping[str, Figure]
    measure: Callable[[Server, Context], Figures]
    for_peers: bool = True  # peers are measured too
    in_quick: bool = True  # part of the quick run


def _problems(outcome: Outcome) -> str:
    names = ("lost", "duplicated", "reordered", "refused", "disconnected", "failed")
    found = [f"{getattr(outcome, name)} {name}" for name in names if getattr(outcome, name)]
    if outcome.sent != outcome.acknowledged:
        found.append(f"{outcome.sent - outcome.acknowledged} not acknowledged")
    return ", ".join((["aborted"] if outcome.aborted else []) + found)
