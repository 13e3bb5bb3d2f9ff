"""Powers: the one table of who may do what in a room, and to whom. Pure: it looks at values only."""

from collections.abc import Mapping
from typing import get_args

from chatter.charter import Author, Charter, Power, ServerRole

STRANGER, GUEST, MEMBER, MODERATOR, OWNER, ADMIN = range(-1, 5)
"""How much somebody counts in a room: the stronger of what they are there and on the server.

A moderator of the server counts as an owner of public rooms, and in others as what they are there. An admin counts in
a room that is not public only as a member of it, and then for what is in `_OF_ADMINS`.
"""

PLAIN = Charter()
"""A room without a charter: it is public, and nobody's."""

SMALL_ROOM = 15
"""Up to this many members anybody may call all of them, without confirming it."""

_SERVER: Mapping[ServerRole, int] = {"guest": GUEST, "member": MEMBER, "moderator": OWNER, "admin": ADMIN}
_ROOM = {"member": MEMBER, "moderator": MODERATOR, "owner": OWNER}

_LEAST: Mapping[Power, int] = {
    "read": GUEST,
    "post": GUEST,
    "operate_others": MODERATOR,
    "pin": MODERATOR,
    "invite": MEMBER,
    "make_link": MEMBER,
    "remove": MODERATOR,
    "ban": MODERATOR,
    "mute": MODERATOR,
    "set_topic": MODERATOR,
    "set_title": OWNER,
    "set_rules": OWNER,
    "set_role": OWNER,
    "mention_room": MODERATOR,
}
"""The least standing for each, in public and private rooms, unless the room's rules say otherwise."""

_OF_EQUALS: Mapping[str, frozenset[Power]] = {
    "direct": frozenset({"read", "post", "pin", "mention_room"}),
    "group": frozenset({"read", "post", "pin", "mention_room", "invite", "set_title"}),
}
"""What everybody may in rooms whose members are all equal."""


_OF_ADMINS: frozenset[Power] = frozenset({"set_topic", "set_title", "set_rules", "set_role"})
"""What an admin may in each room that they are in: all of it stands in the log. The rest they may in public ones."""


def standing(charter: Charter, author: Author | None, role: ServerRole) -> int:
    """Returns how much somebody counts in a room."""
    member = charter.members.get(author.id) if author is not None else None
    if charter.kind in _OF_EQUALS:
        return STRANGER if member is None else MEMBER
    if member is None and (not charter.is_public or _is_shut_out(charter, author)):
        return STRANGER
    in_room = GUEST if member is None else _ROOM[member.role]
    return in_room if not charter.is_public and role != "admin" else max(_SERVER[role], in_room)


def may(power: Power, charter: Charter, author: Author | None, role: ServerRole) -> bool:
    """Returns whether somebody may do that in a room."""
    counts = standing(charter, author, role)
    if counts == STRANGER:
        return False
    if charter.kind in _OF_EQUALS:
        return power in _OF_EQUALS[charter.kind]
    if power == "set_role":  # a moderator of the server counts as an owner, and yet makes none
        member = charter.members.get(author.id) if author is not None else None
        return counts == ADMIN or (member is not None and member.role == "owner")
    if counts == ADMIN and not charter.is_public and power not in _OF_ADMINS:
        return may(power, charter, author, "member")
    return counts >= _least(power, charter)


def powers_of(charter: Charter, author: Author | None, role: ServerRole) -> frozenset[Power]:
    """Returns all that somebody may do in a room."""
    return frozenset(power for power in get_args(Power) if may(power, charter, author, role))


def outranks(charter: Charter, by: Author, role: ServerRole, target: Author, target_role: ServerRole) -> bool:
    """Returns whether somebody is stronger than another one: nobody acts on an equal or a stronger one."""
    target_counts = max(standing(charter, target, target_role), STRANGER)
    return standing(charter, by, role) > target_counts


def _least(power: Power, charter: Charter) -> int:
    rules = charter.rules
    match power:
        case "post" if rules.post == "moderators":
            return MODERATOR
        case "pin" if rules.pins == "members" or not charter.has_owner:
            return GUEST
        case "invite" | "make_link" if rules.invite == "moderators":
            return MODERATOR
        case "mention_room" if len(charter.members) <= SMALL_ROOM:
            return MEMBER
        case _:
            return _LEAST[power]


def _is_shut_out(charter: Charter, author: Author | None) -> bool:
    """Returns whether a public room is closed to somebody who is no member of it."""
    return not charter.rules.guests if author is None else author.id in charter.banned
