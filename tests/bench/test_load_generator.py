"""The load generator counts joins and deliveries against a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load_generator import LoadGenerator
from bench.plan import Arrival, Group, Step, Traffic
from bench.process import cpu_seconds, memory
from bench.seed_people import seed_accounts
from tests.support.database import query
from tests.support.server import Server

SMALL = Group("small", rooms=4, people=5, publishers=8)
LARGE = Group("large", rooms=1, people=40, publishers=3, sample=4, room_prefix="large")


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


def test_every_message_is_acknowledged_and_received_once_in_one_order(generator: LoadGenerator) -> None:
    traffic = (Traffic("small", 200.0), Traffic("large", 50.0))
    outcome = generator.run(Step(traffic, warm_up=0.1, seconds=0.4, abort_latency=60, drain_timeout=60))
    assert outcome.is_clean
    assert outcome.has_total_order
    assert (outcome.sent, outcome.acknowledged) == (125, 125)
    assert outcome.deliveries == 100 * 5 + 25 * 40
    assert len(outcome.by_group["small"]) == 80 * 5
    assert outcome.latency(0.99) >= outcome.latency(0.5) > 0


def test_counters_start_at_zero_in_every_step(generator: LoadGenerator) -> None:
    step = Step((Traffic("small", 100.0),), warm_up=0.0, seconds=0.2, abort_latency=60, drain_timeout=60)
    assert [generator.run(step).deliveries for _ in range(2)] == [100, 100]
    assert generator.heartbeat()
    assert generator.run(step).acknowledged == 20


def test_a_group_arrives_during_traffic(generator: LoadGenerator) -> None:
    crowd = Group("crowd", rooms=2, people=20, room_prefix="crowd")
    step = Step(
        (Traffic("small", 100.0),), Arrival(crowd), warm_up=0.0, seconds=0.3, abort_latency=60, drain_timeout=60
    )
    outcome = generator.run(step)
    assert outcome.is_clean
    assert outcome.arrived == len(outcome.join_times) == 40
    assert outcome.first_started_at < outcome.last_joined_at


def test_a_late_joiner_has_arrived_when_its_history_came(generator: LoadGenerator) -> None:
    generator.run(Step((Traffic("large", 100.0),), warm_up=0.0, seconds=0.2, abort_latency=60, drain_timeout=60))
    late = Group("late", rooms=1, people=10, room_prefix="large")
    assert generator.add_group(late, only="connect").arrived == 10
    assert generator.run(Step(arrival=Arrival(late, rate=200.0, only="join", history=10))).arrived == 10


def test_a_step_is_not_clean_if_the_server_died(tmp_path: Path) -> None:
    with Server(tmp_path / "chatter.db") as server, LoadGenerator(server.port, workers=1) as generator:
        generator.add_group(SMALL)
        server.kill()
        assert not generator.run(Step((Traffic("small", 100.0),), warm_up=0.0, seconds=0.1, drain_timeout=0.1)).is_clean


def test_cpu_time_and_memory_of_a_server_are_read(server: Server) -> None:
    assert cpu_seconds(server.pid) > 0
    assert memory(server.pid)["rss"] >= memory(server.pid)["pss"] > 1e6


def test_people_with_tokens_speak_as_their_accounts(tmp_path: Path) -> None:
    tokens = seed_accounts(tmp_path / "chatter.db", 6)
    group = Group("accounts", rooms=1, people=6, publishers=3, tokens=tokens)
    with Server(tmp_path / "chatter.db") as server, LoadGenerator(server.port, workers=2) as generator:
        assert generator.add_group(group).arrived == 6
        step = Step((Traffic("accounts", 60.0),), warm_up=0.0, seconds=0.2, abort_latency=60, drain_timeout=60)
        assert generator.run(step).is_clean
        said = query(server.database_url, "SELECT COUNT(*), COUNT(DISTINCT author) FROM entry WHERE author IS NOT NULL")
        assert said == [(12, 3)]
