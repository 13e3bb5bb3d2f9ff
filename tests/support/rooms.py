"""Rooms that are somebody's, without actors: a log that a test writes entry by entry, and commits when it wants."""

from typing import Any, Self

from chatter.charter import Author, Charter, Member, RoomRules, RulesPatch, patched
from chatter.messages import Deleted, Edited, Entry, MemberAs, MembersChanged, Mentions, Posted, Purged, RoomChanged
from chatter.room.context import Memberships
from chatter.storage.records import row_of
from schema import Entry as Row

PRIVATE = f"p--{'a' * 26}"
GROUP = f"g--{'b' * 26}"

ANN, BO, CY = Author(1, "ann"), Author(2, "bo"), Author(3, "cy")


class RoomLog:
    """Plays a room with a charter: tells memberships of each entry, and of commits."""

    def __init__(self, slug: str, *told: Memberships) -> None:
        self.slug = slug
        self.told = list(told)
        self.charter = Charter(kind={"p": "private", "g": "group", "d": "direct"}[slug[0]])  # type: ignore[arg-type]
        self.seq = self.nth = 0
        self.unsaved: list[Entry] = []

    def founded(self, owner: Author, *others: Author, title: str = "", **rules: Any) -> Self:
        """Somebody makes the room, with others in it."""
        self.change(title=title, kind=self.charter.kind, **rules)
        self.adds(owner, role="member" if self.charter.kind == "group" else "owner")
        return self.adds(*others) if others else self

    def change(self, **changed: Any) -> Self:
        """Somebody changes the room."""
        rules = {name: changed.pop(name) for name in list(changed) if name in RoomRules.__struct_fields__}
        patch = RulesPatch(**rules) if rules else None
        entry = RoomChanged(*self._place(), at(self.seq), self.nth, rules=patch, author=ANN, **changed)
        self._settle(
            title=self.charter.title if entry.title is None else entry.title,
            topic=self.charter.topic if entry.topic is None else entry.topic,
            rules=patched(self.charter.rules, patch),
            archived_at=self.charter.archived_at
            if entry.archived is None
            else at(self.seq)
            if entry.archived
            else None,
        )
        self._append(entry)
        for each in self.told:
            each.on_room_changed(self.slug, entry, self.charter)
        return self

    def adds(self, *people: Author, role: Any = "member") -> Self:
        """Somebody adds people."""
        entry = self._members("added", people, role=role)
        here = {who.id: Member(who, who.handle.title(), role, self.seq) for who in people}
        self._settle(members={**self.charter.members, **here})
        return self._tell_members(entry)

    def removes(self, who: Author, change: Any = "removed", reason: str | None = None) -> Self:
        """Somebody is removed, or leaves."""
        entry = self._members(change, [who], reason=reason)
        self._settle(members={id: each for id, each in self.charter.members.items() if id != who.id})
        return self._tell_members(entry)

    def gives_role(self, who: Author, role: Any) -> Self:
        """Somebody becomes something else."""
        entry = self._members("role", [who], role=role)
        member = self.charter.members[who.id]
        self._settle(members={**self.charter.members, who.id: Member(who, member.name, role, member.joined_seq)})
        return self._tell_members(entry)

    def says(self, who: Author | None, text: str, mentions: Mentions | None = None) -> int:
        """Somebody says something; returns its place."""
        self.nth += 1
        seq, id, name = self._place(who)
        posted = Posted(seq, id, name, text, at(seq), False, self.nth, None, who, mentions)
        self._append(posted)
        for each in self.told:
            each.on_said(self.slug, posted, self.charter)
        return seq

    def edits(self, who: Author, target: int, text: str, mentions: Mentions | None = None) -> Self:
        """Somebody edits a message."""
        entry = Edited(*self._place(who), target, at(self.seq), self.nth, text, 1, mentions, author=who)
        return self._tell_change(entry)

    def deletes(self, who: Author, target: int) -> Self:
        """Somebody deletes a message."""
        return self._tell_change(Deleted(*self._place(who), target, at(self.seq), self.nth, author=who))

    def purges(self, who: Author, *places: int, erases: bool) -> Self:
        """Somebody is gone who has said something in these places."""
        seq, id, _ = self._place(None)
        ranges = tuple((place, place) for place in places)
        return self._tell_change(Purged(seq, id, at(seq), self.nth, who.id, erases, ranges))

    def voids(self, charter: Charter | None) -> Self:
        """The newest entry can never be saved: the room is as before."""
        gone = self.unsaved.pop()
        self.unsaved.append(Posted(gone.seq, f"void-{gone.seq}", "", "", at(gone.seq), True, self.nth))
        if charter is not None:
            self.charter = charter
        for each in self.told:
            each.on_voided(self.slug, gone.seq, charter)
        return self

    def commits(self) -> Self:
        """The database has everything, and the room has not heard so."""
        if self.unsaved:
            Row.save_all([(self.slug, 1, [row_of(entry) for entry in self.unsaved])])
            self.unsaved = []
        return self

    def saved(self) -> Self:
        """The database has everything."""
        self.commits()
        for each in self.told:
            each.on_saved(self.slug, self.seq)
        return self

    def _place(self, who: Author | None = ANN) -> tuple[int, str, str]:
        self.seq += 1
        return self.seq, f"id{self.seq}", "guest" if who is None else who.handle.title()

    def _members(self, change: Any, people: Any, role: Any = None, reason: str | None = None) -> MembersChanged:
        who = tuple(MemberAs(each, each.handle.title()) for each in people)
        seq, id, name = self._place()
        return MembersChanged(seq, id, name, at(seq), self.nth, change, who, role, reason=reason, author=ANN)

    def _tell_members(self, entry: MembersChanged) -> Self:
        self._append(entry)
        for each in self.told:
            each.on_members_changed(self.slug, entry, self.charter)
        return self

    def _tell_change(self, entry: Edited | Deleted | Purged) -> Self:
        self._append(entry)
        for each in self.told:
            each.on_changed(self.slug, entry, self.charter)
        return self

    def _settle(self, **changed: Any) -> None:
        fields = {name: getattr(self.charter, name) for name in Charter.__struct_fields__}
        self.charter = Charter(**{**fields, **changed})

    def _append(self, entry: Entry) -> None:
        self.unsaved.append(entry)


def at(second: int) -> str:
    """The time of an entry."""
    return f"2026-05-04T12:{second // 60 % 60:02d}:{second % 60:02d}.000000Z"
