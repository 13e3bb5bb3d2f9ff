"""The tables of Chatter: Peewee models with their queries, and migrations."""

from schema.database import Database, DatabaseUnusable, open_database
from schema.message import Message, MessageRow
from schema.room import Room

__all__ = ["Database", "DatabaseUnusable", "Message", "MessageRow", "Room", "open_database"]
