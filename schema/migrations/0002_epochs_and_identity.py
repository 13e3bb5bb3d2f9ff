"""Counts commits by epoch, gives the database an identity, and keeps the time of each room's last message."""

import secrets
from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Widens epochs to 64 bits, adds the columns, and fills them from the messages."""
    if isinstance(db, peewee.PostgresqlDatabase):  # SQLite's integers have 64 bits
        db.execute_sql("ALTER TABLE epoch ALTER COLUMN number TYPE bigint")
        db.execute_sql("ALTER TABLE message ALTER COLUMN epoch TYPE bigint")
    db.execute_sql("ALTER TABLE epoch ADD COLUMN commits bigint NOT NULL DEFAULT 0")
    db.execute_sql("ALTER TABLE room ADD COLUMN last_message_at varchar(27) NOT NULL DEFAULT ''")
    db.execute_sql(
        "UPDATE room SET last_message_at = COALESCE((SELECT inserted_at FROM message"
        " WHERE message.room = room.slug ORDER BY seq DESC LIMIT 1), '')"
    )
    db.execute_sql("CREATE INDEX room_last_message_at ON room (last_message_at)")
    db.execute_sql("CREATE TABLE identity (value varchar(32) NOT NULL PRIMARY KEY)")
    identity = secrets.token_hex(16)
    db.execute_sql(f"INSERT INTO identity (value) VALUES ('{identity}')")  # noqa: S608 - hexadecimal digits
