"""Nothing is lost or said twice when connections are cut and clients repeat posts."""

from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.support.server import Server


def test_connections_that_are_cut_in_the_middle_of_a_frame_lose_nothing(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        for _ in range(6):  # also while clients reconnect
            crowd.wait_for_more(20)
            crowd.cut()
        for _ in range(4):
            crowd.wait_for_more(20)
            crowd.wait_for_rejoins(crowd.cut)
        crowd.wait_for_more(100)
        check_consistency(crowd, server.database_url)


def test_a_post_that_a_writer_repeats_after_many_others_is_said_once(server: Server) -> None:
    with Crowd(server.port, writers=8) as crowd:
        for number in range(24):
            crowd.wait_for_more(10)
            crowd.cut([crowd.writers[number % 8]])
        check_consistency(crowd, server.database_url)


def test_a_post_that_is_sent_three_times_is_said_once(server: Server) -> None:
    with Crowd(server.port, copies=3) as crowd:
        crowd.wait_for_more(500)
        check_consistency(crowd, server.database_url)
        crowd.wait_until(lambda: sum(writer.duplicates for writer in crowd.writers) == 2 * crowd.acknowledged)


def test_a_post_that_is_sent_three_times_is_said_once_when_connections_are_cut(server: Server) -> None:
    with Crowd(server.port, copies=3) as crowd:
        for _ in range(10):
            crowd.wait_for_more(20)
            crowd.cut()
        check_consistency(crowd, server.database_url)
