"""A cluster of two nodes for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Cluster]:
    """Starts a nats-server, a database and two nodes. A test that stops one of them starts it again."""
    with Cluster(tmp_path_factory.mktemp("cluster"), postgresql.create_database(), sign_up="open") as started:
        yield started
