"""Adds passkeys: what accounts can sign in with in place of a password."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Creates the table. A number of a row that was deleted is never given again."""
    is_sqlite = isinstance(db, peewee.SqliteDatabase)
    key = "integer PRIMARY KEY AUTOINCREMENT" if is_sqlite else "serial PRIMARY KEY"
    for statement in (
        f"""CREATE TABLE passkey (
            id {key},
            credential text NOT NULL UNIQUE,
            account integer NOT NULL,
            user_handle varchar(64) NOT NULL,
            public_key text NOT NULL,
            sign_count bigint NOT NULL,
            transports text NOT NULL,
            aaguid varchar(36) NOT NULL,
            backed_up smallint NOT NULL,
            label text NOT NULL,
            created_at varchar(27) NOT NULL,
            used_at varchar(27)
        )""",
        "CREATE INDEX passkey_account ON passkey (account)",
    ):
        db.execute_sql(statement)
