"""A cluster of whole nodes, three nats-servers and a PostgreSQL of its own, which tests break, and a crowd for it."""

import contextlib
import signal
import time
import zlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.faults.crowd import PAGE_SIZE, Crowd
from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL

LANES = 4
OPTIONS: dict[str, Any] = {"max_recovery_page": PAGE_SIZE, "accounts": "off"}
LOAD: dict[str, Any] = {"writers": 1, "editors": 1, "readers": 1, "log_readers": 2, "twins": True, "interval": 0.05}
THREE = ("east", "north", "west")
_numbers = count(1)


def rooms(of: str = "room") -> list[str]:
    """Names that no room has yet: one for each lane, and another one for the first."""
    return [_room(of, lane) for lane in (*range(LANES), 0)]


def _room(of: str, lane: int) -> str:
    slugs = (f"{of}-{number}" for number in _numbers)
    return next(slug for slug in slugs if zlib.crc32(slug.encode()) % LANES == lane)


def gather(cluster: Cluster, *, of: list[str] | None = None, **load: Any) -> Crowd:
    """Has people talk, edit and react in rooms of all lanes, through all nodes: `with gather(cluster) as crowd:`."""
    return Crowd([cluster.port(name) for name in cluster.nodes], of or rooms(), **{**LOAD, **load})


@pytest.fixture(scope="module")
def database_server() -> Iterator[PostgreSQL]:
    """Starts a PostgreSQL that tests may stop and kill."""
    with PostgreSQL() as running:
        yield running


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, database_server: PostgreSQL) -> Iterator[Cluster]:
    """Starts three nats-servers and two nodes for a file of tests."""
    folder, database = tmp_path_factory.mktemp("cluster"), database_server.create_database()
    with Cluster(folder, database, nats_servers=3, **OPTIONS) as started:
        yield started


@pytest.fixture
def cluster(nodes: Cluster) -> Iterator[Cluster]:
    """Lends the cluster, and makes it whole again after a test that has failed."""
    yield nodes
    for server in nodes.nats.servers:
        if server.is_running:
            server.signal(signal.SIGCONT)
    nodes.nats.start()
    for name, node in nodes.nodes.items():
        if node.is_running:
            nodes.resume(name)
    nodes.start()


@contextlib.contextmanager
def measured(crowd: Crowd, fault: str) -> Iterator[None]:
    """Says for how long nothing was acknowledged in some room during a fault: what `docs/cluster.md` is about."""
    since = time.monotonic()
    yield
    print(f"{fault}: at most {crowd.longest_silence(since):.1f} s without an acknowledgement in a room")
