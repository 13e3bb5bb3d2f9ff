"""Adds accounts, their secrets, what other servers say of them, and the list of their changes."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Creates the tables. A number of a row that was deleted is never given again."""
    is_sqlite = isinstance(db, peewee.SqliteDatabase)
    key = "integer PRIMARY KEY AUTOINCREMENT" if is_sqlite else "serial PRIMARY KEY"
    for statement in (
        f"""CREATE TABLE account (
            id {key},
            handle varchar(32) NOT NULL UNIQUE,
            skeleton text NOT NULL UNIQUE,
            name text NOT NULL,
            password text,
            role varchar(16) NOT NULL,
            kind varchar(16) NOT NULL,
            state varchar(16) NOT NULL,
            avatar text,
            created_at varchar(27) NOT NULL,
            seen_at varchar(27) NOT NULL
        )""",
        f"""CREATE TABLE secret (
            id {key},
            hash varchar(64) NOT NULL UNIQUE,
            kind varchar(16) NOT NULL,
            account integer,
            room varchar(64),
            label text NOT NULL DEFAULT '',
            scopes text NOT NULL DEFAULT '',
            role varchar(16),
            created_at varchar(27) NOT NULL,
            used_at varchar(27) NOT NULL,
            expires_at varchar(27),
            uses_left integer,
            network text NOT NULL DEFAULT '',
            agent text NOT NULL DEFAULT '',
            revoked_at varchar(27)
        )""",
        "CREATE INDEX secret_account_kind ON secret (account, kind)",
        "CREATE INDEX secret_expires_at ON secret (expires_at)",
        f"""CREATE TABLE reserved (
            id {key},
            skeleton text NOT NULL,
            account integer NOT NULL,
            until varchar(27)
        )""",
        "CREATE INDEX reserved_skeleton ON reserved (skeleton)",
        "CREATE INDEX reserved_account ON reserved (account)",
        """CREATE TABLE outside (
            issuer text NOT NULL,
            subject text NOT NULL,
            account integer NOT NULL,
            PRIMARY KEY (issuer, subject)
        )""",
        "CREATE INDEX outside_account ON outside (account)",
        f"""CREATE TABLE revocation (
            id {key},
            account integer NOT NULL,
            secret integer,
            what varchar(16) NOT NULL,
            at varchar(27) NOT NULL
        )""",
    ):
        db.execute_sql(statement)
