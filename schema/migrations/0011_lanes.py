"""Notes how far the database has the log of a cluster, and which void places that log has still to be told of."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Creates the tables. They are empty where the database belongs to no cluster."""
    for statement in (
        """CREATE TABLE lane (
            number smallint NOT NULL PRIMARY KEY,
            created varchar(40) NOT NULL,
            replicas smallint NOT NULL,
            head bigint NOT NULL,
            chain varchar(32) NOT NULL
        )""",
        """CREATE TABLE untold_void (
            slug varchar(64) NOT NULL,
            seq bigint NOT NULL,
            lane smallint NOT NULL,
            turn bigint NOT NULL,
            first_seq bigint,
            PRIMARY KEY (slug, seq)
        )""",
        "CREATE INDEX untold_void_lane ON untold_void (lane, turn)",
    ):
        db.execute_sql(statement)
