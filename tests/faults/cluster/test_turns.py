"""What may come into a lane: one id from all nodes at once, what breaks the rules, and more than there is room for."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from chatter.cluster.connection import Connection
from chatter.cluster.frames import GENESIS, Frame, encode
from chatter.cluster.jetstream import log_subject
from chatter.lanes.turns import SAID
from tests.faults.cluster.conftest import LANES, OPTIONS, THREE, gather, measured, rooms
from tests.faults.cluster.verdict import KEPT, judge
from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL
from tests.support.talker import Talker

pytestmark = [pytest.mark.nats, pytest.mark.postgresql]

REMEMBERED = 20
"""Ids that a room has in memory."""

BURST = 2_500
"""Posts at once, of which a room keeps 1,000 waiting."""


Said: TypeAlias = tuple[str, str]
"""A room, and an id."""


class Poster:
    """Poster says things in some rooms through one node, under ids, and says again what is put off."""

    def __init__(self, talker: Talker, *rooms: str) -> None:
        for room in rooms:
            talker.join(room)
        self.places: dict[Said, int] = {}
        self.times_put_off = 0
        self._talker = talker
        self._rooms = rooms
        self._asked: dict[str, Said] = {}  # by ref

    def say(self, *ids: str, repeat: bool = False) -> None:
        """Says something under each of these ids in each room, all in one packet."""
        self._push([(room, id) for id in ids for room in self._rooms], repeat=repeat)

    def wait(self) -> None:
        """Waits until everything has a place."""
        while self._asked:
            put_off: list[Said] = []
            while self._asked:
                answer = next(each for each in self._talker.frames() if each.ref in self._asked)
                said = self._asked.pop(answer.ref or "")
                if answer.payload["status"] == "ok":
                    self.places[said] = answer.payload["response"]["seq"]
                else:
                    assert "retry_after_ms" in answer.payload["response"], answer
                    put_off.append(said)
            self.times_put_off += len(put_off)
            self._push(put_off, repeat=True)

    def _push(self, said: list[Said], *, repeat: bool) -> None:
        posts = [(room, {"name": "ann", "message": id, "id": id, "repeat": repeat}) for room, id in said]
        refs = self._talker.push_many([(room, "new_message", post) for room, post in posts])
        self._asked |= dict(zip(refs, said, strict=True))


def check_places(cluster: Cluster, posters: Sequence[Poster]) -> None:
    """Checks that each id is there once, where all were told that it is."""
    cluster.wait_until_saved()
    told = sorted({(room, seq, id) for poster in posters for (room, id), seq in poster.places.items()})
    there = cluster.query("SELECT slug, seq, entry.id FROM entry JOIN room ON room.id = room")
    rooms = {room for room, _, _ in told}
    assert sorted(entry for entry in there if entry[0] in rooms) == told


def test_what_is_said_through_all_nodes_at_once_is_said_once(tmp_path: Path, database_server: PostgreSQL) -> None:
    url, memory = database_server.create_database(), {"id_memory_size": REMEMBERED, "ring_size": REMEMBERED}
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(Cluster(tmp_path, url, names=THREE, **OPTIONS, **memory))
        crowded = [rooms("once")[0] for _ in range(8)]  # in one lane: a turn takes its time
        posters = [Poster(stack.enter_context(Talker(cluster.port(name))), *crowded) for name in THREE]
        for number in range(3 * REMEMBERED):
            for poster in posters:
                poster.say(f"id-{number}")
                if number >= 2 * REMEMBERED:
                    poster.say(f"id-{number - 2 * REMEMBERED}", repeat=True)
            for poster in posters:
                poster.wait()
        check_places(cluster, posters)
        assert sum(node["conflicts"] for node in cluster.status()["nodes"]) > 0  # else it was not at once


def test_a_turn_that_was_put_in_by_hand_is_void_everywhere_and_told(cluster: Cluster) -> None:
    async def put_in(connection: Connection) -> None:
        for lane in range(LANES):
            frame = Frame(lane, prev=0, chain=GENESIS, by="nobody", boot=1, n=1, kind=SAID, body=b"\x90")
            await connection.publish(log_subject(lane), encode(frame))

    alarm = "is void: it was not appended by the rules"
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        cluster.connected(put_in)
        crowd.wait_until(lambda: all(node.log.count(alarm) == LANES for node in cluster.nodes.values()))
        crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT
    assert all(node.log.count(alarm) == LANES for node in cluster.nodes.values())


@pytest.mark.chaos
def test_more_than_the_nodes_take_is_put_off_and_said_later(cluster: Cluster) -> None:
    turns, conflicts = _conflicts(cluster)
    (room, *_) = rooms("burst")
    with gather(cluster) as crowd, contextlib.ExitStack() as stack:
        posters = [Poster(stack.enter_context(Talker(cluster.port(name))), room) for name in cluster.nodes]
        with measured(crowd, "overload"):
            for number, poster in enumerate(posters):
                poster.say(*(f"{number}-{post}" for post in range(BURST)))
            for poster in posters:
                poster.wait()
        assert all(poster.times_put_off for poster in posters)
        assert judge(crowd, cluster) == KEPT
        check_places(cluster, posters)
    cluster.wait_until_healthy()
    now, lost = _conflicts(cluster)
    print(f"{lost - conflicts} conflicts in {now - turns} turns")
    assert lost - conflicts < now - turns  # no storm


def _conflicts(cluster: Cluster) -> tuple[int, int]:
    """How many turns there are, and how many appends were refused since another was first."""
    status = cluster.status()
    return sum(lane["last"] for lane in status["lanes"]), sum(node["conflicts"] for node in status["nodes"])


@pytest.mark.chaos
def test_a_log_that_is_full_puts_off_what_is_said_and_loses_nothing(
    tmp_path: Path, database_server: PostgreSQL
) -> None:
    url, room = database_server.create_database(), rooms()[0]
    with (
        Cluster(tmp_path, url, lane_bytes=16 * 1024 * 1024, max_message_length=30_000, **OPTIONS) as cluster,
        gather(cluster, of=[room], editors=0, writers=2, length=15_000) as crowd,
    ):
        crowd.wait_for_more(10)
        with measured(crowd, "log full until the database is back and it is trimmed"):
            database_server.stop()
            crowd.wait_until(lambda: any("the log is full" in node.log for node in cluster.nodes.values()))
            before = crowd.put_off[room]
            crowd.wait_until(lambda: crowd.put_off[room] > before)
            database_server.start()
            crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT
