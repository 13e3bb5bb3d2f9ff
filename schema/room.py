"""Rooms in which something has been said."""

from collections.abc import Iterable

import peewee

from schema.base import Model


class Room(Model):
    """A room, from its first message on."""

    slug = peewee.CharField(64, primary_key=True)

    @classmethod
    def remember(cls, slugs: Iterable[str]) -> None:
        """Add the rooms that are not known yet."""
        rows = [{cls.slug: slug} for slug in slugs]
        if rows:
            cls.insert_many(rows).on_conflict_ignore().execute()

    @classmethod
    def by_last_message(cls, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` rooms with the time of their last message, the latest first."""
        from schema.message import Message

        latest = (
            Message.select(Message.inserted_at).where(Message.room == cls.slug).order_by(Message.seq.desc()).limit(1)
        )
        query = cls.select(cls.slug, latest.alias("latest")).order_by(peewee.SQL("latest").desc()).limit(limit)
        rows: list[tuple[str, str]] = list(query.tuples())  # type: ignore[arg-type]  # its stubs forget tuples()
        return rows
