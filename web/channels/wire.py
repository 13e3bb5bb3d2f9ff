"""The wire: frames of Phoenix Channels V1 and V2, from bytes to values and back. Knows no socket and no room.

A V2 text frame is `[join_ref, ref, topic, event, payload]`, V1 an object with the same words. `join_ref`, `ref` and a
topic that is not a string come back as they came: they are kept as JSON and never parsed. Source: `docs/protocol.md`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, assert_never

import msgspec

from chatter.accounts.principal import Role
from chatter.memberships.values import (
    Active,
    LevelSet,
    MyRoom,
    PersonalEvent,
    Read,
    RoomAdded,
    RoomAltered,
    RoomRemoved,
    Rooms,
)
from chatter.messages import (
    Acknowledged,
    AlreadySo,
    Answer,
    Deleted,
    Done,
    Edited,
    Event,
    Lagged,
    MembersChanged,
    Page,
    Pinned,
    Posted,
    PresenceChanged,
    PresenceCounted,
    PresenceListed,
    Purged,
    Reacted,
    ReactorsListed,
    Recovery,
    Ref,
    Refused,
    Relayed,
    RoomChanged,
    RoomDescribed,
    StartedTyping,
    Unpinned,
    View,
    Voided,
)
from web.channels import log_payloads
from web.io import rfc6455

NULL = b"null"

ME, ME_JSON = "me", b'"me"'
"""The topic of what is one person's own."""

MAX_WORD_LENGTH = 128
"""Longest reference, topic or event, in characters. They are kept, and a join's reference comes back in each push."""


class Binary(msgspec.Struct, frozen=True):
    """The payload of a binary frame."""

    data: bytes


Payload: TypeAlias = msgspec.Raw | Binary
"""A payload as it came; its JSON is not parsed yet."""


class BadFrame(Exception):
    """Bytes that are not a frame. The connection ends, as in Phoenix: a websocket with 1011.

    The message repeats nothing of them, since it is logged, and tokens may stand there.
    """


class Invalid(msgspec.Struct, frozen=True):
    """A payload of the right form and the wrong content: which `field`, and what was expected of it.

    It is answered with the reason `invalid`.
    """

    field: str
    message: str


class NameTaken(msgspec.Struct, frozen=True):
    """A guest may not have this name. It is answered with the reason `name_taken`."""

    suggestion: str
    reason: str = "name_taken"


class TokenTaken(msgspec.Struct, frozen=True):
    """The newer secret of a socket counts from now on."""

    expires_at: int | None  # seconds since 1970


class LinkMade(msgspec.Struct, frozen=True):
    """A link to the room was made. Its code is shown once."""

    id: int
    code: str
    url: str  # of the page, relative to it


class Me(msgspec.Struct, frozen=True):
    """The account of a connection."""

    id: int
    handle: str
    name: str
    role: Role


class MyState(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a page needs to know of the person: it grants the join of `me`, and is pushed where some was lost."""

    account: Me
    rooms: Sequence[MyRoom]
    server: Mapping[str, Any]  # limits and features
    more: bool = False  # the rest of the rooms is asked for with `rooms {after}`


class AllRead(msgspec.Struct, frozen=True):
    """All rooms are read."""

    rooms: int  # how many were not


PersonalAnswer: TypeAlias = MyState | Rooms | Read | LevelSet | AllRead

WebAnswer: TypeAlias = PersonalAnswer | Answer | Invalid | NameTaken | TokenTaken | LinkMade
"""What clients are answered, by rooms or before a room hears of it."""


class Frame(msgspec.Struct, frozen=True):
    """One frame from a client. `topic` and `event` are strings unless the client is confused."""

    join_ref: Ref
    ref: Ref
    topic: Any
    event: Any
    payload: Payload


# ---------------------------------------------------------------- from bytes to values


class _V2Text(msgspec.Struct, array_like=True):
    join_ref: msgspec.Raw
    ref: msgspec.Raw
    topic: Any
    event: Any
    payload: msgspec.Raw


class _V1Text(msgspec.Struct):
    topic: Any
    event: Any
    payload: msgspec.Raw
    ref: msgspec.Raw
    join_ref: msgspec.Raw = msgspec.Raw(NULL)


_v2_text = msgspec.json.Decoder(_V2Text)
_v1_text = msgspec.json.Decoder(_V1Text)


def decode_v2(message: bytes) -> Frame:
    """Decodes a V2 text frame. More than five elements are tolerated, as in Phoenix. Raises `BadFrame`."""
    try:
        text = _v2_text.decode(message)
        if len(message) - len(text.payload) > MAX_WORD_LENGTH:  # nearly always false, and then no word is longer
            _check_words(text.join_ref, text.ref, text.topic, text.event)
        return Frame(_ref(text.join_ref), _ref(text.ref), text.topic, text.event, text.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrame(f"expected [join_ref, ref, topic, event, payload], got {len(message)} bytes: {error}") from error


def decode_v1(message: bytes) -> Frame:
    """Decodes a V1 text frame. Raises `BadFrame`."""
    try:
        text = _v1_text.decode(message)
        if len(message) - len(text.payload) > MAX_WORD_LENGTH:  # nearly always false, and then no word is longer
            _check_words(text.join_ref, text.ref, text.topic, text.event)
        return Frame(_ref(text.join_ref), _ref(text.ref), text.topic, text.event, text.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrame(f"expected topic, event, payload and ref, got {len(message)} bytes: {error}") from error


def decode_binary(message: bytes) -> Frame:
    """Decodes a binary push: `00`, the sizes of join_ref, ref, topic and event, these, the data. Raises `BadFrame`."""
    if len(message) < 5 or message[0] != 0:
        raise BadFrame(f"expected a binary push (00 and four sizes), got {len(message)} other bytes")
    words, start = [], 5
    for size in message[1:5]:
        words.append(message[start : start + size])
        start += size
    if start > len(message):
        raise BadFrame(f"expected {start} bytes by the sizes in the header, got {len(message)}")
    try:
        join_ref, ref, topic, event = (word.decode() for word in words)
    except UnicodeDecodeError as error:
        raise BadFrame("expected UTF-8 in join_ref, ref, topic and event") from error
    _check_words(encode(join_ref), encode(ref), topic, event)
    return Frame(encode(join_ref), encode(ref), topic, event, Binary(message[start:]))


def _ref(raw: msgspec.Raw) -> Ref:
    ref = bytes(raw)
    # A string or null, as all known clients send, is used as it is. Anything else is parsed once: a number may be out
    # of range, an array may hold line feeds, and not every transport has checked that bytes are UTF-8.
    if ref[:1] in (b'"', b"n") and ref.isascii():
        return ref
    ref = encode(msgspec.json.decode(ref))
    _check_words(ref)  # `1e15` is written with more digits than it came with
    return ref


_WORDS = ("join_ref", "ref", "topic", "event")


def _check_words(*words: Any) -> None:
    """Raises `BadFrame` if a reference, as JSON, or a topic or event, a string as a rule, is too long."""
    for what, word in zip(_WORDS, words, strict=False):
        size = len(word) if isinstance(word, str | bytes | msgspec.Raw) else len(encode(word))
        if size > MAX_WORD_LENGTH:
            raise BadFrame(f"expected at most {MAX_WORD_LENGTH} characters for {what}, got {size}")


# ---------------------------------------------------------------- from values to bytes

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode

Format: TypeAlias = Callable[[Ref, Ref, bytes, bytes, bytes], bytes]
Wrap: TypeAlias = Callable[[bytes], bytes]


class Serializer:
    """Reads and writes the frames of one kind of client: a version of the protocol over a transport, with a view.

    There is one instance for each kind, so that a room encodes a broadcast once for all its clients of that kind.
    """

    def __init__(
        self,
        decode: Callable[[bytes], Frame],
        format_: Format,
        wrap: Wrap,
        wrap_binary: Wrap | None,
        view: View = View.MESSAGES,
    ) -> None:
        """`wrap` makes a transport's frame of a text; `wrap_binary` is None where clients cannot be sent bytes."""
        self.view: View = view
        self._by_view: dict[View, Serializer] = {view: self}
        if view is View.MESSAGES:
            for other in (View.PLACES, View.LOG):
                self._by_view[other] = Serializer(decode, format_, wrap, wrap_binary, other)
        self.decode = decode
        self._format = format_
        self._wrap = wrap
        self._wrap_binary = wrap_binary

    def viewing(self, view: View) -> "Serializer":
        """Returns the serializer for clients that know so much of a room's log."""
        return self._by_view[view]

    def broadcast(self, room: str, event: Event) -> bytes:
        """Encodes `event` for all clients in `room`; returns nothing where it is none of theirs."""
        topic = f"chat_room:{room}"
        if isinstance(event, Relayed):
            return self._binary(topic, event)
        return self.push(NULL, encode(topic), event)

    def push(self, join_ref: Ref, topic: bytes, event: Event) -> bytes:
        """Encodes `event` for one channel; returns nothing where it is none of the client's. `topic` is JSON."""
        payload = _payload(event, self.view)
        return payload and self.frame(join_ref, NULL, topic, event_name(event, self.view), payload)

    def personal(self, event: PersonalEvent) -> bytes:
        """Encodes what a person is told for all their connections of this kind."""
        return self.frame(NULL, NULL, ME_JSON, personal_event_name(event), encode(event))

    def answer(self, join_ref: Ref, ref: Ref, topic: bytes, answer: WebAnswer) -> bytes:
        """Encodes a `phx_reply`. `topic` is JSON."""
        return self.frame(join_ref, ref, topic, b"phx_reply", _reply(answer, self.view))

    def frame(self, join_ref: Ref, ref: Ref, topic: bytes, event: bytes, payload: bytes) -> bytes:
        """Builds one frame. All parts are JSON except `event`, which is a bare name."""
        return self._wrap(self._format(join_ref, ref, topic, event, payload))

    def _binary(self, topic: str, event: Relayed) -> bytes:
        if self._wrap_binary is None:
            return b""
        name = event_name(event, self.view)
        return self._wrap_binary(bytes((2, len(topic), len(name))) + topic.encode() + name + event.data)


def _v2(join_ref: Ref, ref: Ref, topic: bytes, event: bytes, payload: bytes) -> bytes:
    return b'[%b,%b,%b,"%b",%b]' % (join_ref, ref, topic, event, payload)


def _v1(_join_ref: Ref, ref: Ref, topic: bytes, event: bytes, payload: bytes) -> bytes:
    return b'{"event":"%b","payload":%b,"ref":%b,"topic":%b}' % (event, payload, ref, topic)


def _line(frame: bytes) -> bytes:
    return frame + b"\n"  # JSON has no raw line feed, so frames can be told apart again


V2_WEBSOCKET = Serializer(decode_v2, _v2, rfc6455.text_frame, rfc6455.binary_frame)
V1_WEBSOCKET = Serializer(decode_v1, _v1, rfc6455.text_frame, None)
V2_LONGPOLL = Serializer(decode_v2, _v2, _line, None)
V1_LONGPOLL = Serializer(decode_v1, _v1, _line, None)

DEFAULT_VERSION = "1.0.0"
WEBSOCKET_SERIALIZERS: Mapping[str, Serializer] = {"1.0.0": V1_WEBSOCKET, "2.0.0": V2_WEBSOCKET}
LONGPOLL_SERIALIZERS: Mapping[str, Serializer] = {"1.0.0": V1_LONGPOLL, "2.0.0": V2_LONGPOLL}


def event_name(event: Event, view: View) -> bytes:
    """Returns the event's name on the wire. Who does not know the log hears other entries as void messages."""
    match event:
        case Posted() | Relayed():
            return b"new_message"
        case Edited() | Deleted() | Reacted() | Pinned() | Unpinned() | Purged() | MembersChanged() | RoomChanged():
            return b"room_event" if view is View.LOG else b"new_message"
        case StartedTyping():
            return b"typing"
        case PresenceChanged():
            return b"presence_diff"
        case PresenceListed():
            return b"presence_state"
        case PresenceCounted():
            return b"presence_count"
        case Voided():
            return b"message_voided"
        case Lagged():
            return b"resync"
        case _:
            assert_never(event)


def personal_event_name(event: PersonalEvent) -> bytes:
    """Returns the name on the wire of what a person is told."""
    match event:
        case RoomAdded():
            return b"room_added"
        case RoomRemoved():
            return b"room_removed"
        case RoomAltered():
            return b"room_changed"
        case Active():
            return b"activity"
        case Read():
            return b"read"
        case LevelSet():
            return b"level"
        case _:
            assert_never(event)


def _payload(event: Event, view: View) -> bytes:
    """Encodes what a client of this view is told; nothing where that is nothing."""
    match event:
        case Posted():
            return log_payloads.row(event) if view is View.LOG else log_payloads.place(event)
        case Edited() | Deleted() | Reacted() | Pinned() | Unpinned() | Purged() | MembersChanged() | RoomChanged():
            if view is View.LOG:
                return log_payloads.room_event(event)
            return log_payloads.place_of(event) if view is View.PLACES else b""
        case PresenceListed():
            return encode(event.people)
        case _:
            return encode(event)


def _reply(answer: WebAnswer, view: View) -> bytes:
    match answer:
        case Recovery() if answer.room is not None and view is not View.LOG:
            return _reply(msgspec.structs.replace(answer, room=None), view)
        case MyState() | Rooms() | Read() | LevelSet() | AllRead():
            return b'{"response":%b,"status":"ok"}' % encode(answer)
        case Acknowledged() | AlreadySo() | Recovery() | ReactorsListed() | RoomDescribed() | TokenTaken() | LinkMade():
            return b'{"response":%b,"status":"ok"}' % encode(answer)
        case Page():
            return b'{"response":%b,"status":"ok"}' % log_payloads.page(answer, knows_log=view is View.LOG)
        case Done():
            return b'{"response":{},"status":"ok"}'
        case Refused() | NameTaken():
            return b'{"response":%b,"status":"error"}' % encode(answer)
        case Invalid():
            return b'{"response":%b,"status":"error"}' % encode({"reason": "invalid", **msgspec.structs.asdict(answer)})
        case _:
            assert_never(answer)
