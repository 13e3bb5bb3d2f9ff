"""What people ask about their own rooms, on the topic `me` and on that of a room: marks, levels, the list.

Some of it needs the database. The answers come when they are there, and keep no later frame waiting.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from chatter.accounts.principal import Principal
from chatter.accounts.values import AccountRefused
from chatter.memberships.memberships import Memberships, NotThere
from chatter.messages import SLUG, Refused
from web.channels.fields import (
    LARGEST,
    Fields,
    InvalidPayload,
    fields_of,
    flag_of,
    number_of,
    seq_of,
    string_of,
)
from web.channels.wire import AllRead, Payload, WebAnswer

logger = logging.getLogger(__name__)

Answering: TypeAlias = Callable[[WebAnswer], None]

LEVELS = ("everything", "mentions", "nothing")
LONGEST_TIME = 40


class _Own(NamedTuple):
    """Whose rooms it is about, and which alone of them; None for all."""

    account: int
    only: Collection[str] | None


class PersonalRequests:
    """Owns the requests that are under way. One for a server."""

    def __init__(self, memberships: Memberships) -> None:
        self._memberships = memberships
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, event: object, payload: Payload, who: Principal, slug: str | None, answer: Answering) -> bool:
        """Has a request answered. `slug` is the room whose topic it came on, None on `me`, where a field names it.

        Returns False for an event that is none of these. Raises `InvalidPayload` and `BadFrame`.
        """
        read = _reader_of(event, is_me=slug is None)
        if read is None:
            return False
        assert who.author is not None, "guests have no rooms"
        fields = fields_of(payload) if slug is None else {**fields_of(payload), "slug": slug}
        if event in _OF_ROOMS and not who.reaches(_slug_of(fields)):
            answer(Refused("not_found"))
            return True
        asked = read(self._memberships, _Own(who.author.id, who.rooms), fields)
        task = asyncio.get_running_loop().create_task(_answer(asked, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True


async def _answer(asked: Awaitable[WebAnswer], answer: Answering) -> None:
    try:
        answer(await asked)
    except NotThere:
        answer(Refused("not_found"))
    except AccountRefused as error:
        answer(Refused("busy" if error.reason == "busy" else "unavailable", retry_after_ms=error.retry_after_ms))
    except Exception:
        logger.exception("what somebody asked about their rooms could not be answered")
        answer(Refused("unavailable"))


# ---------------------------------------------------------------- each reads its fields at once, and answers later


def _mark_read(memberships: Memberships, own: _Own, fields: Fields) -> Awaitable[WebAnswer]:
    slug, seq, rev = _slug_of(fields), _mark_of(fields), number_of(fields, "rev", 0, LARGEST)
    return memberships.mark_read(own.account, slug, seq, rev)


def _mark_unread(memberships: Memberships, own: _Own, fields: Fields) -> Awaitable[WebAnswer]:
    return memberships.mark_unread(own.account, _slug_of(fields), seq_of(fields))


def _set_level(memberships: Memberships, own: _Own, fields: Fields) -> Awaitable[WebAnswer]:
    slug, level, until = _slug_of(fields), fields.get("level"), fields.get("until")
    hidden = None if fields.get("hidden") is None else flag_of(fields, "hidden")
    if level is not None and level not in LEVELS:
        raise InvalidPayload("level", 'expected "everything", "mentions" or "nothing"')
    if level is None and until is not None:
        raise InvalidPayload("until", "expected none without a `level`, got one")
    if level is None and hidden is None:
        raise InvalidPayload("level", "expected a `level` or `hidden`, got neither")
    at = None if until is None else _time_of(fields, "until")
    return memberships.set_level(own.account, slug, level, at, hidden)


async def _mark_all_read_now(memberships: Memberships, own: _Own) -> WebAnswer:
    return AllRead(await memberships.mark_all_read(own.account, own.only))


def _mark_all_read(memberships: Memberships, own: _Own, _fields: Fields) -> Awaitable[WebAnswer]:
    return _mark_all_read_now(memberships, own)


async def _rooms_now(memberships: Memberships, own: _Own, after: str) -> WebAnswer:
    await memberships.of(own.account)
    return memberships.rooms(own.account, after, own.only)


def _rooms(memberships: Memberships, own: _Own, fields: Fields) -> Awaitable[WebAnswer]:
    after = "" if fields.get("after") is None else _slug_of(fields, "after")
    return _rooms_now(memberships, own, after)


_Read: TypeAlias = Callable[[Memberships, _Own, Fields], Awaitable[WebAnswer]]

_OF_ROOMS: Mapping[str, _Read] = {"mark_read": _mark_read, "mark_unread": _mark_unread, "set_level": _set_level}
_OF_ME: Mapping[str, _Read] = {"mark_all_read": _mark_all_read, "rooms": _rooms}

RATES: Mapping[str, str] = {**dict.fromkeys([*_OF_ROOMS, *_OF_ME], "operation_rate"), "rooms": "history_rate"}
"""The setting that says how often each may come."""


def is_personal(event: object) -> bool:
    """Returns whether an event on the topic of a room is about the person and not the room."""
    return _reader_of(event, is_me=False) is not None


def _reader_of(event: object, *, is_me: bool) -> _Read | None:
    if not isinstance(event, str):
        return None
    return _OF_ROOMS.get(event) or (_OF_ME.get(event) if is_me else None)


def _slug_of(fields: Fields, field: str = "slug") -> str:
    slug = string_of(fields, field, 64)
    if not SLUG.fullmatch(slug):
        raise InvalidPayload(field, "expected the name of a room")
    return slug


def _mark_of(fields: Fields) -> int:
    seq = number_of(fields, "seq", 0, LARGEST)
    if seq is None:
        raise InvalidPayload("seq", f"expected a whole number from 0 to {LARGEST}, got nothing")
    return seq


def _time_of(fields: Fields, field: str) -> str:
    """Returns a time as the server writes times, whatever its zone."""
    try:
        at = datetime.fromisoformat(string_of(fields, field, LONGEST_TIME))
        if at.tzinfo is None:
            raise InvalidPayload(field, "expected a time with its zone, such as Z")
        return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except (ValueError, OverflowError) as error:
        raise InvalidPayload(field, "expected a time in ISO 8601") from error
