"""The GC policy: which objects Python's collector visits, and when."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from web.io.gc_policy import GcPolicy


class Cycle:
    """Cycle refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.myself = self


class Connections:
    """Connections is the number of open connections, which tests set."""

    count = 0


@pytest.fixture
def connections() -> Iterator[Connections]:
    connections = Connections()
    threshold = gc.get_threshold()
    policy = GcPolicy(lambda: connections.count)
    policy.install()
    yield connections
    policy.uninstall()
    gc.set_threshold(*threshold)


def test_objects_that_survive_a_collection_are_frozen(connections: Connections) -> None:
    assert gc.get_freeze_count() > 0
    before = gc.get_freeze_count()
    kept = [[number] for number in range(10_000)]
    gc.collect()
    assert gc.get_freeze_count() - before >= len(kept)


def test_a_new_cycle_is_freed(connections: Connections) -> None:
    cycle = weakref.ref(Cycle())
    gc.collect()
    assert cycle() is None


def test_a_frozen_cycle_is_freed_once_most_connections_are_gone(connections: Connections) -> None:
    connections.count = 100
    cycle = Cycle()
    gc.collect()
    reference = weakref.ref(cycle)
    del cycle
    connections.count = 51
    gc.collect()
    assert reference() is not None
    connections.count = 49
    gc.collect()
    assert reference() is None
    assert gc.get_freeze_count() > 0
