"""A room as its members have it in their lists: one object for all of them, as long as one of them is known."""

from array import array
from bisect import bisect_right
from typing import Any

from chatter.charter import DEFAULT_RULES, Charter, RoomKind, RoomRules
from chatter.memberships.overlay import Place
from chatter.memberships.values import LONGEST_TEXT, Companion, Last
from chatter.messages import Deleted, Edited, Entry, MembersChanged, Posted, Purged, RoomChanged
from chatter.storage.purging import places_of
from schema.purge import DELETED_ACCOUNT

KEPT_PLACES = 200
"""Places of the latest messages that are kept to count by, 8 bytes each."""


class ListedRoom:
    """Owns what all members see of a room without joining it."""

    __slots__ = (
        "_counted_from",
        "_last_message",
        "_places",
        "accounts",
        "applied",
        "companions",
        "eager",
        "is_archived",
        "kind",
        "last",
        "last_nth",
        "last_seq",
        "mentioned",
        "news",
        "people",
        "rules",
        "slug",
        "title",
        "topic",
    )

    def __init__(self, slug: str, seq: int, nth: int) -> None:
        """The room's log ends with the entry `seq` and has `nth` messages."""
        self.slug = slug
        self.accounts: dict[int, None] = {}  # the members that are known
        self.eager: set[int] = set()  # those of them who are told of activity at once
        self.mentioned: set[int] = set()  # those whom unread messages may name: all others no edit or deletion concerns
        self.news = 0  # how often lists have had to show something else
        self.kind: RoomKind = "public"
        self.title = self.topic = ""
        self.is_archived = False
        self.rules: RoomRules = DEFAULT_RULES
        self.people = 0
        self.companions: dict[int, Companion] = {}  # of a direct room or a group
        self.applied = seq  # entries up to here are in all of this
        self.last_seq = seq
        self.last_nth = nth
        self.last: Last | None = None
        self._last_message = 0  # the place of that
        self._counted_from = seq  # later messages are all in `_places`
        self._places = array("q")

    def forget(self, account: int) -> None:
        """Drops a member who has gone, or is not known any more."""
        del self.accounts[account]
        self.eager.discard(account)
        self.mentioned.discard(account)

    def settle(self, charter: Charter) -> None:
        """Takes over what the room is now."""
        self.kind, self.title, self.topic = charter.kind, charter.title, charter.topic
        self.is_archived = charter.archived_at is not None
        self.rules = charter.rules
        self.people = len(charter.members)
        if self.is_called_by_its_people:
            here = {
                account: Companion(account, member.author.handle, member.name)
                for account, member in sorted(charter.members.items())
            }
            # Nobody leaves a direct room but with their account, which the list shows as deleted.
            gone = [account for account in self.companions if self.kind == "direct" and account not in here]
            self.companions = here | {account: Companion(account, "", "") for account in gone}

    @property
    def is_called_by_its_people(self) -> bool:
        """Whether the list names its members."""
        return self.kind in ("direct", "group")

    @property
    def hides_past(self) -> bool:
        """Whether people may not read what was said before they came."""
        return self.rules.history == "since_join"

    @property
    def last_message_at(self) -> str:
        """When the latest message was said; "" where none was."""
        return "" if self.last is None else self.last.at

    def described(self) -> dict[str, Any]:
        """Returns what the room is called and what it is, as lists show that."""
        return {"kind": self.kind, "title": self.title, "topic": self.topic, "archived": self.is_archived}

    def show(self, seq: int, last: Last) -> None:
        """Shows a message that was said before the room was known, unless there is a later one."""
        if seq > self._last_message:
            self._last_message, self.last = seq, last

    def apply(
        self, entry: Posted | Edited | Deleted | Purged | MembersChanged | RoomChanged | Place, charter: Charter
    ) -> bool:
        """Takes over the next entry of the log; returns whether lists show another latest message."""
        self.applied = entry.seq
        if entry.seq > self.last_seq:
            self.last_seq, self.last_nth = entry.seq, entry.nth
        match entry:
            case Posted():
                self._say(entry)
                return True
            case Edited() | Deleted() | Purged():
                return self.revise(entry)
            case MembersChanged() | RoomChanged():
                self.settle(charter)
                return False
            case Place():
                return False

    def revise(self, entry: Entry | Place) -> bool:
        """Shows the latest message as an entry has left it; returns whether that is other than before."""
        match entry:
            case Edited() | Deleted():
                return self._rewrite(entry)
            case Purged():
                return self._purge(entry)
            case _:
                return False

    def _say(self, posted: Posted) -> None:
        self._last_message = posted.seq
        self.last = Last(posted.name, posted.message[:LONGEST_TEXT], posted.inserted_at)
        self._places.append(posted.seq)
        if len(self._places) > 2 * KEPT_PLACES:
            self._counted_from = self._places[-KEPT_PLACES - 1]
            del self._places[:-KEPT_PLACES]

    def _rewrite(self, change: Edited | Deleted) -> bool:
        if self.last is None or change.target != self._last_message:
            return False
        text = change.message[:LONGEST_TEXT] if isinstance(change, Edited) else ""
        self.last = Last(self.last.name, text, self.last.at)
        return True

    def _purge(self, purged: Purged) -> bool:
        if self.last is None or self._last_message not in places_of(purged.targets):
            return False
        self.last = Last(DELETED_ACCOUNT, "" if purged.erases else self.last.text, self.last.at)
        return True

    def hide(self, seq: int) -> bool:
        """Shows no message any more, if it is the one in that place; returns whether it was."""
        if seq != self._last_message:
            return False
        self._last_message, self.last = 0, None
        return True

    def last_for(self, joined_seq: int) -> Last | None:
        """Returns the latest message, if somebody who came with that entry may read it."""
        return None if self.hides_past and self._last_message < joined_seq else self.last

    def nth_at(self, seq: int) -> int | None:
        """Returns how many messages there are up to a place; None where only the database knows."""
        if self._last_message and seq >= self._last_message:
            return self.last_nth
        if seq < self._counted_from:
            return None
        return self.last_nth - (len(self._places) - bisect_right(self._places, seq))

    def people_shown(self) -> dict[str, Any]:
        """Returns who is in it, as far as lists show that."""
        shown: dict[str, Any] = {"people": self.people}
        if self.is_called_by_its_people:
            shown["with"] = tuple(self.companions.values())
        return shown

    def rename(self, companion: Companion) -> bool:
        """Calls somebody by another name; returns whether the list has them by name."""
        if self.companions.get(companion.id, companion) == companion:
            return False
        self.companions = {**self.companions, companion.id: companion}
        return True
