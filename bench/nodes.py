"""What a cluster costs: `python -m bench.nodes [--nodes 1 2 3] [--rate 300]`.

A server that is alone on PostgreSQL is measured beside clusters of some nodes, in turn, on one machine: nodes, three
nats-servers with `sync_interval: always`, PostgreSQL (without fsync) and the generator share its cores. So what carries
over to other machines is the CPU of a post and of a delivery in each process, and ratios.
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import process
from bench.load_generator import JoinFailed, LoadGenerator
from bench.plan import Group, Outcome, Step, Traffic
from bench.ramp import find_highest_rate
from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server
from tests.support.talker import Talker

SMALL = Group("small", rooms=1_000, people=5, publishers=1_000)
LARGER = Group("larger", rooms=250, people=20, publishers=250)
BIG = Group("big", rooms=1, people=500, publishers=100)

LIMIT = 250.0
"""Milliseconds within which 99 of 100 deliveries have to come: each turn waits for the disks of a quorum."""

HEARD = 300
"""Messages whose way to another node is timed, one at a time."""

KNOWN_ROOMS, TOPICS = 30_000, 100
"""Rooms in which something is said, and how many of them one connection joins."""

KNOWN_RATE = 1_000.0
"""Messages a second for that."""

SETTLING = 10.0
"""Seconds for rooms to end and for the database to get what was said in them, and of the longer measurements."""


class Place(NamedTuple):
    """What is measured: nodes, and what works for them."""

    name: str
    ports: tuple[int, ...]
    processes: Mapping[str, Sequence[int]]  # ids by what they are

    def cpu(self) -> dict[str, float]:
        """Returns the CPU seconds used so far, by what the processes are."""
        return {what: sum(map(process.cpu_seconds, pids)) for what, pids in self.processes.items()}

    def memory(self, number: int) -> int:
        """Returns the resident memory of a node, in bytes."""
        return process.memory(self.processes["nodes"][number])["rss"]


@contextlib.contextmanager
def open_place(nodes: int, **options: Any) -> Iterator[Place]:
    """Starts so many nodes with an empty database; 0 is a server that is alone."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgresql = stack.enter_context(PostgreSQL())
        url = postgresql.create_database()
        if not nodes:
            server = stack.enter_context(Server(folder / "no.db", database_url=url, **options))
            processes = {"nodes": [server.pid], "PostgreSQL": [postgresql.pid]}
            yield Place("alone", (server.port,), processes)
            return
        names = [f"node{number}" for number in range(nodes)]
        cluster = stack.enter_context(Cluster(folder, url, names=names, nats_servers=3, **options))
        yield Place(
            f"{nodes} nodes",
            tuple(cluster.port(name) for name in names),
            {
                "nodes": [cluster.nodes[name].pid for name in names],
                "NATS": [nats.pid for nats in cluster.nats.servers],
                "PostgreSQL": [postgresql.pid],
            },
        )


class Session:
    """Owns a place and a generator whose group has joined; both anew after a step that was not clean."""

    def __init__(self, nodes: int, group: Group) -> None:
        self._nodes = nodes
        self._group = group
        self._stack = contextlib.ExitStack()
        self._open: tuple[Place, LoadGenerator] | None = None
        self.cpu: dict[str, float] = {}  # of the last step

    def run(self, rate: float) -> Outcome:
        """Runs one step of so many messages a second. Raises `JoinFailed`."""
        place, generator = self._open = self._open or self._enter()
        before = place.cpu()
        outcome = generator.run(Step((Traffic(self._group.name, rate),), warm_up=1.0, seconds=5.0))
        self.cpu = {what: seconds - before[what] for what, seconds in place.cpu().items()}
        shown = " ".join(f"{what} {seconds:.2f} s" for what, seconds in self.cpu.items())
        print(
            f"    {place.name}, {self._group.name}, {rate:.0f} msg/s: p50 {outcome.latency(0.5):.1f}"
            f" p95 {outcome.latency(0.95):.1f} p99 {outcome.latency(0.99):.1f} ms,"
            f" {'clean' if outcome.is_clean else 'not clean'}; CPU {shown}",
            flush=True,
        )
        if not outcome.is_clean or not generator.wait_until_quiet():
            self.close()
        return outcome

    def close(self) -> None:
        """Ends the place and the generator."""
        self._stack.close()
        self._open = None

    def _enter(self) -> tuple[Place, LoadGenerator]:
        place = self._stack.enter_context(open_place(self._nodes))
        generator = self._stack.enter_context(LoadGenerator(*place.ports))
        try:
            generator.add_group(self._group)
        except JoinFailed:
            self.close()
            raise
        return place, generator


def costs(nodes: int, rate: float) -> dict[str, object]:
    """Measures latency, and the CPU of a post and of a delivery in each kind of process, in µs.

    The same posts are delivered to 5 and to 20 people, on all nodes alike: the difference is what deliveries cost.
    """
    cpu, latency, posts = {}, {}, rate * 6.0
    for group in (SMALL, LARGER):
        session = Session(nodes, group)
        outcome = session.run(rate)
        cpu[group.people] = session.cpu
        latency[group.name] = [outcome.latency(fraction) for fraction in (0.5, 0.95)]
        session.close()
    few, many = SMALL.people, LARGER.people
    found: dict[str, object] = {"latency": latency}
    for what in cpu[few]:
        delivery = (cpu[many][what] - cpu[few][what]) / (posts * (many - few))
        post = cpu[few][what] / posts - few * delivery
        found[what] = {"post": 1e6 * post, "delivery": 1e6 * delivery}
    return found


def overheard(rate: float) -> dict[str, float]:
    """Measures what a message costs a node that has nobody in its room, in µs: it only follows the log."""
    with open_place(2) as place, LoadGenerator(place.ports[0]) as generator:
        generator.add_group(SMALL)
        pid = place.processes["nodes"][1]
        before = process.cpu_seconds(pid)
        time.sleep(SETTLING)
        idle = (process.cpu_seconds(pid) - before) / SETTLING
        before = process.cpu_seconds(pid)
        generator.run(Step((Traffic(SMALL.name, rate),), warm_up=0, seconds=SETTLING))
        used = process.cpu_seconds(pid) - before
    return {"idle, of a second": 1e6 * idle, "post": 1e6 * (used / SETTLING - idle) / rate}


def highest_rate(nodes: int, group: Group, first: float) -> float:
    """Finds the highest rate of messages with p99 within the limit."""
    session = Session(nodes, group)
    rate = find_highest_rate(session.run, first, LIMIT).rate
    session.close()
    return rate


def heard_elsewhere(nodes: int) -> dict[str, float]:
    """Times how long it takes until somebody else has what is said, on another node where there is one; in ms."""
    with open_place(nodes) as place, Talker(place.ports[0]) as ann, Talker(place.ports[-1]) as bo:
        for each in (ann, bo):
            each.join("heard")
        took = []
        for number in range(HEARD):
            began = time.perf_counter()
            ann.push("heard", "new_message", name="ann", message=str(number))
            while bo.wait_for("new_message")["message"] != str(number):
                pass
            took.append(1000 * (time.perf_counter() - began))
        took.sort()
    return {"p50": took[HEARD // 2], "p95": took[HEARD * 95 // 100]}


def known_rooms() -> dict[str, dict[str, float]]:
    """Measures what a room costs in which something was said and nobody is any more, in bytes.

    On the node where that was said, and on the other. Of rooms that lived at once, and of as many others after them,
    which use what those have left. The rooms before the first look leave out what is made once.
    """
    people = KNOWN_ROOMS // TOPICS
    few = Group("few", rooms=100, people=1, publishers=100, with_name=False, room_prefix="few")
    many = Group("many", rooms=people, people=1, publishers=people, topics=TOPICS, with_name=False, room_prefix="many")
    groups = (few, many, dataclasses.replace(many, name="others", room_prefix="others"))
    used = []
    with open_place(2, room_idle_timeout=1) as place:
        for group in groups:
            with LoadGenerator(place.ports[0]) as generator:
                generator.add_group(group)
                messages = group.size * group.topics
                generator.run(Step((Traffic(group.name, KNOWN_RATE),), warm_up=0, seconds=messages / KNOWN_RATE))
            time.sleep(SETTLING)
            used.append([place.memory(number) for number in (0, 1)])
    found = {}
    for group, (before, after) in zip(groups[1:], itertools.pairwise(used), strict=True):
        here, elsewhere = ((late - early) / KNOWN_ROOMS for early, late in zip(before, after, strict=True))
        found[group.name] = {"where it was said": here, "elsewhere": elsewhere}
    return found


def main() -> int:
    """Measures everything and prints it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 3], help="how many there are, in turn")
    parser.add_argument("--rate", type=float, default=300.0, help="messages a second at which costs are measured")
    parser.add_argument("--only", choices=["heard", "costs", "overheard", "rates", "memory"])
    options = parser.parse_args()
    found: dict[str, object] = {}
    for nodes in [0, *options.nodes]:
        of_place = found.setdefault(f"{nodes} nodes" if nodes else "alone", {})
        assert isinstance(of_place, dict)
        if options.only in (None, "heard"):
            of_place["heard"] = heard_elsewhere(nodes)
        if options.only in (None, "costs"):
            of_place["costs"] = costs(nodes, options.rate)
        if options.only in (None, "rates"):
            of_place["small rooms"] = highest_rate(nodes, SMALL, 500.0)
            of_place["big room"] = highest_rate(nodes, BIG, 100.0)
        print(json.dumps(of_place, indent=1), flush=True)
    if options.only in (None, "overheard"):
        found["a node that only hears"] = overheard(options.rate)
    if options.only in (None, "memory"):
        found["a room"] = known_rooms()
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
