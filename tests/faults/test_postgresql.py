"""PostgreSQL stops, or loses connections, while clients post."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import SMALL_MEMORY
from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.faults.outage import check_outage
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server

pytestmark = pytest.mark.postgresql


@pytest.fixture
def server(database: Path, cluster: PostgreSQL) -> Iterator[Server]:
    with Server(database, database_url=cluster.create_database(), **SMALL_MEMORY) as started:
        yield started


@contextmanager
def stopped(cluster: PostgreSQL) -> Iterator[None]:
    cluster.stop()
    try:
        yield
    finally:
        cluster.start()


@contextmanager
def killed(cluster: PostgreSQL) -> Iterator[None]:
    cluster.kill()
    try:
        yield
    finally:
        cluster.start()


@pytest.mark.parametrize("fault", [stopped, killed])
def test_posts_are_broadcast_while_postgresql_is_down_and_saved_later(
    server: Server, cluster: PostgreSQL, fault: Callable[[PostgreSQL], AbstractContextManager[None]]
) -> None:
    check_outage(server, fault(cluster))


def test_a_postgresql_that_is_killed_repeatedly_loses_nothing(server: Server, cluster: PostgreSQL) -> None:
    with Crowd(server.port) as crowd:
        for _ in range(5):
            crowd.wait_for_more(50)
            cluster.kill()
            cluster.start()
        crowd.wait_for_more(50)
        check_consistency(crowd, server.database_url)


def test_connections_to_postgresql_that_are_cut_are_opened_again(server: Server, cluster: PostgreSQL) -> None:
    with Crowd(server.port) as crowd:
        for _ in range(10):
            crowd.wait_for_more(50)
            crowd.wait_until(lambda: cluster.terminate_backends() > 0)
        crowd.wait_for_more(50)
        check_consistency(crowd, server.database_url)
