"""`join_ref` and `ref` are returned unchanged; an old `join_ref` is stale."""

import pytest

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import JOINED, OK, posted, saved


def test_a_join_with_join_ref_null_is_addressed_by_its_ref_from_then_on(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('[null,"3","chat_room:r1","phx_join",{}]')
    ann.hears(f'[null,"3","chat_room:r1","phx_reply",{JOINED}]')
    ann.says('[null,"4","chat_room:r1","new_message",{"name":"ann","message":"hi"}]')
    ann.hears(f'[null,null,"chat_room:r1","new_message",{posted(1, "ann", "hi")}]')
    ann.hears(f'["3","4","chat_room:r1","phx_reply",{saved(1)}]')
    ann.says('[null,"5","chat_room:r1","phx_leave",{}]')
    ann.hears(f'["3","5","chat_room:r1","phx_reply",{OK}]')
    ann.hears('[null,null,"chat_room:r1","phx_close",{}]')


def test_both_references_may_be_null(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('[null,null,"chat_room:r2","phx_join",{}]')
    ann.hears(f'[null,null,"chat_room:r2","phx_reply",{JOINED}]')
    ann.says('[null,null,"chat_room:r2","typing",{"name":"ann"}]')
    ann.hears(f'[null,null,"chat_room:r2","phx_reply",{OK}]')
    ann.says('[null,null,"chat_room:r2","phx_leave",{}]')
    ann.hears(f'[null,null,"chat_room:r2","phx_reply",{OK}]')
    ann.hears('[null,null,"chat_room:r2","phx_close",{}]')


def test_numbers_are_returned_as_numbers(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('[1,1,"chat_room:r3","phx_join",{}]')
    ann.hears(f'[1,1,"chat_room:r3","phx_reply",{JOINED}]')
    ann.says('[1,2,"chat_room:r3","typing",{"name":"ann"}]')
    ann.hears(f'[1,2,"chat_room:r3","phx_reply",{OK}]')
    ann.says('[1,3,"chat_room:r3","phx_leave",{}]')
    ann.hears(f'[1,3,"chat_room:r3","phx_reply",{OK}]')
    ann.hears('[1,1,"chat_room:r3","phx_close",{}]')


def test_a_push_with_a_stale_join_ref_is_ignored_and_null_is_not_stale(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:r4", "10")
    ann.says('["8","11","chat_room:r4","typing",{"name":"stale"}]')
    ann.says('[null,"12","chat_room:r4","typing",{"name":"null"}]')
    ann.hears(f'["10","12","chat_room:r4","phx_reply",{OK}]')
    ann.says('["8","13","chat_room:r4","phx_leave",{}]')
    ann.says('["10","14","chat_room:r4","typing",{"name":"still joined"}]')
    ann.hears(f'["10","14","chat_room:r4","phx_reply",{OK}]')
    ann.says('["10","15","chat_room:r4","phx_leave",{}]')
    ann.hears(f'["10","15","chat_room:r4","phx_reply",{OK}]')
    ann.hears('["10","10","chat_room:r4","phx_close",{}]')


def test_a_push_with_a_stale_join_ref_is_not_broadcast(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:r6", "10")
    bo.joins("chat_room:r6", "1")
    ann.says('["8","11","chat_room:r6","new_message",{"name":"ann","message":"stale"}]')
    ann.says('[10,"12","chat_room:r6","new_message",{"name":"ann","message":"a number is not the string"}]')
    ann.says('["10","13","chat_room:r6","new_message",{"name":"ann","message":"hello"}]')
    bo.hears(f'[null,null,"chat_room:r6","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'[null,null,"chat_room:r6","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["10","13","chat_room:r6","phx_reply",{saved(1)}]')


def test_more_than_five_elements_are_tolerated(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["20","20","chat_room:r5","phx_join",{},"more",1]')
    ann.hears(f'["20","20","chat_room:r5","phx_reply",{JOINED}]')
    ann.says('["20","21","chat_room:r5","typing",{"name":"ann"},{}]')
    ann.hears(f'["20","21","chat_room:r5","phx_reply",{OK}]')


@pytest.mark.parametrize("ref", ["true", "1.5", "[1,null]", '{"a":1}', '"é\\""', "123456789012345678901234567890"])
def test_a_ref_may_be_any_json_value(clients: Clients, ref: str) -> None:
    ann = clients.connect("ann")
    ann.says(f'[{ref},{ref},"chat_room:r7","phx_join",{{}}]')
    ann.websocket.receive()
    ann.says(f'[{ref},{ref},"chat_room:r7","typing",{{"name":"ann"}}]')
    ann.hears(f'[{ref},{ref},"chat_room:r7","phx_reply",{OK}]')
