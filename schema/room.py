"""Rooms in which something was said."""

from collections.abc import Iterable

import peewee

from schema.base import Model, tuples


class Room(Model):
    """A room, from its first message on."""

    slug = peewee.CharField(64, primary_key=True)

    @classmethod
    def remember(cls, slugs: Iterable[str]) -> None:
        """Adds the rooms that are not known yet."""
        rows = [{cls.slug: slug} for slug in slugs]
        if rows:
            cls.insert_many(rows).on_conflict_ignore().execute()

    @classmethod
    def recently_active(cls, limit: int) -> list[tuple[str, str]]:
        """Returns up to `limit` rooms with the time of their last message, the latest first."""
        from schema.message import Message  # which imports this module, as it adds rooms

        of_room = Message.select(Message.inserted_at).where(Message.room == cls.slug)
        last = of_room.order_by(Message.seq.desc()).limit(1).alias("last")
        return tuples(cls.select(cls.slug, last).order_by(peewee.SQL("last").desc()).limit(limit))
