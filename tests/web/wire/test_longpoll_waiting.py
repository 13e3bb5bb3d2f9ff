"""A waiting poll is answered at the first message, or at the end of its window."""

import time

import pytest

from tests.support.phoenix_client import LongPoll, Opcode
from tests.web.wire.clients import SHORT_TIMEOUT, Clients
from tests.web.wire.placeholders import JOINED, OK, Placeholders
from tests.web.wire.transcript import LongPollClient

HEARTBEAT = '[null,"5","phoenix","heartbeat",{}]'
REPLY = f'[null,"5","phoenix","phx_reply",{OK}]'


def nothing(session: LongPoll) -> object:
    """Returns the body of the answer to a poll in whose window nothing came."""
    return {"messages": [], "status": 204, "token": session.token}


def reply(session: LongPoll) -> object:
    """Returns the body of the answer that brings the reply to a heartbeat."""
    return {"messages": [REPLY], "status": 200, "token": session.token}


def joins(client: LongPollClient, topic: str) -> None:
    client.says(f'["1","1","{topic}","phx_join",{{}}]')
    client.hears(f'["1","1","{topic}","phx_reply",{JOINED}]')


def test_a_waiting_poll_is_answered_at_the_first_message(clients: Clients) -> None:
    lee = clients.poll("lee")
    poll = lee.starts_poll()
    lee.says(HEARTBEAT)
    assert poll.response().json == reply(lee.session)


def test_a_waiting_poll_is_answered_at_a_broadcast(clients: Clients) -> None:
    lee, ann = clients.poll("lee"), clients.connect("ann")
    joins(lee, "chat_room:lp-wait")
    ann.joins("chat_room:lp-wait")
    poll = lee.starts_poll()
    ann.says('["3","4","chat_room:lp-wait","typing",{"name":"ann"}]')
    ann.hears(f'["3","4","chat_room:lp-wait","phx_reply",{OK}]')
    messages = ['[null,null,"chat_room:lp-wait","typing",{"name":"ann"}]']
    assert poll.response().json == {"messages": messages, "status": 200, "token": lee.session.token}


def test_a_poll_without_messages_is_204_at_the_end_of_its_window(short_timeout_clients: Clients) -> None:
    lee = short_timeout_clients.poll("lee")
    begun = time.monotonic()
    assert lee.session.get() == nothing(lee.session)
    assert time.monotonic() - begun >= SHORT_TIMEOUT * 0.95
    lee.hears_no_more()


def test_a_later_poll_takes_the_place_of_the_one_that_waits_which_is_answered_at_once(clients: Clients) -> None:
    lee = clients.poll("lee")
    ann = clients.connect("ann")
    latest = lee.starts_poll_at_its_node()
    for _ in range(5):
        ann.lives()  # the server has seen that poll
        earlier, latest = latest, lee.starts_poll()
        assert earlier.response().json == nothing(lee.session)
        with pytest.raises(EOFError):
            earlier.connection.read(1)  # no connection is kept for it
    lee.says(HEARTBEAT)
    assert latest.response().json == reply(lee.session)


def test_the_later_of_two_polls_waits_beyond_the_window_of_the_earlier(short_timeout_clients: Clients) -> None:
    lee = short_timeout_clients.poll("lee")
    earlier = lee.starts_poll()
    earlier.connection.is_readable(SHORT_TIMEOUT * 0.75)  # so that the window of the later one ends later
    later = lee.starts_poll()
    assert earlier.response().json == nothing(lee.session)
    assert not later.connection.is_readable(SHORT_TIMEOUT * 0.35)
    lee.says(HEARTBEAT)
    assert later.response().json == reply(lee.session)


def test_a_message_after_a_poll_is_cut_is_kept_for_the_next_poll(clients: Clients) -> None:
    lee = clients.poll("lee")
    poll = lee.starts_poll_at_its_node()
    poll.abandon()
    clients.connect("ann").lives()
    lee.says(HEARTBEAT)
    lee.hears(REPLY)


def test_a_later_poll_is_answered_even_if_an_earlier_one_is_cut(clients: Clients) -> None:
    lee = clients.poll("lee")
    earlier = lee.starts_poll_at_its_node()
    later = lee.starts_poll()
    earlier.abandon()
    clients.connect("ann").lives()
    lee.says(HEARTBEAT)
    assert later.response().json == reply(lee.session)


def test_a_session_without_polls_ends_even_if_the_client_posts(short_timeout_clients: Clients) -> None:
    bo, begun = short_timeout_clients.connect("bo"), time.monotonic()
    lee = short_timeout_clients.poll("lee")
    bo.joins("chat_room:gone")
    lee.says('["1","1","chat_room:gone","phx_join",{"name":"poller"}]')
    meta = '{"poller":{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref poller>"}]}}'
    bo.hears(f'[null,null,"chat_room:gone","presence_diff",{{"joins":{meta},"leaves":{{}}}}]')
    for _ in range(100):
        if bo.websocket.connection.is_readable(SHORT_TIMEOUT / 10):
            break
        bo.websocket.send(Opcode.PONG, b"")
        assert lee.session.post(HEARTBEAT)["status"] in (200, 410)
    bo.hears(f'[null,null,"chat_room:gone","presence_diff",{{"joins":{{}},"leaves":{meta}}}]')
    assert time.monotonic() - begun >= 1.4 * SHORT_TIMEOUT
    assert lee.session.post(HEARTBEAT) == {"status": 410}
    assert Placeholders().match({"messages": [], "status": 410, "token": "<token>"}, lee.session.get())


def test_a_session_that_is_polled_goes_on(short_timeout_clients: Clients) -> None:
    lee = short_timeout_clients.poll("lee")
    joins(lee, "chat_room:lp-lives")
    for _ in range(2):  # a session that nobody polls ends after one and a half windows
        assert lee.session.get() == nothing(lee.session)
    lee.says('["1","2","chat_room:lp-lives","typing",{"name":"lee"}]')
    lee.hears(f'["1","2","chat_room:lp-lives","phx_reply",{OK}]')
