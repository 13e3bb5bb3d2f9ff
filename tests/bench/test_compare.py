"""The comparison with the baseline reports regressions and ignores noise."""

import copy
import math
import random

import pytest

from bench.compare import compare
from bench.results import Results, half_range, median_or_nan, merge_with_baseline


def results(chatter: list[float], peer: list[float]) -> Results:
    figures = {"a": {"chatter": {"p99": chatter}, "plain_tornado": {"p99": peer}}}
    return {"quick": True, "commands": {}, "machine": {}, "versions": {}, "held": {}, "figures": figures}


BASELINE = results([10.0, 10.2], [20.0, 20.4])


def test_a_slower_machine_is_no_regression() -> None:
    assert not compare(results([20.0, 20.4], [40.0, 40.8]), BASELINE).is_slower


def test_twice_the_latency_is_a_regression_and_is_named() -> None:
    comparison = compare(results([20.0, 20.4], [20.0, 20.4]), BASELINE)
    assert comparison.is_slower
    assert any("SLOWER: (a) big room, p99 at 200 msg/s" in line for line in comparison.lines)


@pytest.mark.parametrize("failure", [0.0, math.nan])
def test_a_figure_that_fails_now_is_a_regression(failure: float) -> None:
    comparison = compare(results([failure, failure], [20.0, 20.4]), BASELINE)
    assert comparison.is_slower


def test_a_figure_not_measured_now_is_no_regression() -> None:
    assert not compare(results([], [20.0, 20.4]), BASELINE).is_slower


def test_a_difference_within_the_noise_is_no_regression() -> None:
    assert not compare(results([10.0, 22.0], [20.0, 20.4]), BASELINE).is_slower


@pytest.mark.parametrize(("factor", "expected"), [(1.0, range(6)), (3.0, range(150, 201))])
def test_chance_is_rarely_reported_and_a_real_loss_nearly_always(factor: float, expected: range) -> None:
    generator = random.Random(1)

    def measured(centre: float, repeats: int) -> list[float]:
        return [centre * generator.lognormvariate(0, 0.15) for _ in range(repeats)]

    slower = [
        compare(results(measured(10 * factor, 2), measured(20, 2)), results(measured(10, 2), measured(20, 2))).is_slower
        for _ in range(200)
    ]
    assert sum(slower) in expected


def test_a_lower_rate_is_a_regression() -> None:
    baseline, now = copy.deepcopy(BASELINE), copy.deepcopy(BASELINE)
    for run, held in ((baseline, 100.0), (now, 40.0)):
        run["figures"]["a"] = {"chatter": {"held": [held]}, "plain_tornado": {"held": [10.0]}}
    assert compare(now, baseline).is_slower
    assert not compare(baseline, now).is_slower


def test_a_figure_only_chatter_has_is_related_to_another_one_of_the_peer() -> None:
    baseline, now = copy.deepcopy(BASELINE), copy.deepcopy(BASELINE)
    for run, busy in ((baseline, 1.0), (now, 2.0)):
        run["figures"]["a"] = {"chatter": {"busy": [busy]}, "plain_tornado": {"cpu": [10.0]}}
    assert compare(now, baseline).is_slower
    assert not compare(baseline, now).is_slower


def test_scenarios_not_measured_now_keep_their_baseline() -> None:
    new = results([], [])
    new["figures"] = {"b": {"chatter": {"p99": [3.0]}}}
    assert merge_with_baseline(new, BASELINE)["figures"] == {**BASELINE["figures"], **new["figures"]}


def test_the_baseline_of_another_machine_is_dropped() -> None:
    new = results([1.0], [2.0])
    new["machine"] = {"processor": "another"}
    assert merge_with_baseline(new, BASELINE) == new


def test_the_median_is_nan_if_half_of_the_repeats_failed() -> None:
    assert median_or_nan([1.0, 2.0, math.nan]) == 1.5
    assert math.isnan(median_or_nan([1.0, math.nan]))


@pytest.mark.parametrize(("values", "fraction"), [([10.0, 10.0], 0.0), ([9.0, 10.0, 11.0], 0.1), ([5.0], 0.0)])
def test_the_half_range_is_relative_to_the_median(values: list[float], fraction: float) -> None:
    assert half_range(values) == pytest.approx(fraction)
