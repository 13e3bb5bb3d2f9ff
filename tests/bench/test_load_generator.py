"""The generator against a real server: people come, talk, are counted, and go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load_generator import LoadGenerator
from bench.plan import Arrival, Group, Step, Talk
from bench.process import cpu_seconds, memory
from tests.support.server import Server

SMALL = Group("small", rooms=4, people=5, publishers=8)
LARGE = Group("large", rooms=1, people=40, publishers=3, sample=4, place="large")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("bench")
    with Server(folder / "chatter.db") as running:
        yield running


@pytest.fixture(scope="module")
def generator(server: Server) -> Iterator[LoadGenerator]:
    with LoadGenerator(server.port, workers=2) as running:
        assert running.add_group(SMALL).arrived == 20
        assert running.add_group(LARGE).arrived == 40
        yield running


def test_all_that_is_said_is_acknowledged_and_heard_once_in_one_order(generator: LoadGenerator) -> None:
    talks = (Talk("small", 200.0), Talk("large", 50.0))
    outcome = generator.run(Step(talks, warm_up=0.1, seconds=0.4, give_up_at=60, patience=60))
    assert outcome.is_clean
    assert outcome.has_one_order
    assert (outcome.sent, outcome.acknowledged) == (125, 125)
    assert outcome.deliveries == 100 * 5 + 25 * 40
    assert len(outcome.by_group["small"]) == 80 * 5
    assert outcome.latency(0.99) >= outcome.latency(0.5) > 0


def test_one_step_does_not_count_for_the_next(generator: LoadGenerator) -> None:
    step = Step((Talk("small", 100.0),), warm_up=0.0, seconds=0.2, give_up_at=60, patience=60)
    assert [generator.run(step).deliveries for _ in range(2)] == [100, 100]
    assert generator.heartbeat()
    assert generator.run(step).acknowledged == 20


def test_people_arrive_while_others_talk(generator: LoadGenerator) -> None:
    crowd = Group("crowd", rooms=2, people=20, place="crowd")
    step = Step((Talk("small", 100.0),), Arrival(crowd), warm_up=0.0, seconds=0.3, give_up_at=60, patience=60)
    outcome = generator.run(step)
    assert outcome.is_clean
    assert outcome.arrived == len(outcome.joins) == 40
    assert outcome.first_at < outcome.last_at


def test_one_who_joins_late_is_in_when_the_past_has_come(generator: LoadGenerator) -> None:
    generator.run(Step((Talk("large", 100.0),), warm_up=0.0, seconds=0.2, give_up_at=60, patience=60))
    late = Group("late", rooms=1, people=10, place="large")
    assert generator.add_group(late, only="connect").arrived == 10
    assert generator.run(Step(arrival=Arrival(late, rate=200.0, only="join", greeting=10))).arrived == 10


def test_a_server_that_is_gone_is_no_clean_step(tmp_path: Path) -> None:
    with Server(tmp_path / "chatter.db") as server, LoadGenerator(server.port, workers=1) as generator:
        generator.add_group(SMALL)
        server.kill()
        assert not generator.run(Step((Talk("small", 100.0),), warm_up=0.0, seconds=0.1, patience=0.1)).is_clean


def test_a_server_has_cpu_time_and_memory(server: Server) -> None:
    assert cpu_seconds(server.pid) > 0
    assert memory(server.pid)["rss"] >= memory(server.pid)["pss"] > 1e6
