"""A database is away while people talk, and comes back."""

import time
from contextlib import AbstractContextManager

from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.support.phoenix_client import request
from tests.support.server import Server

LONG = 5.0
"""Seconds: longer than SQLite waits for a lock, than `/healthz` does, than several tries to save."""


def people_go_on_talking(server: Server, outage: AbstractContextManager[None]) -> None:
    """They hear each other all the time, nothing is acknowledged while it is not saved, and in the end all of it is."""
    with Crowd(server.port, pause=0.1) as crowd:
        crowd.until_more(50)
        with outage:
            began = time.monotonic()
            crowd.until_more(200, "heard")
            before = crowd.acknowledged
            crowd.until(lambda: time.monotonic() > began + LONG)
            assert crowd.acknowledged == before
            assert _health(server) == 503
        crowd.until_more(50)
        crowd.until(lambda: _health(server) == 200)
        check_consistency(crowd, server.database_url)
    assert "will be tried again" in server.log


def _health(server: Server) -> int:
    return request(server.port, "GET", "/healthz").status
