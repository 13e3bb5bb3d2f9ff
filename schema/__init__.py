"""The tables of Chatter: Peewee models with their queries, and migrations."""

from schema.account import Account, AccountRow
from schema.audit import Audit, AuditRow
from schema.authors import handles_of
from schema.database import Database, DatabaseUnusable, open_database
from schema.departure import Departure, DepartureRow
from schema.entry import LARGEST_NUMBER, Entry, EntryRow, RowRefused, void_row
from schema.epoch import Epoch
from schema.fence import DatabaseLost, Fence, Superseded, WentBack
from schema.identity import Identity
from schema.kind import Kind
from schema.lane import Lane, LaneRow, Moved, UntoldRow, UntoldVoid
from schema.member import Member, MemberRow, Mention
from schema.membership import (
    LatestRow,
    MarkRow,
    MembershipRow,
    RoomsOfAccount,
    SpokenRow,
    latest_of,
    rooms_of,
    unread_from,
    write_marks,
    write_spoken,
)
from schema.outside import Outside
from schema.passkey import Passkey, PasskeyRow
from schema.post import Post, Reaction, Removed, StateRow
from schema.reserved import Reserved
from schema.revocation import Revocation, RevocationRow
from schema.room import CharterRow, ListedRow, Room, RoomIds, RoomRow
from schema.secret import BearerRow, Secret, SecretRow
from schema.timeline import MessageRow

__all__ = [
    "LARGEST_NUMBER",
    "Account",
    "AccountRow",
    "Audit",
    "AuditRow",
    "BearerRow",
    "CharterRow",
    "Database",
    "DatabaseLost",
    "DatabaseUnusable",
    "Departure",
    "DepartureRow",
    "Entry",
    "EntryRow",
    "Epoch",
    "Fence",
    "Identity",
    "Kind",
    "Lane",
    "LaneRow",
    "LatestRow",
    "ListedRow",
    "MarkRow",
    "Member",
    "MemberRow",
    "MembershipRow",
    "Mention",
    "MessageRow",
    "Moved",
    "Outside",
    "Passkey",
    "PasskeyRow",
    "Post",
    "Reaction",
    "Removed",
    "Reserved",
    "Revocation",
    "RevocationRow",
    "Room",
    "RoomIds",
    "RoomRow",
    "RoomsOfAccount",
    "RowRefused",
    "Secret",
    "SecretRow",
    "SpokenRow",
    "StateRow",
    "Superseded",
    "UntoldRow",
    "UntoldVoid",
    "WentBack",
    "handles_of",
    "latest_of",
    "open_database",
    "rooms_of",
    "unread_from",
    "void_row",
    "write_marks",
    "write_spoken",
]
