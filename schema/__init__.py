"""The tables of Chatter: Peewee models with their queries, and migrations."""

from schema.database import Database, DatabaseUnusable, open_database
from schema.entry import LARGEST_NUMBER, Entry, EntryRow, RowRefused, void_row
from schema.epoch import Epoch
from schema.fence import DatabaseLost, Fence, Superseded, WentBack
from schema.identity import Identity
from schema.kind import Kind
from schema.post import Post, Reaction, Removed, StateRow
from schema.room import Room, RoomIds, RoomRow
from schema.timeline import MessageRow

__all__ = [
    "LARGEST_NUMBER",
    "Database",
    "DatabaseLost",
    "DatabaseUnusable",
    "Entry",
    "EntryRow",
    "Epoch",
    "Fence",
    "Identity",
    "Kind",
    "MessageRow",
    "Post",
    "Reaction",
    "Removed",
    "Room",
    "RoomIds",
    "RoomRow",
    "RowRefused",
    "StateRow",
    "Superseded",
    "WentBack",
    "open_database",
    "void_row",
]
