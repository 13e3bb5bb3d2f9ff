"""The server, the browser and the documents share one vocabulary."""

import re
import typing
from typing import Any

import pytest

from chatter import messages
from chatter.messages import Event, Posted, Reason
from schema import Message, MessageRow
from tests.support.server import ROOT
from web.channels import requests, wire
from web.settings import Settings

PROTOCOL = (ROOT / "docs/protocol.md").read_text()
BROWSER = (ROOT / "web/client/messages.js").read_text()

EVENTS: list[Event] = [
    Posted(1, "id", "ann", "hello", "2026-05-04T12:00:00.000000Z"),
    messages.Voided(1),
    messages.StartedTyping("ann"),
    messages.Lagged(1),
    messages.Relayed(b""),
    messages.PresenceChanged({}, {}),
    messages.PresenceListed({}),
    messages.PresenceCounted(1),
]


def rows(heading: str) -> list[str]:
    """Returns the first cells of a table in the protocol."""
    section = PROTOCOL.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def block(name: str) -> str:
    """Returns the source of one of the browser's constants."""
    found = re.search(rf"^export const {name} = (.*?);$", BROWSER, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def test_every_event_is_in_this_test() -> None:
    assert {type(event) for event in EVENTS} == set(typing.get_args(Event))


def test_the_protocol_lists_every_event_to_a_client() -> None:
    channel = {"phx_reply", "phx_close", "phx_error"}
    assert {wire.name_of(event).decode() for event in EVENTS} | channel == set(rows("Events to a client"))


def test_the_protocol_lists_every_event_from_a_client() -> None:
    assert set(requests._REQUESTS) <= set(rows("Events from a client"))
    assert {row for row in rows("Events from a client") if not row.startswith("new_message with")} <= set(
        requests._REQUESTS
    )


def test_every_request_has_a_rate_limit() -> None:
    rates = requests.rates_by_event(Settings())
    assert rates.keys() == {*requests._REQUESTS, "phx_join"}
    assert all(name.endswith("_rate") and rate == getattr(Settings(), name) for name, rate in rates.values())


def test_the_protocol_and_the_browser_explain_every_reason() -> None:
    reasons = {*typing.get_args(Reason), "invalid"}
    assert set(rows("Errors")) == reasons
    explained = re.findall(r'^\s+"?([a-z_ ]+)"?: "', block("REASONS"), re.MULTILINE)
    assert sorted(explained) == sorted({*reasons, "timeout"})  # the browser's own reason


def test_the_browser_uses_only_events_of_the_server() -> None:
    known = {wire.name_of(event).decode() for event in EVENTS} | set(requests._REQUESTS)
    used = dict(re.findall(r'^export const ([A-Z_]+) = "(\w+)";', BROWSER, re.MULTILINE))
    used.pop("TOPIC")
    assert set(used.values()) <= known
    assert len(used) >= 8


def test_the_browser_has_the_limits_of_the_server() -> None:
    limits = dict(re.findall(r"(\w+): (\d+)", block("LIMITS")))
    server = Settings().limits
    assert limits == {"name": str(server.max_name_length), "message": str(server.max_message_length)}


@pytest.mark.parametrize(
    ("browser", "server"),
    [
        ("Posted", messages.Posted),
        ("RecoveryAnswer", messages.Recovery),
        ("Acknowledged", messages.Acknowledged),
        ("Page", messages.Page),
    ],
)
def test_the_browser_knows_the_fields_of_what_it_receives(browser: str, server: Any) -> None:
    typedef = BROWSER.split(f"@typedef {{object}} {browser}")[1].split("*/")[0]
    assert set(re.findall(r"@property \{[^}]+\} \[?(\w+)", typedef)) == set(server.__struct_fields__)


def test_every_column_of_a_message_is_a_field_of_its_broadcast() -> None:
    assert (*MessageRow._fields, "void") == Posted.__struct_fields__
    assert {*MessageRow._fields, "room", "epoch"} == set(Message._meta.fields)
