"""Makes the table of messages the log of everything in a room, with rooms as numbers, and adds what is beside it."""

import sys
from typing import Any

import peewee

CHUNK = 50_000
"""Rows in one statement, after each of which the progress is shown."""

SHOWN_FROM = 100_000
"""Rows from which on the progress is shown."""

_ZERO: list[peewee.Node] = [peewee.SQL("DEFAULT 0")]


def up(_migrator: Any, db: peewee.Database) -> None:
    """Create the new tables, copy what is in the old ones, and drop these: frozen copies of the models of this step."""

    class Table(peewee.Model):
        class Meta:
            database = db

    class NewRoom(Table):
        slug = peewee.CharField(64)
        last_seq = peewee.BigIntegerField()
        last_nth = peewee.BigIntegerField()
        last_message_at = peewee.CharField(27)

        class Meta:
            table_name = "new_room"

    class Entry(Table):
        room = peewee.IntegerField()
        seq = peewee.BigIntegerField()
        epoch = peewee.BigIntegerField()
        kind = peewee.SmallIntegerField()
        nth = peewee.BigIntegerField()
        id = peewee.TextField()
        name = peewee.TextField()
        target = peewee.BigIntegerField(null=True)
        message = peewee.TextField()
        data = peewee.TextField(null=True)
        inserted_at = peewee.CharField(27)

        class Meta:
            primary_key = peewee.CompositeKey("room", "seq")

    class Post(Table):
        room = peewee.IntegerField()
        seq = peewee.BigIntegerField()
        changed = peewee.BigIntegerField()
        message = peewee.TextField(null=True)
        edits = peewee.IntegerField(constraints=_ZERO)
        edited_at = peewee.CharField(27, null=True)
        deleted_at = peewee.CharField(27, null=True)
        deleted_by = peewee.TextField(null=True)
        pinned_at = peewee.CharField(27, null=True)
        pinned_by = peewee.TextField(null=True)
        reactions = peewee.TextField(null=True)
        replies = peewee.IntegerField(constraints=_ZERO)
        last_reply_seq = peewee.BigIntegerField(null=True)

        class Meta:
            primary_key = peewee.CompositeKey("room", "seq")

    class Reaction(Table):
        room = peewee.IntegerField()
        seq = peewee.BigIntegerField()
        key = peewee.CharField(32)
        name = peewee.TextField()
        at_seq = peewee.BigIntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("room", "seq", "key", "name")

    class Removed(Table):
        room = peewee.IntegerField()
        seq = peewee.BigIntegerField()
        message = peewee.TextField()
        removed_at = peewee.CharField(27)

        class Meta:
            primary_key = peewee.CompositeKey("room", "seq")

    db.create_tables([NewRoom, Entry, Post, Reaction, Removed])
    for statement in (
        "INSERT INTO room (slug) SELECT DISTINCT room FROM message WHERE room NOT IN (SELECT slug FROM room)",
        """INSERT INTO new_room (slug, last_seq, last_nth, last_message_at)
           SELECT slug, 0, 0, last_message_at FROM room ORDER BY slug""",
        "DROP TABLE room",
        "ALTER TABLE new_room RENAME TO room",
        "CREATE UNIQUE INDEX room_slug ON room (slug)",
        "CREATE INDEX room_last_message_at ON room (last_message_at)",
    ):
        db.execute_sql(statement)
    _copy(db)
    for statement in (
        "DROP TABLE message",
        "CREATE UNIQUE INDEX entry_room_name_id ON entry (room, name, id)",
        "CREATE INDEX entry_room_target_seq ON entry (room, target, seq) WHERE target IS NOT NULL",
        "CREATE INDEX post_room_changed ON post (room, changed)",
        "CREATE INDEX post_room_pinned_at ON post (room, pinned_at) WHERE pinned_at IS NOT NULL",
        "CREATE INDEX removed_removed_at ON removed (removed_at)",
        "UPDATE room SET last_seq = COALESCE((SELECT MAX(seq) FROM entry WHERE entry.room = room.id), 0)",
        "UPDATE room SET last_nth = COALESCE((SELECT nth FROM entry WHERE entry.room = room.id AND seq = last_seq), 0)",
    ):
        db.execute_sql(statement)


def _copy(db: peewee.Database) -> None:
    """Copies the messages in the order of their places, and counts them: a void place is none."""
    total = _value(db, "SELECT COUNT(*) FROM message")
    copied, room, seq, nth = 0, "", 0, 0
    page = f"""SELECT room, seq, epoch, id, name, message, inserted_at FROM message
        WHERE (room, seq) > ({db.param}, {db.param}) ORDER BY room, seq LIMIT {CHUNK}"""  # noqa: S608
    end_of_page = f"SELECT room, seq FROM ({page}) AS page ORDER BY room DESC, seq DESC LIMIT 1"  # noqa: S608
    insert = f"""INSERT INTO entry (room, seq, epoch, kind, nth, id, name, message, inserted_at)
        SELECT room.id, page.seq, epoch, 0,
            SUM(CASE WHEN name <> '' THEN 1 ELSE 0 END) OVER (PARTITION BY page.room ORDER BY page.seq)
                + CASE WHEN page.room = {db.param} THEN {db.param} ELSE 0 END,
            page.id, name, message, inserted_at
        FROM ({page}) AS page JOIN room ON room.slug = page.room"""  # noqa: S608
    numbered = f"""SELECT nth FROM entry
        WHERE room = (SELECT id FROM room WHERE slug = {db.param}) AND seq = {db.param}"""  # noqa: S608
    while (end := db.execute_sql(end_of_page, (room, seq)).fetchone()) is not None:
        cursor = db.execute_sql(insert, (room, nth, room, seq))
        room, seq = end
        nth = _value(db, numbered, room, seq)
        copied += cursor.rowcount
        if total >= SHOWN_FROM:
            print(f"bringing the database up to date: {copied:,} of {total:,} messages", file=sys.stderr, flush=True)


def _value(db: peewee.Database, query: str, *values: object) -> Any:
    return db.execute_sql(query, values).fetchone()[0]
