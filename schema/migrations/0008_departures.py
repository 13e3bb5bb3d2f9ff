"""Adds departures: the accounts that leave, and may come back for a while."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Creates the table."""
    for statement in (
        """CREATE TABLE departure (
            account integer PRIMARY KEY,
            erases smallint NOT NULL,
            due_at varchar(27) NOT NULL,
            begun smallint NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX departure_due_at ON departure (due_at)",
    ):
        db.execute_sql(statement)
