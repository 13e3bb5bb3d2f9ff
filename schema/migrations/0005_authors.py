"""Gives the log the accounts that wrote it. What is there already is nobody's."""

from typing import Any

import peewee

_ZERO: list[peewee.Node] = [peewee.SQL("DEFAULT 0")]


def up(_migrator: Any, db: peewee.Database) -> None:
    """Add the column, part the unique index by who has an account, and make the table of reactions anew."""

    class NewReaction(peewee.Model):
        room = peewee.IntegerField()
        seq = peewee.BigIntegerField()
        key = peewee.CharField(32)
        author = peewee.IntegerField(constraints=_ZERO)
        name = peewee.TextField()
        at_seq = peewee.BigIntegerField()

        class Meta:
            database = db
            table_name = "new_reaction"
            primary_key = peewee.CompositeKey("room", "seq", "key", "author", "name")

    db.create_tables([NewReaction])
    for statement in (
        "ALTER TABLE entry ADD COLUMN author INTEGER",
        "DROP INDEX entry_room_name_id",
        "CREATE UNIQUE INDEX entry_room_author_id ON entry (room, author, id) WHERE author IS NOT NULL",
        "CREATE UNIQUE INDEX entry_room_name_id ON entry (room, name, id) WHERE author IS NULL",
        """INSERT INTO new_reaction (room, seq, key, author, name, at_seq)
           SELECT room, seq, key, 0, name, at_seq FROM reaction""",
        "DROP TABLE reaction",
        "ALTER TABLE new_reaction RENAME TO reaction",
    ):
        db.execute_sql(statement)
