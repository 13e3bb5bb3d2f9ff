"""Decisions: what follows from a request to change a room or its people. Pure: from values to drafts of entries.

A draft is an entry that has no place yet. No draft at all says that everything is so already.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, assert_never

from chatter.charter import Charter, Member, Power, RoomKind, RoomRole, difference, is_stronger
from chatter.messages import (
    By,
    ChangeMembers,
    ChangeRoom,
    Found,
    Governing,
    MemberAs,
    MemberChange,
    MembersChanged,
    Refused,
    RoomChanged,
    RoomEntry,
)
from chatter.room.context import RoomSettings
from chatter.room.powers import PLAIN, STRANGER, may, outranks, standing

MOST_AT_ONCE = 20
"""People in one entry."""

Drafts: TypeAlias = Sequence[RoomEntry]

NOT_FOUND = Refused("not_found")
FORBIDDEN = Refused("forbidden")

_POWERS: Mapping[MemberChange, Power] = {
    "added": "invite",
    "removed": "remove",
    "banned": "ban",
    "unbanned": "ban",
    "role": "set_role",
    "muted": "mute",
    "unmuted": "mute",
}

_KEEPS_ROLE: frozenset[MemberChange] = frozenset({"muted", "unmuted"})
"""What is done to somebody who stays what they are in the room."""


class Limits(NamedTuple):
    """How many people a room may have, and how many rooms somebody may be in."""

    settings: RoomSettings
    count_of: Callable[[int], int | None]
    """Returns in how many rooms an account is now; None where nobody who has asked can be near the limit."""

    def refusal(self, kind: RoomKind, members: int, new: Sequence[By]) -> Refused | None:
        """Returns why these people may not come into a room that has so many members."""
        most, most_rooms = self._most_members(kind), self.settings.max_rooms_per_account
        if new and most is not None and members + len(new) > most:
            return Refused("full", limit=most)
        is_full = any((self.count_of(each.author.id) or 0) >= most_rooms for each in new)
        return Refused("full", limit=most_rooms) if is_full else None

    def _most_members(self, kind: RoomKind) -> int | None:
        match kind:
            case "public":
                return None
            case "private":
                return self.settings.max_room_members
            case "direct":
                return 2
            case "group":
                return self.settings.max_group_members


def decide(
    charter: Charter | None,
    request: Governing,
    *,
    kind: RoomKind,
    is_new: bool,
    is_open: bool,
    limits: Limits,
) -> Refused | Drafts:
    """Returns what is to be written, or why nothing is. `kind` is that of the room's name.

    A room without a charter is plain. There is none where nothing was written, `is_new`, and nobody is, `is_open`.
    """
    match request:
        case Found():
            return _found(charter, request, kind, is_new=is_new, limits=limits)
        case ChangeRoom() | ChangeMembers() if charter is None and kind != "public":
            return NOT_FOUND
        case ChangeRoom() | ChangeMembers(opens=False) if charter is None and is_new and not is_open:
            return NOT_FOUND
        case ChangeRoom():
            return _change_room(charter or PLAIN, request)
        case ChangeMembers():
            return _change_members(charter, request, limits)
        case _:
            assert_never(request)


# ---------------------------------------------------------------- rooms


def _found(charter: Charter | None, found: Found, kind: RoomKind, *, is_new: bool, limits: Limits) -> Refused | Drafts:
    if found.kind != kind or (kind == "public" and _hides_the_past(found)) or _is_silent_for_good(found):
        return FORBIDDEN
    if charter is not None or not is_new:
        is_there = kind == "direct" and charter is not None and found.by.author.id in charter.members
        return () if is_there else FORBIDDEN
    others = [each for each in found.members if each.author.id != found.by.author.id]
    full = limits.refusal(kind, 0, [found.by, *others])
    if full is not None:
        return full
    rules = difference(PLAIN.rules, found.rules)
    role: RoomRole = "owner" if kind in ("public", "private") else "member"
    drafts: list[RoomEntry] = [
        RoomChanged(0, "", found.by.name, "", 0, kind, found.title, found.topic, rules, author=found.by.author),
        _draft(found.by, "joined", [found.by], role=role),
    ]
    parts = (others[first : first + MOST_AT_ONCE] for first in range(0, len(others), MOST_AT_ONCE))
    return [*drafts, *(_draft(found.by, "added", part, role="member") for part in parts)]


def _change_room(charter: Charter, change: ChangeRoom) -> Refused | Drafts:
    by = change.by
    refused = _of_stranger(charter, by)
    if refused is not None:
        return refused
    wanted: dict[Power, bool] = {
        "set_topic": change.topic is not None,
        "set_title": change.title is not None,
        "set_rules": change.rules is not None or change.archived is not None,
    }
    if not all(may(power, charter, by.author, by.role) for power, is_wanted in wanted.items() if is_wanted):
        return FORBIDDEN
    if charter.archived_at is not None and change.archived is not False:
        return () if _is_archived_only(change) else Refused("archived")
    if charter.is_public and _hides_the_past(change):
        return FORBIDDEN
    title = None if change.title == charter.title else change.title
    topic = None if change.topic == charter.topic else change.topic
    rules = difference(charter.rules, change.rules)
    archived = None if change.archived is (charter.archived_at is not None) else change.archived
    if title is None and topic is None and rules is None and archived is None:
        return ()
    return [RoomChanged(0, "", by.name, "", 0, None, title, topic, rules, archived, author=by.author)]


def _is_archived_only(change: ChangeRoom) -> bool:
    return change.archived is True and change.title is None and change.topic is None and change.rules is None


def _hides_the_past(request: Found | ChangeRoom) -> bool:
    """Returns whether only what is said from then on may be read: in a public room that says nothing."""
    return request.rules is not None and request.rules.history == "since_join"


def _is_silent_for_good(found: Found) -> bool:
    """Returns whether nobody could ever say anything in a room: where all are equal, nobody changes its rules."""
    return found.kind in ("direct", "group") and found.rules is not None and bool(found.rules.read_only)


# ---------------------------------------------------------------- people


def _change_members(charter: Charter | None, change: ChangeMembers, limits: Limits) -> Refused | Drafts:
    if change.change == "joined":
        return _join(charter or PLAIN, change, limits)
    if charter is None:  # nobody is a member of a plain room, and who joins it makes that its first
        return FORBIDDEN if change.change in _POWERS else ()
    refused = _of_stranger(charter, change.by)
    if refused is not None:
        return refused
    if change.change == "left":
        return _leave(charter, change)
    power = _POWERS[change.change]
    if not may(power, charter, change.by.author, change.by.role):
        return FORBIDDEN
    if change.change == "added":
        return _add(charter, change, limits)
    if change.change == "unbanned":
        return _drafts(change, [each for each in change.accounts if each.author.id in charter.banned])
    return _act_on(charter, change)


def _join(charter: Charter, change: ChangeMembers, limits: Limits) -> Refused | Drafts:
    """Lets somebody in: into a public room, by an invitation, or visibly as an admin of the server."""
    account, is_admin = change.by.author.id, change.by.role == "admin"
    member = charter.members.get(account)
    if member is not None:
        return _raise(charter, change, member)
    if not charter.is_public and not (charter.kind == "private" and (change.is_invited or is_admin)):
        return NOT_FOUND
    if account in charter.banned and not is_admin:
        return Refused("banned")
    return _come(charter, change, [change.by], limits)


def _raise(charter: Charter, change: ChangeMembers, member: Member) -> Drafts:
    """Gives a member the role with which they come, where that is stronger. Nobody gets a weaker one so."""
    if change.role is None or not charter.has_roles or not is_stronger(change.role, member.role):
        return ()
    return [_draft(change.by, "role", [change.by], role=change.role)]


def _add(charter: Charter, change: ChangeMembers, limits: Limits) -> Refused | Drafts:
    new = [each for each in change.accounts if each.author.id not in charter.members]
    if any(each.author.id in charter.banned for each in new):
        return Refused("banned")
    return _come(charter, change, new, limits)


def _come(charter: Charter, change: ChangeMembers, new: Sequence[By], limits: Limits) -> Refused | Drafts:
    if new and charter.archived_at is not None:
        return Refused("archived")
    full = limits.refusal(charter.kind, len(charter.members), new)
    is_left_to_them = charter.kind == "private" and not charter.members
    return full or _drafts(change, new, role="owner" if is_left_to_them else change.role or "member")


def _leave(charter: Charter, change: ChangeMembers) -> Refused | Drafts:
    """Lets somebody go, but not the last owner of a private room from the others, and nobody from a direct one."""
    member = charter.members.get(change.by.author.id)
    if member is None:
        return ()
    if charter.kind == "direct":
        return FORBIDDEN
    if charter.kind == "private" and len(charter.members) > 1 and _is_last_owner(charter, member):
        return FORBIDDEN
    return _drafts(change, [change.by])


def _act_on(charter: Charter, change: ChangeMembers) -> Refused | Drafts:
    """Does something to people who are weaker than the one who does it."""
    targets = [each for each in change.accounts if not _is_so(charter, change, each)]
    for target in targets:
        member = charter.members.get(target.author.id)
        if member is None and change.change != "banned":
            return NOT_FOUND
        if not _may_act_on(charter, change, target, member):
            return FORBIDDEN
    return _drafts(change, targets, role=change.role)


def _may_act_on(charter: Charter, change: ChangeMembers, target: By, member: Member | None) -> bool:
    by, is_own = change.by, target.author.id == change.by.author.id
    is_last = member is not None and change.change not in _KEEPS_ROLE and _is_last_owner(charter, member)
    if is_last and (is_own or charter.kind == "private"):
        return False  # who gives it away, or takes it, makes another one first
    return change.change == "role" if is_own else outranks(charter, by.author, by.role, target.author, target.role)


def _is_so(charter: Charter, change: ChangeMembers, target: By) -> bool:
    member = charter.members.get(target.author.id)
    match change.change:
        case "removed":
            return member is None
        case "banned":
            return target.author.id in charter.banned
        case "role":
            return member is not None and member.role == change.role
        case "muted":
            return member is not None and member.muted_until == change.until
        case "unmuted":
            return member is not None and member.muted_until is None
        case _:
            return False


def _is_last_owner(charter: Charter, member: Member) -> bool:
    owners = [each for each in charter.members.values() if each.role == "owner"]
    return owners == [member]


def _of_stranger(charter: Charter, by: By) -> Refused | None:
    if standing(charter, by.author, by.role) != STRANGER:
        return None
    return Refused("banned") if charter.is_public else NOT_FOUND


def _drafts(change: ChangeMembers, people: Sequence[By], *, role: RoomRole | None = None) -> Drafts:
    if not people:
        return ()
    return [_draft(change.by, change.change, people, role=role, until=change.until, reason=change.reason)]


def _draft(
    by: By,
    change: MemberChange,
    people: Sequence[By],
    *,
    role: RoomRole | None = None,
    until: str | None = None,
    reason: str | None = None,
) -> MembersChanged:
    members = tuple(MemberAs(each.author, each.name) for each in people)
    return MembersChanged(0, "", by.name, "", 0, change, members, role, until, reason, author=by.author)
