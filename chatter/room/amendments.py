"""Amendments: what a room's charter is after an entry, and which of them the database has already."""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from chatter.charter import Author, Charter, Member, patched
from chatter.messages import MembersChanged, RoomChanged, RoomEntry
from schema.slugs import kind_of


def amended(charter: Charter, entry: RoomEntry) -> Charter:
    """Returns the charter after an entry."""
    if isinstance(entry, RoomChanged):
        return _with_rules(charter, entry)
    match entry.change:
        case "joined" | "added":
            return _with_members(charter, entry)
        case "left" | "removed":
            return _without_members(charter, entry)
        case "banned":
            gone = _without_members(charter, entry)
            return replace(gone, banned=gone.banned | _ids(entry))
        case "unbanned":
            return replace(charter, banned=charter.banned - _ids(entry))
        case "role":
            return _with_each(charter, entry, role=entry.role)
        case "muted":
            return _with_each(charter, entry, muted_until=entry.until)
        case "unmuted":
            return _with_each(charter, entry, muted_until=None)


class Amendments:
    """Owns a room's charter, and those of its changes that are not committed: one that becomes void is taken back."""

    __slots__ = ("_committed", "_uncommitted", "charter", "slug")

    def __init__(self, slug: str, charter: Charter | None) -> None:
        """`charter` is what the database has; None for a room that is plain, or not founded yet."""
        self.slug = slug
        self.charter = charter
        self._committed = charter
        self._uncommitted: list[RoomEntry] = []

    def add(self, entry: RoomEntry) -> Charter:
        """Changes the charter, and returns it."""
        self._uncommitted.append(entry)
        self.charter = amended(self.charter or self._first, entry)
        return self.charter

    def on_saved(self, through: int) -> None:
        """Keeps the changes up to this `seq`: they are committed."""
        if self._uncommitted:
            saved = [entry for entry in self._uncommitted if entry.seq <= through]
            self._committed = self._after(saved)
            del self._uncommitted[: len(saved)]

    def take_back(self, seq: int) -> RoomEntry | None:
        """Undoes a change that could not be saved, and returns it; None where that was none."""
        gone = next((entry for entry in self._uncommitted if entry.seq == seq), None)
        if gone is not None:
            self._uncommitted.remove(gone)
            self.charter = self._after(self._uncommitted)
        return gone

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        charter, committed, uncommitted = self.charter, self._committed, [*self._uncommitted]

        def restore() -> None:
            self.charter, self._committed, self._uncommitted = charter, committed, uncommitted

        return restore

    def rename(self, author: Author, name: str) -> None:
        """Calls a member otherwise, now and whatever is taken back. The database has that already."""
        self.charter = _renamed(self.charter, author, name)
        self._committed = _renamed(self._committed, author, name)

    @property
    def unfounded(self) -> Charter | None:
        """What holds for a room that is not public as long as nobody has founded it."""
        kind = kind_of(self.slug)
        return None if kind == "public" else Charter(kind=kind)

    @property
    def _first(self) -> Charter:
        return self.unfounded or Charter()

    def _after(self, entries: Sequence[RoomEntry]) -> Charter | None:
        charter = self._committed
        for entry in entries:
            charter = amended(charter or self._first, entry)
        return charter


def _renamed(charter: Charter | None, author: Author, name: str) -> Charter | None:
    if charter is None or author.id not in charter.members:
        return charter
    member = replace(charter.members[author.id], author=author, name=name)
    return replace(charter, members={**charter.members, author.id: member})


def _with_rules(charter: Charter, entry: RoomChanged) -> Charter:
    archived_at = charter.archived_at
    if entry.archived is not None:
        archived_at = entry.inserted_at if entry.archived else None
    return replace(
        charter,
        title=charter.title if entry.title is None else entry.title,
        topic=charter.topic if entry.topic is None else entry.topic,
        rules=patched(charter.rules, entry.rules),
        archived_at=archived_at,
    )


def _with_members(charter: Charter, entry: MembersChanged) -> Charter:
    come = {
        each.who.id: Member(each.who, each.name, entry.role or "member", entry.seq, charter.muted.get(each.who.id))
        for each in entry.members
    }
    muted = {account: until for account, until in charter.muted.items() if account not in come}
    return replace(charter, members={**charter.members, **come}, banned=charter.banned - come.keys(), muted=muted)


def _without_members(charter: Charter, entry: MembersChanged) -> Charter:
    """Returns the charter without people. Who comes back is muted for as long as before."""
    members = dict(charter.members)
    gone = [member for account in _ids(entry) if (member := members.pop(account, None)) is not None]
    muted = {member.author.id: member.muted_until for member in gone if member.muted_until is not None}
    return replace(charter, members=members, muted={**charter.muted, **muted} if muted else charter.muted)


def _with_each(charter: Charter, entry: MembersChanged, **columns: object) -> Charter:
    changed: Mapping[int, Member] = {
        account: replace(charter.members[account], **columns) for account in _ids(entry) if account in charter.members
    }
    return replace(charter, members={**charter.members, **changed})


def _ids(entry: MembersChanged) -> frozenset[int]:
    return frozenset(each.who.id for each in entry.members)
