"""The purge: what an entry that purges does to the rows of an account that has left."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from schema.account import Account
from schema.base import MAX_ROWS, tuples
from schema.kind import Kind
from schema.member import Mention
from schema.post import Post, Reaction, Removed, upsert

DELETED_ACCOUNT = "deleted account"
"""What is left in the place of a name or a handle."""

MOST_PLACES = 100
"""Messages that one entry may purge. They change at once, so a page of changes has all of them."""


def apply(entries: Any, room: int, seq: int, at: str, data: dict[str, Any]) -> None:
    """Purges what `data` says, within the transaction that writes it. `entries` is the table of the log."""
    own, touched = _places(data["targets"]), _places(data["touched"])
    purge = _Purge(entries, room, int(data["account"]), erases=bool(data["erase"]))
    for part in _parts(sorted({*own, *touched})):
        purge.changes_of(part)
        for place in part:
            upsert(room, place, seq)
    for part in _parts(own):
        purge.messages(part, seq, at)


def count_places(ranges: Iterable[Sequence[int]]) -> int:
    """Returns how many places are in ranges."""
    return sum(last - first + 1 for first, last in ranges)


def shows(entries: Any, account: int) -> peewee.Expression:
    """Returns the condition for reactions, and changes of members, that name an account by a handle."""
    named = entries.data.contains(f'[{account},"') & ~entries.data.contains(f'[{account},""')
    found: peewee.Expression = entries.kind.in_([int(Kind.REACT), int(Kind.MEMBER)]) & named
    return found


def labels_in(data: str | None, account: int) -> set[str]:
    """Returns what an account was called when it did something, or reacted with others."""
    written = json.loads(data) if data else {}
    people = [*written.get("add", ()), *written.get("remove", ())]
    handles = {each[1] for each in people if isinstance(each, list) and each[0] == account} | {written.get("by")}
    return {f"@{handle}" for handle in handles if handle}


def label_now(account: int) -> set[str]:
    """Returns what an account is called now, or was when it left."""
    return {f"@{handle}" for (handle,) in tuples(Account.select(Account.handle).where(Account.id == account))}


class _Purge:
    """The purge of one account in one room."""

    def __init__(self, entries: Any, room: int, account: int, *, erases: bool) -> None:
        self._entries = entries
        self._room = room
        self._account = account
        self._erases = erases
        self._gone = {"name": DELETED_ACCOUNT, **({"message": ""} if erases else {})}

    def messages(self, places: Sequence[int], seq: int, at: str) -> None:
        """Takes the name, and the texts, from messages of the account."""
        entries = self._entries
        entries.update(**self._gone).where(
            entries.room == self._room, entries.seq.in_(places), entries.author == self._account
        ).execute()
        if self._erases:
            self._erase(places, seq, at)

    def changes_of(self, targets: Sequence[int]) -> None:
        """Takes the name, the handles and the texts of edits from what the account has done to messages."""
        entries = self._entries
        done = (entries.room == self._room, entries.target.in_(targets), entries.kind != int(Kind.MESSAGE))
        is_own = entries.author == self._account
        told = entries.select(entries.data).where(*done, is_own | shows(entries, self._account))
        labels = {label for (data,) in tuples(told) for label in labels_in(data, self._account)}
        for label in labels | label_now(self._account):
            self._relabel(targets, label)
        entries.update(**self._gone).where(*done, is_own).execute()
        labelled = entries.kind.in_([int(kind) for kind in (Kind.DELETE, Kind.PIN, Kind.UNPIN)])
        for seq, data in tuples(entries.select(entries.seq, entries.data).where(*done, is_own, labelled)):
            kept = {} if self._erases else json.loads(data or "{}")
            written = json.dumps({**kept, "by": ""}, ensure_ascii=False, separators=(",", ":"))
            entries.update(data=written).where(entries.room == self._room, entries.seq == seq).execute()

    def _relabel(self, targets: Sequence[int], label: str) -> None:
        """Takes a label from reactions, pins and deletions, also where an entry of somebody else repeats it."""
        entries, handle = self._entries, label[1:]
        told, untold = f'"{label}"', f'"{DELETED_ACCOUNT}"'
        nameless = peewee.fn.REPLACE(entries.data, f'[{self._account},"{handle}"]', f'[{self._account},""]')
        entries.update(data=peewee.fn.REPLACE(nameless, told, untold)).where(
            entries.room == self._room,
            entries.target.in_(targets),
            entries.kind == int(Kind.REACT),
            entries.data.contains(handle),
        ).execute()
        these = (Post.room == self._room, Post.seq.in_(targets))
        Post.update(pinned_by=DELETED_ACCOUNT).where(*these, Post.pinned_by == label).execute()
        Post.update(deleted_by=DELETED_ACCOUNT).where(*these, Post.deleted_by == label).execute()
        relabelled = peewee.fn.REPLACE(Post.reactions, told, untold)
        Post.update(reactions=relabelled).where(*these, Post.reactions.contains(label)).execute()

    def _erase(self, places: Sequence[int], seq: int, at: str) -> None:
        """Has messages be deleted ones, whatever they were, and drops what was kept of them."""
        nothing = dict.fromkeys(("reactions", "pinned_at", "pinned_by"))
        for place in places:
            upsert(self._room, place, seq, message="", deleted_at=at, deleted_by=DELETED_ACCOUNT, **nothing)
        for table in (Reaction, Removed, Mention):
            table.delete().where(table.room == self._room, table.seq.in_(places)).execute()


def _places(ranges: Iterable[Sequence[int]]) -> list[int]:
    return [place for first, last in ranges for place in range(first, last + 1)]


def _parts(places: Sequence[int]) -> Iterable[Sequence[int]]:
    return (places[start : start + MAX_ROWS] for start in range(0, len(places), MAX_ROWS))
