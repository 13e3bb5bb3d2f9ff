"""A database is away while people talk, and comes back."""

from contextlib import AbstractContextManager

from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.support.phoenix_client import request
from tests.support.server import Server

FAILED = "saving failed, will be tried again"


def people_go_on_talking(server: Server, outage: AbstractContextManager[None]) -> None:
    """They hear each other all the time, nothing is acknowledged while it is not saved, and in the end all of it is."""
    with Crowd(server.port, pause=0.05, window=1_000) as crowd:  # nobody falls silent, however long it takes
        crowd.until_more(50)
        with outage:
            said = crowd.say("while the database is away")
            crowd.until(lambda: all(said in reader.held.messages.values() for reader in crowd.readers))
            crowd.until_more(200, "heard")
            crowd.until(lambda: server.log.count(FAILED) >= 2)
            crowd.until(lambda: _health(server) == 503)
            assert not any(said in writer.acknowledged for writer in crowd.writers)
        crowd.until_more(50)
        crowd.until(lambda: _health(server) == 200)
        check_consistency(crowd, server.database_url)
        assert said in crowd.writers[0].acknowledged


def _health(server: Server) -> int:
    return request(server.port, "GET", "/healthz").status
