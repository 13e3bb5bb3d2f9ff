"""Finds the links that lead to a room by an index: without it each session was looked at."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Creates the index."""
    db.execute_sql("CREATE INDEX secret_room ON secret (room) WHERE room IS NOT NULL")
