"""Requests: turns an event and its payload into a message for a room, or into an error that says what was expected.

Nothing invalid reaches a room. A new event is a row in `_REQUESTS`; `docs/protocol.md` lists the events and the limits.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import msgspec

from chatter.accounts.rights import Action
from chatter.messages import (
    SLUG,
    Delete,
    Edit,
    ListReactors,
    Pin,
    Post,
    React,
    ReadHistory,
    Ref,
    Relay,
    RoomMessage,
    ShowTyping,
    Subscriber,
    Sync,
)
from web.channels.characters import (
    find_suspect,
    is_normal_name,
)
from web.channels.emoji import MAX_KEY_BYTES, emoji
from web.channels.fields import (
    CONTROL,
    LARGEST,
    Fields,
    InvalidPayload,
    fields_of,
    flag_of,
    id_of,
    json_of,
    json_type,
    legible,
    number_of,
    position_of,
    sender_of,
    seq_of,
    seqs_of,
    string_of,
    text_of,
)
from web.channels.personal_requests import RATES as PERSONAL_RATES
from web.channels.room_requests import ROOM_REQUESTS, Request
from web.channels.wire import Binary, Frame, Payload, encode
from web.limits import Limits, Rate
from web.settings import Settings

TOPIC = re.compile(f"chat_room:({SLUG.pattern})")

_TOPICS_REMEMBERED = 8_192
"""Topics whose names are held once for all of their channels."""


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


def translate(event: object, payload: Payload, sender: Subscriber, ref: Ref, limits: Limits) -> Request | None:
    """Returns the message or the errand that `event` asks for, or None for an event that no room knows.

    Raises `InvalidPayload`, `RequestRefused`, or `BadFrame` where the payload is not JSON at all.
    """
    if event == "new_message":
        if isinstance(payload, Binary):
            return Relay(sender, ref, payload.data)
        post = _valid_post(payload, sender, ref, limits)
        if post is not None:
            return post
    request = _REQUESTS.get(event) if isinstance(event, str) else None
    if request is None:
        json_of(payload)
        return None
    return request.read(fields_of(payload), sender, ref, limits)


class _PostFields(msgspec.Struct, gc=False):
    message: str
    name: str = ""  # an account gives none
    id: str | None = None
    repeat: bool = False
    ack: Literal["room", "disk"] = "disk"
    reply_to: int | None = None
    confirmed: bool = False


_post_fields = msgspec.json.Decoder(_PostFields)


def _valid_post(payload: msgspec.Raw, sender: Subscriber, ref: Ref, limits: Limits) -> Post | None:
    """Returns what `_post` does for a valid payload, in 1.5 µs instead of 4. `_post` says what is wrong.

    A message that takes long to look at comes last, and is refused here, so that it is looked at once.
    """
    try:
        said = _post_fields.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    name, message, id, author = said.name, said.message, said.id, sender.author
    if author is not None:
        name = sender.person_name or author.handle
    elif not (
        0 < len(name) <= limits.max_name_length and ((name.isascii() and name.isalnum()) or is_normal_name(name))
    ):
        return None
    if not (
        0 < len(message) <= limits.max_message_length
        and (
            id is None
            or (0 < len(id) <= limits.max_id_length and id.isascii() and id.isprintable() and not id.isspace())
        )
        and not message.isspace()
        and (said.reply_to is None or 0 < said.reply_to <= LARGEST)
        and (
            (message.isprintable() or not CONTROL.search(message))
            if message.isascii()
            else not find_suspect(message)
            or (not CONTROL.search(message) and legible(message, "message", limits.max_message_length))
        )
    ):
        return None
    return Post(sender, ref, id, name, message, said.repeat, said.ack, said.reply_to, author, said.confirmed)


def _post(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    repeat, ack = fields.get("repeat", False), fields.get("ack", "disk")
    if not isinstance(repeat, bool):
        raise InvalidPayload("repeat", f"expected true or false, got {json_type(repeat)}")
    if ack not in ("disk", "room"):
        raise InvalidPayload("ack", 'expected "disk" or "room"')
    id, reply_to = id_of(fields, limits), number_of(fields, "reply_to", 1, LARGEST)
    name, author = sender_of(fields, sender, limits)
    message = text_of(fields, "message", limits.max_message_length)
    return Post(sender, ref, id, name, message, repeat, ack, reply_to, author, flag_of(fields, "confirmed"))


def _edit(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    message, if_changed = (
        text_of(fields, "message", limits.max_message_length),
        number_of(fields, "if_changed", 1, LARGEST),
    )
    id, seq, repeat = id_of(fields, limits), seq_of(fields), flag_of(fields, "repeat")
    return Edit(sender, ref, id, seq, message, if_changed, repeat, sender.author)


def _delete(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    reason = None if fields.get("reason") is None else text_of(fields, "reason", limits.max_reason_length)
    return Delete(sender, ref, id_of(fields, limits), seq_of(fields), reason, flag_of(fields, "repeat"), sender.author)


def _react(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits, *, is_added: bool = True) -> RoomMessage:
    key = _key_of(fields)
    name, author = sender_of(fields, sender, limits)
    return React(sender, ref, name, seq_of(fields), key, is_added, author)


def _list_reactors(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    is_nameless = sender.author is None and fields.get("name") is None
    name, author = ("", None) if is_nameless else sender_of(fields, sender, limits)
    return ListReactors(sender, ref, seq_of(fields), _key_of(fields), name, author)


def _key_of(fields: Fields) -> str:
    key = emoji(string_of(fields, "key", MAX_KEY_BYTES))
    if key is None:
        raise InvalidPayload("key", f"expected one emoji of at most {MAX_KEY_BYTES} bytes")
    return key


def _pin(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits, *, is_pinned: bool = True) -> RoomMessage:
    (name, author), repeat = sender_of(fields, sender, limits), flag_of(fields, "repeat")
    return Pin(sender, ref, id_of(fields, limits), name, seq_of(fields), is_pinned, repeat, author)


def _show_typing(fields: Fields, sender: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    return ShowTyping(sender, ref, *sender_of(fields, sender, limits))


def _read_history(fields: Fields, reader: Subscriber, ref: Ref, limits: Limits) -> RoomMessage:
    before, after = number_of(fields, "before", 1, LARGEST), number_of(fields, "after", 0, LARGEST)
    around = number_of(fields, "around", 1, LARGEST)
    root, seqs = number_of(fields, "root", 1, LARGEST), seqs_of(fields, limits)
    is_pinned, is_of_room = flag_of(fields, "pinned"), flag_of(fields, "events")
    page = _one_of({"seqs": seqs or None, "pinned": is_pinned or None, "events": is_of_room or None, "root": root})
    if is_of_room and around is None:
        limit = number_of(fields, "limit", 1, limits.max_history_page) or limits.max_history_page
        return ReadHistory(reader, ref, before, limit, after, is_of_room=True)
    place = _one_of({"before": before, "after": after, "around": around})
    if place and page and (page, place) not in (("root", "before"), ("root", "after"), ("pinned", "before")):
        raise InvalidPayload(place, f"expected none with `{page}`, got one")
    if is_pinned:
        return ReadHistory(reader, ref, before, limits.max_pins, is_pinned=True)
    most = limits.max_history_page if after is None else limits.max_recovery_page
    limit = number_of(fields, "limit", 1, most) or max(1, most // 2)
    return ReadHistory(reader, ref, before, limit, after, around, root, seqs=seqs)


def _one_of(values: Mapping[str, object]) -> str | None:
    """Returns which of these fields is given; they exclude each other."""
    given = [field for field, value in values.items() if value is not None]
    if len(given) > 1:
        *others, last = (f"`{field}`" for field in values)
        raise InvalidPayload(given[-1], f"expected one of {', '.join(others)} and {last}, got two")
    return given[0] if given else None


def _sync(fields: Fields, subscriber: Subscriber, ref: Ref, _limits: Limits) -> RoomMessage:
    position = position_of(fields)
    if position is None:
        raise InvalidPayload("since", f"expected a whole number from 0 to {LARGEST}, got nothing")
    return Sync(subscriber, ref, position)


class _Request(NamedTuple):
    """An event that rooms know: what reads its payload, and the setting that says how often it may come."""

    read: Callable[[Fields, Subscriber, Ref, Limits], Request]
    rate: Literal["message_rate", "operation_rate", "typing_rate", "history_rate"]


_REQUESTS: Mapping[str, _Request] = {
    "new_message": _Request(_post, "message_rate"),
    "edit_message": _Request(_edit, "operation_rate"),
    "delete_message": _Request(_delete, "operation_rate"),
    "react": _Request(_react, "operation_rate"),
    "unreact": _Request(functools.partial(_react, is_added=False), "operation_rate"),
    "pin": _Request(_pin, "operation_rate"),
    "unpin": _Request(functools.partial(_pin, is_pinned=False), "operation_rate"),
    "typing": _Request(_show_typing, "typing_rate"),
    "history": _Request(_read_history, "history_rate"),
    "reactions": _Request(_list_reactors, "history_rate"),
    "sync": _Request(_sync, "history_rate"),
    **{event: _Request(read, "operation_rate") for event, read in ROOM_REQUESTS.items()},
}


_ACTIONS: Mapping[str, Action] = {
    "message_rate": "post",
    "operation_rate": "operate",
    "typing_rate": "type",
    "history_rate": "read",
}
"""What the events of one rate ask for, in the words of rights."""


def action_of(frame: Frame) -> Action | None:
    """Returns what a frame asks for, None for an event that no room knows."""
    request = _REQUESTS.get(frame.event) if isinstance(frame.event, str) else None
    if request is None:
        return None
    return "relay" if isinstance(frame.payload, Binary) and frame.event == "new_message" else _ACTIONS[request.rate]


def rates_by_event(settings: Settings) -> Mapping[str, tuple[str, Rate]]:
    """Returns for each event the name of its token bucket and the bucket's rate; nothing where rates are off."""
    if settings.rate_limits == "off":
        return {}
    rates = {event: request.rate for event, request in _REQUESTS.items()} | {**PERSONAL_RATES, "phx_join": "join_rate"}
    return {event: (rate, getattr(settings, rate)) for event, rate in rates.items()}
