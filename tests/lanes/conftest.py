"""The database of the lanes' tests."""

from collections.abc import Iterator

import peewee
import pytest

from chatter.cluster.frames import GENESIS
from schema import Lane, LaneRow
from schema.base import database as proxy
from schema.database import migrate


@pytest.fixture
def database() -> Iterator[peewee.Database]:
    """One that has nothing of the one lane yet."""
    database = peewee.SqliteDatabase(":memory:")
    proxy.initialize(database)
    migrate(database)
    Lane.found([LaneRow(0, "2026-01-01T00:00:00Z", 3, 0, GENESIS.hex())])
    yield database
    database.close()
