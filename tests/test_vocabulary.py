"""The server, the browser and the documents share one vocabulary."""

import dataclasses
import re
import typing
from typing import Any

import msgspec
import pytest

from chatter import messages
from chatter.charter import Author, RoomView
from chatter.memberships.values import (
    Active,
    LevelSet,
    MyRoom,
    PersonalEvent,
    Read,
    RoomAdded,
    RoomAltered,
    RoomRemoved,
)
from chatter.messages import Event, Posted, PostState, ReactionCount, Reason, Refused, RoomMessage, View
from chatter.room.context import RoomSettings
from chatter.room.refusals import QUARANTINED, refuse
from chatter.storage.records import entry_of, row_of
from schema import Entry, EntryRow, Kind, Post, StateRow
from tests.chatter.conftest import RoomOnStage
from tests.support.server import ROOT
from tests.support.stage import Listener, Stage
from web.channels import log_payloads, personal_requests, requests, wire
from web.limits import Limits
from web.settings import Settings

PROTOCOL = (ROOT / "docs/protocol.md").read_text()
BROWSER = (ROOT / "web/client/messages.js").read_text()

AT = "2026-05-04T12:00:00.000000Z"
CHANGE = (2, "id", "ann", 1, AT, 1)
EVENTS: list[Event] = [
    Posted(1, "id", "ann", "hello", AT),
    messages.Edited(*CHANGE, "hello!", 1),
    messages.Deleted(*CHANGE),
    messages.Reacted(*CHANGE, "👍", ("ann",), (), (ReactionCount("👍", 1, ("ann",)),)),
    messages.Pinned(*CHANGE),
    messages.Unpinned(*CHANGE),
    messages.Purged(2, "id", AT, 1, 7, True, ((1, 1),)),
    messages.MembersChanged(2, "id", "ann", AT, 1, "left", (messages.MemberAs(Author(7, "ann"), "ann"),)),
    messages.RoomChanged(2, "id", "ann", AT, 1, title="Garden"),
    messages.Voided(1),
    messages.StartedTyping("ann"),
    messages.Lagged(1),
    messages.Relayed(b""),
    messages.PresenceChanged({}, {}),
    messages.PresenceListed({}),
    messages.PresenceCounted(1),
]

MY_ROOM = MyRoom(
    slug="den",
    kind="public",
    title="",
    topic="",
    role="member",
    level="nothing",
    level_until=None,
    hidden=False,
    archived=False,
    last_seq=1,
    last_nth=1,
    read_seq=1,
    read_nth=1,
    rev=0,
    unread=0,
    mentions=0,
    last=None,
    people=1,
)
PERSONAL_EVENTS: list[PersonalEvent] = [
    RoomAdded(MY_ROOM),
    RoomRemoved("den", "left"),
    RoomAltered("den", {}),
    Active("den", 1, 1, None),
    Read("den", 1, 1, 0, 0, 0),
    LevelSet("den", "nothing", None, hidden=False),
]


def rows(heading: str) -> list[str]:
    """Returns the first cells of a table in the protocol."""
    section = PROTOCOL.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def event_names() -> set[str]:
    """Returns the names that events have on the wire, for clients of every kind."""
    return {wire.event_name(event, view).decode() for event in EVENTS for view in View}


def block(name: str) -> str:
    """Returns the source of one of the browser's constants."""
    found = re.search(rf"^export const {name} = (.*?);$", BROWSER, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def test_every_event_is_in_this_test() -> None:
    assert {type(event) for event in EVENTS} == set(typing.get_args(Event))


def test_the_protocol_lists_every_event_to_a_client() -> None:
    channel = {"phx_reply", "phx_close", "phx_error", "signed_out", "token_expired"}
    assert event_names() | channel == set(rows("Events to a client"))


def test_the_protocol_lists_every_event_from_a_client() -> None:
    assert set(requests._REQUESTS) <= set(rows("Events from a client"))
    of_rooms = {row for row in rows("Events from a client") if not row.startswith("new_message with")}
    assert of_rooms - {"access_token"} <= set(requests._REQUESTS)


def test_the_protocol_lists_every_event_of_a_person() -> None:
    listed = set(rows("The topic `me`"))
    own = {"access_token", "account", "snapshot", "token_expired"}
    told = {wire.personal_event_name(event).decode() for event in PERSONAL_EVENTS}
    assert {type(event) for event in PERSONAL_EVENTS} == set(typing.get_args(PersonalEvent))
    assert listed == told | set(personal_requests.RATES) | own


def test_the_protocol_lists_every_field_of_a_room_in_a_list() -> None:
    section = PROTOCOL.split("## The topic `me`")[1].split("\n## ")[0]
    for field in msgspec.structs.fields(MyRoom):
        assert re.search(rf"\b{field.encode_name}\b", section), field.name


def test_every_request_has_a_rate_limit() -> None:
    rates = requests.rates_by_event(Settings())
    assert rates.keys() == {*requests._REQUESTS, *personal_requests.RATES, "phx_join"}
    assert all(name.endswith("_rate") and rate == getattr(Settings(), name) for name, rate in rates.values())


def test_the_protocol_and_the_browser_explain_every_reason() -> None:
    reasons = {*typing.get_args(Reason), "invalid", "name_taken"}
    assert set(rows("Errors")) == reasons
    explained = re.findall(r'^\s+"?([a-z_ ]+)"?: "', block("REASONS"), re.MULTILINE)
    assert sorted(explained) == sorted({*reasons, "timeout", "lost"})  # the browser's own reasons


def test_the_browser_uses_only_events_of_the_server() -> None:
    known = event_names() | set(requests._REQUESTS) | {"signed_out"}
    used = dict(re.findall(r'^export const ([A-Z_]+) = "(\w+)";', BROWSER, re.MULTILINE))
    used.pop("TOPIC")
    used.pop("ME")  # a topic, too
    assert set(used.values()) <= known
    assert len(used) >= 8


def test_the_browser_has_the_limits_of_the_server() -> None:
    limits = dict(re.findall(r"(\w+): (\d+)", block("LIMITS")))
    server = Settings().limits
    assert limits == {"name": str(server.max_name_length), "message": str(server.max_message_length)}


@pytest.mark.parametrize(
    ("browser", "server"),
    [
        ("RoomView", RoomView),
        ("Posted", log_payloads._Row),
        ("RoomEvent", log_payloads._RoomEvent),
        ("RecoveryAnswer", messages.Recovery),
        ("Acknowledged", messages.Acknowledged),
        ("Page", log_payloads._Page),
        ("EventPage", log_payloads._Events),
    ],
)
def test_the_browser_knows_the_fields_of_what_it_receives(browser: str, server: Any) -> None:
    typedef = BROWSER.split(f"@typedef {{object}} {browser}")[1].split("*/")[0]
    assert set(re.findall(r"@property \{+[^}]+\}+ \[?(\w+)", typedef)) == set(server.__struct_fields__)


def test_every_column_of_a_message_is_a_field_of_its_broadcast() -> None:
    of_kinds = {"kind", "target", "data"}  # of a message they say what it answers, which is in its state
    assert {*EntryRow._fields} - of_kinds | {"void", "state", "mentions"} == {*Posted.__struct_fields__}
    assert {*EntryRow._fields, "room", "epoch"} == set(Entry._meta.fields)


def test_everything_known_of_a_message_is_told_to_clients_that_know_the_log() -> None:
    told = {*Posted.__struct_fields__, *PostState.__struct_fields__} - {"state"}
    assert {*log_payloads._Row.__struct_fields__} == told
    assert {*log_payloads._Place.__struct_fields__} == told - {*PostState.__struct_fields__, "nth"} | {"message"}


def test_every_column_of_what_a_message_is_now_is_read() -> None:
    of_replies = {"reply_to", "root", "root_replies"}  # said with the message, and never changed
    assert {*StateRow._fields} == {*PostState.__struct_fields__} - of_replies
    assert {*StateRow._fields, "room", "seq"} == set(Post._meta.fields)


# ---------------------------------------------------------------- what would be forgotten unnoticed


def code() -> str:
    """The program, without the pages on which things are only named."""
    paths = [path for folder in ("chatter", "web") for path in (ROOT / folder).rglob("*.py")]
    named = {"messages.py", "settings.py", "limits.py", "context.py"}
    return "\n".join(path.read_text() for path in paths if path.name not in named and "node_modules" not in path.parts)


REACTED = '{"key":"👍","add":["bo"],"remove":["cy"],"reactions":{"👍":{"count":2,"names":["di","bo"]}}}'
PURGED = '{"account":7,"erase":true,"targets":[[1,3],[5,5]],"touched":[]}'
MUTED = '{"change":"muted","members":[[8,"bo","Bo"]],"until":"2026-05-04T13:00:00.000000Z","reason":"noise"}'
ROWS = [
    EntryRow(2, "id", "ann", "hello", AT, Kind.MESSAGE, 1),
    EntryRow(2, "id", "ann", "hello", AT, Kind.MESSAGE, 1, 3, '{"reply_to":4,"replies":5}'),
    EntryRow(2, "id", "ann", "hello", AT, Kind.EDIT, 1, 3, '{"edits":4}'),
    EntryRow(2, "id", "ann", "", AT, Kind.DELETE, 1, 3),
    EntryRow(2, "id", "ann", "", AT, Kind.DELETE, 1, 3, '{"reason":"spam"}'),
    EntryRow(2, "id", "ann", "", AT, Kind.REACT, 1, 3, REACTED),
    EntryRow(2, "id", "ann", "", AT, Kind.PIN, 1, 3),
    EntryRow(2, "id", "ann", "", AT, Kind.UNPIN, 1, 3),
    EntryRow(2, "id", "ann", "hello", AT, Kind.MESSAGE, 1, author=7),
    EntryRow(2, "id", "ann", "hello", AT, Kind.EDIT, 1, 3, '{"edits":4}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.DELETE, 1, 3, '{"reason":"spam","by":"ann"}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.REACT, 1, 3, REACTED.replace('"bo"', '[7,"bo"]', 1), 7),
    EntryRow(2, "id", "ann", "", AT, Kind.PIN, 1, 3, '{"by":"ann"}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.UNPIN, 1, 3, '{"by":"ann"}', 7),
    EntryRow(9, "id", "chatter", "", AT, Kind.PURGE, 1, data=PURGED),
    EntryRow(2, "id", "ann", "@bo", AT, Kind.MESSAGE, 1, None, '{"mentions":{"accounts":[8]}}', 7),
    EntryRow(2, "id", "ann", "@bo", AT, Kind.MESSAGE, 1, 3, '{"reply_to":4,"replies":5,"mentions":{"room":true}}', 7),
    EntryRow(2, "id", "ann", "@here", AT, Kind.EDIT, 1, 3, '{"edits":4,"mentions":{"here":true,"present":[8]}}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.DELETE, 1, 3, '{"moderator":true,"by":"ann"}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.MEMBER, 1, None, '{"change":"joined","members":[[7,"ann","Ann"]]}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.MEMBER, 1, None, MUTED, 7),
    EntryRow(2, "id", "ann", "", AT, Kind.ROOM, 1, None, '{"kind":"private","title":"Garden","topic":""}', 7),
    EntryRow(2, "id", "ann", "", AT, Kind.ROOM, 1, None, '{"rules":{"slow_mode":30},"archived":true}', 7),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{Kind(row.kind).name}-{row.data}-{row.author}")
def test_an_entry_is_saved_and_read_back_with_every_column(row: EntryRow) -> None:
    assert row_of(entry_of(row)) == row


def test_every_kind_and_column_of_an_entry_is_in_this_test() -> None:
    assert {row.kind for row in ROWS} == set(Kind)
    assert all(any(row[place] for row in ROWS) for place in range(len(EntryRow._fields)))


def test_every_reason_is_given_somewhere() -> None:
    text = code()
    assert [reason for reason in typing.get_args(Reason) if f'"{reason}"' not in text] == []


def test_every_setting_is_read_somewhere() -> None:
    text = code() + (ROOT / "chatter/room/context.py").read_text()
    names = [field.name for field in dataclasses.fields(Settings)]
    assert [name for name in names if not re.search(rf"\.{name}\b|\"{name}\"", text)] == []


def test_a_slice_of_the_settings_has_the_defaults_of_the_settings() -> None:
    assert Settings().limits == Limits()
    assert Settings().rooms == RoomSettings()


ANN = Listener()
BY = messages.By(Author(7, "ann"), "Ann")
REQUESTS: list[RoomMessage] = [
    messages.Sync(ANN, b"1", messages.Position(0, None)),
    messages.Leave(ANN, b"1"),
    messages.Post(ANN, b"1", None, "ann", "hello", ack="room"),
    messages.Edit(ANN, b"1", None, 1, "hello!"),
    messages.Delete(ANN, b"1", None, 1),
    messages.React(ANN, b"1", "ann", 1, "👍", is_added=True),
    messages.Pin(ANN, b"1", None, "ann", 1, is_pinned=True),
    messages.ShowTyping(ANN, b"1", "ann"),
    messages.Relay(ANN, b"1", b"bytes"),
    messages.ReadHistory(ANN, b"1", None, 5),
    messages.ListReactors(ANN, b"1", 1, "👍", "ann"),
    messages.Found(ANN, b"1", None, BY, "private"),
    messages.ChangeRoom(ANN, b"1", None, BY, title="Garden"),
    messages.ChangeMembers(ANN, b"1", None, BY, "left", (BY,)),
    messages.Describe(ANN, b"1", BY),
]


def test_every_request_with_a_ref_is_tried_here() -> None:
    asked = {kind for kind in typing.get_args(RoomMessage) if "ref" in kind.__struct_fields__}
    assert {type(request) for request in REQUESTS} == asked


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_a_room_answers_every_request(stage: Stage, request_: RoomMessage) -> None:
    ANN.clear()
    RoomOnStage(stage, recent=[]).tell(messages.Join(ANN, None), request_)
    assert [heard for heard in ANN.heard if isinstance(heard, tuple) and heard[0] == b"1"]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_a_quarantined_request_is_answered(request_: RoomMessage) -> None:
    ANN.clear()
    refuse(request_, QUARANTINED)
    is_leave = isinstance(request_, messages.Leave)  # its channel is gone already
    assert ANN.heard == ([] if is_leave else [(b"1", Refused("quarantined"))])
