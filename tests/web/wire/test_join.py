"""Joins are granted and followed by the latest messages, or are refused."""

import json

import pytest

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, JOINED, OK, UNMATCHED, posted, refused, saved
from tests.web.wire.transcript import WebSocketClient


def fill_room(client: WebSocketClient, topic: str, *texts: str, first: int = 1) -> None:
    """Posts messages to a room that only `client` is in."""
    for seq, text in enumerate(texts, first):
        client.says(f'["3","w{seq}","{topic}","new_message",{{"name":"ann","message":"{text}"}}]')
        client.hears(f'[null,null,"{topic}","new_message",{posted(seq, "ann", text)}]')
        client.hears(f'["3","w{seq}","{topic}","phx_reply",{saved(seq)}]')


def test_a_join_of_an_empty_room_is_followed_by_no_messages(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["3","3","chat_room:empty","phx_join",{}]')
    ann.hears(f'["3","3","chat_room:empty","phx_reply",{JOINED}]')
    ann.says('["3","4","chat_room:empty","typing",{"name":"ann"}]')
    ann.hears(f'["3","4","chat_room:empty","phx_reply",{OK}]')


def test_the_latest_messages_are_pushed_after_a_join_oldest_first(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:history")
    fill_room(ann, "chat_room:history", "hello", "hi ann")
    bo.says('["9","9","chat_room:history","phx_join",{"some":"params"}]')
    bo.hears(f'["9","9","chat_room:history","phx_reply",{JOINED}]')
    bo.hears(f'["9",null,"chat_room:history","new_message",{posted(1, "ann", "hello")}]')
    bo.hears(f'["9",null,"chat_room:history","new_message",{posted(2, "ann", "hi ann")}]')


def test_no_more_than_ten_messages_are_pushed_after_a_join(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:twelve")
    fill_room(ann, "chat_room:twelve", *(f"no. {number}" for number in range(1, 13)))
    bo.joins("chat_room:twelve", "1")
    for seq in range(3, 13):
        bo.hears(f'["1",null,"chat_room:twelve","new_message",{posted(seq, "ann", f"no. {seq}")}]')
    ann.says('["3","4","chat_room:twelve","typing",{"name":"ann"}]')
    bo.hears('[null,null,"chat_room:twelve","typing",{"name":"ann"}]')
    ann.hears(f'["3","4","chat_room:twelve","phx_reply",{OK}]')


def test_a_topic_whose_join_the_hook_refused_is_not_joined(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["3","3","chat_room:refused","phx_join",{"unauthorized":true}]')
    ann.hears(f'["3","3","chat_room:refused","phx_reply",{refused("unauthorized")}]')
    ann.says('["3","4","chat_room:refused","new_message",{"name":"a","message":"b"}]')
    ann.hears(f'[null,"4","chat_room:refused","phx_reply",{UNMATCHED}]')
    ann.says('["3","5","chat_room:refused","phx_leave",{}]')
    ann.hears(f'["3","5","chat_room:refused","phx_reply",{OK}]')


def test_a_join_whose_hook_crashes_is_refused_and_the_connection_stays_open(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["5","5","chat_room:crash","phx_join",{"crash":true}]')
    ann.hears(f'["5","5","chat_room:crash","phx_reply",{refused("join crashed")}]')
    ann.lives()
    ann.joins("chat_room:crash", "6")


@pytest.mark.parametrize(
    "topic",
    [
        *("nowhere:1", "bench:1", "chat_room", "", " chat_room:a", "chat_room:", "chat_room:Lobby", "chat_room:-a"),
        *("chat_room:a b", "chat_room:a\n", "chat_room:é", "chat_room:" + "a" * 65),
    ],
)
def test_a_topic_that_names_no_room_is_unmatched(clients: Clients, topic: str) -> None:
    ann = clients.connect("ann")
    ann.says(f'["3","3",{json.dumps(topic)},"phx_join",{{}}]')
    ann.hears(f'[null,"3",{json.dumps(topic)},"phx_reply",{UNMATCHED}]')


def test_a_room_name_may_have_64_characters(clients: Clients) -> None:
    clients.connect("ann").joins("chat_room:" + "a" * 64)


def test_a_join_payload_of_null_counts_as_an_empty_object(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:null")
    fill_room(ann, "chat_room:null", "hello")
    bo.says('["3","3","chat_room:null","phx_join",null]')
    bo.hears(f'["3","3","chat_room:null","phx_reply",{JOINED}]')
    bo.hears(f'["3",null,"chat_room:null","new_message",{posted(1, "ann", "hello")}]')


@pytest.mark.parametrize("payload", ['"string"', "[1]", "1", "true", "[]", '""'])
def test_a_join_payload_that_is_no_object_is_invalid_and_the_connection_stays_open(
    clients: Clients, payload: str
) -> None:
    ann = clients.connect("ann")
    ann.says(f'["4","4","chat_room:no-object","phx_join",{payload}]')
    ann.hears(f'["4","4","chat_room:no-object","phx_reply",{INVALID}]')
    ann.lives()
    ann.says('["4","5","chat_room:no-object","typing",{"name":"ann"}]')
    ann.hears(f'[null,"5","chat_room:no-object","phx_reply",{UNMATCHED}]')


def test_a_join_that_is_not_decided_stops_nobody(clients: Clients) -> None:
    ann, bo, lee = clients.connect("ann"), clients.connect("bo"), clients.poll("lee")
    ann.says('["3","3","chat_room:undecided","phx_join",{"waits":true}]')
    ann.lives()
    ann.joins("chat_room:decided")
    ann.says('["3","4","chat_room:undecided","typing",{"name":"ann"}]')
    ann.hears(f'[null,"4","chat_room:undecided","phx_reply",{refused("unmatched topic")}]')
    lee.says('["1","1","chat_room:undecided","phx_join",{"waits":true}]')
    bo.joins("chat_room:undecided")
    bo.says('["9","9","chat_room:releases","phx_join",{"releases":true}]')
    bo.hears(f'["9","9","chat_room:releases","phx_reply",{JOINED}]')
    ann.hears(f'["3","3","chat_room:undecided","phx_reply",{JOINED}]')
    lee.hears(f'["1","1","chat_room:undecided","phx_reply",{JOINED}]')
