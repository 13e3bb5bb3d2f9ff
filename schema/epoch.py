"""Incarnations of the server."""

import peewee

from schema.base import Model


class Epoch(Model):
    """One start of the server that wrote to this database. What was said keeps the epoch in which it was said."""

    number = peewee.AutoField()

    @classmethod
    def begin(cls) -> int:
        """Hand out the next number: higher than any before it."""
        return int(cls.insert().execute())
