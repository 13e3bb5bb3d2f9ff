"""Checks what clients notice of a database that fails and comes back."""

from contextlib import AbstractContextManager

from tests.faults.consistency import check_consistency
from tests.faults.crowd import TIRELESS, Crowd
from tests.support.phoenix_client import request
from tests.support.server import Server

SAVING_FAILED = "messages cannot be saved, which will be tried again"


def check_outage(server: Server, outage: AbstractContextManager[None]) -> None:
    """Checks that posts are broadcast during the outage, and acknowledged after it."""
    with Crowd(server.port, **TIRELESS) as crowd:
        crowd.wait_for_more(50)
        with outage:
            posted = crowd.post("while the database is away")
            crowd.wait_until(lambda: all(posted in reader.history.messages.values() for reader in crowd.readers))
            crowd.wait_for_more(200, "heard")
            crowd.wait_until(lambda: SAVING_FAILED in server.log)
            crowd.wait_until(lambda: _health(server) == 503)
            assert not any(posted in writer.acknowledged for writer in crowd.writers)
        crowd.wait_for_more(50)
        crowd.wait_until(lambda: _health(server) == 200)
        check_consistency(crowd, server.database_url)
        assert posted in crowd.writers[0].acknowledged


def _health(server: Server) -> int:
    return request(server.port, "GET", "/healthz").status
