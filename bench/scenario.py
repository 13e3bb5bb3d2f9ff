"""What a scenario is: a name, what it measures, and a function that measures it once for one server."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeAlias

from bench.plan import Outcome
from bench.servers import Server

Figures: TypeAlias = Mapping[str, float]
"""By name; NaN where a server could not do it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """What one figure means."""

    title: str
    unit: str
    better: str = "lower"  # or "higher"
    digits: int = 1
    compared: bool = True  # with the figures that are kept in the repository
    floor: float = 0.2  # a change up to this part is never called one
    related_to: str = ""  # the peer's figure that it is compared by; without: the same one


@dataclasses.dataclass(slots=True)
class Context:
    """What a measurement is given besides the server."""

    quick: bool
    held: dict[str, float] = dataclasses.field(default_factory=dict)  # rates held before, to begin near
    note: Callable[[str], None] = print

    def first_rate(self, scenario: str, server: Server, otherwise: float) -> float:
        """Where a ramp begins: a little below what was held before."""
        return self.held.get(f"{scenario} {server.name}", 0) * 0.7 or otherwise

    def remember(self, scenario: str, server: Server, rate: float) -> None:
        """So that the next ramp begins near."""
        if rate:
            self.held[f"{scenario} {server.name}"] = rate

    def tell(self, server: Server, what: str, outcome: Outcome, cpu: float) -> None:
        """One line for a step: what came of it, and what it cost the server and the generator."""
        verdict = "clean" if outcome.is_clean else _troubles(outcome)
        self.note(
            f"    {server.name} {what}: p50 {outcome.latency(0.5):.2f} p99 {outcome.latency(0.99):.2f} ms, {verdict}; "
            f"CPU server {cpu:.2f} s, generator {outcome.cpu:.2f} s, sent at most {1000 * outcome.late:.1f} ms late"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """One of the things that are measured."""

    letter: str
    name: str
    title: str
    figures: Mapping[str, Figure]
    measure: Callable[[Server, Context], Figures]
    for_peers: bool = True
    in_quick: bool = True


def _troubles(outcome: Outcome) -> str:
    named = ("lost", "doubled", "disordered", "refused", "gone", "failed")
    found = [f"{getattr(outcome, name)} {name}" for name in named if getattr(outcome, name)]
    if outcome.sent != outcome.acknowledged:
        found.append(f"{outcome.sent - outcome.acknowledged} not acknowledged")
    return ", ".join((["given up"] if outcome.gave_up else []) + found)
