"""The tables of Chatter: Peewee models with their queries, and migrations."""

from schema.database import Database, DatabaseUnusable, open_database
from schema.epoch import Epoch
from schema.fence import DatabaseLost, Fence, Superseded, WentBack
from schema.identity import Identity
from schema.message import LARGEST_NUMBER, Message, MessageRow, RowRefused, void_row
from schema.room import Room

__all__ = [
    "LARGEST_NUMBER",
    "Database",
    "DatabaseLost",
    "DatabaseUnusable",
    "Epoch",
    "Fence",
    "Identity",
    "Message",
    "MessageRow",
    "Room",
    "RowRefused",
    "Superseded",
    "WentBack",
    "open_database",
    "void_row",
]
