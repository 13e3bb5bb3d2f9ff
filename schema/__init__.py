"""The tables of Chatter: Peewee models with their queries, and migrations."""

from schema.database import Database, DatabaseUnusable, open_database
from schema.epoch import Epoch
from schema.message import Message, MessageRow, RowRefused
from schema.room import Room

__all__ = ["Database", "DatabaseUnusable", "Epoch", "Message", "MessageRow", "Room", "RowRefused", "open_database"]
