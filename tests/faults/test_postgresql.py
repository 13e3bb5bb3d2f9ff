"""PostgreSQL goes away while many talk, and comes back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import FORGETFUL
from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.faults.outage import people_go_on_talking
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server

pytestmark = pytest.mark.postgresql


@pytest.fixture
def server(database: Path, cluster: PostgreSQL) -> Iterator[Server]:
    with Server(database, database_url=cluster.create_database(), **FORGETFUL) as started:
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
def test_people_go_on_talking_while_postgresql_is_away(
    server: Server, cluster: PostgreSQL, fault: Callable[[PostgreSQL], AbstractContextManager[None]]
) -> None:
    people_go_on_talking(server, fault(cluster))


def test_a_postgresql_that_is_killed_again_and_again_loses_nothing(server: Server, cluster: PostgreSQL) -> None:
    with Crowd(server.port) as crowd:
        for _ in range(5):
            crowd.until_more(50)
            cluster.kill()
            cluster.start()
        crowd.until_more(50)
        check_consistency(crowd, server.database_url)


def test_connections_to_postgresql_that_are_cut_are_made_anew(server: Server, cluster: PostgreSQL) -> None:
    with Crowd(server.port) as crowd:
        for _ in range(10):
            crowd.until_more(50)
            crowd.until(lambda: cluster.terminate_backends() > 0)
        crowd.until_more(50)
        check_consistency(crowd, server.database_url)
