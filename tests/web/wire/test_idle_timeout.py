"""Frames from a client restart its idle time-out; broadcasts to it do not."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.support.phoenix_client import Opcode
from tests.support.talker import Closed, Talker
from tests.web.wire.clients import SHORT_TIMEOUT, Clients
from tests.web.wire.placeholders import JOINED, OK
from tests.web.wire.transcript import WebSocketClient

PAUSE = SHORT_TIMEOUT / 10
"""Seconds between the frames of a client; a busy machine may add much to them."""


@contextmanager
def at_least(seconds: float) -> Iterator[None]:
    """Checks that the body of the `with` takes at least so many seconds."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun >= seconds


def pings(client: WebSocketClient) -> None:
    client.websocket.send(Opcode.PING, b"")
    client.hears_pong(b"")


def sends_a_pong(client: WebSocketClient) -> None:
    client.websocket.send(Opcode.PONG, b"")


def test_a_client_that_falls_silent_is_closed_with_1002_a_timeout_after_its_last_frame(
    short_timeout_clients: Clients,
) -> None:
    def falls_silent(sends: Callable[[WebSocketClient], None]) -> None:
        client = short_timeout_clients.connect(sends.__name__)
        client.hears_nothing_for(SHORT_TIMEOUT / 4)
        with at_least(SHORT_TIMEOUT * 0.95):
            sends(client)
            client.hears_close(1002)

    with ThreadPoolExecutor() as together:
        list(together.map(falls_silent, (WebSocketClient.lives, pings, sends_a_pong)))


def test_a_client_that_never_sends_a_frame_is_closed_with_1002(short_timeout_clients: Clients) -> None:
    with at_least(SHORT_TIMEOUT * 0.95):
        short_timeout_clients.connect("ann").hears_close(1002)


def test_broadcasts_to_a_client_do_not_restart_its_idle_timeout(short_timeout_clients: Clients) -> None:
    bo = short_timeout_clients.connect("bo")
    bo.joins("chat_room:only-listens", "1")

    def only_listens(ann: Talker) -> None:
        ann.join("only-listens")
        for _ in range(100):
            bo.says('["1","2","chat_room:only-listens","typing",{"name":"bob"}]')
            bo.hears(f'["1","2","chat_room:only-listens","phx_reply",{OK}]')
            assert ann.wait_for("typing") == {"name": "bob"}
            bo.hears_nothing_for(PAUSE)

    with at_least(SHORT_TIMEOUT * 0.95), Talker(short_timeout_clients.port) as ann, pytest.raises(Closed) as closed:
        only_listens(ann)
    assert closed.value.code == 1002
    bo.lives()


def test_a_client_that_falls_silent_leaves_the_presence(short_timeout_clients: Clients) -> None:
    ann, bo = short_timeout_clients.connect("ann"), short_timeout_clients.connect("bo")
    bo.joins("chat_room:silent", "1")
    ann.says('["3","3","chat_room:silent","phx_join",{"name":"ann"}]')
    ann.hears(f'["3","3","chat_room:silent","phx_reply",{JOINED}]')
    meta = '{"ann":{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref ann>"}]}}'
    ann.hears(f'["3",null,"chat_room:silent","presence_state",{meta}]')
    came = f'[null,null,"chat_room:silent","presence_diff",{{"joins":{meta},"leaves":{{}}}}]'
    ann.hears(came)
    bo.hears(came)
    while not bo.websocket.connection.is_readable(PAUSE):
        bo.websocket.send(Opcode.PONG, b"")
    bo.hears(f'[null,null,"chat_room:silent","presence_diff",{{"joins":{{}},"leaves":{meta}}}]')
    ann.hears_close(1002)
