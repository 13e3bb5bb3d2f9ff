"""Messages by long polling: joins, pushes, content types, versions, binary data."""

import base64

import pytest

from tests.support.phoenix_client import NDJSON, binary_push
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, JOINED, OK, UNMATCHED, posted, refused, saved


def test_a_polling_client_joins_hears_the_latest_messages_and_posts(clients: Clients) -> None:
    ann, lee = clients.connect("ann"), clients.poll("lee")
    ann.joins("chat_room:lp")
    ann.says('["3","4","chat_room:lp","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:lp","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","4","chat_room:lp","phx_reply",{saved(1)}]')
    lee.says('["3","3","chat_room:lp","phx_join",{}]')
    lee.hears(f'["3","3","chat_room:lp","phx_reply",{JOINED}]')
    lee.hears(f'["3",null,"chat_room:lp","new_message",{posted(1, "ann", "hello")}]')
    lee.says('["3","4","chat_room:lp","new_message",{"name":"lp","message":"by longpoll"}]')
    lee.hears(f'[null,null,"chat_room:lp","new_message",{posted(2, "lp", "by longpoll")}]')
    lee.hears(f'["3","4","chat_room:lp","phx_reply",{saved(2)}]')
    ann.hears(f'[null,null,"chat_room:lp","new_message",{posted(2, "lp", "by longpoll")}]')
    lee.hears_no_more()


def test_one_post_may_have_several_messages(clients: Clients) -> None:
    lee = clients.poll("lee")
    lee.says('["3","3","chat_room:lp-several","phx_join",{}]')
    lee.hears(f'["3","3","chat_room:lp-several","phx_reply",{JOINED}]')
    lee.says(
        '["6","6","chat_room:lp-x","phx_join",{"unauthorized":true}]',
        '["7","7","nowhere:1","phx_join",{}]',
        '["8","8","chat_room:lp-u","typing",{}]',
        '["3","9","chat_room:lp-several","phx_leave",{}]',
    )
    lee.hears(
        f'["6","6","chat_room:lp-x","phx_reply",{refused("unauthorized")}]',
        f'[null,"7","nowhere:1","phx_reply",{UNMATCHED}]',
        f'[null,"8","chat_room:lp-u","phx_reply",{UNMATCHED}]',
        f'["3","9","chat_room:lp-several","phx_reply",{OK}]',
        '["3","3","chat_room:lp-several","phx_close",{}]',
    )
    lee.hears_no_more()


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain", "application/x-www-form-urlencoded"])
def test_the_whole_body_is_one_message_if_the_content_type_is_not_ndjson(clients: Clients, content_type: str) -> None:
    lee = clients.poll("lee")
    lee.says('[null,\n"10",\n"phoenix","heartbeat",{}]', content_type=content_type)
    lee.hears(f'[null,"10","phoenix","phx_reply",{OK}]')
    lee.hears_no_more()


@pytest.mark.parametrize("content_type", [NDJSON, NDJSON + "; charset=utf-8"])
def test_a_line_feed_at_the_end_of_the_last_line_is_tolerated(clients: Clients, content_type: str) -> None:
    lee = clients.poll("lee")
    lee.says(
        '[null,"1","phoenix","heartbeat",{}]', '[null,"2","phoenix","heartbeat",{}]', "", content_type=content_type
    )
    lee.hears(f'[null,"1","phoenix","phx_reply",{OK}]', f'[null,"2","phoenix","phx_reply",{OK}]')


def test_text_beyond_ascii_is_relayed_unchanged(clients: Clients) -> None:
    lee, bo = clients.poll("lee"), clients.connect("bo")
    bo.joins("chat_room:lp-text")
    lee.says('["1","1","chat_room:lp-text","phx_join",{}]')
    lee.hears(f'["1","1","chat_room:lp-text","phx_reply",{JOINED}]')
    bo.says('["3","4","chat_room:lp-text","typing",{"name":"é😀<>"}]')
    bo.hears(f'["3","4","chat_room:lp-text","phx_reply",{OK}]')
    lee.hears('[null,null,"chat_room:lp-text","typing",{"name":"é😀<>"}]')


def test_a_line_separator_in_a_string_does_not_end_the_message(clients: Clients) -> None:
    lee = clients.poll("lee")
    lee.says('[null,"1","é\u2028\\n<>","x",{}]')
    lee.hears(f'[null,"1","é\u2028\\n<>","phx_reply",{UNMATCHED}]')


def test_only_the_first_hundred_messages_of_a_post_are_handled(clients: Clients) -> None:
    lee = clients.poll("lee")
    lee.says(*(f'[null,"{number}","phoenix","heartbeat",{{}}]' for number in range(1, 104)))
    lee.hears(*(f'[null,"{number}","phoenix","phx_reply",{OK}]' for number in range(1, 101)))
    lee.hears_no_more()


def test_a_binary_push_is_a_line_of_base64(clients: Clients) -> None:
    lee, ann = clients.poll("lee"), clients.connect("ann")
    ann.joins("chat_room:lpb")
    lee.says('["2","2","chat_room:lpb","phx_join",{}]')
    lee.hears(f'["2","2","chat_room:lpb","phx_reply",{JOINED}]')
    push = binary_push("2", "3", "chat_room:lpb", "new_message", b"\1\2\3\xfa")
    lee.says(base64.b64encode(push).decode(), '["2","4","chat_room:lpb","typing",{"name":"lee"}]')
    ann.hears_binary(b"\x02\x0d\x0bchat_room:lpbnew_message\1\2\3\xfa")
    ann.hears('[null,null,"chat_room:lpb","typing",{"name":"lee"}]')
    lee.hears(f'["2","3","chat_room:lpb","phx_reply",{OK}]', f'["2","4","chat_room:lpb","phx_reply",{OK}]')
    lee.says(base64.b64encode(binary_push("2", "5", "chat_room:lpb", "typing", b"x")).decode())
    lee.hears(f'["2","5","chat_room:lpb","phx_reply",{INVALID}]')


@pytest.mark.parametrize("query", ["vsn=1.0.0", ""])
def test_a_polling_client_may_use_version_1(clients: Clients, query: str) -> None:
    old, bo = clients.poll("old", query), clients.connect("bo")
    bo.joins("chat_room:lp-v1")
    old.says('{"topic":"chat_room:lp-v1","event":"phx_join","payload":{},"ref":"1"}', content_type="application/json")
    old.hears(f'{{"event":"phx_reply","payload":{JOINED},"ref":"1","topic":"chat_room:lp-v1"}}')
    bo.says('["3","4","chat_room:lp-v1","typing",{"name":"bob"}]')
    bo.hears(f'["3","4","chat_room:lp-v1","phx_reply",{OK}]')
    old.hears('{"event":"typing","payload":{"name":"bob"},"ref":null,"topic":"chat_room:lp-v1"}')


@pytest.mark.parametrize(
    "body", ["[not json", "{not json", "not base64!", "", '["1","1","phoenix","heartbeat"]', "AAEBAQ==", "null"]
)
def test_a_line_that_is_no_frame_is_400_and_the_session_goes_on(clients: Clients, body: str) -> None:
    lee = clients.poll("lee")
    answer = lee.session.post(body)
    assert answer.pop("status") == 400
    assert answer.keys() == {"reason", "message"}
    lee.hears_no_more()


@pytest.mark.parametrize("body", ["[not json", "", "AAEBAQ=="])
def test_a_body_that_is_no_frame_is_400_and_the_session_goes_on(clients: Clients, body: str) -> None:
    lee = clients.poll("lee")
    assert lee.session.post(body, content_type="application/json")["status"] == 400
    lee.hears_no_more()


def test_the_lines_before_a_line_that_is_no_frame_are_handled(clients: Clients) -> None:
    lee = clients.poll("lee")
    answer = lee.session.post('[null,"1","phoenix","heartbeat",{}]', "[not json", '[null,"2","phoenix","heartbeat",{}]')
    assert answer["status"] == 400
    lee.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    lee.hears_no_more()


def test_a_message_that_is_too_large_is_400_and_the_session_goes_on(clients: Clients) -> None:
    lee = clients.poll("lee")
    frame = '[null,"1","phoenix","heartbeat",{"s":"%s"}]'
    largest = frame % ("x" * (65_536 - len(frame % "")))
    lee.says(largest)
    lee.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    assert lee.session.post(largest.replace("xx", "xxx", 1))["status"] == 400
    lee.hears_no_more()
