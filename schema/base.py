"""What all models share: the database, which is known once `open_database` has been called."""

import peewee

database: peewee.DatabaseProxy = peewee.DatabaseProxy()


class Model(peewee.Model):
    """A table of Chatter."""

    class Meta:
        database = database
