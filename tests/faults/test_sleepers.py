"""A thousand stop reading in a room that goes on talking."""

from pathlib import Path
from typing import Any

from tests.faults.conftest import PATIENT
from tests.faults.consistency import check_consistency
from tests.faults.crowd import PAGE, Crowd
from tests.support.phoenix_client import request
from tests.support.server import Server

SLEEPERS = 1_000

SMALL: dict[str, Any] = PATIENT | {"max_unsent_bytes": 16_384, "send_buffer_bytes": 4_096, "max_recovery_page": PAGE}
"""Settings of a server that keeps little for those who do not read: 30 messages are more."""


def people(server: Server) -> int:
    """How many are in the lobby, as far as the server knows."""
    (room,) = request(server.port, "GET", "/api/rooms").json["rooms"]
    number: int = room["people"]
    return number


def test_a_thousand_who_stop_reading_disturb_nobody_and_have_everything_when_they_read_on(database: Path) -> None:
    with Server(database, **SMALL) as server, Crowd(server.port, sleepers=SLEEPERS, window=5, length=1_000) as crowd:
        able = [sleeper for sleeper in crowd.sleepers if sleeper.resync]
        unable = [sleeper for sleeper in crowd.sleepers if not sleeper.resync]
        awake = [reader for reader in crowd.readers if reader not in crowd.sleepers]
        crowd.sleep()
        crowd.until(lambda: people(server) == len(crowd.writers) + len(awake) + len(able))  # the others are closed
        crowd.until_more(20)
        crowd.wake()
        crowd.until(lambda: all(sleeper.times_joined > 1 and sleeper.is_in for sleeper in unable))
        crowd.until(lambda: all(sleeper.times_lagging > 0 for sleeper in able))
        check_consistency(crowd, server.database_url)
        assert {member.times_joined for member in (*crowd.writers, *awake, *able)} == {1}
        assert {reader.times_lagging for reader in awake} == {0}
        assert {code for sleeper in unable for code in sleeper.close_codes} <= {1013, 1006}  # told, or cut meanwhile
    assert server.log == ""
