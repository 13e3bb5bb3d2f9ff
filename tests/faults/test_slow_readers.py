"""A thousand clients stop reading while others post."""

from pathlib import Path
from typing import Any

from tests.faults.consistency import check_consistency
from tests.faults.crowd import PAGE_SIZE, Crowd
from tests.support.phoenix_client import request
from tests.support.server import Server

SLOW_READERS = 1_000

SMALL_BUFFERS: dict[str, Any] = {
    "max_unsent_bytes": 16_384,
    "send_buffer_bytes": 4_096,
    "max_recovery_page": PAGE_SIZE,
}
"""Settings of a server that buffers less than 30 messages for a client."""


def count_people(server: Server) -> int:
    """Returns how many people are in the lobby, as the server counts them."""
    (room,) = request(server.port, "GET", "/api/rooms").json["rooms"]
    number: int = room["people"]
    return number


def test_a_thousand_clients_that_stop_reading_disturb_nobody_and_miss_nothing(database: Path) -> None:
    with (
        Server(database, **SMALL_BUFFERS) as server,
        Crowd(server.port, slow_readers=SLOW_READERS, max_unanswered=5, length=1_000) as crowd,
    ):
        with_resync = [reader for reader in crowd.slow_readers if reader.resync]
        without_resync = [reader for reader in crowd.slow_readers if not reader.resync]
        others = [reader for reader in crowd.readers if reader not in crowd.slow_readers]
        crowd.pause_slow_readers()
        # the server closes those that do not know `resync`
        crowd.wait_until(lambda: count_people(server) == len(crowd.writers) + len(others) + len(with_resync))
        crowd.wait_for_more(20)
        crowd.resume_slow_readers()
        crowd.wait_until(lambda: all(reader.times_joined > 1 and reader.is_joined for reader in without_resync))
        crowd.wait_until(lambda: all(reader.times_lagged > 0 for reader in with_resync))
        check_consistency(crowd, server.database_url)
        assert {member.times_joined for member in (*crowd.writers, *others, *with_resync)} == {1}
        assert {reader.times_lagged for reader in others} == {0}
        # 1006 where the connection ended before the close frame arrived
        assert {code for reader in without_resync for code in reader.close_codes} <= {1013, 1006}
    assert server.log == ""
