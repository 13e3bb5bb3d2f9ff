"""Version 1 has objects for frames, and sends no `join_ref`.

It is also the version of a client that names none.
"""

import pytest

from tests.support.phoenix_client import binary_push
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import JOINED, OK, UNMATCHED, posted, refused, saved
from tests.web.wire.transcript import WebSocketClient


@pytest.fixture(params=["vsn=1.0.0", ""])
def old(request: pytest.FixtureRequest, clients: Clients) -> WebSocketClient:
    """Connects a client of version 1."""
    return clients.connect("old", request.param)


def enters(client: WebSocketClient, topic: str) -> None:
    """Joins with a join_ref."""
    client.says(f'{{"topic":"{topic}","event":"phx_join","payload":{{}},"ref":"2","join_ref":"2"}}')
    client.hears(f'{{"event":"phx_reply","payload":{JOINED},"ref":"2","topic":"{topic}"}}')


def test_a_heartbeat_is_answered(old: WebSocketClient) -> None:
    old.says('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}')
    old.hears(f'{{"event":"phx_reply","payload":{OK},"ref":"1","topic":"phoenix"}}')


def test_clients_of_both_versions_hear_each_other(clients: Clients) -> None:
    new, old = clients.connect("new"), clients.connect("old", "vsn=1.0.0")
    new.joins("chat_room:v", "1")
    enters(old, "chat_room:v")
    said = '{"topic":"chat_room:v","event":"new_message","payload":{"name":"old","message":"a"},"ref":"3"'
    old.says(said + ',"join_ref":"2"}')
    new.hears(f'[null,null,"chat_room:v","new_message",{posted(1, "old", "a")}]')
    old.hears(f'{{"event":"new_message","payload":{posted(1, "old", "a")},"ref":null,"topic":"chat_room:v"}}')
    old.hears(f'{{"event":"phx_reply","payload":{saved(1)},"ref":"3","topic":"chat_room:v"}}')
    # a push without join_ref
    old.says(said + "}")
    new.hears(f'[null,null,"chat_room:v","new_message",{posted(2, "old", "a")}]')
    old.hears(f'{{"event":"new_message","payload":{posted(2, "old", "a")},"ref":null,"topic":"chat_room:v"}}')
    old.hears(f'{{"event":"phx_reply","payload":{saved(2)},"ref":"3","topic":"chat_room:v"}}')
    # from the other side
    new.says('["1","5","chat_room:v","new_message",{"name":"new","message":"b"}]')
    new.hears(f'[null,null,"chat_room:v","new_message",{posted(3, "new", "b")}]')
    new.hears(f'["1","5","chat_room:v","phx_reply",{saved(3)}]')
    old.hears(f'{{"event":"new_message","payload":{posted(3, "new", "b")},"ref":null,"topic":"chat_room:v"}}')


def test_the_latest_messages_are_pushed_after_a_join(clients: Clients) -> None:
    new, old = clients.connect("new"), clients.connect("old", "vsn=1.0.0")
    new.joins("chat_room:v-history")
    new.says('["3","4","chat_room:v-history","new_message",{"name":"new","message":"hello"}]')
    new.hears(f'[null,null,"chat_room:v-history","new_message",{posted(1, "new", "hello")}]')
    new.hears(f'["3","4","chat_room:v-history","phx_reply",{saved(1)}]')
    enters(old, "chat_room:v-history")
    old.hears(
        f'{{"event":"new_message","payload":{posted(1, "new", "hello")},"ref":null,"topic":"chat_room:v-history"}}'
    )


def test_a_leave_without_join_ref_is_answered(old: WebSocketClient) -> None:
    enters(old, "chat_room:v-leave")
    old.says('{"topic":"chat_room:v-leave","event":"phx_leave","payload":{},"ref":"6"}')
    old.hears(f'{{"event":"phx_reply","payload":{OK},"ref":"6","topic":"chat_room:v-leave"}}')
    old.hears('{"event":"phx_close","payload":{},"ref":"2","topic":"chat_room:v-leave"}')


def test_a_push_with_a_stale_join_ref_is_ignored(old: WebSocketClient) -> None:
    enters(old, "chat_room:v-stale")
    typing = '{"topic":"chat_room:v-stale","event":"typing","payload":{"name":"old"}'
    old.says(typing + ',"ref":"3","join_ref":"1"}')
    old.says(typing + ',"ref":"4","join_ref":"2"}')
    old.hears(f'{{"event":"phx_reply","payload":{OK},"ref":"4","topic":"chat_room:v-stale"}}')


def test_errors_have_the_form_of_version_1(old: WebSocketClient) -> None:
    old.says('{"topic":"nowhere:1","event":"phx_join","payload":{},"ref":"7"}')
    old.hears(f'{{"event":"phx_reply","payload":{UNMATCHED},"ref":"7","topic":"nowhere:1"}}')
    old.says('{"topic":"chat_room:v-error","event":"phx_join","payload":{"unauthorized":true},"ref":"8"}')
    old.hears(f'{{"event":"phx_reply","payload":{refused("unauthorized")},"ref":"8","topic":"chat_room:v-error"}}')


def test_unknown_keys_and_a_ref_of_null_are_tolerated(old: WebSocketClient) -> None:
    old.says('{"ref":null,"more":[1],"payload":{},"event":"heartbeat","topic":"phoenix"}')
    old.hears(f'{{"event":"phx_reply","payload":{OK},"ref":null,"topic":"phoenix"}}')


@pytest.mark.parametrize(
    "frame",
    [
        '{"topic":"chat_room:v","event":"phx_join","payload":{}}',
        '{"topic":"chat_room:v","event":"phx_join","ref":"1"}',
        '{"topic":"chat_room:v","payload":{},"ref":"1"}',
        '{"event":"phx_join","payload":{},"ref":"1"}',
        "{not json",
        "",
        "null",
    ],
)
def test_a_text_that_is_no_frame_ends_the_connection(old: WebSocketClient, frame: str) -> None:
    old.says(frame)
    old.hears_close(1011)


def test_a_frame_of_version_2_ends_the_connection(old: WebSocketClient) -> None:
    old.says('[null,"1","phoenix","heartbeat",{}]')
    old.hears_close(1011)


def test_the_same_json_in_a_binary_frame_is_taken_as_in_a_text(old: WebSocketClient) -> None:
    old.says_binary(b'{"topic":"chat_room:v-binary","event":"phx_join","payload":{},"ref":"2","join_ref":"2"}')
    old.hears(f'{{"event":"phx_reply","payload":{JOINED},"ref":"2","topic":"chat_room:v-binary"}}')
    old.says_binary('{"topic":"chat_room:v-binary","event":"typing","payload":{"name":"é"},"ref":"3"}'.encode())
    old.hears(f'{{"event":"phx_reply","payload":{OK},"ref":"3","topic":"chat_room:v-binary"}}')


@pytest.mark.parametrize(
    "sent",
    [
        binary_push("2", "3", "chat_room:v", "new_message", b"abc"),
        b'{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"\xff"}',
        b'{"topic":"\xff","event":"heartbeat","payload":{},"ref":"1"}',
        b"",
    ],
    ids=["a push of version 2", "a ref that is not UTF-8", "a topic that is not UTF-8", "nothing"],
)
def test_other_bytes_in_a_binary_frame_end_the_connection(old: WebSocketClient, sent: bytes) -> None:
    old.says_binary(sent)
    old.hears_close(1011)
