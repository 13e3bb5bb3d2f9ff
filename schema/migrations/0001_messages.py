"""Rooms, what was said in them, and the starts of the server."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Create the first tables: frozen copies of the models, as they were at this step."""

    class Room(peewee.Model):
        slug = peewee.CharField(64, primary_key=True)

        class Meta:
            database = db

    class Message(peewee.Model):
        room = peewee.CharField(64)
        seq = peewee.BigIntegerField()
        epoch = peewee.IntegerField()
        id = peewee.TextField()
        name = peewee.TextField()
        message = peewee.TextField()
        inserted_at = peewee.CharField(27)

        class Meta:
            database = db
            primary_key = peewee.CompositeKey("room", "seq")
            indexes = ((("room", "name", "id"), True),)

    class Epoch(peewee.Model):
        number = peewee.AutoField()

        class Meta:
            database = db

    db.create_tables([Room, Message, Epoch])
