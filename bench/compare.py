"""These figures against those that are kept.

Machines differ, and one machine differs from hour to hour. So what is compared is the ratio of Chatter to a peer that
was measured in the same run: a slower machine slows both. What counts as slower is more than the noise, as the repeats
of both runs show it for both servers, and never less than a floor.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence

from bench.results import Results, middle
from bench.scenario import Figure
from bench.scenarios import SCENARIOS

CALIBRATORS = ("plain_tornado", "websockets_peer", "socketify_peer", "ws_peer", "starlette_peer")
"""The first of them that has a figure in both runs is what Chatter is related to."""

STANDARD_ERRORS = 4
"""More are no noise: with the usual repeats chance alone comes to them in one figure of 100 to 600."""


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """What to print, and whether anything got slower."""

    lines: list[str]
    is_slower: bool


def verdict(now: Results, kept: Results) -> Comparison:
    """Compare all figures that both runs have."""
    if now["quick"] != kept["quick"]:
        return Comparison(["A quick run and a full one cannot be compared."], is_slower=False)
    lines, is_slower, compared = ["", "Against the kept figures, as ratios to a peer in the same run:"], False, 0
    for letter, scenario in SCENARIOS.items():
        for name, figure in scenario.figures.items():
            change = _change(now, kept, letter, name, figure) if figure.compared else None
            if change is None:
                continue
            compared += 1
            worse, noise, peer = change
            slower = worse > 1 + noise
            is_slower |= slower
            if slower or worse < 1 / (1 + noise):
                word = "SLOWER" if slower else "better"
                by = worse if slower else 1 / worse
                what = f"({letter}) {scenario.name}, {figure.title}"
                lines.append(f"  {word}: {what}: {by:.2f} times, to {peer}; noise ±{noise:.0%}")
    lines.append(f"  {compared} figures compared, {'some' if is_slower else 'none'} slower than the noise explains.")
    return Comparison(lines, is_slower)


def _change(now: Results, kept: Results, letter: str, name: str, figure: Figure) -> tuple[float, float, str] | None:
    """How many times worse, how much is noise, and related to whom; None where there is nothing to relate to."""
    for peer in CALIBRATORS:
        series = [
            run["figures"].get(letter, {}).get(server, {}).get(which, [])
            for run in (now, kept)
            for server, which in (("chatter", name), (peer, figure.related_to or name))
        ]
        ours, theirs, ours_kept, theirs_kept = map(middle, series)
        if not series[0] or not all(_is_figure(value) for value in (theirs, ours_kept, theirs_kept)):
            continue
        if not _is_figure(ours):
            return math.inf, figure.floor, peer  # it could do this before
        worse = (ours / theirs) / (ours_kept / theirs_kept)
        ours_now, theirs_now, ours_then, theirs_then = series
        error = math.hypot(_standard_error(ours_now, ours_then), _standard_error(theirs_now, theirs_then))
        noise = max(figure.floor, math.exp(STANDARD_ERRORS * error) - 1)
        return (1 / worse if figure.better == "higher" else worse), noise, peer
    return None


def _standard_error(now: Sequence[float], then: Sequence[float]) -> float:
    """Of the ratio of two medians, as a part of it. How much one value differs from another is taken from both runs
    together, since two repeats say little about that.
    """
    logarithms = [[math.log(value) for value in values if _is_figure(value)] for values in (now, then)]
    freedom = sum(len(values) - 1 for values in logarithms)
    if not freedom:
        return 0.0
    squares = sum(statistics.variance(values) * (len(values) - 1) for values in logarithms if len(values) > 1)
    return math.sqrt(squares / freedom * sum(1 / len(values) for values in logarithms))


def _is_figure(value: float) -> bool:
    """Neither nothing at all nor a failure."""
    return value > 0 and math.isfinite(value)
