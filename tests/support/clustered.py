"""What a cluster for one test's server needs: a nats-server and a database, which last as long as the test process."""

import atexit
import functools
import tempfile
from pathlib import Path
from typing import Any

from tests.support.cluster import LANE_BYTES
from tests.support.database import query
from tests.support.nats import NatsCluster
from tests.support.postgresql import PostgreSQL
from tests.support.server import run_to_its_end


@functools.cache
def _postgresql() -> PostgreSQL:
    server = PostgreSQL()
    server.__enter__()
    atexit.register(server.__exit__, None, None, None)
    return server


@functools.cache
def database_of(_url: str) -> str:
    """Makes the database that stands for a SQLite file, and returns its URL."""
    return _postgresql().create_database()


def options_of(database_url: str) -> dict[str, Any]:
    """Starts a nats-server and makes the log of a database, and returns the options of its nodes."""
    [(identity,)] = query(database_url, "SELECT value FROM identity")
    return _options_of(database_url, str(identity))  # a database that was emptied is another one


@functools.cache
def _options_of(database_url: str, _identity: str) -> dict[str, Any]:
    nats = NatsCluster(Path(tempfile.mkdtemp()))
    nats.__enter__()
    atexit.register(nats.__exit__, None, None, None)
    options = {"cluster": nats.urls[0], "cluster_monitors": nats.monitors[0]}
    made = run_to_its_end(
        "cluster",
        "create",
        *(f"--{name.replace('_', '-')}={value}" for name, value in options.items()),
        f"--database={database_url}",
        "--replicas=1",
        f"--lane-bytes={LANE_BYTES}",
    )
    assert made.exit_code == 0, made.stderr
    return options
