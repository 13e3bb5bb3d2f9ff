"""Three nodes under load, and one fault after another, of all kinds."""

import random
import signal
from pathlib import Path

import pytest

from chatter.cluster.connection import Connection
from tests.faults.cluster.conftest import LANES, OPTIONS, THREE, gather, measured
from tests.faults.cluster.verdict import KEPT, judge
from tests.faults.crowd import Crowd
from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL

pytestmark = [pytest.mark.nats, pytest.mark.postgresql, pytest.mark.chaos, pytest.mark.timeout(900)]

FAULTS = 12


class Chaos:
    """Breaks one thing of a cluster after another, and mends it."""

    def __init__(self, cluster: Cluster, database: PostgreSQL, crowd: Crowd, seed: int) -> None:
        self._cluster = cluster
        self._database = database
        self._crowd = crowd
        self._chance = random.Random(seed)

    def happen(self) -> None:
        """Lets something happen, and waits until people talk in all rooms again."""
        kinds = (
            self.node_killed,
            self.node_deployed,
            self.node_stopped,
            self.leader_killed,
            self.follower_killed,
            self.leader_stopped,
            self.leader_steps_down,
            self.database_killed,
            self.everybody_cut_off,
        )
        fault = self._chance.choice(kinds)
        with measured(self._crowd, fault.__name__.replace("_", " ")):
            fault()
            self._crowd.wait_for_more_everywhere()

    def node_killed(self) -> None:
        self._cluster.nodes[self._node].kill()
        self._crowd.wait_for_more_everywhere()
        self._cluster.start()

    def node_deployed(self) -> None:
        assert self._cluster.nodes[self._node].stop() == 0
        self._cluster.start()

    def node_stopped(self) -> None:
        name = self._node
        self._cluster.pause(name)
        self._cluster.wait_until_more_is_saved()
        self._cluster.resume(name)

    def leader_killed(self) -> None:
        self._cluster.nats.leader(self._stream).kill()
        self._crowd.wait_for_more_everywhere()
        self._mend_log()

    def follower_killed(self) -> None:
        leader = self._cluster.nats.leader(self._stream)
        self._chance.choice([each for each in self._cluster.nats.servers if each is not leader]).kill()
        self._crowd.wait_for_more_everywhere()
        self._mend_log()

    def leader_stopped(self) -> None:
        leader = self._cluster.nats.leader(self._stream)
        leader.signal(signal.SIGSTOP)
        self._crowd.wait_for_more_everywhere()
        leader.signal(signal.SIGCONT)

    def leader_steps_down(self) -> None:
        async def ask(connection: Connection) -> None:
            await connection.publish(f"$JS.API.STREAM.LEADER.STEPDOWN.{self._stream}", b"")

        self._cluster.connected(ask)

    def database_killed(self) -> None:
        self._database.kill()
        self._crowd.wait_for_more_everywhere()
        self._database.start()

    def everybody_cut_off(self) -> None:
        self._crowd.wait_for_rejoins(self._crowd.cut)

    def _mend_log(self) -> None:
        self._cluster.nats.start()
        self._cluster.nats.wait_until_ready()

    @property
    def _node(self) -> str:
        return self._chance.choice(THREE)

    @property
    def _stream(self) -> str:
        return f"CHATTER_{self._chance.randrange(LANES)}"


@pytest.mark.parametrize("seed", range(2))
def test_whatever_fails_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    with (
        PostgreSQL() as database,
        Cluster(tmp_path, database.create_database(), names=THREE, nats_servers=3, **OPTIONS) as cluster,
        gather(cluster, log_readers=3) as crowd,
    ):
        chaos = Chaos(cluster, database, crowd, seed)
        for _ in range(FAULTS):
            chaos.happen()
        cluster.wait_until_healthy()
        assert judge(crowd, cluster) == KEPT
        print(f"{crowd.acknowledged} posts and {crowd.done} operations acknowledged")
