"""SIGTERM: everybody is told to come back, and nothing that was said is lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server
from tests.web.wire.clients import Clients, clients_of
from tests.web.wire.placeholders import JOINED, posted, saved


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A server for one test, which ends it."""
    with Server(tmp_path / "chatter.db", poll_window=5) as running:
        yield running


@pytest.fixture
def clients(mortal: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """That server, with nobody there yet."""
    yield from clients_of(mortal, request)


def test_websockets_are_closed_with_1012_and_no_word_about_their_channels(mortal: Server, clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo", "vsn=1.0.0")
    ann.joins("chat_room:end")
    os.kill(mortal.pid, signal.SIGTERM)
    ann.hears_close(1012)
    bo.hears_close(1012)
    ann.hangs_up()
    bo.hangs_up()
    assert mortal.stop() == 0
    assert mortal.log == ""


def test_clients_that_do_not_let_go_do_not_hold_the_server(mortal: Server, clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:end")
    assert mortal.stop() == 0
    assert mortal.log == ""  # it would say so had it waited for them in vain
    ann.hears_close(1012)


def test_a_poll_that_waits_is_answered_at_once(mortal: Server, clients: Clients) -> None:
    lee = clients.poll("lee")
    lee.says('["1","1","chat_room:end","phx_join",{}]')
    lee.hears(f'["1","1","chat_room:end","phx_reply",{JOINED}]')
    poll = lee.waits()
    os.kill(mortal.pid, signal.SIGTERM)
    assert poll.response().json == {"messages": [], "status": 204, "token": lee.session.token}
    assert mortal.stop() == 0


def test_what_was_said_is_committed_and_acknowledged_before_the_end(mortal: Server, clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:end")
    ann.says('["3","4","chat_room:end","new_message",{"name":"ann","message":"last words"}]')
    ann.hears(f'[null,null,"chat_room:end","new_message",{posted(1, "ann", "last words")}]')
    os.kill(mortal.pid, signal.SIGTERM)
    ann.hears(f'["3","4","chat_room:end","phx_reply",{saved(1)}]')
    ann.hears_close(1012)
    ann.hangs_up()
    assert mortal.stop() == 0
    mortal.start()
    bo = clients.connect("bo")
    bo.says('["1","1","chat_room:end","phx_join",{}]')
    bo.hears(f'["1","1","chat_room:end","phx_reply",{JOINED}]')
    bo.hears(f'["1",null,"chat_room:end","new_message",{posted(1, "ann", "last words")}]')
