"""Rooms in which something was said."""

import functools
from collections.abc import Mapping

import peewee

from schema.base import Model, batches, database, tuples


class Room(Model):
    """A room, from its first message on."""

    slug = peewee.CharField(64, primary_key=True)
    last_message_at = peewee.CharField(27, default="", index=True)  # within a second, in a room that is spoken in

    @classmethod
    def touch(cls, last_message_at: Mapping[str, str]) -> None:
        """Stores the time of the last message of each room, and adds the rooms that are not known yet."""
        rows = list(last_message_at.items())
        for statement, batch in batches(rows, cls._upsert):
            database.cursor().execute(statement, batch)

    @classmethod
    @functools.cache
    def _upsert(cls, _param: str, rows: int) -> str:
        insert = cls.insert_many([("", "")] * rows, fields=[cls.slug, cls.last_message_at])
        statement, _ = insert.on_conflict(conflict_target=[cls.slug], preserve=[cls.last_message_at]).sql()
        return str(statement)

    @classmethod
    def recently_active(cls, limit: int) -> list[str]:
        """Returns up to `limit` rooms, the last spoken in first."""
        return [slug for (slug,) in tuples(cls.select(cls.slug).order_by(cls.last_message_at.desc()).limit(limit))]
