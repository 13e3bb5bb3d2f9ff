"""Accounts on the wire: who somebody is comes from the connection, never from a payload, and others are told."""

import json
from typing import Any

import msgspec
import pytest

from chatter.accounts.principal import Principal
from chatter.charter import Author
from chatter.messages import (
    Deleted,
    Event,
    Join,
    Meta,
    Metas,
    Pinned,
    Post,
    Posted,
    PresenceListed,
    Reacted,
    ReactionCount,
    StartedTyping,
    View,
)
from tests.support.stage import Listener, Stage
from tests.web.channels.conftest import SocketOnStage
from web.channels.fields import InvalidPayload
from web.channels.requests import translate
from web.channels.wire import NULL, V2_LONGPOLL
from web.limits import Limits

AT = "2026-05-04T12:00:00.000000Z"
ANN = Author(7, "ann")
WIRE_ANN = {"id": 7, "handle": "ann"}
EVENTS: dict[str, dict[str, Any]] = {
    "new_message": {"message": "hello"},
    "edit_message": {"seq": 1, "message": "hello"},
    "delete_message": {"seq": 1},
    "react": {"seq": 1, "key": "👍"},
    "unreact": {"seq": 1, "key": "👍"},
    "reactions": {"seq": 1, "key": "👍"},
    "pin": {"seq": 1},
    "unpin": {"seq": 1},
    "typing": {},
}


def member(name: str | None = "Ann Lee") -> Listener:
    listener = Listener()
    listener.author, listener.person_name = ANN, name
    return listener


def asked(sender: Listener, event: str, **payload: Any) -> Any:
    return translate(event, msgspec.Raw(json.dumps(payload).encode()), sender, b"1", Limits())


@pytest.mark.parametrize("claimed", [{}, {"name": "bo"}, {"name": 5}, {"name": "bo", "author": {"id": 8}}])
@pytest.mark.parametrize("event", EVENTS)
def test_an_account_is_called_by_its_own_name_whatever_the_payload_says(event: str, claimed: dict[str, Any]) -> None:
    request = asked(member(), event, **EVENTS[event], **claimed)
    assert request.author == ANN
    assert getattr(request, "name", "Ann Lee") == "Ann Lee"


@pytest.mark.parametrize("event", EVENTS)
def test_a_guest_has_no_account_whatever_the_payload_says(event: str) -> None:
    request = asked(Listener(), event, **EVENTS[event], name="bo", author=WIRE_ANN, account=7)
    assert (request.author, getattr(request, "name", "bo")) == (None, "bo")


@pytest.mark.parametrize("event", ["new_message", "react", "unreact", "pin", "unpin", "typing"])
def test_a_guest_gives_a_name(event: str) -> None:
    with pytest.raises(InvalidPayload, match="name"):
        asked(Listener(), event, **EVENTS[event])


def test_what_is_looked_at_thoroughly_has_the_account_too() -> None:
    post = asked(member(), "new_message", message="e\u0301" * 10, name=5)
    assert isinstance(post, Post)
    assert (post.name, post.author) == ("Ann Lee", ANN)


def pushed(event: Event, view: View = View.LOG) -> Any:
    return json.loads(V2_LONGPOLL.viewing(view).push(NULL, b'"chat_room:lobby"', event))[4]


@pytest.mark.parametrize("view", [View.MESSAGES, View.PLACES, View.LOG])
def test_a_message_has_its_author_and_that_of_a_guest_none(view: View) -> None:
    posted = Posted(1, "a", "Ann Lee", "hello", AT, nth=1, author=ANN)
    assert pushed(posted, view)["author"] == WIRE_ANN
    assert "author" not in pushed(msgspec.structs.replace(posted, author=None), view)
    assert pushed(msgspec.structs.replace(posted, author=Author(7, "")), view)["author"] == {"id": 7, "handle": ""}


def test_what_is_done_has_whom_it_is_by() -> None:
    change = (2, "b", "Ann Lee", 1, AT, 1)
    by = {"name": "Ann Lee", **WIRE_ANN}
    assert pushed(Pinned(*change, author=ANN))["by"] == by
    assert pushed(Deleted(*change, author=ANN))["by"] == by
    assert pushed(Pinned(*change))["by"] == {"name": "Ann Lee"}
    counts = (ReactionCount("👍", 2, ("@ann", "bo")),)
    reacted = pushed(Reacted(*change, "👍", (ANN, "bo"), (Author(8, ""),), counts, author=ANN))
    assert (reacted["add"], reacted["remove"], reacted["names"]) == (
        ["@ann", "bo"],
        ["deleted account"],
        ["@ann", "bo"],
    )
    assert "by" not in reacted


def test_typing_and_presence_have_the_account() -> None:
    assert pushed(StartedTyping("Ann Lee", ANN)) == {"name": "Ann Lee", "author": WIRE_ANN}
    people = {"@ann": Metas((Meta("F0", 5, 7, "Ann Lee"),)), "bo": Metas((Meta("F1", 6),))}
    assert pushed(PresenceListed(people)) == {
        "@ann": {"metas": [{"phx_ref": "F0", "online_at": 5, "id": 7, "name": "Ann Lee"}]},
        "bo": {"metas": [{"phx_ref": "F1", "online_at": 6}]},
    }


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({}, None),
        ({"name": "bo"}, "Ann Lee"),
        ({"presence": True}, None),
        ({"presence": True, "name": "bo"}, "Ann Lee"),
    ],
)
def test_an_account_that_gives_a_name_is_shown_under_its_own(
    stage: Stage, params: dict[str, Any], shown: str | None
) -> None:
    client = SocketOnStage(stage)
    client.socket.principal = Principal(kind="person", role="member", author=ANN, name="Ann Lee")
    client.asks_to_join("lobby", **params)
    (join,) = [each for each in client.told if isinstance(each, Join)]
    assert (join.name, join.subscriber.author) == (shown, ANN)
