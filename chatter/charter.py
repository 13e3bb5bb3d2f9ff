"""The charter: what somebody's room is called, who is in it and as what, and what its owners have settled.

A room without a charter is plain: public, and nobody's.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from schema.slugs import kind_of

RoomKind: TypeAlias = Literal["public", "private", "direct", "group"]
"""Whose a room is: everybody's, its members', two people's, or those of a few who are all equal."""

RoomRole: TypeAlias = Literal["owner", "moderator", "member"]

Power: TypeAlias = Literal[
    "read",
    "post",  # also edit, delete and react
    "operate_others",  # delete what others have said
    "pin",
    "invite",
    "make_link",
    "remove",
    "ban",
    "mute",
    "set_topic",
    "set_title",
    "set_rules",  # also archive
    "set_role",
    "mention_room",
]
"""What somebody may do in a room; `chatter/room/powers.py` is the table."""

ServerRole: TypeAlias = Literal["guest", "member", "moderator", "admin"]
"""What somebody is on this server, the weakest first."""

_PREFIX: Mapping[RoomKind, str] = {"private": "p--", "direct": "d--", "group": "g--"}


class Author(msgspec.Struct, frozen=True, gc=False):
    """The account of somebody who does something. A guest has none."""

    id: int
    handle: str  # "" where the account is deleted


class RoomRules(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the owners of a room have settled."""

    history: Literal["all", "since_join"] = "all"  # what members may read: all, or what was said since they came
    post: Literal["members", "moderators"] = "members"  # "members" is everybody who may read
    slow_mode: int = 0  # seconds from one message of a person to the next: 0 to 21,600
    read_only: bool = False
    invite: Literal["members", "moderators"] = "members"
    guests: bool = True  # whether guests may be in it, where it is public
    listed: bool = True
    pins: Literal["members", "moderators"] = "moderators"  # without an owner everybody may pin
    join_notes: Literal["folded", "off"] = "folded"


DEFAULT_RULES = RoomRules()


class RulesPatch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Some of the rules with new values; None leaves one as it is."""

    history: Literal["all", "since_join"] | None = None
    post: Literal["members", "moderators"] | None = None
    slow_mode: int | None = None
    read_only: bool | None = None
    invite: Literal["members", "moderators"] | None = None
    guests: bool | None = None
    listed: bool | None = None
    pins: Literal["members", "moderators"] | None = None
    join_notes: Literal["folded", "off"] | None = None


class Member(msgspec.Struct, frozen=True):
    """Somebody who is in a room."""

    author: Author
    name: str
    role: RoomRole
    joined_seq: int  # the entry with which they came
    muted_until: str | None = None  # ISO 8601 in UTC


class Charter(msgspec.Struct, frozen=True, kw_only=True):
    """A room that is somebody's. A change makes another value: whoever holds one may keep it."""

    kind: RoomKind = "public"
    title: str = ""  # "" for a public room that is called by its slug
    topic: str = ""
    rules: RoomRules = DEFAULT_RULES
    archived_at: str | None = None
    members: Mapping[int, Member] = {}  # by account
    banned: frozenset[int] = frozenset()
    muted: Mapping[int, str] = {}  # until when those are muted who have left meanwhile

    @property
    def is_public(self) -> bool:
        """Whether everybody may come who may use the server."""
        return self.kind == "public"

    @property
    def has_roles(self) -> bool:
        """Whether some are more than others. In direct rooms and groups all are equal."""
        return self.kind in ("public", "private")

    @property
    def has_owner(self) -> bool:
        """Whether somebody owns it. A public room that people merely joined is nobody's."""
        return any(member.role == "owner" for member in self.members.values())


class RoomView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A room with a charter, as one person sees it."""

    kind: RoomKind
    title: str
    topic: str
    settings: RoomRules
    archived: bool
    role: RoomRole | None  # None for somebody who is not in it
    members: int
    joined_seq: int | None = None
    muted_until: str | None = None


def patched(rules: RoomRules, patch: RulesPatch | None) -> RoomRules:
    """Returns the rules with the new values of a patch."""
    return rules if patch is None else msgspec.structs.replace(rules, **_values(patch))


def difference(rules: RoomRules, patch: RulesPatch | None) -> RulesPatch | None:
    """Returns what a patch changes of the rules; None where that is nothing."""
    if patch is None:
        return None
    changed = {name: value for name, value in _values(patch).items() if value != getattr(rules, name)}
    return RulesPatch(**changed) if changed else None


def new_slug(kind: Literal["private", "group"]) -> str:
    """Makes the name of a room that is not public."""
    return _PREFIX[kind] + _letters(secrets.token_bytes(17))


def direct_slug(key: str, accounts: Iterable[int]) -> str:
    """Returns the name of the direct room of these accounts. `key` is the identity of the database."""
    people = ",".join(map(str, sorted(set(accounts))))
    return _PREFIX["direct"] + _letters(hmac.digest(key.encode(), people.encode(), hashlib.sha256))


def is_stronger(role: RoomRole, other: RoomRole) -> bool:
    """Returns whether a role in a room is stronger than another one."""
    strongest_first = get_args(RoomRole)
    return strongest_first.index(role) < strongest_first.index(other)


def is_private_slug(slug: str) -> bool:
    """Returns whether only a room that is not public can have this name."""
    return kind_of(slug) != "public"


def _letters(random: bytes) -> str:
    return base64.b32encode(random).decode()[:26].lower()


def _values(patch: RulesPatch) -> dict[str, Any]:
    return {name: value for name in patch.__struct_fields__ if (value := getattr(patch, name)) is not None}
