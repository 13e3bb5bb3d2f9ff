"""Lets rooms be somebody's: their kind, title and rules, their members, who is named in them, and the audit log."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Adds the columns and tables. A room that is there already is public and nobody's."""
    is_sqlite = isinstance(db, peewee.SqliteDatabase)
    key = "integer PRIMARY KEY AUTOINCREMENT" if is_sqlite else "serial PRIMARY KEY"
    for statement in (
        "ALTER TABLE room ADD COLUMN kind varchar(16) NOT NULL DEFAULT 'public'",
        "ALTER TABLE room ADD COLUMN title text NOT NULL DEFAULT ''",
        "ALTER TABLE room ADD COLUMN topic text NOT NULL DEFAULT ''",
        "ALTER TABLE room ADD COLUMN rules text",
        "ALTER TABLE room ADD COLUMN listed smallint NOT NULL DEFAULT 1",
        "ALTER TABLE room ADD COLUMN guests smallint NOT NULL DEFAULT 1",
        "ALTER TABLE room ADD COLUMN archived_at varchar(27)",
        "ALTER TABLE room ADD COLUMN created_by integer",
        "ALTER TABLE room ADD COLUMN created_at varchar(27)",
        "ALTER TABLE post ADD COLUMN mentions text",
        """CREATE TABLE member (
            room integer NOT NULL,
            account integer NOT NULL,
            role varchar(16) NOT NULL,
            joined_seq bigint NOT NULL DEFAULT 0,
            left_seq bigint,
            banned smallint NOT NULL DEFAULT 0,
            muted_until varchar(27),
            read_seq bigint NOT NULL DEFAULT 0,
            read_nth bigint NOT NULL DEFAULT 0,
            read_rev integer NOT NULL DEFAULT 0,
            level varchar(16) NOT NULL DEFAULT '',
            hidden smallint NOT NULL DEFAULT 0,
            level_until varchar(27),
            PRIMARY KEY (room, account)
        )""",
        "CREATE INDEX member_account ON member (account)",
        """CREATE TABLE mention (
            account integer NOT NULL,
            room integer NOT NULL,
            seq bigint NOT NULL,
            kind varchar(8) NOT NULL,
            PRIMARY KEY (account, room, seq)
        )""",
        "CREATE INDEX mention_room_seq ON mention (room, seq)",
        f"""CREATE TABLE audit (
            id {key},
            at varchar(27) NOT NULL,
            actor integer,
            action varchar(32) NOT NULL,
            target integer,
            room varchar(64),
            reason text,
            before text,
            after text
        )""",
        "CREATE INDEX audit_target ON audit (target)",
        "CREATE INDEX audit_room ON audit (room)",
    ):
        db.execute_sql(statement)
