"""Connections are cut in the middle of a frame, and clients say everything several times."""

from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.support.server import Server


def test_connections_that_are_cut_in_the_middle_of_a_frame_cost_nothing(server: Server) -> None:
    with Crowd(server.port, ["lobby", "garden"]) as crowd:
        for _ in range(6):  # also of those who are on their way back
            crowd.until_more(20)
            crowd.cut()
        for _ in range(4):
            crowd.until_more(20)
            crowd.until_back(crowd.cut)
        crowd.until_more(100)
        check_consistency(crowd, server.database_url)


def test_one_who_comes_back_when_the_room_has_long_gone_on_is_not_said_twice(server: Server) -> None:
    with Crowd(server.port, writers=8) as crowd:
        for number in range(24):
            crowd.until_more(10)
            crowd.cut([crowd.writers[number % 8]])
        check_consistency(crowd, server.database_url)


def test_what_is_sent_three_times_is_said_once(server: Server) -> None:
    with Crowd(server.port, copies=3) as crowd:
        crowd.until_more(500)
        check_consistency(crowd, server.database_url)
        crowd.until(lambda: sum(writer.duplicates for writer in crowd.writers) == 2 * crowd.acknowledged)


def test_what_is_sent_three_times_is_said_once_though_connections_are_cut(server: Server) -> None:
    with Crowd(server.port, copies=3) as crowd:
        for _ in range(10):
            crowd.until_more(20)
            crowd.cut()
        check_consistency(crowd, server.database_url)
