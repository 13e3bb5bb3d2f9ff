"""Requests: a payload is a valid message, or a refusal says what was expected."""

import json
import tracemalloc
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatter.messages import Post, ReadHistory, Relay, ShowTyping
from tests.support.stage import Listener
from web.channels import fields as payload_fields
from web.channels.characters import MAX_MARKS, has_long_mark_run, has_visible, normal_name
from web.channels.fields import InvalidPayload, fields_of, sender_name
from web.channels.requests import Topic, _post, _valid_post, topic_of, translate
from web.channels.room_requests import Request
from web.channels.wire import BadFrame, Binary, Invalid, Payload
from web.limits import Limits

ANN = Listener()
REF = b'"4"'
LIMITS = Limits()

no_deadline = settings(deadline=None)
texts = st.text(max_size=80) | st.sampled_from(["", " ", "\t\n", "ann", "a\x00b", "x" * 65, "x" * 4_001])
characters = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from(
        "ab \t\n\u00a0\u200b\u200d\u202e\ufe0f\u2800\u3164\u0301\u0308\u0e47ё王👩❤\U000e0041\U0001e947\u0085"
    ),
    max_size=30,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | texts | st.integers(-2, 200) for name in ("name", "message", "id", "before", "limit")
    },
)


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def translate_for_ann(event: object, payload: Payload, limits: Limits = LIMITS) -> Request | None:
    return translate(event, payload, ANN, REF, limits)


def post(**changes: Any) -> Request | None:
    return translate_for_ann("new_message", raw({"name": "ann", "message": "hello", **changes}))


def refusal(event: str, **payload: Any) -> tuple[str, str]:
    """Returns the field and the text of the refusal of `payload`."""
    with pytest.raises(InvalidPayload) as refused:
        translate_for_ann(event, raw(payload))
    return refused.value.answer.field, refused.value.answer.message


def post_refusal(**changes: Any) -> tuple[str, str]:
    return refusal("new_message", **{"name": "ann", "message": "hello", **changes})


# ---------------------------------------------------------------- topics


@pytest.mark.parametrize("slug", ["a", "0", "lobby", "a-b_c", "9" * 64, "x--", "a_"])
def test_a_valid_topic_names_a_room(slug: str) -> None:
    name = f"chat_room:{slug}"
    assert topic_of(name) == Topic(name, slug, f'"{name}"'.encode())


@pytest.mark.parametrize(
    "topic",
    [
        *("", "chat_room", "chat_room:", "chat_room:A", "chat_room:-a", "chat_room:_a", "chat_room:a b", "chat_room:ж"),
        *("chat_room:a\n", "chat_room:a:b", "chat_room:" + "a" * 65, " chat_room:a", "xchat_room:a", "chat_room:a/b"),
        *("CHAT_ROOM:a", "phoenix", "chat_room:a\x00"),
    ],
)
def test_an_invalid_topic_names_no_room(topic: str) -> None:
    assert topic_of(topic) is None


def test_only_names_of_rooms_are_remembered() -> None:
    names = [f"room {number}" * 1_000 for number in range(200)]
    tracemalloc.start()
    try:
        for name in names:
            assert topic_of(name) is None
        assert tracemalloc.get_traced_memory()[0] < 100_000  # they have 1.5 MB
    finally:
        tracemalloc.stop()
    assert topic_of("chat_room:remembered") is topic_of("chat_room:remembered")


# ---------------------------------------------------------------- new_message


def test_a_new_message_becomes_a_post() -> None:
    assert post() == Post(ANN, REF, None, "ann", "hello")
    assert post(id="a-1") == Post(ANN, REF, "a-1", "ann", "hello")


def test_an_id_of_null_is_none_and_unknown_fields_are_ignored() -> None:
    assert post(id=None, color="red", seq=5) == Post(ANN, REF, None, "ann", "hello")


@pytest.mark.parametrize(("field", "most"), [("name", 64), ("message", 4_000), ("id", 64)])
@pytest.mark.parametrize("letter", ["x", "ж", "👩"])
def test_a_text_may_have_one_character_up_to_the_limit(field: str, most: int, letter: str) -> None:
    for length in (1, most):
        assert getattr(post(**{field: letter * length}), field) == letter * length
    assert post_refusal(**{field: letter * (most + 1)}) == (field, f"expected 1 to {most} characters, got {most + 1}")


@pytest.mark.parametrize("field", ["name", "message", "id"])
@pytest.mark.parametrize(
    "blank",
    [
        *("", " ", "\t", "\n", " \t\n ", "\u00a0", "\u2003\u3000", "\u2028", "\u200b", "\u2800", "\u3164", "\u00ad"),
        *("\u202e\u2066", "\U000e0041", "\ufe0f", "\U000e0100", "\u034f \u200d", "\u0301"),
    ],
    ids=ascii,
)
def test_a_blank_text_is_refused(field: str, blank: str) -> None:
    assert post_refusal(**{field: blank})[0] == field


CONTROL = [chr(number) for number in range(0xA0) if unicodedata.category(chr(number)) == "Cc"]


@pytest.mark.parametrize("field", ["name", "message", "id"])
@pytest.mark.parametrize(
    "control", [char for char in CONTROL if char not in "\t\n"], ids=lambda char: f"U+{ord(char):04X}"
)
def test_a_control_character_is_refused(field: str, control: str) -> None:
    assert post_refusal(**{field: f"a{control}b"}) == (field, "expected no control characters but tab and line feed")


@pytest.mark.parametrize("field", ["message", "id"])
@pytest.mark.parametrize(
    "text", ["a\tb", "a\nb", "\n a", "a ", "\u2028a", "\u200d👩", "é", "\uffff", "\U0010ffff", "a\u0301"]
)
def test_every_other_character_passes_unchanged(field: str, text: str) -> None:
    assert getattr(post(**{field: text}), field) == text


@pytest.mark.parametrize(
    ("name", "normal"),
    [("a\tb", "a b"), (" Ann  Lee\n", "Ann Lee"), ("ann\u200b", "ann"), ("\u202eann", "ann"), ("e\u0301lan", "élan")],
    ids=ascii,
)
def test_a_name_is_brought_into_its_normal_form_wherever_it_stands(name: str, normal: str) -> None:
    assert post(name=name) == Post(ANN, REF, None, normal, "hello")
    assert translate_for_ann("typing", raw({"name": name})) == ShowTyping(ANN, REF, normal)
    assert sender_name({"name": name}, LIMITS) == normal


def test_a_name_must_be_short_enough_before_and_after() -> None:
    assert post_refusal(name="e\u0301" * 33) == ("name", "expected 1 to 64 characters, got 66")
    assert post_refusal(name="\ufb2c" * 22) == ("name", "expected 1 to 64 characters, got 66")


@pytest.mark.parametrize("field", ["message", "id"])
@pytest.mark.parametrize("mark", ["\u0301", "\u0e47", "\U0001e947", "\u0489"], ids=ascii)
def test_a_run_of_marks_is_bounded(field: str, mark: str) -> None:
    fits = ("a" + mark * MAX_MARKS) * 3 + "b"
    assert getattr(post(**{field: fits}), field) == fits
    for start in range(MAX_MARKS + 1):
        stacked = "b" * start + "a" + mark * (MAX_MARKS + 1)
        assert post_refusal(**{field: stacked}) == (field, f"expected at most {MAX_MARKS} combining marks in a row")


def test_a_name_with_too_many_marks_keeps_the_first() -> None:
    assert post(name="ก" + "\u0e47" * 40) == Post(ANN, REF, None, "ก" + "\u0e47" * MAX_MARKS, "hello")


@no_deadline
@given(characters, characters)
@example("ann", "\u3164")
@example("Ann  Lee", "hello")
@example("王\u3000", "\u0301" * 9)
def test_the_quick_way_for_posts_is_the_careful_way(name: str, message: str) -> None:
    fields = {"name": name, "message": message}
    careful = answer_of(partial(_post, fields, ANN, REF, LIMITS))
    assert answer_of(partial(_valid_post, raw(fields), ANN, REF, LIMITS)) in (None, careful)


def answer_of(read: Callable[[], Request | None]) -> Request | Invalid | None:
    try:
        return read()
    except InvalidPayload as refusal:
        return refusal.answer


def test_a_message_that_is_refused_was_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def look_at(text: str) -> bool:
        looked_at.append(text)
        return has_long_mark_run(text)

    monkeypatch.setattr(payload_fields, "has_long_mark_run", look_at)
    stacked = "a" + "\u0301" * (MAX_MARKS + 1)
    assert post_refusal(message=stacked)[0] == "message"
    assert looked_at.count(stacked) == 1


def test_of_several_fields_the_first_is_refused() -> None:
    stacked = "a" + "\u0301" * (MAX_MARKS + 1)
    assert post_refusal(message=stacked, id=stacked)[0] == "id"
    assert post_refusal(message=stacked, name="\u3164")[0] == "name"
    assert post_refusal(message=stacked, repeat=1)[0] == "repeat"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "a number"), (5.5, "a number"), (True, "true or false"), ([], "an array"), ({}, "an object")],
)
@pytest.mark.parametrize(("field", "most"), [("name", 64), ("message", 4_000), ("id", 64)])
def test_a_text_of_another_type_is_refused_with_the_type_that_came(
    field: str, most: int, value: object, kind: str
) -> None:
    expected = f"expected a string of 1 to {most} characters, got {kind}"
    assert post_refusal(**{field: value}) == (field, expected)


@pytest.mark.parametrize("field", ["name", "message"])
def test_a_post_needs_a_name_and_a_message(field: str) -> None:
    payload = {"name": "ann", "message": "hello"}
    del payload[field]
    assert refusal("new_message", **payload)[0] == field
    assert post_refusal(**{field: None})[1].endswith("got nothing")


@pytest.mark.parametrize("longer", [{"name": "anna"}, {"message": "hello!"}, {"id": "a-1"}])
def test_limits_can_be_set(longer: dict[str, str]) -> None:
    limits = Limits(max_name_length=3, max_message_length=5, max_id_length=2)
    allowed = {"name": "ann", "message": "hello", "id": "a1"}
    assert translate_for_ann("new_message", raw(allowed), limits) == Post(ANN, REF, "a1", "ann", "hello")
    with pytest.raises(InvalidPayload):
        translate_for_ann("new_message", raw(allowed | longer), limits)


def test_bytes_become_a_relay() -> None:
    assert translate_for_ann("new_message", Binary(b"\x00\xff")) == Relay(ANN, REF, b"\x00\xff")


# ---------------------------------------------------------------- typing


def test_typing_needs_a_name() -> None:
    assert translate_for_ann("typing", raw({"name": "ann"})) == ShowTyping(ANN, REF, "ann")
    assert refusal("typing")[0] == "name"
    assert refusal("typing", name="x" * 65)[0] == "name"


# ---------------------------------------------------------------- history


def test_history_without_fields_is_the_latest_fifty() -> None:
    assert translate_for_ann("history", raw({})) == ReadHistory(ANN, REF, None, 50)
    assert translate_for_ann("history", raw({"before": None, "limit": None})) == ReadHistory(ANN, REF, None, 50)


@pytest.mark.parametrize("before", [1, 2, 10**6, 2**63 - 1])
@pytest.mark.parametrize("limit", [1, 100])
def test_history_has_a_place_and_a_limit(before: int, limit: int) -> None:
    assert translate_for_ann("history", raw({"before": before, "limit": limit})) == ReadHistory(ANN, REF, before, limit)


@pytest.mark.parametrize(("fields", "field"), [("before after", "after"), ("before around", "around")])
def test_history_has_one_place(fields: str, field: str) -> None:
    assert translate_for_ann("history", raw({"around": 7, "limit": 9})) == ReadHistory(ANN, REF, None, 9, around=7)
    assert translate_for_ann("history", raw({"around": 7})) == ReadHistory(ANN, REF, None, 50, around=7)
    assert refusal("history", **dict.fromkeys(fields.split(), 7))[0] == field
    assert refusal("history", after=7, around=7) == (
        "around",
        "expected one of `before`, `after` and `around`, got two",
    )
    assert refusal("history", around=0)[0] == "around"


@pytest.mark.parametrize("place", ["before", "after", "around"])
@pytest.mark.parametrize("page", ["seqs", "pinned", "root"])
def test_history_is_of_one_kind_of_page(page: str, place: str) -> None:
    value = {"seqs": [1], "pinned": True, "root": 1}
    for other in value.keys() - {page}:
        assert refusal("history", **{page: value[page], other: value[other]})[0] in (page, other)
    if (page == "root" and place != "around") or (page, place) == ("pinned", "before"):
        assert isinstance(translate_for_ann("history", raw({page: value[page], place: 7})), ReadHistory)
    else:
        assert refusal("history", **{page: value[page], place: 7})[0] == place


@pytest.mark.parametrize("value", [0, -1, 2**63, 10**30, 1.0, 1.5, 1e300, "5", "", True, False, [1], {}])
def test_a_place_that_is_no_positive_64_bit_integer_is_refused(value: object) -> None:
    field, message = refusal("history", before=value)
    assert field == "before"
    assert message.startswith("expected a whole number from 1 to ")


@pytest.mark.parametrize("value", [0, -1, 101, 1.0, "5", True, [1], {}])
def test_a_limit_beyond_the_largest_page_is_refused(value: object) -> None:
    field, message = refusal("history", limit=value)
    assert field == "limit"
    assert message.startswith("expected a whole number from 1 to 100, got ")


@pytest.mark.parametrize(("most", "usual"), [(1, 1), (2, 1), (3, 1), (100, 50), (10_000, 5_000)])
def test_the_default_page_is_half_of_the_largest(most: int, usual: int) -> None:
    assert translate_for_ann("history", raw({}), Limits(max_history_page=most)) == ReadHistory(ANN, REF, None, usual)


# ---------------------------------------------------------------- any event


@pytest.mark.parametrize("event", ["shout", "", "New_message", "phx_reply", "phx_error", None, 5, ["typing"], {}])
def test_an_unknown_event_is_none_with_any_payload(event: object) -> None:
    for payload in (raw({}), raw(None), Binary(b"x")):
        assert translate_for_ann(event, payload) is None


@pytest.mark.parametrize("event", ["new_message", "typing", "history", "shout", None])
def test_a_payload_that_is_not_json_is_a_bad_frame_for_any_event(event: object) -> None:
    with pytest.raises(BadFrame):
        translate_for_ann(event, msgspec.Raw(b"{not json"))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (raw(None), "nothing"),
        (raw("x"), "a string"),
        (raw(5), "a number"),
        (raw(False), "true or false"),
        (raw([1]), "an array"),
    ],
)
def test_a_payload_that_is_not_an_object_is_refused_with_the_type_that_came(payload: Payload, kind: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        fields_of(payload)
    assert (refused.value.answer.field, refused.value.answer.message) == ("payload", f"expected an object, got {kind}")


@pytest.mark.parametrize("event", ["typing", "history"])
def test_bytes_are_refused_where_an_object_is_expected(event: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        translate_for_ann(event, Binary(b"xyz"))
    assert refused.value.answer.message == "expected an object, got 3 bytes of binary"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{not json",
        b'{"a":01}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{}x",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_fields_of_a_payload_that_is_not_json_are_a_bad_frame(text: bytes) -> None:
    with pytest.raises(BadFrame):
        fields_of(msgspec.Raw(text))


@no_deadline
@given(st.sampled_from(["new_message", "typing", "history"]), st.one_of(fields, json_values))
@example("new_message", {"name": "\ud800", "message": "x"})
@example("new_message", {"name": "ann", "message": float("inf")})
@example("history", {"before": float("nan")})
def test_any_json_payload_is_a_valid_message_or_refused(event: str, payload: object) -> None:
    try:
        message = translate_for_ann(event, raw(payload))
    except InvalidPayload as refused:
        assert_clear(refused)
    except BadFrame:
        pass
    else:
        assert_valid(message)


@no_deadline
@given(st.sampled_from(["new_message", "typing", "history"]), st.binary(max_size=40))
@example("typing", b'{"name":"\xff"}')
@example("typing", b'{"\xff":"ann"}')
def test_any_bytes_as_a_payload_are_a_valid_message_or_refused(event: str, payload: bytes) -> None:
    try:
        assert_valid(translate_for_ann(event, msgspec.Raw(payload)))
    except (InvalidPayload, BadFrame):
        pass


def assert_clear(refused: InvalidPayload) -> None:
    assert refused.answer.field in {"payload", "name", "message", "id", "before", "limit"}
    assert refused.answer.message.startswith("expected ")


def assert_valid(message: Request | None) -> None:
    match message:
        case Post(sender, ref, id, name, text):
            assert (sender, ref) == (ANN, REF)
            assert id is None or is_text(id, 64)
            assert is_name(name)
            assert is_text(text, 4_000)
        case ShowTyping(_, _, name):
            assert is_name(name)
        case ReadHistory(_, _, before, limit):
            assert before is None or 1 <= before < 2**63
            assert 1 <= limit <= 100
        case _:
            raise AssertionError(f"expected a message, got {message}")


def is_text(text: str, most: int) -> bool:
    no_control = not any(unicodedata.category(char) in {"Cc", "Cs"} for char in text if char not in "\t\n")
    return 1 <= len(text) <= most and has_visible(text) and no_control


def is_name(name: str) -> bool:
    return is_text(name, 64) and normal_name(name) == name
