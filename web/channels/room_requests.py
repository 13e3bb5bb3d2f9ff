"""Room requests: reads the events about a room itself and about its people.

Handles are looked up before a room hears of them, and a link is made beside it: such an event is read as an errand.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast, get_args

import msgspec

from chatter.accounts.invitations import MOST_DAYS, MOST_USES
from chatter.accounts.names import LONGEST_HANDLE
from chatter.charter import RoomRole, RulesPatch
from chatter.clock import SECOND, to_iso, wall_clock
from chatter.messages import By, ChangeMembers, ChangeRoom, MemberChange, Ref, Refused, RoomMessage, Subscriber
from web.channels.characters import normal_name
from web.channels.fields import Fields, InvalidPayload, flag_of, id_of, json_type, number_of, string_of, text_of
from web.limits import Limits

MOST_NAMED = 20
"""People who are named in one request."""

MOST_MINUTES = 525_600
"""Longest time for which somebody is muted: a year."""

MOST_SLOW_SECONDS = 21_600


class RequestRefused(Exception):
    """A request that needs no look at the room to be refused."""

    def __init__(self, answer: Refused) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class NamesPeople(msgspec.Struct, frozen=True):
    """A request in which people are named by their handles."""

    handles: tuple[str, ...]
    request: Callable[[tuple[By, ...]], ChangeMembers]  # what the room is told once it is known who they are
    is_arrival: bool = False  # they become members: each may be in so many rooms


class MakesLink(msgspec.Struct, frozen=True):
    """Somebody wants a link to the room."""

    by: By
    uses: int | None  # None for any number
    days: float | None  # None for ever


Errand: TypeAlias = NamesPeople | MakesLink
"""What has to be found out or done before a request is answered, or passed on to its room."""

Request: TypeAlias = RoomMessage | Errand


def by_of(sender: Subscriber) -> By:
    """Returns who does something to a room. Raises `RequestRefused` for a guest."""
    author = sender.author
    if author is None:
        raise RequestRefused(Refused("sign_in"))
    return By(author, sender.person_name or author.handle, sender.server_role)


# ---------------------------------------------------------------- fields


def title_of(fields: Fields, limits: Limits) -> str:
    """Returns the required `title`, in one line and its normal form. Raises `InvalidPayload`, as all of these do."""
    longest = limits.max_title_length
    title = normal_name(string_of(fields, "title", longest))
    return text_of({"title": title}, "title", longest)


def topic_of(fields: Fields, limits: Limits) -> str:
    """Returns the required `topic`, in its normal form; "" is none."""
    longest = limits.max_topic_length
    return normal_name(string_of(fields, "topic", longest)) if fields.get("topic") != "" else ""


def rules_of(fields: Fields) -> RulesPatch | None:
    """Returns the optional `settings`: those that are to change."""
    settings = fields.get("settings")
    if settings is None:
        return None
    try:
        rules = msgspec.convert(settings, RulesPatch)
    except msgspec.ValidationError as error:
        raise InvalidPayload("settings", str(error)) from error
    if rules.slow_mode is not None and not 0 <= rules.slow_mode <= MOST_SLOW_SECONDS:
        raise InvalidPayload("settings", f"expected a slow_mode from 0 to {MOST_SLOW_SECONDS} seconds")
    return rules


def handle_of(fields: Fields, field: str = "handle") -> str:
    """Returns a required handle, without its @."""
    handle = string_of(fields, field, LONGEST_HANDLE + 1).strip().removeprefix("@").lower()
    if not handle:
        raise InvalidPayload(field, "expected a handle")
    return handle


def handles_of(fields: Fields, field: str = "handles", most: int = MOST_NAMED) -> tuple[str, ...]:
    """Returns a required list of handles, each once."""
    handles = fields.get(field)
    if not isinstance(handles, list) or not 0 < len(handles) <= most:
        raise InvalidPayload(field, f"expected a list of 1 to {most} handles")
    return tuple(dict.fromkeys(handle_of({field: handle}, field) for handle in handles))


def _reason_of(fields: Fields, limits: Limits) -> str | None:
    return None if fields.get("reason") is None else text_of(fields, "reason", limits.max_reason_length)


def _one_of(fields: Fields, field: str, words: tuple[str, ...]) -> str:
    value = fields.get(field)
    if not isinstance(value, str) or value not in words:
        got = value if isinstance(value, str) else json_type(value)
        raise InvalidPayload(field, f"expected one of {', '.join(words)}, got {got:.32}")
    return value


# ---------------------------------------------------------------- events


def _set_room(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    by, id, repeat = by_of(sender), id_of(fields, limits), flag_of(fields, "repeat")
    title = None if fields.get("title") is None else title_of(fields, limits)
    topic = None if fields.get("topic") is None else topic_of(fields, limits)
    rules, archived = rules_of(fields), None if fields.get("archived") is None else flag_of(fields, "archived")
    if (title, topic, rules, archived) == (None, None, None, None):
        raise InvalidPayload("payload", "expected one of title, topic, settings and archived")
    return ChangeRoom(sender, ref, id, by, title, topic, rules, archived, repeat)


def _invite(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    make = _changing(fields, sender, ref, limits, "added")
    return NamesPeople(handles_of(fields), make, is_arrival=True)


def _remove_member(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    change: MemberChange = "banned" if flag_of(fields, "ban") else "removed"
    make = _changing(fields, sender, ref, limits, change, reason=_reason_of(fields, limits))
    return NamesPeople((handle_of(fields),), make)


def _unban_member(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    make = _changing(fields, sender, ref, limits, "unbanned")
    return NamesPeople((handle_of(fields),), make)


def _set_role(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    role = cast(RoomRole, _one_of(fields, "role", get_args(RoomRole)))
    return NamesPeople((handle_of(fields),), _changing(fields, sender, ref, limits, "role", role=role))


def _mute_member(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    minutes = number_of(fields, "minutes", 0, MOST_MINUTES)
    if minutes is None:
        raise InvalidPayload("minutes", f"expected a whole number from 0 to {MOST_MINUTES}, got nothing")
    until = to_iso(wall_clock() + 60 * minutes * SECOND) if minutes else None
    change: MemberChange = "muted" if minutes else "unmuted"
    make = _changing(fields, sender, ref, limits, change, until=until, reason=_reason_of(fields, limits))
    return NamesPeople((handle_of(fields),), make)


def _join_room(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    make, by = _changing(fields, sender, ref, limits, "joined"), by_of(sender)
    return NamesPeople((by.author.handle,), lambda _found: make((by,)), is_arrival=True)


def _leave_room(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    return _changing(fields, sender, ref, limits, "left")((by_of(sender),))


def _make_link(fields: Fields, sender: Subscriber, _ref: Ref, _limits: Limits) -> Request:
    uses = 1 if "uses" not in fields else number_of(fields, "uses", 1, MOST_USES)
    days = 7 if "days" not in fields else number_of(fields, "days", 1, MOST_DAYS)
    return MakesLink(by_of(sender), uses, days)


def _changing(
    fields: Fields, sender: Subscriber, ref: Ref, limits: Limits, change: MemberChange, **more: Any
) -> Callable[[tuple[By, ...]], ChangeMembers]:
    """Returns what makes the request of it once it is known whom it is about."""
    id, by, repeat = id_of(fields, limits), by_of(sender), flag_of(fields, "repeat")
    return lambda accounts: ChangeMembers(sender, ref, id, by, change, accounts, repeat=repeat, **more)


Read: TypeAlias = Callable[[Fields, Subscriber, Ref, Limits], Request]

_READERS: Mapping[str, Read] = {
    "set_room": _set_room,
    "invite": _invite,
    "remove_member": _remove_member,
    "unban_member": _unban_member,
    "set_role": _set_role,
    "mute_member": _mute_member,
    "join_room": _join_room,
    "leave_room": _leave_room,
    "make_link": _make_link,
}


def _read(read: Read, fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> Request:
    """Tells a guest to sign in before anything else is said of what they ask."""
    by_of(sender)
    return read(fields, sender, ref, limits)


ROOM_REQUESTS: Mapping[str, Read] = {event: functools.partial(_read, read) for event, read in _READERS.items()}
