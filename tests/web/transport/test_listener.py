"""Newcomers, and those who are in."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.phoenix_client import UPGRADE, Request
from web.server import Server
from web.settings import read_settings
from web.transport.listener import AT_ONCE


def test_between_two_turns_of_the_loop_only_a_few_newcomers_are_let_in(database: Path) -> None:
    options = {"port": "0", "database": f"sqlite:///{database}", "rate_limits": "off"}

    async def count() -> list[int]:
        server = Server(read_settings(options, {}), lambda *_: True)
        port = urlsplit(await server.start()).port or 0
        waiting = newcomers = [Request(port, "GET", "/socket/websocket?vsn=2.0.0", UPGRADE) for _ in range(40)]
        let_in = []
        while waiting:
            await asyncio.sleep(0)
            before, waiting = waiting, [each for each in waiting if not each.connection.brings(0)]
            let_in.append(len(before) - len(waiting))
        for newcomer in newcomers:
            newcomer.abandon()
        await server.stop()
        return let_in

    assert max(asyncio.run(count())) <= AT_ONCE
