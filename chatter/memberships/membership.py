"""A membership: one person in one room, with what they have read and what they want to notice."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Sequence

from chatter.charter import RoomRole
from chatter.memberships.room import ListedRoom
from chatter.memberships.values import Level, LevelSet, MyRoom, Read


class Membership:
    """Owns the marks of one person in one room. It is made from a row, or when the person comes."""

    __slots__ = (
        "_mentions",
        "account",
        "is_hidden",
        "joined_seq",
        "level",
        "level_until",
        "mentions_changed",
        "muted_until",
        "read_nth",
        "read_rev",
        "read_seq",
        "role",
        "room",
        "told",
    )

    def __init__(self, account: int, room: ListedRoom, role: RoomRole, joined_seq: int) -> None:
        self.account = account
        self.room = room
        self.role = role
        self.joined_seq = joined_seq
        self.muted_until: str | None = None
        self.read_seq = self.read_nth = self.read_rev = 0
        self.level: Level | None = None  # None for the usual one of such rooms
        self.level_until: str | None = None
        self.is_hidden = False
        self._mentions: Sequence[int] = ()  # places above `read_seq` that name the person; a list where there are any
        self.mentions_changed = False  # and the person has not been told
        self.told = room.news  # what of the room's news the person has been told

    @property
    def slug(self) -> str:
        """The name of the room."""
        return self.room.slug

    @property
    def unread(self) -> int:
        """How many messages the person has not read."""
        return max(0, self.room.last_nth - self.read_nth)

    @property
    def mentions(self) -> int:
        """How many of these name the person."""
        return len(self._mentions)

    @property
    def mentioned_at(self) -> tuple[int, ...]:
        """The places of these."""
        return tuple(self._mentions)

    @property
    def has_news(self) -> bool:
        """Whether the person's list is to show something else of the room than it does."""
        return self.told != self.room.news or self.mentions_changed

    @property
    def first_shown(self) -> int:
        """The place from which on the person may read."""
        return self.joined_seq + 1 if self.room.hides_past else 1

    # ------------------------------------------------------------ what is read

    def read(self, seq: int, nth: int) -> bool:
        """Moves the mark forward; returns whether it moved."""
        if seq <= self.read_seq:
            return False
        self.read_seq, self.read_nth = seq, max(nth, self.read_nth)
        self._mentions = self._mentions[bisect_right(self._mentions, seq) :] or ()
        return True

    def unread_from(self, seq: int, before: int, mentions: Collection[int]) -> None:
        """Sets the mark before `seq`, where `before` messages are; `mentions` are the places from there on.

        Reports that were under way do not move it again: they know an earlier `rev`.
        """
        self.read_seq, self.read_nth = seq - 1, before
        self.read_rev += 1
        self._set_mentions(mentions)

    def take_mark(self, seq: int, nth: int, rev: int, mentions: Sequence[int]) -> bool:
        """Takes over a mark that was set elsewhere, unless this one is newer; returns whether it was."""
        if (rev, seq) <= (self.read_rev, self.read_seq):
            return False
        self.read_seq, self.read_nth, self.read_rev = seq, nth, rev
        self._set_mentions(mentions)
        return True

    def take_level(self, level: Level | None, until: str | None, *, is_hidden: bool) -> bool:
        """Takes over what the person wants to notice; returns whether that is something else than before."""
        before = (self.level, self.level_until, self.is_hidden)
        self.level, self.level_until, self.is_hidden = level, until, is_hidden
        return before != (level, until, is_hidden)

    def _set_mentions(self, mentions: Collection[int]) -> None:
        self._mentions = sorted(mentions) or ()
        if self._mentions:
            self.room.mentioned.add(self.account)

    def name(self, seq: int, *, is_named: bool) -> bool:
        """Takes over whether a message names the person; returns whether that changes anything."""
        if seq <= self.read_seq:
            return False
        place = bisect_left(self._mentions, seq)
        was_named = place < len(self._mentions) and self._mentions[place] == seq
        if was_named == is_named:
            return False
        mentions = list(self._mentions)
        insort(mentions, seq) if is_named else mentions.remove(seq)
        self._mentions = mentions or ()
        if is_named:
            self.room.mentioned.add(self.account)
        return True

    def unname(self, places: Collection[int]) -> bool:
        """Takes over that these messages name nobody any more; returns whether that changes anything."""
        left = [place for place in self._mentions if place not in places]
        if len(left) == len(self._mentions):
            return False
        self._mentions = left or ()
        return True

    # ------------------------------------------------------------ what the person is told

    def effective_level(self, now: str) -> tuple[Level, str | None]:
        """Returns what shall be noticed at a time, and until when that was chosen."""
        if self.level is None or (self.level_until is not None and self.level_until <= now):
            return ("everything" if self.room.is_called_by_its_people else "mentions"), None
        return self.level, self.level_until

    def is_eager(self, now: str) -> bool:
        """Returns whether the person is to hear of activity at once: what was read is unread, or all is noticed."""
        return self.unread == 0 or self.effective_level(now)[0] == "everything"

    def shown(self, now: str) -> MyRoom:
        """Returns the room as the person has it in the list."""
        room = self.room
        level, until = self.effective_level(now)
        return MyRoom(
            slug=room.slug,
            kind=room.kind,
            title=room.title,
            topic=room.topic,
            role=self.role,
            level=level,
            level_until=until,
            hidden=self.is_hidden,
            archived=room.is_archived,
            last_seq=room.last_seq,
            last_nth=room.last_nth,
            read_seq=self.read_seq,
            read_nth=self.read_nth,
            rev=self.read_rev,
            unread=self.unread,
            mentions=self.mentions,
            last=room.last_for(self.joined_seq),
            people=room.people,
            companions=tuple(room.companions.values()),
        )

    def mark(self) -> Read:
        """Returns how far the person has read."""
        return Read(self.slug, self.read_seq, self.read_nth, self.read_rev, self.unread, self.mentions)

    def level_set(self, now: str) -> LevelSet:
        """Returns what the person wants to notice."""
        return LevelSet(self.slug, *self.effective_level(now), self.is_hidden)
