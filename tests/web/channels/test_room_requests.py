"""Requests about a room itself: what each event asks the room, and what is wrong with others."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chatter.charter import Author, RulesPatch
from chatter.messages import By, ChangeMembers, ChangeRoom, Refused
from tests.support.stage import Listener
from web.channels.fields import InvalidPayload
from web.channels.requests import action_of, rates_by_event, translate
from web.channels.room_requests import ROOM_REQUESTS, MakesLink, NamesPeople, RequestRefused
from web.channels.wire import Frame
from web.limits import Limits
from web.settings import Settings

ANN, BO = By(Author(1, "ann"), "Ann"), By(Author(2, "bo"), "Bo")
REF = b'"4"'

VALID: dict[str, dict[str, Any]] = {
    "set_room": {"title": "A room"},
    "invite": {"handles": ["bo"]},
    "remove_member": {"handle": "bo"},
    "unban_member": {"handle": "bo"},
    "set_role": {"handle": "bo", "role": "moderator"},
    "mute_member": {"handle": "bo", "minutes": 5},
    "join_room": {},
    "leave_room": {},
    "make_link": {},
}


def ann(*, is_guest: bool = False) -> Listener:
    listener = Listener()
    if not is_guest:
        listener.author, listener.person_name = ANN.author, ANN.name
    return listener


def asked(event: str, sender: Listener | None = None, **payload: Any) -> Any:
    raw = msgspec.Raw(json.dumps(payload).encode())
    return translate(event, raw, sender or ann(), REF, Limits())


def told(event: str, **payload: Any) -> ChangeMembers:
    """Returns what the room is told once the handles are looked up."""
    errand = asked(event, **payload)
    assert isinstance(errand, NamesPeople)
    return errand.request((BO,))


def fault(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(InvalidPayload) as refused:
        call()
    return refused.value.answer.field, refused.value.answer.message


def test_every_event_about_rooms_is_tried_here() -> None:
    assert VALID.keys() == ROOM_REQUESTS.keys()


@pytest.mark.parametrize("event", VALID)
def test_guests_do_nothing_to_rooms(event: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        asked(event, ann(is_guest=True), **VALID[event])
    assert refused.value.answer == Refused("sign_in")


@pytest.mark.parametrize("event", VALID)
def test_they_count_as_operations_and_need_their_right(event: str) -> None:
    assert rates_by_event(Settings())[event] == ("operation_rate", Settings().operation_rate)
    assert action_of(Frame(b"1", b"2", "chat_room:x", event, msgspec.Raw(b"{}"))) == "operate"


@pytest.mark.parametrize(
    ("payload", "change"),
    [
        ({"title": "  Tea \u202e room "}, {"title": "Tea room"}),
        ({"topic": "black or green"}, {"topic": "black or green"}),
        ({"topic": ""}, {"topic": ""}),
        ({"archived": True}, {"archived": True}),
        ({"archived": False, "title": None}, {"archived": False}),
        ({"settings": {"slow_mode": 30, "post": "moderators"}}, {"rules": RulesPatch(slow_mode=30, post="moderators")}),
    ],
)
def test_set_room_changes_what_is_given(payload: dict[str, Any], change: dict[str, Any]) -> None:
    sender = ann()
    assert asked("set_room", sender, id="1", **payload) == ChangeRoom(sender, REF, "1", ANN, **change)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "payload"),
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": "\u200b"}, "title"),
        ({"title": 5}, "title"),
        ({"topic": "x" * 251}, "topic"),
        ({"topic": []}, "topic"),
        ({"archived": "yes"}, "archived"),
        ({"settings": []}, "settings"),
        ({"settings": {"history": "some"}}, "settings"),
        ({"settings": {"colour": "red"}}, "settings"),
        ({"settings": {"slow_mode": 21_601}}, "settings"),
        ({"settings": {"slow_mode": -1}}, "settings"),
    ],
)
def test_set_room_says_what_is_wrong(payload: dict[str, Any], field: str) -> None:
    assert fault(lambda: asked("set_room", **payload))[0] == field


def test_handles_are_looked_up_each_once_without_their_sign() -> None:
    errand = asked("invite", handles=["@Bo", "bo", " cy "])
    assert isinstance(errand, NamesPeople)
    assert (errand.handles, errand.is_arrival) == (("bo", "cy"), True)


@pytest.mark.parametrize("handles", [None, [], "bo", [5], [""], ["x" * 34], ["bo"] * 21])
def test_an_invitation_names_1_to_20_people(handles: object) -> None:
    assert fault(lambda: asked("invite", handles=handles))[0] == "handles"


@pytest.mark.parametrize(
    ("event", "payload", "change", "more"),
    [
        ("invite", {"handles": ["bo"]}, "added", {}),
        ("remove_member", {}, "removed", {}),
        ("remove_member", {"reason": "spam"}, "removed", {"reason": "spam"}),
        ("remove_member", {"ban": True}, "banned", {}),
        ("unban_member", {}, "unbanned", {}),
        ("set_role", {"role": "owner"}, "role", {"role": "owner"}),
        ("mute_member", {"minutes": 0}, "unmuted", {}),
    ],
)
def test_what_is_done_to_people(event: str, payload: dict[str, Any], change: str, more: dict[str, Any]) -> None:
    request = told(event, id="1", repeat=True, **{"handle": "bo", **payload})
    assert (request.id, request.by, request.change, request.accounts) == ("1", ANN, change, (BO,))
    assert request.repeat
    assert {name: getattr(request, name) for name in ("role", "until", "reason")} == {
        "role": None,
        "until": None,
        "reason": None,
        **more,
    }


def test_somebody_is_muted_until_a_time() -> None:
    soon, later = (told("mute_member", handle="bo", minutes=minutes).until for minutes in (1, 60))
    assert soon is not None
    assert later is not None
    assert soon < later
    assert soon.endswith("Z")


@pytest.mark.parametrize("event", ["join_room", "leave_room"])
def test_people_come_and_go_by_themselves(event: str) -> None:
    request = asked(event, id="1")
    if isinstance(request, NamesPeople):
        request = request.request((BO,))
    assert (request.by, request.accounts) == (ANN, (ANN,))
    assert request.change == ("joined" if event == "join_room" else "left")


@pytest.mark.parametrize(
    ("payload", "uses", "days"),
    [({}, 1, 7), ({"uses": 5, "days": 30}, 5, 30), ({"uses": None, "days": None}, None, None)],
)
def test_a_link_is_for_some_people_and_some_days(payload: dict[str, Any], uses: int | None, days: int | None) -> None:
    assert asked("make_link", **payload) == MakesLink(ANN, uses, days)


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        ("make_link", {"uses": 0}, "uses"),
        ("make_link", {"uses": 1_001}, "uses"),
        ("make_link", {"days": 366}, "days"),
        ("set_role", {"handle": "bo", "role": "king"}, "role"),
        ("set_role", {"handle": "bo"}, "role"),
        ("mute_member", {"handle": "bo"}, "minutes"),
        ("mute_member", {"handle": "bo", "minutes": 525_601}, "minutes"),
        ("remove_member", {}, "handle"),
        ("remove_member", {"handle": "bo", "reason": "x" * 501}, "reason"),
        ("remove_member", {"handle": "bo", "ban": 1}, "ban"),
    ],
)
def test_it_is_said_what_is_wrong(event: str, payload: dict[str, Any], field: str) -> None:
    assert fault(lambda: asked(event, **payload))[0] == field
