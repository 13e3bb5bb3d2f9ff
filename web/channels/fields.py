"""The fields of a payload: each is read, or it is said what was expected of it."""

import re
from typing import Any, TypeAlias

import msgspec

from chatter.charter import Author
from chatter.messages import Position, Subscriber, View
from web.channels.characters import MAX_MARKS, has_long_mark_run, has_visible, normal_name
from web.channels.wire import BadFrame, Binary, Invalid, Payload
from web.limits import Limits

Fields: TypeAlias = dict[str, Any]

LARGEST = 2**63 - 1
"""Largest number in a payload: the databases have no larger one."""

# All control characters (Unicode category Cc) but tab and line feed, and what would not survive a database or a wire.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class InvalidPayload(Exception):
    """A payload that is not what the event wants."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.answer = Invalid(field, message)


def fields_of(payload: Payload) -> Fields:
    """Returns the payload as an object. Raises `InvalidPayload`, or `BadFrame` where it is not JSON at all."""
    value = json_of(payload)
    if not isinstance(value, dict):
        raise InvalidPayload("payload", f"expected an object, got {json_type(value)}")
    return value


def sender_of(fields: Fields, sender: Subscriber, limits: Limits) -> tuple[str, Author | None]:
    """Returns the name of who sends this, and the account. A payload names guests alone."""
    author = sender.author
    if author is None:
        return sender_name(fields, limits), None
    return sender.person_name or author.handle, author


def sender_name(fields: Fields, limits: Limits) -> str:
    """Returns the required `name` in its normal form. Raises `InvalidPayload`, as all of these do."""
    name = normal_name(string_of(fields, "name", limits.max_name_length))
    return text_of({"name": name}, "name", limits.max_name_length)


def position_of(fields: Fields) -> Position | None:
    """Returns the optional `since`, with the `epoch` in which that was heard."""
    since = number_of(fields, "since", 0, LARGEST)
    epoch = number_of(fields, "epoch", 0, LARGEST)
    return None if since is None else Position(since, epoch)


def view_of(fields: Fields, *, counts: bool) -> View:
    """Returns what a client that joins knows of the log; `counts` says that it counts places."""
    if fields.get("log") is None:
        return View.PLACES if counts else View.MESSAGES
    if number_of(fields, "log", 2, 2) != 2:
        raise InvalidPayload("log", "expected 2")
    return View.LOG


def flag_of(fields: Fields, field: str) -> bool:
    """Returns an optional flag, false where it is missing."""
    value = fields.get(field)
    if value is not None and not isinstance(value, bool):
        raise InvalidPayload(field, f"expected true or false, got {json_type(value)}")
    return bool(value)


def json_of(payload: Payload) -> Any:
    """Returns the payload's value. Raises `BadFrame` where it is not JSON at all."""
    if isinstance(payload, Binary):
        return payload.data
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrame(f"expected a payload in JSON: {error}") from error


def text_of(fields: Fields, field: str, longest: int) -> str:
    """Returns a required text of which something can be seen."""
    return legible(string_of(fields, field, longest), field, longest)


def legible(value: str, field: str, longest: int) -> str:
    """Returns a string of which something can be seen, and that covers no other lines."""
    if not has_visible(value):
        raise InvalidPayload(field, f"expected 1 to {longest} characters, got none that can be seen")
    if has_long_mark_run(value):
        raise InvalidPayload(field, f"expected at most {MAX_MARKS} combining marks in a row")
    return value


def string_of(fields: Fields, field: str, longest: int) -> str:
    """Returns a required string without control characters."""
    value = fields.get(field)
    if not isinstance(value, str):
        raise InvalidPayload(field, f"expected a string of 1 to {longest} characters, got {json_type(value)}")
    if len(value) > longest:
        raise InvalidPayload(field, f"expected 1 to {longest} characters, got {len(value)}")
    if CONTROL.search(value):
        raise InvalidPayload(field, "expected no control characters but tab and line feed")
    return value


def id_of(fields: Fields, limits: Limits) -> str | None:
    """Returns the optional `id` that a sender gives."""
    return None if fields.get("id") is None else text_of(fields, "id", limits.max_id_length)


def seq_of(fields: Fields) -> int:
    """Returns the required `seq`: the place of a message."""
    target = number_of(fields, "seq", 1, LARGEST)
    if target is None:
        raise InvalidPayload("seq", f"expected a whole number from 1 to {LARGEST}, got nothing")
    return target


def seqs_of(fields: Fields, limits: Limits) -> tuple[int, ...]:
    """Returns the optional `seqs`: places of messages, in ascending order."""
    seqs = fields.get("seqs")
    if seqs is None:
        return ()
    if not isinstance(seqs, list) or not 0 < len(seqs) <= limits.max_history_page:
        raise InvalidPayload("seqs", f"expected 1 to {limits.max_history_page} whole numbers")
    return tuple(sorted({seq_of({"seq": seq}) for seq in seqs}))


def number_of(fields: Fields, field: str, least: int, most: int) -> int | None:
    """Returns an optional whole number."""
    value = fields.get(field)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        got = value if isinstance(value, int | float) else json_type(value)
        raise InvalidPayload(field, f"expected a whole number from {least} to {most}, got {got}")
    return value


def json_type(value: object) -> str:
    """Returns what JSON calls a value, for an error."""
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
