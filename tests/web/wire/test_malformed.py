"""A frame that cannot be read ends its connection with 1011, without `phx_close`."""

import pytest

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import OK, UNMATCHED, posted, saved


@pytest.mark.parametrize(
    "frame",
    [
        "{not json",
        '{"topic":"phoenix","event":"heartbeat","ref":"1","payload":{}}',
        '["1","1","phoenix","heartbeat"]',
        '"str"',
        "",
        "null",
        "[]",
        "5",
        '["3","4","chat_room:malformed","typing",{"name":"ann"}',
        '["3","4","chat_room:malformed","typing",{"name":"ann"}]]',
        '["3","4","chat_room:malformed","typing",{"name":"ann"}] ["3"]',
        '["3","4","chat_room:malformed","typing",{"name":"ann"},]',
        '["%s","4","chat_room:malformed","typing",{"name":"ann"}]' % ("3" * 127),
        '["3","%s","chat_room:malformed","typing",{"name":"ann"}]' % ("4" * 127),
        '["3","4","chat_room:%s","phx_join",{}]' % ("x" * 119),
        '["3","4","chat_room:malformed","%s",{"name":"ann"}]' % ("x" * 129),
    ],
)
def test_a_text_that_is_no_frame_ends_the_connection(clients: Clients, frame: str) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:malformed")
    ann.says(frame)
    ann.hears_close(1011)


@pytest.mark.parametrize(
    ("topic", "event"),
    [("null", '"heartbeat"'), ('"chat_room:1"', "null"), ("5", '"phx_join"'), ('"chat_room:1"', "5"), ("{}", "[]")],
)
def test_a_topic_or_event_that_is_no_text_is_unmatched(clients: Clients, topic: str, event: str) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:malformed")
    ann.says(f'["1","1",{topic},{event},{{}}]')
    ann.hears(f'[null,"1",{topic},"phx_reply",{UNMATCHED}]')
    ann.lives()


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "00",
        "00000000",
        "0101010d0634333463686174" + "5f726f6f6d3a62696e747970696e6701",
        "020101010041",
        "00c801010141",
        "0000000001",
        "00010101013334ff41",
    ],
    ids=["empty", "cut", "cut sizes", "a reply", "a broadcast", "sizes beyond the end", "an event cut", "no UTF-8"],
)
def test_a_binary_frame_that_is_no_push_ends_the_connection(clients: Clients, frame: str) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:malformed")
    ann.says_binary(bytes.fromhex(frame))
    ann.hears_close(1011)


def test_a_frame_that_cannot_be_read_does_not_affect_other_clients(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:others")
    bo.joins("chat_room:others", "1")
    ann.says('["3","4","chat_room:others","new_message",{"name":"ann","message":"hello"}]')
    for client in (ann, bo):
        client.hears(f'[null,null,"chat_room:others","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","4","chat_room:others","phx_reply",{saved(1)}]')
    ann.says("{not json")
    ann.hears_close(1011)
    bo.says('["1","2","chat_room:others","new_message",{"name":"bob","message":"hi"}]')
    bo.hears(f'[null,null,"chat_room:others","new_message",{posted(2, "bob", "hi")}]')
    bo.hears(f'["1","2","chat_room:others","phx_reply",{saved(2)}]')


def test_frames_before_an_unreadable_one_in_the_same_packet_are_handled(clients: Clients) -> None:
    ann = clients.connect("ann")
    heartbeat = '[null,"1","phoenix","heartbeat",{}]'
    ann.says(heartbeat, heartbeat, "{", heartbeat)
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    ann.hears_close(1011)
