"""SIGTERM closes all connections with 1012, and loses no message."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server
from tests.web.wire.clients import Clients, clients_of
from tests.web.wire.placeholders import JOINED, posted, saved


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """Starts a server for one test, which stops it."""
    with Server(tmp_path / "chatter.db", poll_window=60) as running:
        yield running


@pytest.fixture
def clients(own_server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Returns the clients of that server; none is connected yet."""
    yield from clients_of(own_server, request)


def test_websockets_are_closed_with_1012_and_without_phx_close(own_server: Server, clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo", "vsn=1.0.0")
    ann.joins("chat_room:end")
    os.kill(own_server.pid, signal.SIGTERM)
    ann.hears_close(1012)
    bo.hears_close(1012)
    ann.hangs_up()
    bo.hangs_up()
    assert own_server.stop() == 0
    assert own_server.log == ""


def test_a_client_that_does_not_answer_the_close_does_not_delay_the_stop(own_server: Server, clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:end")
    assert own_server.stop() == 0
    assert own_server.log == ""  # it would log that it had waited in vain
    ann.hears_close(1012)


def test_a_waiting_poll_is_answered_at_once(own_server: Server, clients: Clients) -> None:
    lee = clients.poll("lee")
    lee.says('["1","1","chat_room:end","phx_join",{}]')
    lee.hears(f'["1","1","chat_room:end","phx_reply",{JOINED}]')
    poll = lee.starts_poll()
    os.kill(own_server.pid, signal.SIGTERM)
    assert poll.response().json == {"messages": [], "status": 204, "token": lee.session.token}
    assert own_server.stop() == 0


def test_messages_are_committed_and_acknowledged_before_the_stop(own_server: Server, clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:end")
    ann.says('["3","4","chat_room:end","new_message",{"name":"ann","message":"last words"}]')
    ann.hears(f'[null,null,"chat_room:end","new_message",{posted(1, "ann", "last words")}]')
    os.kill(own_server.pid, signal.SIGTERM)
    ann.hears(f'["3","4","chat_room:end","phx_reply",{saved(1)}]')
    ann.hears_close(1012)
    ann.hangs_up()
    assert own_server.stop() == 0
    own_server.start()
    bo = clients.connect("bo")
    bo.says('["1","1","chat_room:end","phx_join",{}]')
    bo.hears(f'["1","1","chat_room:end","phx_reply",{JOINED}]')
    bo.hears(f'["1",null,"chat_room:end","new_message",{posted(1, "ann", "last words")}]')
