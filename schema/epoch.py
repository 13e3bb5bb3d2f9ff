"""The starts of the server."""

import peewee

from schema.base import Model


class Epoch(Model):
    """One start of the server on this database. Each message keeps the epoch in which it was said."""

    number = peewee.AutoField()

    @classmethod
    def begin(cls) -> int:
        """Adds an epoch and returns its number, which is higher than all before it."""
        return int(cls.insert().execute())
