"""The identity of a database: tells its files from those of another database of the same name."""

import peewee

from schema.base import Model


class Identity(Model):
    """One row, made with the table. A copy or a backup of the database has the same."""

    value = peewee.CharField(32, primary_key=True)

    @classmethod
    def read(cls) -> str:
        """Returns the identity: 32 hexadecimal digits."""
        return str(cls.select(cls.value).scalar())
