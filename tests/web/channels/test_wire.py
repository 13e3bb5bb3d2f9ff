"""The frames of Phoenix: any input is a frame or refused, any output is readable."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatter.messages import (
    Acknowledged,
    Answer,
    Done,
    Event,
    Meta,
    Metas,
    Page,
    Posted,
    PresenceChanged,
    PresenceListed,
    Refused,
    Relayed,
    StartedTyping,
)
from tests.support.phoenix_client import binary_push
from web.channels import wire
from web.channels.fields import fields_of
from web.channels.wire import BadFrame, Binary, Frame, Invalid, Serializer

Decode: TypeAlias = Callable[[bytes], Frame]

DECODERS = [wire.decode_v2, wire.decode_v1, wire.decode_binary]
TEXT_DECODERS = [wire.decode_v2, wire.decode_v1]
POSTED = Posted(7, "a-1", "ann", 'ж "☕"\n\t\u2028\\', "2026-01-02T03:04:05.000006Z")
POSTED_FIELDS = {
    "seq": 7,
    "id": "a-1",
    "name": "ann",
    "message": 'ж "☕"\n\t\u2028\\',
    "inserted_at": "2026-01-02T03:04:05.000006Z",
}

no_deadline = settings(deadline=None)


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
refs = st.none() | st.integers() | st.text(max_size=8)
words = st.text(st.characters(codec="utf-8"), max_size=20)  # each character may take six in JSON
topics = events = json_values.filter(lambda value: len(to_json(value)) < 60)  # JSON may be written longer than it came
keys = st.sampled_from(["topic", "event", "payload", "ref", "join_ref", "more"])


@st.composite
def nearly_frames(draw: st.DrawFn) -> bytes:
    """Generates JSON that resembles a frame, with up to two random edits."""
    text = draw(st.lists(json_values, max_size=7).map(to_json) | st.dictionaries(keys, json_values).map(to_json))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.binary(max_size=2)) + text[start + draw(st.integers(0, 2)) :]
    return text


# ---------------------------------------------------------------- decoding


@no_deadline
@given(st.binary(max_size=80) | nearly_frames())
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"[null,null,null,null," + b"[" * 100_000)
@example(b"[" * 50_000 + b"]" * 50_000)
@example(b"[null,null," + b"[" * 50_000 + b"]" * 50_000 + b",null,null]")
@example(b"[null,null,1e999,null,{}]")
@example(b"[null,null," + b"9" * 5_000 + b",null,{}]")
@example(b'[null,null,"\xff","x",{}]')
@example(b'[null,null,"\\ud800","x",{}]')
@example(b"\x00\xff\xff\xff\xff")
@example(b"")
@pytest.mark.parametrize("decode", DECODERS)
def test_any_bytes_are_a_frame_or_refused(decode: Decode, message: bytes) -> None:
    try:
        frame = decode(message)
    except BadFrame as refused:
        assert_one_short_line(str(refused))
    else:
        assert isinstance(frame, Frame)
        assert isinstance(frame.join_ref, bytes)
        assert isinstance(frame.ref, bytes)


def assert_one_short_line(text: str) -> None:
    assert "\n" not in text
    assert len(text) < 1_000


@no_deadline
@given(nearly_frames())
@example(b'["\xff","1","t","e",{}]')
@example(b'["\x01","1","t","e",{}]')
@example(b'["1",01,"t","e",{}]')
@example(b'["1","\\x","t","e",{}]')
@example(b'["1",[1,\n2],"t","e",{}]')
@example(b'{"topic":"t","event":"e","payload":{},"ref":"\xff"}')
@example(b'{"topic":"t","event":"e","payload":{},"ref":[1,\n2]}')
@pytest.mark.parametrize(
    ("decode", "serializer"), [(wire.decode_v2, wire.V2_LONGPOLL), (wire.decode_v1, wire.V1_LONGPOLL)], ids=["V2", "V1"]
)
def test_the_answer_to_any_frame_can_be_read_by_its_client(
    decode: Decode, serializer: Serializer, message: bytes
) -> None:
    try:
        frame = decode(message)
    except BadFrame:
        return
    answer = serializer.answer(frame.join_ref, frame.ref, wire.encode(frame.topic), Done())
    assert answer.count(b"\n") == 1
    assert json.loads(answer.decode())


@no_deadline
@given(join_ref=refs, ref=refs, topic=topics, event=events, payload=json_values, more=st.lists(json_values))
def test_a_v2_frame_is_decoded_as_it_was_encoded(
    join_ref: object, ref: object, topic: object, event: object, payload: object, more: list[object]
) -> None:
    frame = wire.decode_v2(to_json([join_ref, ref, topic, event, payload, *more]))
    assert (typed_json(frame.join_ref), typed_json(frame.ref)) == (typed(join_ref), typed(ref))
    assert (typed(frame.topic), typed(frame.event)) == (typed(topic), typed(event))
    assert isinstance(frame.payload, msgspec.Raw)
    assert typed_json(frame.payload) == typed(payload)


@no_deadline
@given(
    st.fixed_dictionaries(
        {"topic": topics, "event": events, "payload": json_values, "ref": refs},
        optional={"join_ref": refs, "more": json_values},
    )
)
def test_a_v1_frame_is_decoded_as_it_was_encoded(written: dict[str, object]) -> None:
    frame = wire.decode_v1(to_json(written))
    assert (typed_json(frame.join_ref), typed_json(frame.ref)) == (
        typed(written.get("join_ref")),
        typed(written["ref"]),
    )
    assert (typed(frame.topic), typed(frame.event)) == (typed(written["topic"]), typed(written["event"]))
    assert isinstance(frame.payload, msgspec.Raw)
    assert typed_json(frame.payload) == typed(written["payload"])


@no_deadline
@given(words, words, words, words, st.binary(max_size=40))
def test_a_binary_push_is_decoded_as_it_was_encoded(
    join_ref: str, ref: str, topic: str, event: str, data: bytes
) -> None:
    frame = wire.decode_binary(binary_push(join_ref, ref, topic, event, data))
    assert (json.loads(frame.join_ref), json.loads(frame.ref)) == (join_ref, ref)
    assert (frame.topic, frame.event, frame.payload) == (topic, event, Binary(data))


def test_a_truncated_binary_push_is_refused_at_any_length() -> None:
    push = binary_push("3", "4", "chat_room:lobby", "new_message", b"")
    assert wire.decode_binary(push).payload == Binary(b"")
    for size in range(len(push)):
        with pytest.raises(BadFrame):
            wire.decode_binary(push[:size])


@pytest.mark.parametrize("kind", [1, 2, 3, 255])
def test_a_binary_frame_of_another_kind_is_refused(kind: int) -> None:
    with pytest.raises(BadFrame):
        wire.decode_binary(bytes((kind,)) + binary_push("3", "4", "chat_room:lobby", "new_message", b"x")[1:])


def test_a_binary_push_with_a_word_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadFrame):
        wire.decode_binary(b"\x00\x01\x01\x01\x01" + b"34\xffe" + b"data")


@pytest.mark.parametrize(
    "message", ["", "null", '"str"', "{not json", '["1","1","phoenix","heartbeat"]', "[]", "{}", "1", "[,,,,]"]
)
@pytest.mark.parametrize("decode", TEXT_DECODERS)
def test_text_that_is_not_a_frame_is_refused(decode: Decode, message: str) -> None:
    with pytest.raises(BadFrame):
        decode(message.encode())


def test_each_version_refuses_the_frames_of_the_other() -> None:
    with pytest.raises(BadFrame):
        wire.decode_v2(b'{"topic":"phoenix","event":"heartbeat","ref":"1","payload":{}}')
    with pytest.raises(BadFrame):
        wire.decode_v1(b'[null,"1","phoenix","heartbeat",{}]')


@pytest.mark.parametrize("missing", ["topic", "event", "payload", "ref"])
def test_a_v1_frame_without_one_of_its_fields_is_refused(missing: str) -> None:
    whole = {"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "1"}
    wire.decode_v1(to_json(whole))
    with pytest.raises(BadFrame):
        wire.decode_v1(to_json({word: value for word, value in whole.items() if word != missing}))


def test_white_space_between_the_fields_of_a_frame_is_allowed() -> None:
    frame = wire.decode_v2(b' [ "3" ,\n"8" , "chat_room:lobby" , "typing" , { "name" : "ann" } ] ')
    assert (frame.topic, frame.event, json.loads(frame.ref)) == ("chat_room:lobby", "typing", "8")
    assert fields_of(frame.payload) == {"name": "ann"}


# ---------------------------------------------------------------- encoding

texts = st.text(st.characters(codec="utf-8"), max_size=30)
posted = st.builds(Posted, st.integers(1, 2**53), texts, texts, texts, texts)
metas = st.builds(Metas, st.lists(st.builds(Meta, texts, st.integers(0, 2**40)), max_size=3).map(tuple))
people = st.dictionaries(texts, metas, max_size=3)
events = st.one_of(
    posted,
    st.builds(StartedTyping, texts),
    st.builds(PresenceListed, people),
    st.builds(PresenceChanged, people, people),
)
answers = st.one_of(
    st.just(Done()),
    st.builds(Acknowledged, texts, st.integers(1, 2**53), texts),
    st.builds(Page, st.lists(posted, max_size=3), st.booleans()),
    st.builds(Refused, texts),
    st.builds(Invalid, texts, texts),
)


def read_text(serializer: Serializer, frame: bytes) -> str:
    """Returns the text in a frame, as the transport gives it to the client."""
    if serializer in {wire.V2_LONGPOLL, wire.V1_LONGPOLL}:
        line, empty = frame.decode().split("\n")
        assert empty == ""
        return line
    return unframed(0x81, frame).decode()


def unframed(first: int, frame: bytes) -> bytes:
    """Returns the data of a websocket frame, which has to begin with that first byte."""
    assert frame[0] == first
    size, start = frame[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(frame[2:start])
    assert len(frame) == start + size
    return frame[start:]


def v2(serializer: Serializer, frame: bytes) -> list[Any]:
    """Returns `[join_ref, ref, topic, event, payload]` of a frame of version 2."""
    words: list[Any] = json.loads(read_text(serializer, frame))
    assert len(words) == 5
    return words


def v1(serializer: Serializer, frame: bytes) -> list[Any]:
    """Returns the same of a frame of version 1, with None as its join_ref."""
    words = json.loads(read_text(serializer, frame))
    assert words.keys() == {"topic", "event", "ref", "payload"}
    return [None, words["ref"], words["topic"], words["event"], words["payload"]]


READERS: list[tuple[Serializer, Callable[[Serializer, bytes], list[Any]]]] = [
    (wire.V2_WEBSOCKET, v2),
    (wire.V2_LONGPOLL, v2),
    (wire.V1_WEBSOCKET, v1),
    (wire.V1_LONGPOLL, v1),
]
every_reader = pytest.mark.parametrize(
    ("serializer", "read"), READERS, ids=["V2-websocket", "V2-longpoll", "V1-websocket", "V1-longpoll"]
)


@every_reader
@no_deadline
@given(event=events)
def test_a_broadcast_has_the_fields_of_its_event(
    serializer: Serializer, read: Callable[[Serializer, bytes], list[Any]], event: Event
) -> None:
    words = read(serializer, serializer.broadcast("lobby", event))
    assert words == [None, None, "chat_room:lobby", NAMES[type(event)], plain(event)]


@every_reader
@no_deadline
@given(join_ref=refs, topic=texts, event=events)
def test_a_push_is_for_the_channel_that_its_join_ref_names(
    serializer: Serializer, read: Callable[[Serializer, bytes], list[Any]], join_ref: object, topic: str, event: Event
) -> None:
    words = read(serializer, serializer.push(to_json(join_ref), to_json(topic), event))
    expected = None if read is v1 else join_ref
    assert [typed(words[0]), *words[1:]] == [typed(expected), None, topic, NAMES[type(event)], plain(event)]


@every_reader
@no_deadline
@given(join_ref=refs, ref=refs, topic=json_values, answer=answers)
def test_an_answer_echoes_the_refs_and_the_topic_with_their_types(
    serializer: Serializer,
    read: Callable[[Serializer, bytes], list[Any]],
    join_ref: object,
    ref: object,
    topic: object,
    answer: Answer | Invalid,
) -> None:
    words = read(serializer, serializer.answer(to_json(join_ref), to_json(ref), to_json(topic), answer))
    expected = None if read is v1 else join_ref
    assert [typed(word) for word in words[:3]] == [typed(expected), typed(ref), typed(topic)]
    assert words[3:] == ["phx_reply", plain_reply(answer)]


@pytest.mark.parametrize(
    ("event", "name", "payload"),
    [
        (POSTED, "new_message", POSTED_FIELDS),
        (StartedTyping("ann"), "typing", {"name": "ann"}),
        (
            PresenceListed({"ann": Metas((Meta("F0", 5), Meta("F1", 6)))}),
            "presence_state",
            {"ann": {"metas": [{"phx_ref": "F0", "online_at": 5}, {"phx_ref": "F1", "online_at": 6}]}},
        ),
        (
            PresenceChanged({}, {"bo": Metas((Meta("F2", 7),))}),
            "presence_diff",
            {"joins": {}, "leaves": {"bo": {"metas": [{"phx_ref": "F2", "online_at": 7}]}}},
        ),
    ],
    ids=["Posted", "StartedTyping", "PresenceListed", "PresenceChanged"],
)
def test_each_event_has_its_name_and_its_fields(event: Event, name: str, payload: object) -> None:
    assert v2(wire.V2_WEBSOCKET, wire.V2_WEBSOCKET.broadcast("x", event))[3:] == [name, payload]


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        (Done(), {"status": "ok", "response": {}}),
        (Acknowledged("a-1", 7, "now"), {"status": "ok", "response": {"id": "a-1", "seq": 7, "inserted_at": "now"}}),
        (Page((POSTED,), more=True), {"status": "ok", "response": {"messages": [POSTED_FIELDS], "more": True}}),
        (Refused("unauthorized"), {"status": "error", "response": {"reason": "unauthorized"}}),
        (
            Invalid("name", "expected text"),
            {"status": "error", "response": {"reason": "invalid", "field": "name", "message": "expected text"}},
        ),
    ],
    ids=["Done", "Acknowledged", "Page", "Refused", "Invalid"],
)
def test_each_answer_has_its_status_and_its_response(answer: Answer | Invalid, payload: object) -> None:
    assert v2(wire.V2_WEBSOCKET, wire.V2_WEBSOCKET.answer(b"1", b"2", b'"x"', answer))[3:] == ["phx_reply", payload]


@no_deadline
@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True), st.binary(max_size=300))
def test_bytes_are_broadcast_in_the_binary_layout_of_phoenix(room: str, data: bytes) -> None:
    frame = unframed(0x82, wire.V2_WEBSOCKET.broadcast(room, Relayed(data)))
    kind, topic_size, event_size = frame[:3]
    topic_end = 3 + topic_size
    event_end = topic_end + event_size
    assert kind == 2
    assert frame[3:topic_end].decode() == f"chat_room:{room}"
    assert frame[topic_end:event_end] == b"new_message"
    assert frame[event_end:] == data


@pytest.mark.parametrize("serializer", [wire.V1_WEBSOCKET, wire.V1_LONGPOLL, wire.V2_LONGPOLL])
def test_a_client_that_cannot_be_sent_bytes_is_sent_nothing(serializer: Serializer) -> None:
    assert serializer.broadcast("lobby", Relayed(b"x")) == b""


NAMES = {
    Posted: "new_message",
    StartedTyping: "typing",
    PresenceListed: "presence_state",
    PresenceChanged: "presence_diff",
}


def plain(event: object) -> Any:
    """Returns `event` as a client decodes it: dictionaries and lists."""
    match event:
        case PresenceListed(people):
            return json.loads(json.dumps(msgspec.to_builtins(people)))
        case _:
            return json.loads(json.dumps(msgspec.to_builtins(event)))


def plain_reply(answer: Answer | Invalid) -> Any:
    """Returns the payload of a `phx_reply`."""
    match answer:
        case Refused():
            return {"status": "error", "response": plain(answer)}
        case Invalid():
            return {"status": "error", "response": {"reason": "invalid", **plain(answer)}}
        case _:
            return {"status": "ok", "response": plain(answer)}


def typed(value: object) -> str:
    """Returns the repr, which differs for 1, 1.0 and true where == does not."""
    return repr(value)


def typed_json(raw: bytes | msgspec.Raw) -> str:
    """Returns `typed` of a JSON text."""
    return typed(json.loads(bytes(raw)))


# ---------------------------------------------------------------- how long the words of a frame may be


LONGEST = 128
V2_WORDS = ["join_ref", "ref", "topic", "event"]


def frame_with(word: str, value: object) -> dict[str, object]:
    return {"join_ref": "1", "ref": "2", "topic": "chat_room:lobby", "event": "typing", "payload": {}, word: value}


def decoded(decode: Decode, fields: dict[str, object]) -> Frame:
    if decode is wire.decode_v1:
        return decode(to_json(fields))
    if decode is wire.decode_v2:
        return decode(to_json(list(fields.values())))
    join_ref, ref, topic, event = (str(fields[word]) for word in V2_WORDS)
    return decode(binary_push(join_ref, ref, topic, event, b""))


@pytest.mark.parametrize("word", V2_WORDS)
@pytest.mark.parametrize("decode", DECODERS)
def test_a_word_up_to_the_limit_passes_and_a_longer_one_is_no_frame(decode: Decode, word: str) -> None:
    room = LONGEST - 2 * word.endswith("ref")  # a reference is counted with its quotes
    decoded(decode, frame_with(word, "x" * room))
    with pytest.raises(BadFrame, match="expected at most 128 characters"):
        decoded(decode, frame_with(word, "x" * (LONGEST + 1)))


@pytest.mark.parametrize("word", V2_WORDS)
@pytest.mark.parametrize("value", ["x" * 65_000, ["x"] * 5_000, {"x": "y" * 5_000}, 10**200, [1e15] * 25])
@pytest.mark.parametrize("decode", TEXT_DECODERS)
def test_whatever_json_a_word_is_it_is_bounded(decode: Decode, word: str, value: object) -> None:
    with pytest.raises(BadFrame) as refused:
        decoded(decode, frame_with(word, value))
    assert_one_short_line(str(refused.value))


@pytest.mark.parametrize("decode", TEXT_DECODERS)
def test_a_word_that_grows_when_it_is_written_again_is_bounded_too(decode: Decode) -> None:
    grows = [1e15] * 24  # 5 bytes each as they come, 18 as they go
    text = to_json(frame_with("join_ref", "?") if decode is wire.decode_v1 else list(frame_with("ref", "?").values()))
    with pytest.raises(BadFrame):
        decode(text.replace(b'"?"', b"[" + b",".join([b"1e15"] * len(grows)) + b"]"))
