from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nats import NatsCluster


@pytest.fixture
def one(tmp_path: Path) -> Iterator[NatsCluster]:
    """One nats-server: a trial's cluster, which starts in a second."""
    with NatsCluster(tmp_path, 1) as cluster:
        yield cluster


@pytest.fixture
def three(tmp_path: Path) -> Iterator[NatsCluster]:
    """Three nats-servers with routes."""
    with NatsCluster(tmp_path, 3) as cluster:
        yield cluster
