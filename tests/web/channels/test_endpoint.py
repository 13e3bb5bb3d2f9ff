"""What all connections of a server share."""

import select
import socket
from typing import Any

import pytest

from chatter.actors import LoopActor
from tests.support.stage import Stage
from tests.web.channels.conftest import SocketOnStage
from web import accelerator
from web.channels.endpoint import Endpoint


class Writing(LoopActor):
    """Writing records whether what it writes now is gathered."""

    def __init__(self, endpoint: Endpoint, seen: list[bool]) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._seen = seen

    def on_receive(self, _message: Any) -> None:
        self._seen.append(self._endpoint.send_batch.is_open)

    def on_turn_end(self) -> None:
        self._seen.append(self._endpoint.send_batch.is_open)


class Reading:
    """Reading does the same when its socket can be read."""

    def __init__(self, file: socket.socket, endpoint: Endpoint, seen: list[bool]) -> None:
        self._file = file
        self._endpoint = endpoint
        self._seen = seen

    def on_readable(self) -> None:
        self._file.recv(100)
        self._seen.append(self._endpoint.send_batch.is_open)

    def on_writable(self) -> None:
        pass


def test_what_actors_write_at_the_end_of_their_turns_is_gathered_for_the_accelerator(stage: Stage) -> None:
    endpoint, seen = SocketOnStage(stage).endpoint, list[bool]()
    actor = stage.start(Writing, endpoint, seen)
    stage.run_turns()
    seen.clear()
    actor.tell("hello")
    stage.run_turns()
    assert seen == [False, accelerator.C is not None]


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="of epoll, which reports many connections at once")
def test_what_connections_answer_when_they_are_read_is_gathered_for_the_accelerator(stage: Stage) -> None:
    endpoint, seen = SocketOnStage(stage).endpoint, list[bool]()
    near, far = socket.socketpair()
    with near, far:
        stage.call(endpoint.poller.watch, near, Reading(near, endpoint, seen))
        far.send(b"hello")
        stage.run_until(lambda: seen)
        stage.call(endpoint.poller.forget, near)
    assert seen == [accelerator.C is not None]
    assert not endpoint.send_batch.is_open
