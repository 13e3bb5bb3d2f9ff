"""The listener accepts a few connections in each turn of the loop."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.phoenix_client import UPGRADE, Request
from web.server import Server
from web.settings import read_settings
from web.transport.listener import ACCEPTED_AT_ONCE


def test_a_turn_of_the_loop_accepts_only_a_few_connections(database: Path) -> None:
    options = {"port": "0", "database": f"sqlite:///{database}", "rate_limits": "off"}

    async def count() -> list[int]:
        server = Server(read_settings(options, {}), lambda *_: True)
        port = urlsplit(server.start()).port or 0
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
