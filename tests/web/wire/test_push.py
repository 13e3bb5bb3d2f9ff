"""Pushes cause replies and broadcasts; wrong pushes get an error reply."""

import time

import pytest

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, OK, UNMATCHED, posted, refused, saved


def test_a_message_is_broadcast_to_everyone_before_its_sender_is_answered(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:push")
    bo.joins("chat_room:push", "1")
    ann.says('["3","4","chat_room:push","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:push","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","4","chat_room:push","phx_reply",{saved(1)}]')
    bo.hears(f'[null,null,"chat_room:push","new_message",{posted(1, "ann", "hello")}]')
    bo.says('["1","2","chat_room:push","new_message",{"name":"bob","message":"hi ann"}]')
    ann.hears(f'[null,null,"chat_room:push","new_message",{posted(2, "bob", "hi ann")}]')
    bo.hears(f'[null,null,"chat_room:push","new_message",{posted(2, "bob", "hi ann")}]')
    bo.hears(f'["1","2","chat_room:push","phx_reply",{saved(2)}]')


def test_a_message_keeps_the_id_that_its_sender_gave_it(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:own-id")
    ann.says('["3","4","chat_room:own-id","new_message",{"name":"ann","message":"hello","id":"a1"}]')
    message = '{"id":"a1","inserted_at":"<time 1>","message":"hello","name":"ann","seq":1}'
    ann.hears(f'[null,null,"chat_room:own-id","new_message",{message}]')
    reply = '{"response":{"id":"a1","inserted_at":"<time 1>","seq":1},"status":"ok"}'
    ann.hears(f'["3","4","chat_room:own-id","phx_reply",{reply}]')


def test_typing_is_broadcast_to_everyone_but_its_sender(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:typing")
    bo.joins("chat_room:typing", "1")
    ann.says('["3","6","chat_room:typing","typing",{"name":"ann"}]')
    bo.hears('[null,null,"chat_room:typing","typing",{"name":"ann"}]')
    ann.hears(f'["3","6","chat_room:typing","phx_reply",{OK}]')
    ann.says('["3","7","chat_room:typing","new_message",{"name":"ann","message":"there"}]')
    ann.hears(f'[null,null,"chat_room:typing","new_message",{posted(1, "ann", "there")}]')
    ann.hears(f'["3","7","chat_room:typing","phx_reply",{saved(1)}]')
    bo.hears(f'[null,null,"chat_room:typing","new_message",{posted(1, "ann", "there")}]')


def test_a_client_hears_nothing_of_another_room(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:here")
    bo.joins("chat_room:there", "1")
    ann.says('["3","4","chat_room:here","new_message",{"name":"ann","message":"here"}]')
    ann.hears(f'[null,null,"chat_room:here","new_message",{posted(1, "ann", "here")}]')
    ann.hears(f'["3","4","chat_room:here","phx_reply",{saved(1)}]')
    bo.says('["1","2","chat_room:there","typing",{"name":"bob"}]')
    bo.hears(f'["1","2","chat_room:there","phx_reply",{OK}]')


def test_a_push_to_a_topic_that_is_not_joined_is_unmatched(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["3","4","chat_room:unjoined","new_message",{"name":"a","message":"b"}]')
    ann.hears(f'[null,"4","chat_room:unjoined","phx_reply",{UNMATCHED}]')
    ann.says('[null,"5","chat_room:unjoined","new_message",{}]')
    ann.hears(f'[null,"5","chat_room:unjoined","phx_reply",{UNMATCHED}]')
    ann.says('["3","6","nowhere:1","x",{}]')
    ann.hears(f'[null,"6","nowhere:1","phx_reply",{UNMATCHED}]')


@pytest.mark.parametrize("event", ['"no_such_event"', '"phx_close"', '"phx_error"', '"phx_reply"', '""', "5", "null"])
def test_an_unknown_event_is_an_error_and_the_channel_stays_joined(clients: Clients, event: str) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:unknown")
    ann.says(f'["3","4","chat_room:unknown",{event},{{}}]')
    ann.hears(f'["3","4","chat_room:unknown","phx_reply",{refused("unknown event")}]')
    ann.says('["3","5","chat_room:unknown","typing",{"name":"ann"}]')
    ann.hears(f'["3","5","chat_room:unknown","phx_reply",{OK}]')


@pytest.mark.parametrize("event", ["new_message", "typing", "history"])
@pytest.mark.parametrize("payload", ['"str"', "1", "null", "[1]", "true"])
def test_a_payload_that_is_no_object_is_invalid_and_the_channel_stays_joined(
    clients: Clients, event: str, payload: str
) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:no-object")
    ann.says(f'["3","4","chat_room:no-object","{event}",{payload}]')
    ann.hears(f'["3","4","chat_room:no-object","phx_reply",{INVALID}]')
    ann.says('["3","5","chat_room:no-object","typing",{"name":"ann"}]')
    ann.hears(f'["3","5","chat_room:no-object","phx_reply",{OK}]')


def test_a_reply_does_not_wait_for_the_tcp_ack_of_earlier_frames(clients: Clients) -> None:
    """One fast reply of a hundred is enough.

    A delayed ACK takes 40 ms or more each time; a busy machine is slow only at times.
    """
    ann = clients.connect("ann")
    ann.joins("chat_room:prompt")

    def reply_delay(seq: int) -> float:
        ann.says('["3","4","chat_room:prompt","new_message",{"name":"ann","message":"now"}]')
        ann.hears(f'[null,null,"chat_room:prompt","new_message",{posted(seq, "ann", "now")}]')
        heard = time.monotonic()
        ann.hears(f'["3","4","chat_room:prompt","phx_reply",{saved(seq)}]')
        return time.monotonic() - heard

    assert any(reply_delay(seq) < 0.03 for seq in range(1, 101))
