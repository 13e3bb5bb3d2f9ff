"""The judge: whether somebody may read, say or do something in a room that has a charter, and if not, why."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable

from msgspec.structs import replace

from chatter.charter import Author, Charter, ServerRole
from chatter.clock import SECOND, Clock, seconds_since
from chatter.messages import (
    ChangeMembers,
    Delete,
    Edit,
    Found,
    Governing,
    Mentions,
    Operation,
    Pin,
    Post,
    Posted,
    Refused,
    Subscriber,
)
from chatter.room.floors import floor_of
from chatter.room.mentions import calls_everybody, handles_in, mentions_of
from chatter.room.powers import SMALL_ROOM, STRANGER, may, outranks, standing

MOST_REMEMBERED = 4_096
"""People whose last message is remembered for slow mode, beyond which the earliest are forgotten."""

UNKNOWN_ROOM = Refused("unmatched topic")
"""What somebody hears who is not in a room that is not public: the same as if it were not there."""


class Judge:
    """Owns when each person has said something last, which slow mode needs. The rest follows from the charter."""

    __slots__ = ("_clock", "_last_said", "_subscribers")

    def __init__(self, clock: Clock, subscribers: Collection[Subscriber]) -> None:
        """`subscribers` are those of the room, as they are when it is asked."""
        self._clock = clock
        self._subscribers = subscribers
        self._last_said: OrderedDict[Hashable, int] = OrderedDict()

    def snapshot(self) -> Callable[[], None]:
        """Returns what puts all of this back to where it is now."""
        last_said = self._last_said.copy()

        def restore() -> None:
            self._last_said = last_said

        return restore

    def of_stranger(self, charter: Charter, author: Author | None, role: ServerRole) -> Refused | None:
        """Returns why somebody may not be in the room at all."""
        if standing(charter, author, role) != STRANGER:
            return None
        if not charter.is_public:
            return UNKNOWN_ROOM
        return Refused("sign_in" if author is None else "banned")

    def of_speech(self, charter: Charter, author: Author | None, sender: Subscriber) -> Refused | None:
        """Returns why somebody may say nothing in the room at present."""
        if charter.archived_at is not None:
            return Refused("archived")
        if charter.rules.read_only:
            return Refused("read_only")
        may_speak = may("post", charter, author, sender.server_role)
        return self._of_muted(charter, author) or (None if may_speak else Refused("forbidden"))

    def of_post(self, charter: Charter, post: Post) -> Refused | Mentions | None:
        """Returns why something may not be said, or else whom it calls; None for nobody."""
        sender = post.sender
        refused = self.of_speech(charter, post.author, sender) or self._of_pace(charter, post.author, sender)
        if refused is not None:
            return refused
        if post.reply_to is not None and post.reply_to <= floor_of(charter, post.author):
            return Refused("not_found")
        return self._called(charter, post)

    def of_relay(self, charter: Charter, sender: Subscriber) -> Refused | None:
        """Returns why bytes may not be passed on. In slow mode they count as something that is said."""
        refused = self.of_speech(charter, sender.author, sender) or self._of_pace(charter, sender.author, sender)
        if refused is None:
            self._note_said(charter, sender.author, sender)
        return refused

    def of_change(self, charter: Charter, request: Governing) -> Refused | None:
        """Returns why somebody may change nothing at present: who is muted may come and go."""
        if isinstance(request, Found) or (isinstance(request, ChangeMembers) and request.change in ("joined", "left")):
            return None
        return self._of_muted(charter, request.by.author)

    def is_muted(self, charter: Charter, author: Author | None) -> bool:
        """Returns whether somebody may say and do nothing in the room at present."""
        return self._of_muted(charter, author) is not None

    def of_operation(self, charter: Charter, operation: Operation, posted: Posted) -> Refused | None:
        """Returns why nothing may be done to a message. Who may delete it is asked besides."""
        sender = operation.sender
        if posted.seq <= floor_of(charter, operation.author):
            return Refused("not_found")
        is_moderator = _is_moderator(charter, operation.author, sender) and charter.has_roles
        match operation:
            case Delete():
                return self._of_delete(charter, operation, posted, is_moderator=is_moderator)
            case Pin():
                return self._of_pin(charter, operation, is_moderator=is_moderator)
            case _:
                return self.of_speech(charter, operation.author, sender)

    def mentions_of_edit(self, charter: Charter, edit: Edit, posted: Posted) -> Mentions | None:
        """Returns whom the new text of a message calls. Everybody is called only by a new message."""
        words = handles_in(edit.message)
        if not words:
            return None
        mentions, before = mentions_of(words, charter), posted.mentions or Mentions()
        if before.here and "here" in words:
            mentions = replace(mentions, here=True, present=before.present)
        if before.room and "room" in words:
            mentions = replace(mentions, room=True)
        return None if mentions == Mentions() else mentions

    def note_said(self, charter: Charter, post: Post) -> None:
        """Remembers when somebody has said something, where that limits when they may say more."""
        self._note_said(charter, post.author, post.sender)

    def note_heard(self, charter: Charter, author: Author | None) -> None:
        """Remembers the same of something that was said on another node. A guest of that is known there alone."""
        if author is not None:
            self._note(charter, author.id)

    def _note_said(self, charter: Charter, author: Author | None, sender: Subscriber) -> None:
        self._note(charter, _who(author, sender))

    def _note(self, charter: Charter, who: Hashable) -> None:
        if charter.rules.slow_mode:
            self._last_said[who] = self._clock()
            self._last_said.move_to_end(who)
            if len(self._last_said) > MOST_REMEMBERED:
                self._last_said.popitem(last=False)

    def _of_pace(self, charter: Charter, author: Author | None, sender: Subscriber) -> Refused | None:
        if not charter.rules.slow_mode or _is_moderator(charter, author, sender):
            return None
        last = self._last_said.get(_who(author, sender))
        wait = 0 if last is None else last + charter.rules.slow_mode * SECOND - self._clock()
        return Refused("slow_mode", retry_after_ms=-(-wait // 1_000_000)) if wait > 0 else None

    def _of_delete(self, charter: Charter, delete: Delete, posted: Posted, *, is_moderator: bool) -> Refused | None:
        """Returns why a message may not be deleted. Who is muted may take back what they have said themselves."""
        author, said_by = delete.author, posted.author
        is_own = author is not None and said_by is not None and author.id == said_by.id
        refused = None if is_own else self._of_muted(charter, author)
        if refused is None and not is_moderator and charter.archived_at is not None:
            refused = Refused("archived")
        return refused

    def _of_pin(self, charter: Charter, pin: Pin, *, is_moderator: bool) -> Refused | None:
        if charter.archived_at is not None:
            return Refused("archived")
        refused = (
            self._of_muted(charter, pin.author) if is_moderator else self.of_speech(charter, pin.author, pin.sender)
        )
        if refused is None and not may("pin", charter, pin.author, pin.sender.server_role):
            refused = Refused("forbidden")
        return refused

    def _called(self, charter: Charter, post: Post) -> Refused | Mentions | None:
        words = handles_in(post.message)
        if not words:
            return None
        mentions = mentions_of(words, charter)
        if calls_everybody(words) and may("mention_room", charter, post.author, post.sender.server_role):
            people = len(charter.members)
            if people > SMALL_ROOM and not post.confirmed:
                return Refused("confirm", people=people)
            mentions = replace(mentions, room="room" in words, here="here" in words)
            if mentions.here:
                mentions = replace(mentions, present=self._present(charter, post.author))
        return None if mentions == Mentions() else mentions

    def _present(self, charter: Charter, but: Author | None) -> tuple[int, ...]:
        """Returns the members who are here now, without the one who calls them."""
        own = None if but is None else but.id
        here = {each.author.id for each in self._subscribers if each.author is not None}
        return tuple(account for account in charter.members if account in here and account != own)

    def _of_muted(self, charter: Charter, author: Author | None) -> Refused | None:
        if author is None:
            return None
        member = charter.members.get(author.id)
        until = charter.muted.get(author.id) if member is None else member.muted_until
        return Refused("muted", until=until) if until is not None and seconds_since(until, self._clock) < 0 else None


def may_delete_as_moderator(
    charter: Charter, delete: Delete, posted: Posted, server_role: Callable[[int], ServerRole]
) -> bool:
    """Returns whether somebody may delete what another, who is weaker, has said."""
    author, role = delete.author, delete.sender.server_role
    if author is None or not may("operate_others", charter, author, role):
        return False
    said_by = posted.author
    if said_by is None or said_by.id == author.id:
        return True
    return outranks(charter, author, role, said_by, server_role(said_by.id))


def _is_moderator(charter: Charter, author: Author | None, sender: Subscriber) -> bool:
    """Returns whether somebody moderates the room. An admin does not in a private one where they are a member."""
    return may("operate_others", charter, author, sender.server_role)


def _who(author: Author | None, sender: Subscriber) -> Hashable:
    """Returns what tells apart those who are slowed down: a guest may take any name, and so is its connection."""
    return sender.client if author is None else author.id
