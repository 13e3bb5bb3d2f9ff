"""IdleTimeouts: what counts is what the client sends, be it a control frame; what it is sent does not."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.phoenix_client import Opcode
from tests.support.talker import Closed, Talker
from tests.web.wire.clients import HASTE, Clients
from tests.web.wire.placeholders import JOINED, OK

PACE = HASTE / 10
"""Seconds between signs of life: a machine that is busy may add much to them."""


@contextmanager
def lasting(least: float) -> Iterator[None]:
    """What happens in here takes at least so many seconds."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun >= least


def test_a_client_that_falls_silent_is_closed_with_1002(hasty_clients: Clients) -> None:
    ann = hasty_clients.connect("ann")
    ann.hears_nothing_for(PACE)
    with lasting(HASTE * 0.95):
        ann.lives()
        ann.hears_close(1002)


def test_a_client_that_never_said_anything_is_closed_with_1002(hasty_clients: Clients) -> None:
    with lasting(HASTE * 0.95):
        hasty_clients.connect("ann").hears_close(1002)


def test_to_be_sent_broadcasts_is_no_sign_of_life(hasty_clients: Clients) -> None:
    bo = hasty_clients.connect("bo")
    bo.joins("chat_room:only-listens", "1")

    def only_listens(ann: Talker) -> None:
        ann.join("only-listens")
        for _ in range(100):
            bo.says('["1","2","chat_room:only-listens","typing",{"name":"bob"}]')
            bo.hears(f'["1","2","chat_room:only-listens","phx_reply",{OK}]')
            assert ann.wait_for("typing") == {"name": "bob"}
            bo.hears_nothing_for(PACE)

    with lasting(HASTE * 0.95), Talker(hasty_clients.port) as ann, pytest.raises(Closed) as closed:
        only_listens(ann)
    assert closed.value.code == 1002
    bo.lives()


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
def test_a_control_frame_is_a_sign_of_life(hasty_clients: Clients, opcode: Opcode) -> None:
    ann = hasty_clients.connect("ann")
    for _ in range(15):
        ann.hears_nothing_for(PACE)
        ann.websocket.send(opcode, b"")
        if opcode is Opcode.PING:
            ann.hears_pong(b"")
    ann.lives()


def test_a_client_that_falls_silent_is_gone_for_the_others(hasty_clients: Clients) -> None:
    ann, bo = hasty_clients.connect("ann"), hasty_clients.connect("bo")
    bo.joins("chat_room:silent", "1")
    ann.says('["3","3","chat_room:silent","phx_join",{"name":"ann"}]')
    ann.hears(f'["3","3","chat_room:silent","phx_reply",{JOINED}]')
    meta = '{"ann":{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref ann>"}]}}'
    ann.hears(f'["3",null,"chat_room:silent","presence_state",{meta}]')
    came = f'[null,null,"chat_room:silent","presence_diff",{{"joins":{meta},"leaves":{{}}}}]'
    ann.hears(came)
    bo.hears(came)
    while not bo.websocket.connection.is_readable(PACE):
        bo.websocket.send(Opcode.PONG, b"")
    bo.hears(f'[null,null,"chat_room:silent","presence_diff",{{"joins":{{}},"leaves":{meta}}}]')
    ann.hears_close(1002)
