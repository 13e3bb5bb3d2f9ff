"""Compares the figures of a run with the baseline in bench/results.

Machines differ, and one machine differs from hour to hour. So the ratio of Chatter to a peer in the same run is
compared: a slower machine slows both. A figure counts as slower only beyond the noise, which is estimated from the
repeats of both runs and both servers, and never within the figure's noise floor.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence

from bench.results import Results, median_or_nan
from bench.scenario import Figure
from bench.scenarios import SCENARIOS

REFERENCE_PEERS = ("plain_tornado", "websockets_peer", "socketify_peer", "ws_peer", "starlette_peer")
"""Peers in order of preference. Chatter is related to the first that has the figure in both runs."""

STANDARD_ERRORS = 4
"""Width of the noise. With the usual repeats, chance alone exceeds it in one figure of 100 to 600."""


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """The lines to print, and whether any figure got slower."""

    lines: list[str]
    is_slower: bool


def compare(now: Results, baseline: Results) -> Comparison:
    """Compares all figures that both runs have."""
    if now["quick"] != baseline["quick"]:
        return Comparison(["A quick run and a full one cannot be compared."], is_slower=False)
    lines, is_slower, compared = ["", "Compared with the baseline, as ratios to a peer in the same run:"], False, 0
    for letter, scenario in SCENARIOS.items():
        for name, figure in scenario.figures.items():
            change = _change(now, baseline, letter, name, figure) if figure.is_compared else None
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
                lines.append(f"  {word}: {what}: {by:.2f} times, relative to {peer}; noise ±{noise:.0%}")
    lines.append(f"  {compared} figures compared, {'some' if is_slower else 'none'} slower than the noise explains.")
    return Comparison(lines, is_slower)


def _change(now: Results, baseline: Results, letter: str, name: str, figure: Figure) -> tuple[float, float, str] | None:
    """Returns how many times worse the figure is, the noise, and the peer.

    Returns None if no peer has the figure in both runs. A figure that the baseline has and this run failed to measure
    is infinitely worse.
    """
    for peer in REFERENCE_PEERS:
        series = [
            run["figures"].get(letter, {}).get(server, {}).get(key, [])
            for run in (now, baseline)
            for server, key in (("chatter", name), (peer, figure.peer_figure or name))
        ]
        ours, theirs, ours_before, theirs_before = map(median_or_nan, series)
        if not series[0] or not all(_is_usable(value) for value in (theirs, ours_before, theirs_before)):
            continue
        if not _is_usable(ours):
            return math.inf, figure.noise_floor, peer
        worse = (ours / theirs) / (ours_before / theirs_before)
        all_ours, all_theirs, all_ours_before, all_theirs_before = series
        error = math.hypot(_standard_error(all_ours, all_ours_before), _standard_error(all_theirs, all_theirs_before))
        noise = max(figure.noise_floor, math.exp(STANDARD_ERRORS * error) - 1)
        return (1 / worse if figure.better == "higher" else worse), noise, peer
    return None


def _standard_error(now: Sequence[float], before: Sequence[float]) -> float:
    """Returns the relative standard error of the ratio of two medians.

    The variance is pooled over both runs, since two repeats say little about it.
    """
    logarithms = [[math.log(value) for value in values if _is_usable(value)] for values in (now, before)]
    freedom = sum(len(values) - 1 for values in logarithms)
    if not freedom:
        return 0.0
    squares = sum(statistics.variance(values) * (len(values) - 1) for values in logarithms if len(values) > 1)
    return math.sqrt(squares / freedom * sum(1 / len(values) for values in logarithms))


def _is_usable(value: float) -> bool:
    """Returns whether a value is positive and finite, so that it has a logarithm."""
    return value > 0 and math.isfinite(value)
