"""The server is killed or stopped while many talk, or started a second time."""

import json
from pathlib import Path

from tests.faults.conftest import FORGETFUL
from tests.faults.consistency import check_consistency, places
from tests.faults.crowd import Crowd
from tests.support.database import refusing
from tests.support.server import Server, run_to_its_end


def restart(server: Server) -> None:
    server.kill()
    server.start()


def test_a_server_that_is_killed_again_and_again_loses_nothing_that_it_acknowledged(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"], writers=2, readers=2) as crowd:
        for _ in range(4):  # also while not everybody is back yet
            crowd.until_more(50)
            restart(server)
        for _ in range(4):
            crowd.until_more(50)
            crowd.until_back(lambda: restart(server))
        crowd.until_more(50)
        check_consistency(crowd, server.database_url)


def test_a_server_that_is_stopped_and_started_again_loses_nothing(server: Server) -> None:
    with Crowd(server.port) as crowd:
        for _ in range(3):
            crowd.until_more(100)
            assert server.stop() == 0
            server.start()
        crowd.until_more(100)
        check_consistency(crowd, server.database_url)
    assert server.log == ""


def test_what_was_heard_from_a_server_that_died_before_saving_it_is_dropped_and_said_again(server: Server) -> None:
    with Crowd(server.port, pause=0.05) as crowd:
        crowd.until_more(50)
        for _ in range(3):
            with refusing(server.database_url):
                crowd.until_more(100, "heard")
                server.kill()
            server.start()
            crowd.until_more(50)
        check_consistency(crowd, server.database_url)


def test_a_server_that_stops_without_its_database_leaves_what_it_heard_to_the_next(
    database: Path, database_url: str
) -> None:
    with (
        Server(database, database_url=database_url, stop_timeout=0.5, **FORGETFUL) as server,
        Crowd(server.port, pause=0.05) as crowd,
    ):
        crowd.until_more(50)
        with refusing(server.database_url):
            crowd.until_more(100, "heard")
            assert server.stop() == 0
        (left,) = database.parent.glob("*.unsaved.jsonl")
        waiting = {json.loads(line)["id"] for line in left.read_text().splitlines()}
        assert waiting <= {id for writer in crowd.writers for id in writer.outbox}
        server.start()
        assert not left.exists()
        assert waiting <= {id for _, id in places(server.database_url, "lobby")}
        check_consistency(crowd, server.database_url)


def test_a_second_server_on_a_database_is_refused_and_does_not_disturb_the_first(server: Server) -> None:
    with Crowd(server.port) as crowd:
        crowd.until_more(50)
        second = run_to_its_end("serve", "--port=0", f"--database={server.database_url}")
        assert second == (2, "", "chatter: another Chatter is running on this database\n")
        crowd.until_more(50)
        check_consistency(crowd, server.database_url)
