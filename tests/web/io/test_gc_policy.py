"""What Python's collector looks at, and when."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from web.io.gc_policy import GcPolicy


class Knot:
    """Refers to itself, so that only the collector can find it."""

    def __init__(self) -> None:
        self.myself = self


class House:
    """A server with so many connections."""

    connections = 0


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    threshold = gc.get_threshold()
    policy = GcPolicy(lambda: house.connections)
    policy.install()
    yield house
    policy.uninstall()
    gc.set_threshold(*threshold)


def test_what_has_survived_is_put_aside(house: House) -> None:
    assert gc.get_freeze_count() > 0
    before = gc.get_freeze_count()
    kept = [[number] for number in range(10_000)]
    gc.collect()
    assert gc.get_freeze_count() - before >= len(kept)


def test_garbage_that_is_young_is_found(house: House) -> None:
    knot = weakref.ref(Knot())
    gc.collect()
    assert knot() is None


def test_garbage_that_was_put_aside_is_found_once_most_connections_are_gone(house: House) -> None:
    house.connections = 100
    knot = Knot()
    gc.collect()
    watch = weakref.ref(knot)
    del knot
    house.connections = 51
    gc.collect()
    assert watch() is not None
    house.connections = 49
    gc.collect()
    assert watch() is None
    assert gc.get_freeze_count() > 0
