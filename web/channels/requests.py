"""Requests: turns an event and its payload into a message for a room, or into an error that says what was expected.

Nothing invalid reaches a room. A new event is a row in `_REQUESTS`; `docs/protocol.md` lists the events and the limits.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from chatter.messages import SLUG, Position, Post, ReadHistory, Ref, Relay, RoomMessage, ShowTyping, Subscriber, Sync
from web.channels.characters import (
    MAX_MARKS,
    find_suspect,
    has_long_mark_run,
    has_visible,
    is_normal_name,
    normal_name,
)
from web.channels.wire import BadFrame, Binary, Invalid, Payload, encode
from web.limits import Limits, Rate
from web.settings import Settings

Fields: TypeAlias = dict[str, Any]

_LARGEST = 2**63 - 1

TOPIC = re.compile(f"chat_room:({SLUG.pattern})")

_TOPICS_REMEMBERED = 8_192
"""Topics whose names are held once for all of their channels."""

# All control characters (Unicode category Cc) but tab and line feed, and what would not survive a database or a wire.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class InvalidPayload(Exception):
    """A payload that is not what the event wants."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.answer = Invalid(field, message)


class Topic(NamedTuple):
    """A topic that names a room."""

    name: str
    slug: str  # the room
    json: bytes  # the name, as it stands in a frame


def topic_of(name: str) -> Topic | None:
    """Returns the topic of that name, or None if it names no room."""
    return _room_topic(name) if TOPIC.fullmatch(name) else None


@functools.lru_cache(_TOPICS_REMEMBERED)
def _room_topic(name: str) -> Topic:
    return Topic(name, name.partition(":")[2], encode(name))


# ---------------------------------------------------------------- payloads


def translate(event: object, payload: Payload, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage | None:
    """Returns the message that `event` asks for, or None for an event that no room knows.

    Raises `InvalidPayload`, or `BadFrame` where the payload is not JSON at all.
    """
    if event == "new_message":
        if isinstance(payload, Binary):
            return Relay(sender, ref, payload.data)
        post = _valid_post(payload, sender, ref, limits)
        if post is not None:
            return post
    request = _REQUESTS.get(event) if isinstance(event, str) else None
    if request is None:
        _value(payload)
        return None
    return request.read(fields_of(payload), sender, ref, limits)


class _PostFields(msgspec.Struct, gc=False):
    name: str
    message: str
    id: str | None = None
    repeat: bool = False
    ack: Literal["room", "disk"] = "disk"


_post_fields = msgspec.json.Decoder(_PostFields)


def _valid_post(payload: msgspec.Raw, sender: Subscriber, ref: Ref, limits: Limits) -> Post | None:
    """Returns what `_post` does for a valid payload, in 1.5 µs instead of 4. `_post` says what is wrong.

    A message that takes long to look at comes last, and is refused here, so that it is looked at once.
    """
    try:
        said = _post_fields.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    name, message, id = said.name, said.message, said.id
    if not (
        0 < len(name) <= limits.max_name_length
        and 0 < len(message) <= limits.max_message_length
        and ((name.isascii() and name.isalnum()) or is_normal_name(name))
        and (
            id is None
            or (0 < len(id) <= limits.max_id_length and id.isascii() and id.isprintable() and not id.isspace())
        )
        and not message.isspace()
        and (
            (message.isprintable() or not _CONTROL.search(message))
            if message.isascii()
            else not find_suspect(message)
            or (not _CONTROL.search(message) and _legible(message, "message", limits.max_message_length))
        )
    ):
        return None
    return Post(sender, ref, id, name, message, said.repeat, said.ack)


def _post(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    repeat, ack = fields.get("repeat", False), fields.get("ack", "disk")
    if not isinstance(repeat, bool):
        raise InvalidPayload("repeat", f"expected true or false, got {_json_type(repeat)}")
    if ack not in ("disk", "room"):
        raise InvalidPayload("ack", 'expected "disk" or "room"')
    id = None if fields.get("id") is None else _text(fields, "id", limits.max_id_length)
    name, message = sender_name(fields, limits), _text(fields, "message", limits.max_message_length)
    return Post(sender, ref, id, name, message, repeat, ack)


def _show_typing(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    return ShowTyping(sender, ref, sender_name(fields, limits))


def _read_history(fields: Fields, reader: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    before, after = _number(fields, "before", 1, _LARGEST), _number(fields, "after", 0, _LARGEST)
    around = _number(fields, "around", 1, _LARGEST)
    if before is not None and after is not None:
        raise InvalidPayload("after", "expected `before` or `after`, got both")
    if around is not None and (before is not None or after is not None):
        raise InvalidPayload("around", "expected one of `before`, `after` and `around`, got two")
    most = limits.max_history_page if after is None else limits.max_recovery_page
    limit = _number(fields, "limit", 1, most) or max(1, most // 2)
    return ReadHistory(reader, ref, before, limit, after, around)


def _sync(fields: Fields, subscriber: Subscriber, ref: Ref, _limits: Limits) -> RoomMessage:
    position = position_of(fields)
    if position is None:
        raise InvalidPayload("since", f"expected a whole number from 0 to {_LARGEST}, got nothing")
    return Sync(subscriber, ref, position)


class _Request(NamedTuple):
    """An event that rooms know: what reads its payload, and the setting that says how often it may come."""

    read: Callable[[Fields, Subscriber, Ref, Limits], RoomMessage]
    rate: Literal["message_rate", "typing_rate", "history_rate"]


_REQUESTS: Mapping[str, _Request] = {
    "new_message": _Request(_post, "message_rate"),
    "typing": _Request(_show_typing, "typing_rate"),
    "history": _Request(_read_history, "history_rate"),
    "sync": _Request(_sync, "history_rate"),
}


def rates_by_event(settings: Settings) -> Mapping[str, tuple[str, Rate]]:
    """Returns for each event the name of its token bucket and the bucket's rate; nothing where rates are off."""
    if settings.rate_limits == "off":
        return {}
    rates = {event: request.rate for event, request in _REQUESTS.items()} | {"phx_join": "join_rate"}
    return {event: (rate, getattr(settings, rate)) for event, rate in rates.items()}


# ---------------------------------------------------------------- fields


def fields_of(payload: Payload) -> Fields:
    """Returns the payload as an object. Raises `InvalidPayload`, or `BadFrame` where it is not JSON at all."""
    value = _value(payload)
    if not isinstance(value, dict):
        raise InvalidPayload("payload", f"expected an object, got {_json_type(value)}")
    return value


def sender_name(fields: Fields, limits: Limits) -> str:
    """Returns the required `name` in its normal form. Raises `InvalidPayload`, as all of these do."""
    name = normal_name(_string(fields, "name", limits.max_name_length))
    return _text({"name": name}, "name", limits.max_name_length)


def position_of(fields: Fields) -> Position | None:
    """Returns the optional `since`, with the `epoch` in which that was heard."""
    since = _number(fields, "since", 0, _LARGEST)
    epoch = _number(fields, "epoch", 0, _LARGEST)
    return None if since is None else Position(since, epoch)


def flag_of(fields: Fields, field: str) -> bool:
    """Returns an optional flag, false where it is missing."""
    value = fields.get(field)
    if value is not None and not isinstance(value, bool):
        raise InvalidPayload(field, f"expected true or false, got {_json_type(value)}")
    return bool(value)


def _value(payload: Payload) -> Any:
    if isinstance(payload, Binary):
        return payload.data
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrame(f"expected a payload in JSON: {error}") from error


def _text(fields: Fields, field: str, longest: int) -> str:
    return _legible(_string(fields, field, longest), field, longest)


def _legible(value: str, field: str, longest: int) -> str:
    """Returns a string of which something can be seen, and that covers no other lines."""
    if not has_visible(value):
        raise InvalidPayload(field, f"expected 1 to {longest} characters, got none that can be seen")
    if has_long_mark_run(value):
        raise InvalidPayload(field, f"expected at most {MAX_MARKS} combining marks in a row")
    return value


def _string(fields: Fields, field: str, longest: int) -> str:
    value = fields.get(field)
    if not isinstance(value, str):
        raise InvalidPayload(field, f"expected a string of 1 to {longest} characters, got {_json_type(value)}")
    if len(value) > longest:
        raise InvalidPayload(field, f"expected 1 to {longest} characters, got {len(value)}")
    if _CONTROL.search(value):
        raise InvalidPayload(field, "expected no control characters but tab and line feed")
    return value


def _number(fields: Fields, field: str, least: int, most: int) -> int | None:
    value = fields.get(field)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        got = value if isinstance(value, int | float) else _json_type(value)
        raise InvalidPayload(field, f"expected a whole number from {least} to {most}, got {got}")
    return value


def _json_type(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case bytes():
            return f"{len(value)} bytes of binary"
        case _:
            return "an object"
