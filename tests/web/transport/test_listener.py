"""The listener knows whether it is local, and accepts a few connections in each turn of the loop."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.phoenix_client import UPGRADE, Request
from web.server import Server
from web.settings import read_settings
from web.transport.listener import ACCEPTED_AT_ONCE, is_local, listening_sockets


def test_a_turn_of_the_loop_accepts_only_a_few_connections(database: Path) -> None:
    options = {"port": "0", "database": f"sqlite:///{database}", "rate_limits": "off"}

    async def count() -> list[int]:
        server = Server(read_settings(options, {}), lambda *_: True)
        await server.open()
        port = urlsplit(server.listen()).port or 0
        waiting = requests = [Request(port, "GET", "/socket/websocket?vsn=2.0.0", UPGRADE) for _ in range(40)]
        accepted = []
        while waiting:
            await asyncio.sleep(0)
            before, waiting = waiting, [each for each in waiting if not each.connection.is_readable(0)]
            accepted.append(len(before) - len(waiting))
        for each in requests:
            each.abandon()
        await server.stop()
        return accepted

    assert max(asyncio.run(count())) <= ACCEPTED_AT_ONCE


def test_an_accepted_connection_sends_small_writes_at_once() -> None:
    (listening,) = listening_sockets(read_settings({"host": "127.0.0.1", "port": "0"}, {}))
    with listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        with listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("family", "address", "expected"),
    [
        (socket.AF_INET, "127.0.0.1", True),
        (socket.AF_INET, "127.0.0.2", True),
        (socket.AF_INET6, "::1", True),
        (socket.AF_INET, "0.0.0.0", False),
        (socket.AF_INET6, "::", False),
    ],
)
def test_only_a_socket_of_loopback_is_for_this_machine_alone(
    family: socket.AddressFamily, address: str, expected: bool
) -> None:
    with socket.socket(family) as bound:
        bound.bind((address, 0))
        assert is_local(bound) is expected


def test_a_unix_socket_is_for_proxies(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        assert not is_local(bound)
