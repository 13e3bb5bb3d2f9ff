"""The nats-servers of whole nodes end in every way while people talk."""

import signal

import pytest

from tests.faults.cluster.conftest import gather, measured
from tests.faults.cluster.verdict import KEPT, judge
from tests.support.cluster import Cluster
from tests.support.talker import Talker

pytestmark = [pytest.mark.nats, pytest.mark.postgresql]


def test_a_leader_that_is_killed_loses_nothing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        with measured(crowd, "leader killed"):
            cluster.nats.leader("CHATTER_0").kill()
            crowd.wait_for_more_everywhere()
        cluster.nats.start()
        crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT


@pytest.mark.chaos
def test_servers_that_are_ended_one_after_another_lose_nothing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for lane in range(3):
                crowd.wait_for_more(100)
                with measured(crowd, f"leader of a lane, {number.name}"):
                    cluster.nats.leader(f"CHATTER_{lane}").signal(number)
                    crowd.wait_for_more_everywhere()
                cluster.nats.start()
                cluster.nats.wait_until_ready()
        assert judge(crowd, cluster) == KEPT


@pytest.mark.chaos
def test_a_follower_that_is_killed_is_not_noticed(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        leaders = {cluster.nats.leader(f"CHATTER_{lane}") for lane in range(4)}
        follower = next((each for each in cluster.nats.servers if each not in leaders), cluster.nats.servers[0])
        with measured(crowd, f"server killed that leads {'some lane' if follower in leaders else 'no lane'}"):
            follower.kill()
            crowd.wait_for_more_everywhere()
        with measured(crowd, "server back"):
            cluster.nats.start()
            cluster.nats.wait_until_ready()
            crowd.wait_for_more_everywhere()
        assert judge(crowd, cluster) == KEPT


@pytest.mark.chaos
def test_servers_that_are_all_killed_at_once_lose_nothing(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        for _ in range(2):
            crowd.wait_for_more(100)
            with measured(crowd, "all servers killed and started"):
                for server in cluster.nats.servers:
                    server.kill()
                cluster.nats.start()
                crowd.wait_for_more_everywhere()
            cluster.wait_until_healthy()
        assert judge(crowd, cluster) == KEPT


def test_without_a_quorum_nobody_says_anything_everybody_reads_and_all_is_answered_later(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        with measured(crowd, "quorum lost"):
            for server in cluster.nats.servers[:2]:
                server.kill()
            before = crowd.put_off
            crowd.wait_until(lambda: all(crowd.put_off[room] > before[room] for room in crowd.rooms))
            acknowledged = crowd.acknowledged
            # Until a node knows, it may take one more post, whose answer comes with the quorum.
            crowd.wait_until(lambda: all(cluster.health(name) == "unavailable" for name in cluster.nodes))
            for name in cluster.nodes:
                _check_that_it_only_reads(cluster, name, crowd.rooms)
            assert crowd.acknowledged == acknowledged
        with measured(crowd, "quorum back"):
            cluster.nats.start()
            crowd.wait_for_more_everywhere()
        cluster.wait_until_healthy()
        assert judge(crowd, cluster) == KEPT


def _check_that_it_only_reads(cluster: Cluster, name: str, rooms: list[str]) -> None:
    with Talker(cluster.port(name)) as talker:
        for room in rooms:
            talker.join(room)
            assert talker.ask(room, "history", limit=10)["response"]["messages"]
            refused = talker.ask(room, "new_message", name="somebody", message="hello")
            assert (refused["status"], refused["response"]["reason"]) == ("error", "overloaded")
            assert refused["response"]["retry_after_ms"] > 0
