"""The server is killed or stopped while clients post, or started a second time."""

import json
from pathlib import Path

from tests.faults.conftest import SMALL_MEMORY
from tests.faults.consistency import check_consistency, places
from tests.faults.crowd import TIRELESS, Crowd
from tests.support.database import refusing
from tests.support.server import Server, run_to_its_end


def restart(server: Server) -> None:
    server.kill()
    server.start()


def test_a_server_that_is_killed_repeatedly_loses_no_acknowledged_message(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"], writers=2, readers=2) as crowd:
        for _ in range(4):  # also before all clients have reconnected
            crowd.wait_for_more(50)
            restart(server)
        for _ in range(4):
            crowd.wait_for_more(50)
            crowd.wait_for_rejoins(lambda: restart(server))
        crowd.wait_for_more(50)
        check_consistency(crowd, server.database_url)


def test_a_server_that_is_stopped_and_started_loses_nothing(server: Server) -> None:
    with Crowd(server.port) as crowd:
        for _ in range(3):
            crowd.wait_for_more(100)
            assert server.stop() == 0
            server.start()
        crowd.wait_for_more(100)
        check_consistency(crowd, server.database_url)
    assert server.log == ""


def test_messages_that_a_killed_server_did_not_save_are_dropped_and_posted_again(server: Server) -> None:
    with Crowd(server.port, **TIRELESS) as crowd:
        crowd.wait_for_more(50)
        for _ in range(3):
            with refusing(server.database_url):
                crowd.wait_for_more(100, "heard")
                server.kill()
            server.start()
            crowd.wait_for_more(50)
        check_consistency(crowd, server.database_url)


def test_a_stop_without_the_database_spools_posts_that_the_next_server_saves(database: Path, database_url: str) -> None:
    with (
        Server(database, database_url=database_url, stop_timeout=0.5, **SMALL_MEMORY) as server,
        Crowd(server.port, **TIRELESS) as crowd,
    ):
        crowd.wait_for_more(50)
        with refusing(server.database_url):
            crowd.wait_for_more(100, "heard")
            assert server.stop() == 0
        (spool,) = database.parent.glob("*.unsaved.jsonl")
        spooled = {json.loads(line)["id"] for line in spool.read_text().splitlines()}
        assert spooled <= set().union(*(writer.outbox for writer in crowd.writers))  # whatever is added meanwhile
        server.start()
        assert not spool.exists()
        assert spooled <= {id for _, id in places(server.database_url, "lobby")}
        check_consistency(crowd, server.database_url)


def test_a_second_server_on_a_database_fails_and_does_not_disturb_the_first(server: Server) -> None:
    with Crowd(server.port) as crowd:
        crowd.wait_for_more(50)
        second = run_to_its_end("serve", "--port=0", f"--database={server.database_url}")
        assert second == (2, "", "chatter: another Chatter is running on this database\n")
        crowd.wait_for_more(50)
        check_consistency(crowd, server.database_url)
