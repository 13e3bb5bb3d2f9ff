"""The end of a connection, on a stage."""

import gc
import socket

import pytest

from tests.support.memory import no_collector
from tests.support.phoenix_client import Opcode, frame
from tests.support.stage import Stage
from tests.web.channels.conftest import SocketOnStage
from web.channels.wire import V2_WEBSOCKET
from web.transport.handshake import Grant
from web.transport.request import Request
from web.transport.websocket import WebSocket

HEARTBEAT = frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]')


def how_many_are_in_memory() -> int:
    return sum(type(each) is WebSocket for each in gc.get_objects())


@pytest.mark.parametrize("last", [b"", HEARTBEAT, HEARTBEAT[:5]])
def test_a_connection_that_has_ended_is_let_out_of_memory_at_once(stage: Stage, last: bytes) -> None:
    endpoint = SocketOnStage(stage).endpoint
    near, far = socket.socketpair()
    near.setblocking(False)
    with no_collector(), far:
        stage.call(WebSocket, near, Grant(b"welcome", V2_WEBSOCKET, None), Request("127.0.0.1", {}, {}), endpoint)
        far.send(HEARTBEAT + last)
        stage.run_turns()
        assert how_many_are_in_memory() == 1
        far.close()
        stage.run_until(lambda: not endpoint.connections)
        stage.run_turns()
        assert how_many_are_in_memory() == 0
