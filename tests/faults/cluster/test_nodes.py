"""Nodes end in every way while people talk through all of them: nothing is lost, doubled, or heard in two orders."""

import psycopg
import pytest

from tests.faults.cluster.conftest import gather, measured
from tests.faults.cluster.verdict import KEPT, judge
from tests.support.cluster import Cluster

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

pytestmark = [pytest.mark.nats, pytest.mark.postgresql]


def test_a_node_that_is_killed_loses_nothing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        with measured(crowd, "node killed"):
            cluster.nodes["east"].kill()
            cluster.wait_until_more_is_saved()
            crowd.wait_for_more(100)
        with measured(crowd, "node back"):
            cluster.start()
            crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT


@pytest.mark.chaos
def test_a_node_that_is_stopped_for_longer_than_others_wait_for_it_loses_nothing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        with measured(crowd, "node stopped"):
            cluster.pause("east")
            cluster.wait_until_more_is_saved()  # so it counts as dead
            crowd.wait_for_more(100)
        with measured(crowd, "node goes on"):
            cluster.resume("east")
            crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT


def test_a_node_that_is_stopped_within_a_transaction_keeps_nobody_from_writing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        with psycopg.connect(cluster.database_url) as other:
            other.execute("LOCK TABLE entry IN EXCLUSIVE MODE")
            crowd.wait_until(lambda: len(cluster.query(WAITING)) == len(cluster.nodes))  # each holds a lane
            cluster.pause("east")
        with measured(crowd, "node stopped within a transaction"):
            cluster.wait_until_more_is_saved()
            crowd.wait_for_more(100)
        cluster.resume("east")
        crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT


def test_a_rolling_deploy_loses_nothing_and_refuses_nobody_for_good(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        for name in cluster.nodes:
            crowd.wait_for_more(100)
            with measured(crowd, f"{name} is deployed"):
                assert cluster.nodes[name].stop() == 0
                cluster.start()
                cluster.wait_until_healthy()
        crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT


@pytest.mark.chaos
def test_nodes_that_are_all_killed_at_once_lose_nothing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        for _ in range(2):
            crowd.wait_for_more(100)
            with measured(crowd, "all nodes killed and started"):
                for node in cluster.nodes.values():
                    node.kill()
                cluster.start()
                crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT
