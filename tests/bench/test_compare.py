"""What is called slower."""

import copy
import math
import random

import pytest

from bench.compare import verdict
from bench.results import Results, middle, spread, with_kept


def results(chatter: list[float], peer: list[float]) -> Results:
    figures = {"a": {"chatter": {"p99": chatter}, "plain_tornado": {"p99": peer}}}
    return {"quick": True, "commands": {}, "machine": {}, "versions": {}, "held": {}, "figures": figures}


KEPT = results([10.0, 10.2], [20.0, 20.4])


def test_a_machine_at_half_the_speed_is_no_regression() -> None:
    assert not verdict(results([20.0, 20.4], [40.0, 40.8]), KEPT).is_slower


def test_twice_the_latency_on_the_same_machine_is_one_and_is_named() -> None:
    found = verdict(results([20.0, 20.4], [20.0, 20.4]), KEPT)
    assert found.is_slower
    assert any("SLOWER: (a) big room, p99 at 200 msg/s" in line for line in found.lines)


@pytest.mark.parametrize("figure", [0.0, math.nan])
def test_what_worked_before_and_fails_now_is_one(figure: float) -> None:
    found = verdict(results([figure, figure], [20.0, 20.4]), KEPT)
    assert found.is_slower


def test_what_was_not_measured_this_time_is_none() -> None:
    assert not verdict(results([], [20.0, 20.4]), KEPT).is_slower


def test_what_the_spread_of_the_repeats_explains_is_none() -> None:
    assert not verdict(results([10.0, 22.0], [20.0, 20.4]), KEPT).is_slower


@pytest.mark.parametrize(("factor", "found"), [(1.0, range(6)), (3.0, range(150, 201))])
def test_chance_is_hardly_ever_called_slower_and_a_loss_nearly_always(factor: float, found: range) -> None:
    chance = random.Random(1)

    def measured(centre: float, repeats: int) -> list[float]:
        return [centre * chance.lognormvariate(0, 0.15) for _ in range(repeats)]

    slower = [
        verdict(results(measured(10 * factor, 2), measured(20, 2)), results(measured(10, 2), measured(20, 2))).is_slower
        for _ in range(200)
    ]
    assert sum(slower) in found


def test_for_a_rate_less_is_slower() -> None:
    kept, now = copy.deepcopy(KEPT), copy.deepcopy(KEPT)
    for run, held in ((kept, 100.0), (now, 40.0)):
        run["figures"]["a"] = {"chatter": {"held": [held]}, "plain_tornado": {"held": [10.0]}}
    assert verdict(now, kept).is_slower
    assert not verdict(kept, now).is_slower


def test_what_only_chatter_does_is_related_to_another_figure_of_the_peer() -> None:
    kept, now = copy.deepcopy(KEPT), copy.deepcopy(KEPT)
    for run, busy in ((kept, 1.0), (now, 2.0)):
        run["figures"]["a"] = {"chatter": {"busy": [busy]}, "plain_tornado": {"cpu": [10.0]}}
    assert verdict(now, kept).is_slower
    assert not verdict(kept, now).is_slower


def test_scenarios_that_were_not_measured_anew_are_kept() -> None:
    new = results([], [])
    new["figures"] = {"b": {"chatter": {"p99": [3.0]}}}
    assert with_kept(new, KEPT)["figures"] == {**KEPT["figures"], **new["figures"]}


def test_figures_of_another_machine_are_not_kept() -> None:
    new = results([1.0], [2.0])
    new["machine"] = {"processor": "another"}
    assert with_kept(new, KEPT) == new


def test_a_figure_that_half_of_the_tries_did_not_give_is_none() -> None:
    assert middle([1.0, 2.0, math.nan]) == 1.5
    assert math.isnan(middle([1.0, math.nan]))


@pytest.mark.parametrize(("values", "part"), [([10.0, 10.0], 0.0), ([9.0, 10.0, 11.0], 0.1), ([5.0], 0.0)])
def test_the_spread_is_half_the_distance_of_the_extremes(values: list[float], part: float) -> None:
    assert spread(values) == pytest.approx(part)
