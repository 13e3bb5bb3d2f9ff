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
